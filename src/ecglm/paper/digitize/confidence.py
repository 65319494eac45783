"""How sure a lead was read, and whether the lines are an ECG at all."""

from __future__ import annotations

from collections.abc import Mapping

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
#: Columns whose ink is taller than this (mm) are a QRS complex's. Where so large a share of them is guessed, for the ink is
#: another row's as well, R waves are cut off: a little, and beyond use. They count as at least so large a share of a lead's
#: columns. Chosen on ten pages of Challenge 2021: where rows crossed, leads of 9 dB and less had .14 to .35 guessed, hardly any
#: of 14 dB had more.
_STEEP_MM, _CUT, _LEAST_STEEP = 1.5, (0.02, 0.16), 0.1
#: A strip of which more than this is cut says less of its lead than the lead's own piece: such strips had 5 to 7 dB, others 9
#: to 20.
CUT_STRIP = 0.2
#: What is likely wrong in a trace's heights: so much (mm) of any, and of steep strokes what so much (mm) along the paper makes.
_HEIGHT_MM, _ALONG_MM = 0.04, 0.08
#: Log-odds by which a lead is surer than the page's middle one for each dB that it stands out more, and the most of them. On 38
#: pages of 15 LUDB recordings (even numbers) .77 fitted best whether a lead has 10 dB; fewer are taken, for they are few.
_PER_DB, _MOST_ODDS = 0.5, 2.0
#: No lead is surer.
_MOST_OF_A_LEAD = 0.99


def _ramp(value: float, bad: float, good: float) -> float:
    return float(np.clip((value - bad) / (good - bad), 0.0, 1.0))


def lead_confidence(trace: Trace, piece: Piece, flat: FlatPage, native_px: float, quality: float, named: bool) -> float:
    """0..1: ink where the lead should be, little of it shared with other rows, least of all its QRS complexes, a ruling that
    fits, enough pixels per mm, a trace that looks like an ECG, and a name that was read."""
    a, b = max(0, round(piece.first)), round(piece.last)
    dark, shared = trace.dark[a:b], trace.shared[a:b]
    if not len(dark):
        return 0.0
    ink = _ramp(float(np.mean(dark)), 0.5, 0.9)
    alone = 1.0 - _ramp(float(np.mean(shared)), 0.01, 0.25)
    alone *= 1.0 - _ramp(cut_share(trace, piece, flat.px), *_CUT)
    fit = 1.0 - 0.8 * _ramp(flat.spread_mm, 0.05, 0.75)  # what bends the sheet is undone only in part
    fine = 0.5 + 0.5 * _ramp(native_px, 1.8, 4.0)
    shape = 0.5 + 0.5 * _ramp(quality, 0.0, 0.5)
    return MOST * ink * alone * fit * fine * shape * (1.0 if named else 0.85)


def cut_share(trace: Trace, piece: Piece, px: float) -> float:
    """Share of the QRS complexes' columns whose height was guessed, for their ink is another row's as well."""
    a, b = max(0, round(piece.first)), round(piece.last)
    steep = np.nan_to_num(trace.bottom[a:b] - trace.top[a:b]) > _STEEP_MM * px
    return float(np.mean(steep & trace.shared[a:b]) / max(float(np.mean(steep)), _LEAST_STEEP)) if len(steep) else 0.0


def clearness(trace: Trace, piece: Piece, px: float) -> float:
    """How far a lead's waves stand out above what is likely wrong in the heights of its trace, dB: little where its ink is not
    that of a pen on the line, where strokes are steep (a column that lies wrong matters most there), and in small leads."""
    a, b = max(0, round(piece.first)), round(piece.last)
    known = np.flatnonzero(np.isfinite(trace.y[a:b]))
    if len(known) < 2:
        return 0.0
    line = np.interp(np.arange(known[-1] + 1), known, trace.y[a:b][known]) / px
    off = trace.off[a:b][np.isfinite(trace.off[a:b])] / px
    steep = float(np.mean(np.diff(line) ** 2)) * px ** 2
    wrong = _HEIGHT_MM ** 2 + _ALONG_MM ** 2 * steep + (2 * float(np.mean(off ** 2)) if len(off) else 0.0)
    return 10 * float(np.log10(max(float(np.var(line)), 1e-6) / wrong))


def lead_by_lead(confidence: Mapping[str, float], clear: Mapping[str, float]) -> dict[str, float]:
    """The confidence of each lead, more where it stands out more clearly (dB) than the middle one of its page, less where it does
    so less. The page's stays what it is."""
    middle = float(np.median(list(clear.values()))) if clear else 0.0
    shift = {lead: float(np.clip(_PER_DB * (clear[lead] - middle), -_MOST_ODDS, _MOST_ODDS)) for lead in confidence}
    return {lead: min(_MOST_OF_A_LEAD, sure / (sure + (1.0 - sure) * float(np.exp(-shift[lead]))))
            for lead, sure in confidence.items()}


def no_ecg(rows_LT: Floats, fs: float) -> tuple[str | None, list[float]]:
    """Why the rows of a page, in mV, are no ECG (None: they are one), and the quality of each.

    A row shows several leads one after the other, and all rows the same beats."""
    names = tuple(f"row {k + 1}" for k in range(len(rows_LT)))
    judged = assess(Record(rows_LT.astype(np.float32), fs, names))
    return judged.verdict, [judged.quality[name] for name in names]
