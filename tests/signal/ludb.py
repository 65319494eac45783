"""LUDB as arrays: signals in mV and the annotators' waves relative to our own beats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ecglm.corpus.ludb import marked_records
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record

WAVES = {"p": (-0.40, 0.0), "qrs": (-0.12, 0.12), "t": (0.0, 0.60)}


@dataclass(frozen=True)
class Annotated:
    """A record, the R peaks (s) marked in lead II, and per wave p, qrs, t and lead: onsets and offsets (s)."""

    name: str
    row: dict[str, str]
    record: Record
    r_ii: np.ndarray
    marks: dict[str, list[np.ndarray]]

    def fiducials(self, beats_s: np.ndarray) -> dict[str, np.ndarray]:
        """Onset and offset of each wave ``[beat, lead, 2]`` in seconds from each beat, NaN where not marked."""
        found = {}
        for wave, (low, high) in WAVES.items():
            out = np.full((len(beats_s), len(STANDARD_12), 2), np.nan)
            for lead, marks in enumerate(self.marks[wave]):
                for on, peak, off in marks:
                    away = peak - beats_s
                    fits = np.flatnonzero((away > low) & (away < high))
                    if len(fits):
                        beat = fits[np.abs(away[fits]).argmin()]
                        out[beat, lead] = on - beats_s[beat], off - beats_s[beat]
            found[wave] = out
        return found


def annotated() -> Iterator[Annotated]:
    """Every record of LUDB."""
    for one in marked_records():
        r_ii = one.marks["qrs"][one.record.leads.index("II")][:, 1]
        yield Annotated(one.name, one.labels, one.record, r_ii, {wave: list(leads) for wave, leads in one.marks.items()})


def matched(reference_s: np.ndarray, found_s: np.ndarray, tolerance_s: float = 0.15) -> tuple[int, int, int]:
    """True positives, misses, false alarms within the annotated stretch; each mark is used once."""
    found = found_s[(found_s > reference_s[0] - tolerance_s) & (found_s < reference_s[-1] + tolerance_s)]
    free = np.ones(len(found), dtype=bool)
    hits = 0
    for mark in reference_s:
        away = np.where(free, np.abs(found - mark), np.inf)
        if len(found) and away.min() <= tolerance_s:
            free[away.argmin()] = False
            hits += 1
    return hits, len(reference_s) - hits, int(free.sum())


def reference_intervals(one: Annotated, beats_s: np.ndarray, how: str = "median") -> dict[str, float]:
    """P, PR, QRS, QT in ms, by field of `Measurements`, from the marks: medians over beats, then over leads the median, or
    ("global") the extremes."""
    marks = one.fiducials(beats_s)

    def over_leads(values: np.ndarray, first: bool) -> float:
        known = values[np.isfinite(values)]
        if not len(known):
            return np.nan
        return float(np.median(known) if how == "median" else known.min() if first else known.max())

    def side(wave: str, index: int) -> float:
        column = marks[wave][:, :, index]
        usable = np.isfinite(column).any(axis=0)
        return over_leads(np.nanmedian(column[:, usable], axis=0), index == 0) if usable.any() else np.nan

    present = np.isfinite(marks["p"][:, :, 0]).mean() > 0.3
    p_on, p_off = (side("p", index) if present else np.nan for index in (0, 1))
    on, off, t_off = side("qrs", 0), side("qrs", 1), side("t", 1)
    return {"p_duration": 1000 * (p_off - p_on), "pr": 1000 * (on - p_on), "qrs": 1000 * (off - on), "qt": 1000 * (t_off - on)}
