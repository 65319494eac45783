"""All presets and distortions side by side on one sheet, to be looked at."""

from __future__ import annotations

import cv2
import numpy as np

from ecglm.paper import raster
from ecglm.paper.distort.apply import chosen, distort
from ecglm.paper.distort.base import DISTORTIONS, Stage
from ecglm.paper.distort.presets import PRESETS
from ecglm.paper.draw import render
from ecglm.paper.header import PageHeader
from ecglm.paper.page import Page
from ecglm.paper.raster import Image
from ecglm.records.record import Record

#: Size of a cell and of its title (pixels), cells in a row, and how severe each distortion is shown.
CELL, TITLE, COLUMNS, SEVERITY = (440, 340), 26, 6, 0.6
_BACK = (112, 114, 118)


def sheet(record: Record, *, seed: int = 0) -> Image:
    """uint8 ``[height, width, 3]`` RGB: a page of the record as every preset and every distortion leaves it.

    What shapes or lights the whole page is shown on all of it, what ink and sensor do on a part at twice its size. Each
    preset is shown twice.
    """
    clean = render(record, header=PageHeader.of(record))
    cells = [("preset: none", _fitted(clean))]
    for k, name in enumerate(name for name in PRESETS if name != "none"):
        first = seed + 10 * k
        seeds = [s for s in range(first, first + 100) if chosen(name, s)][:2]
        cells += [(f"preset: {name}", _fitted(distort(clean, name, seed=s))) for s in seeds]
    for name, thing in DISTORTIONS.items():
        close = thing.stage in (Stage.INK, Stage.SENSOR) and name not in ("missing_grid", "photocopy")
        page = distort(clean, f"{name}:{SEVERITY}", seed=seed)
        cells.append((name.replace("_", " "), _close(page) if close else _fitted(page)))
    rows = -(-len(cells) // COLUMNS)
    tall, wide = CELL[1] + TITLE, CELL[0] + 6
    board = np.full((rows * tall, COLUMNS * wide, 3), _BACK, np.uint8)
    for index, (title, picture) in enumerate(cells):
        top, left = index // COLUMNS * tall, index % COLUMNS * wide
        raster.write(board, title, left + 6, top + 19, 12, (255, 255, 255), bold=True)
        height, width = picture.shape[:2]
        board[top + TITLE:top + TITLE + height, left:left + width] = picture
    return board


def _fitted(page: Page) -> Image:
    """The whole page in a cell."""
    height, width = page.image.shape[:2]
    scale = min(CELL[0] / width, (CELL[1] - 4) / height)
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(page.image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _close(page: Page) -> Image:
    """A beat of lead II, every pixel twice as wide and high."""
    strip = page.truth.piece("II", "rhythm")
    peak = int(np.nanargmin(strip.y[: len(strip.y) // 2]))
    left, top = round(float(strip.x[peak])) - CELL[0] // 6, round(float(strip.y[peak])) - CELL[1] // 6
    part = page.image[max(0, top):top + CELL[1] // 2 - 2, max(0, left):left + CELL[0] // 2]
    return np.asarray(cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST), np.uint8)
