"""Where every sample of a page lies: from millivolts and seconds to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecglm.paper import layout as sheet
from ecglm.paper.truth import Box, LeadTruth
from ecglm.records.record import Record


@dataclass(frozen=True)
class Scale:
    """Millimetres to pixels for one page."""

    px: float

    def x(self, grid_mm: float) -> float:
        return (sheet.GRID_MM[0] + grid_mm) * self.px

    def y(self, grid_mm: float) -> float:
        return (sheet.GRID_MM[1] + grid_mm) * self.px

    def line(self, mm: float) -> int:
        return max(1, round(mm * self.px))


def place(record: Record, cells: Sequence[sheet.Cell], at: Scale, start_s: float, speed: float, unit_mm: float,
           calibrated: bool) -> tuple[list[LeadTruth], list[float], float]:
    """Sample positions of every cell, the height of every row's baseline (pixels), and that of the ruled area (mm)."""
    fs, total = record.fs, record.n_samples
    page_first = round(start_s * fs)
    page_last = min(total, page_first + round(sheet.TRACE_MM / speed * fs))
    signals = {cell.lead: values for cell in cells if (values := _signal(record, cell.lead)) is not None}
    offsets = {lead: _median(values[page_first:page_last]) for lead, values in signals.items()}
    spans, drawn = [], []
    reach = [(unit_mm if calibrated else 2.0, 2.0)] * (cells[-1].row + 1)
    for cell in cells:
        length = round((cell.stop - cell.start) * sheet.TRACE_MM / speed * fs)
        first = page_first + round(cell.start * sheet.TRACE_MM / speed * fs)
        first = max(page_first, min(first, page_last - length))
        last = min(page_last, first + length) if cell.lead in signals else first
        mm = np.empty(0)
        if last > first:
            mm = (signals[cell.lead][first:last].astype(np.float64) - offsets[cell.lead]) * unit_mm
        known = mm[np.isfinite(mm)]
        if known.size:
            up, down = reach[cell.row]
            reach[cell.row] = (max(up, min(45.0, float(known.max()))), max(down, min(45.0, -float(known.min()))))
        spans.append((first, last))
        drawn.append(mm)
    base_mm = sheet.baselines(reach)
    grid_mm = sheet.ruled_mm(reach)
    edges = [0.0, *((a + b) / 2 for a, b in pairwise(base_mm)), grid_mm]
    pieces = []
    for cell, (first, last), mm in zip(cells, spans, drawn, strict=True):
        left = sheet.CALIBRATION_MM + cell.start * sheet.TRACE_MM
        base = at.y(base_mm[cell.row])
        box = Box(at.x(left), at.y(edges[cell.row]), at.x(sheet.CALIBRATION_MM + cell.stop * sheet.TRACE_MM),
                  at.y(edges[cell.row + 1]))
        x = at.x(left) + np.arange(last - first) / fs * speed * at.px
        y = np.clip(base - mm * at.px, -1e6, 1e6)
        outside = bool(np.any((y < at.y(0)) | (y > at.y(grid_mm))))
        pieces.append(LeadTruth(cell.lead, cell.role, box, (first, last), base, offsets.get(cell.lead, 0.0),
                                np.asarray(x, np.float32), np.asarray(y, np.float32), outside))
    return pieces, [at.y(mm) for mm in base_mm], grid_mm


def _signal(record: Record, lead: str) -> NDArray[np.float32] | None:
    """A lead's samples, turned over where its name begins with a minus; None when the record lacks it."""
    if lead in record.leads:
        return record.lead(lead)
    return -record.lead(lead[1:]) if lead.startswith("-") and lead[1:] in record.leads else None


def _median(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else 0.0
