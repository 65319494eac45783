"""Ink without paper: how dark each pixel is beside its surroundings, once shading, colour and ruling are taken away."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper.digitize.page import FlatPage

#: Boxes of 5 mm over whose neighbourhood one picture of the ruling is taken.
_BLOCK = 8


def ink_of(page: FlatPage) -> tuple[NDArray[np.float32], float]:
    """Ink ``[y, x]`` (0: paper, 1: as dark as the traces) and how far the traces stand above the noise of the paper."""
    image = page.image.astype(np.float32)
    dark = np.full(image.shape[:2], np.inf, np.float32)
    for channel in range(3):  # a coloured line is pale in one channel, ink is dark in all
        ground = _ground(page.image[..., channel], page.px)
        np.minimum(dark, 1.0 - image[..., channel] / np.maximum(ground, 16.0), out=dark)
    dark[~page.inside] = 0.0
    ruled = _ruling(dark, round(5 * page.px))
    dark = np.clip((dark - ruled) / np.maximum(1.0 - ruled, 0.2), 0.0, 1.0)
    # Every column of a page with traces has some ink: the usual darkest pixel of a column is a trace's.
    dark[~cv2.erode(page.inside.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=round(page.px)).astype(bool)] = 0.0
    level = float(np.median(dark.max(axis=0)[page.inside.any(axis=0)])) if page.inside.any() else 0.0
    noise = 1.48 * float(np.median(np.abs(dark[page.inside]))) + 0.004
    return np.clip(dark / max(level, 0.05), 0.0, 1.5).astype(np.float32), level / noise


def _ground(channel: NDArray[np.uint8], px: float) -> NDArray[np.float32]:
    """Brightness of the paper, ruling and shading included."""
    height, width = channel.shape
    coarse = cv2.resize(channel, (max(8, int(width / px)), max(8, int(height / px))), interpolation=cv2.INTER_AREA)
    coarse = cv2.medianBlur(coarse, 15)
    ground: NDArray[np.float32] = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 3.0).astype(np.float32), (width, height))
    return ground


def _ruling(dark: NDArray[np.float32], box: int) -> NDArray[np.float32]:
    """What all boxes around have in common: lines and dots of the paper, but no trace, which is elsewhere in each."""
    rows, columns = dark.shape[0] // box, dark.shape[1] // box
    boxes = dark.reshape(rows, box, columns, box).transpose(0, 2, 1, 3)
    out = np.empty_like(boxes)
    for top in _starts(rows):
        for left in _starts(columns):
            block = boxes[top:top + _BLOCK, left:left + _BLOCK]
            common = np.median(block.reshape(-1, box, box), axis=0)
            common = cv2.dilate(common, np.ones((3, 3), np.uint8))  # lines lie a pixel off here and there
            out[top:top + _BLOCK, left:left + _BLOCK] = common
    ruling: NDArray[np.float32] = np.maximum(out.transpose(0, 2, 1, 3).reshape(dark.shape), 0.0)
    return ruling


def _starts(count: int) -> list[int]:
    return [*range(0, max(1, count - _BLOCK), _BLOCK), max(0, count - _BLOCK)]
