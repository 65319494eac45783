"""The traces as they were read, drawn over the image they were read from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper import raster
from ecglm.paper.digitize.read import ReadPage
from ecglm.records.reading import PageReading

#: Colours that neither ruling nor ink has, one lead after the other.
_COLOURS = ((0, 90, 255), (0, 150, 60), (200, 0, 200), (230, 110, 0))


def overlay(page: ReadPage) -> NDArray[np.uint8]:
    """A copy of the image, uint8 ``[y, x, 3]``, with each lead's trace and name in colour."""
    image = page.picture.image.copy()
    px = float(page.record.reading.px_per_mm) if isinstance(page.record.reading, PageReading) else 5.0
    wide = max(1, round(0.18 * px))
    for number, piece in enumerate(page.plan.pieces):
        colour = _COLOURS[number % len(_COLOURS)]
        trace = page.traces[piece.row]
        columns = np.arange(max(0, int(np.ceil(piece.first))), min(len(trace.y), int(piece.last)))
        columns = columns[np.isfinite(trace.y[columns])]
        if not len(columns):
            continue
        points = _on_image(page, columns.astype(np.float32), trace.y[columns].astype(np.float32))
        breaks = np.flatnonzero(np.diff(columns) > 0.06 * 25 * page.flat.px) + 1
        for line in np.split(np.rint(points * 16).astype(np.int32), breaks):
            cv2.polylines(image, [line], False, colour, wide, cv2.LINE_AA, 4)
        height = max(9.0, 3.0 * px)
        left, base = points[0][0], points[:, 1].max() + 1.4 * height
        raster.write(image, raster.printable(piece.lead, 12), float(left), float(min(base, image.shape[0] - 3)), height, colour,
                     bold=True)
    return image


def _on_image(page: ReadPage, columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels (x, y) of the image for places on the flat page."""
    at = [cv2.remap(which, columns[None], rows[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
          for which in (page.flat.x, page.flat.y)]
    return np.stack(at, axis=1)
