"""What looking sees of a page: its ink in one small grey picture, of the same size whatever the image was.

Nothing is read here, neither ruling nor layout: the sheet is cut out of its surroundings, paper and coloured lines are taken
away, and what is left is averaged down. A network that looks at pages (`ecglm.models.vision`) gets this picture, and nothing
else.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Height and width of the picture, pixels.
SIZE = (384, 512)
#: The sheet is looked for, and its brightness taken, in a picture of this width.
_COARSE = 160
#: Longest side (pixels) that is worked on: more holds nothing that would be left at SIZE.
_WORK = 1100
#: Share of the picture that the sheet fills at least, else it was not found and everything is kept.
_LEAST_SHEET = 0.2


def picture_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink of an upright image ``[y, x, 3]`` as uint8 ``SIZE``: 0 is paper, 255 the darkest ink. A blank image gives zeros."""
    red, green, blue = cv2.split(image)
    pale = np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)  # a coloured line is pale in one channel, ink is dark in all
    longest = max(pale.shape)
    if longest > _WORK:
        shape = (max(1, round(pale.shape[1] * _WORK / longest)), max(1, round(pale.shape[0] * _WORK / longest)))
        pale = np.asarray(cv2.resize(pale, shape, interpolation=cv2.INTER_AREA), np.uint8)
    top, bottom, left, right = _sheet(pale)
    sheet = pale[top:bottom, left:right].astype(np.float32)
    dark = np.clip(1.0 - sheet / np.maximum(_ground(sheet), 16.0), 0.0, 1.0)
    height, width = SIZE
    ink = cv2.resize(dark, (width, height), interpolation=cv2.INTER_AREA)
    level = float(np.quantile(ink.max(axis=0), 0.5))  # every column of a page with traces has ink
    ink = ink - float(np.median(ink))
    return np.asarray(np.clip(ink / max(level, 0.08), 0.0, 1.0) * 255.0, np.uint8)


def _sheet(pale: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Rows and columns between which the sheet of paper lies: the largest bright region, or everything."""
    height, width = pale.shape
    scale = _COARSE / max(height, width)
    small = cv2.resize(pale, (max(8, round(width * scale)), max(8, round(height * scale))), interpolation=cv2.INTER_AREA)
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))  # traces and print are part of the sheet
    _, bright = cv2.threshold(cv2.GaussianBlur(small, (0, 0), 1.5), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
    if len(stats) < 2:
        return 0, height, 0, width
    x, y, w, h, area = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
    whole = small.shape[0] * small.shape[1]
    if area < _LEAST_SHEET * whole or w < 0.4 * small.shape[1] or h < 0.3 * small.shape[0]:
        return 0, height, 0, width
    up, across = height / small.shape[0], width / small.shape[1]
    return round(y * up), round((y + h) * up), round(x * across), round((x + w) * across)


def _ground(pale: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brightness of the paper around each pixel, shading included."""
    height, width = pale.shape
    coarse = cv2.resize(pale, (max(8, width // 10), max(8, height // 10)), interpolation=cv2.INTER_AREA).astype(np.uint8)
    coarse = cv2.medianBlur(coarse, 9)
    ground: NDArray[np.float32] = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 2.0).astype(np.float32), (width, height))
    return ground
