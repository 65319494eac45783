"""Marks on pixels: grid, traces, text. Geometry comes in as exact float pixels.

OpenCV draws anti-aliased on integers with a fixed-point shift, here 1/64 pixel.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper.style import Colour, Style
from ecglm.paper.truth import Box

Image = NDArray[np.uint8]
_SHIFT = 6
#: Width of a trace.
TRACE_MM = 0.3
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@lru_cache(maxsize=8)
def ruled_sheet(width: int, height: int, grid: Box, px_per_mm: float, style: Style) -> Image:
    """The empty page uint8 ``[height, width, 3]``: sheet, ruled area, 1 mm and 5 mm lines. Shared: copy before drawing.

    Lines lie where the float pitch puts them and are painted by the share of each pixel
    they cover, so the pitch never jitters by rounding.
    """
    def profile(n: int, first: float, last: float, step_mm: float, line_mm: float) -> NDArray[np.float32]:
        count = round((last - first) / (step_mm * px_per_mm))
        at = first + np.arange(count + 1) * step_mm * px_per_mm
        half = max(line_mm * px_per_mm, 1.0) / 2
        pixel = np.arange(n)[:, None]
        cover = np.minimum(pixel + 0.5, at + half) - np.maximum(pixel - 0.5, at - half)
        share: NDArray[np.float32] = np.clip(cover, 0, 1).max(axis=1).astype(np.float32)
        return share

    rows, columns = np.arange(height), np.arange(width)
    in_y = (rows >= grid.top - 0.5) & (rows <= grid.bottom + 0.5)
    in_x = (columns >= grid.left - 0.5) & (columns <= grid.right + 0.5)
    image = np.empty((height, width, 3), np.float32)
    image[:] = style.sheet
    area = np.ix_(in_y, in_x)
    page = np.empty((int(in_y.sum()), int(in_x.sum()), 3), np.float32)
    page[:] = style.ground
    for step_mm, line_mm, colour in ((1.0, 0.12, style.minor), (5.0, 0.2, style.major)):
        across = profile(width, grid.left, grid.right, step_mm, line_mm)[in_x]
        down = profile(height, grid.top, grid.bottom, step_mm, line_mm)[in_y]
        cover = np.maximum(down[:, None], across[None, :])[..., None]
        page += cover * (np.array(colour, np.float32) - page)
    image[area] = page
    sheet: Image = np.rint(image).astype(np.uint8)
    sheet.setflags(write=False)
    return sheet


def trace(image: Image, x: NDArray[np.float64], y: NDArray[np.float64], colour: Colour, width_px: int,
          grid: Box) -> None:
    """Draw one line through the points (pixels), broken where y is NaN, cut at the ruled area.

    Of the samples within two pixel columns (less than the line's width) only the extremes
    are drawn: peaks stay where they are, and no sample lies off the line.
    """
    x0, y0 = int(np.ceil(grid.left)), int(np.ceil(grid.top))
    view = image[y0:int(grid.bottom) + 1, x0:int(grid.right) + 1]
    limit = 4.0 * image.shape[0]
    y = np.clip(y, -limit, limit)
    finite = np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]]).astype(np.int8)))
    lines = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        keep = _extremes(x[first:last], y[first:last])
        points = np.stack([x[first:last][keep] - x0, y[first:last][keep] - y0], axis=1)
        lines.append(np.rint(points * (1 << _SHIFT)).astype(np.int32))
    if lines:
        cv2.polylines(view, lines, False, colour, width_px, cv2.LINE_AA, _SHIFT)


def _extremes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the lowest and highest sample of each two-pixel run, and of both ends, in time order."""
    n = len(x)
    per_run = int(2.0 * (n - 1) / (x[-1] - x[0])) if n > 1 and x[-1] > x[0] else 1
    if per_run < 3:
        return np.arange(n)
    runs = n // per_run
    block = y[:runs * per_run].reshape(runs, per_run)
    start = np.arange(runs) * per_run
    pairs = np.sort(np.stack([start + block.argmin(1), start + block.argmax(1)], axis=1), axis=1).ravel()
    kept = np.concatenate([[0], pairs, np.arange(runs * per_run, n), [n - 1]])
    return kept[np.flatnonzero(np.diff(kept, append=n) > 0)]


def tinted(area: Image, colour: Colour) -> Image:
    """A part of an image with its paper coloured: multiplying keeps ink dark."""
    out: Image = (area.astype(np.uint16) * np.array(colour, np.uint16) // 255).astype(np.uint8)
    return out


def printable(text: str, limit: int = 80) -> str:
    """The text as one line of printable ASCII (what every OpenCV font has), cut to limit characters."""
    line = "".join(c if " " <= c <= "~" else "?" for c in " ".join(text[:4 * limit].split()))
    return line if len(line) <= limit else line[:limit - 3] + "..."


def text_size(text: str, height_px: float, bold: bool = False) -> tuple[float, int, int, int]:
    """(font scale, width, height above the writing line, depth below it), pixels, for capitals height_px high."""
    (_, unit), _ = cv2.getTextSize("H", _FONT, 4.0, 1)
    scale = 4.0 * height_px / unit
    (width, height), depth = cv2.getTextSize(text, _FONT, scale, _stroke(height_px, bold))
    return scale, width, height, depth


def write(image: Image, text: str, left: float, base: float, height_px: float, colour: Colour,
          bold: bool = False) -> Box:
    """Print text with its writing line starting at (left, base); returns the box around it."""
    scale, width, height, depth = text_size(text, height_px, bold)
    x, y = round(left), round(base)
    cv2.putText(image, text, (x, y), _FONT, scale, colour, _stroke(height_px, bold), cv2.LINE_AA)
    return Box(x, y - height, x + width, y + depth)


def _stroke(height_px: float, bold: bool) -> int:
    return max(1, round(height_px / (11 if bold else 22)))
