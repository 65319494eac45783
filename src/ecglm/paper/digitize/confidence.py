"""How sure a lead was read, and whether the lines are an ECG at all."""

from __future__ import annotations

import numpy as np

from ecglm.paper.digitize.layout import Piece
from ecglm.paper.digitize.page import FlatPage
from ecglm.paper.digitize.runs import Floats
from ecglm.paper.digitize.trace import Trace
from ecglm.records.record import Record
from ecglm.signal.quality import assess

#: A page whose middle lead is less sure than this is refused.
LEAST = 0.3
#: No reading off a page is surer.
MOST = 0.97


def _ramp(value: float, bad: float, good: float) -> float:
    return float(np.clip((value - bad) / (good - bad), 0.0, 1.0))


def lead_confidence(trace: Trace, piece: Piece, flat: FlatPage, native_px: float, quality: float, named: bool) -> float:
    """0..1: ink where the lead should be, little of it shared with other rows, a ruling that fits, enough pixels per mm,
    a trace that looks like an ECG, and a name that was read."""
    a, b = max(0, round(piece.first)), round(piece.last)
    dark, shared = trace.dark[a:b], trace.shared[a:b]
    if not len(dark):
        return 0.0
    ink = _ramp(float(np.mean(dark)), 0.5, 0.9)
    alone = 1.0 - _ramp(float(np.mean(shared)), 0.01, 0.25)
    fit = 1.0 - 0.8 * _ramp(flat.spread_mm, 0.05, 0.75)  # what bends the sheet is undone only in part
    fine = 0.5 + 0.5 * _ramp(native_px, 1.8, 4.0)
    shape = 0.5 + 0.5 * _ramp(quality, 0.0, 0.5)
    return MOST * ink * alone * fit * fine * shape * (1.0 if named else 0.85)


def no_ecg(rows_LT: Floats, fs: float) -> tuple[str | None, list[float]]:
    """Why the rows of a page, in mV, are no ECG (None: they are one), and the quality of each.

    A row shows several leads one after the other, and all rows the same beats."""
    names = tuple(f"row {k + 1}" for k in range(len(rows_LT)))
    judged = assess(Record(rows_LT.astype(np.float32), fs, names))
    return judged.verdict, [judged.quality[name] for name in names]
