"""A sheet of many short strips, one cell per record: a look at what is in a collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.paper import raster
from ecglm.paper.style import STYLES
from ecglm.paper.truth import Box
from ecglm.records.record import Record

#: Pixels per mm, paper speed and gain of a cell, and its size (mm): strips of one lead each under a title.
PX_PER_MM, SPEED, GAIN = 4.0, 25.0, 5.0
CELL_MM, TITLE_MM, FOOT_MM = (120.0, 62.0), 5.0, 6.0
CELL_S = (CELL_MM[0] - 8) / SPEED  #: seconds that a cell has room for
MAX_CELLS = 400


class Cell(NamedTuple):
    """One cell: the first seconds of some leads of a record. Leads that it lacks are left out."""

    title: str
    record: Record
    leads: tuple[str, ...] = ("II", "V1", "V5")


def gallery(cells: Sequence[Cell], columns: int = 4) -> NDArray[np.uint8]:
    """uint8 ``[height, width, 3]`` RGB: the cells row by row, in mV at 5 mm/mV, which the foot of the sheet says.

    Raises UsageError for no or too many cells.
    """
    if not 0 < len(cells) <= MAX_CELLS:
        raise UsageError(f"a gallery has 1 to {MAX_CELLS} cells, not {len(cells)}")
    ink = STYLES["red"]
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    width, height = round(columns * CELL_MM[0] * PX_PER_MM), round((rows * CELL_MM[1] + FOOT_MM) * PX_PER_MM)
    whole = Box(0, 0, width - 1, height - 1)
    image = raster.ruled_sheet(width, height, whole, PX_PER_MM, ink).copy()
    for index, (title, record, leads) in enumerate(cells):
        strip_mm = (CELL_MM[1] - TITLE_MM) / max(len(leads), 1)
        left, top = (index % columns) * CELL_MM[0], (index // columns) * CELL_MM[1]
        for row, lead in enumerate(lead for lead in leads if lead in record.leads):
            n = min(record.n_samples, round(CELL_S * record.fs))
            values = record.lead(lead)[:n].astype(np.float64)
            middle = top + TITLE_MM + (row + 0.55) * strip_mm
            x = (left + 6 + np.arange(n) / record.fs * SPEED) * PX_PER_MM
            y = (middle - np.clip((values - np.nanmedian(values)) * GAIN, -1.1 * strip_mm, 1.1 * strip_mm)) * PX_PER_MM
            raster.trace(image, x, y, ink.trace, 1, whole)
            raster.write(image, lead, (left + 1) * PX_PER_MM, middle * PX_PER_MM, 2.4 * PX_PER_MM, ink.text)
        raster.write(image, title, (left + 1) * PX_PER_MM, (top + 4) * PX_PER_MM, 2.8 * PX_PER_MM, ink.text, bold=True)
        corner = (round(left * PX_PER_MM), round(top * PX_PER_MM))
        cv2.rectangle(image, corner, (corner[0] + round(CELL_MM[0] * PX_PER_MM), corner[1] + round(CELL_MM[1] * PX_PER_MM)),
                      ink.major, 1)
    scale = f"{SPEED:g} mm/s, {GAIN:g} mm/mV"
    raster.write(image, scale, PX_PER_MM, (rows * CELL_MM[1] + 4) * PX_PER_MM, 2.8 * PX_PER_MM, ink.text)
    return image
