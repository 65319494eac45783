"""The traces as they were read, drawn over the image they were read from, and where the evidence of an answer was seen."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper import raster
from ecglm.paper.annotate import TINTS
from ecglm.paper.digitize.layout import Piece
from ecglm.paper.digitize.read import ReadPage
from ecglm.records.reading import PageReading
from ecglm.schema import Evidence

#: Colours that neither ruling nor ink has, one lead after the other.
_COLOURS = ((0, 90, 255), (0, 150, 60), (200, 0, 200), (230, 110, 0))
#: A band of evidence reaches so far (mm) above and below its trace, and is at least so wide.
_AROUND_MM, _LEAST_MM = 2.0, 1.0


def overlay(page: ReadPage, evidence: Sequence[Evidence] = ()) -> NDArray[np.uint8]:
    """A copy of the image, uint8 ``[y, x, 3]``, with each lead's trace and name in colour.

    evidence: tinted and numbered, from 1, where its leads are drawn at its ``span_s`` (seconds of the record). What names
    neither a time nor up to three leads is about the page as a whole and tints nothing.
    """
    image = page.picture.image.copy()
    px = float(page.record.reading.px_per_mm) if isinstance(page.record.reading, PageReading) else 5.0
    for number, item in enumerate(evidence, start=1):
        for piece in _where(page, item):
            _tint(image, page, piece, item, number, px)
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


def _where(page: ReadPage, item: Evidence) -> list[Piece]:
    """Pieces of the leads of a piece of evidence; of a time without leads, the rhythm strips, or all rows if there are none."""
    if item.leads and (item.span_s is not None or len(item.leads) <= 3):
        return [piece for piece in page.plan.pieces if piece.lead in item.leads]
    if item.leads or item.span_s is None:
        return []
    return [piece for piece in page.plan.pieces if piece.strip] or list(page.plan.pieces)


def _tint(image: NDArray[np.uint8], page: ReadPage, piece: Piece, item: Evidence, number: int, px: float) -> None:
    """A band over the part of a piece that shows the evidence, following the page where that is turned or bent."""
    reading, flat = page.record.reading, page.flat
    first, last = piece.first, piece.last
    if item.span_s is not None and isinstance(reading, PageReading):
        seen = [page.plan.start + second * reading.speed * flat.px for second in item.span_s]
        lack = max(0.0, _LEAST_MM * flat.px - (seen[1] - seen[0])) / 2
        first, last = max(first, seen[0] - lack), min(last, seen[1] + lack)
    y = page.traces[piece.row].y
    inside = y[max(0, int(first)):min(len(y), int(np.ceil(last)))]
    inside = inside[np.isfinite(inside)]
    if last <= first or not len(inside):
        return
    columns = np.linspace(first, last, 24, dtype=np.float32)
    edges = [_on_image(page, columns, np.full_like(columns, edge))
             for edge in (inside.min() - _AROUND_MM * flat.px, inside.max() + _AROUND_MM * flat.px)]
    outline = np.rint(np.concatenate([edges[0], edges[1][::-1]])).astype(np.int32)
    band = cv2.fillPoly(np.zeros(image.shape[:2], np.uint8), [outline], 1).astype(bool)
    image[band] = raster.tinted(image[band], TINTS[(number - 1) % len(TINTS)])
    raster.write(image, str(number), float(edges[0][0][0]), float(edges[0][0][1]), max(9.0, 2.2 * px), (70, 50, 0))


def _on_image(page: ReadPage, columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels (x, y) of the image for places on the flat page."""
    at = [cv2.remap(which, columns[None], rows[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
          for which in (page.flat.x, page.flat.y)]
    return np.stack(at, axis=1)
