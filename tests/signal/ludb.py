"""LUDB as arrays: signals in mV and the annotators' waves relative to our own beats."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb

from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record

WAVES = {"p": (-0.40, 0.0), "N": (-0.12, 0.12), "t": (0.0, 0.60)}


@dataclass(frozen=True)
class Annotated:
    """A record, the R peaks (s) marked in lead II, and per wave p, N, t and lead: onsets and offsets (s)."""

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


def annotated(folder: Path) -> Iterator[Annotated]:
    """Every record of LUDB under data/ludb."""
    with open(folder / "ludb.csv", newline="", encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = str(folder / "data" / row["ID"])
        signal = wfdb.rdrecord(path).p_signal
        marks: dict[str, list[np.ndarray]] = {wave: [] for wave in WAVES}
        r_ii = np.empty(0)
        for lead in STANDARD_12:
            notes = wfdb.rdann(path, lead.lower())
            at, symbols = np.asarray(notes.sample) / 500, notes.symbol
            for wave in WAVES:
                marks[wave].append(np.array([
                    (at[k - 1], at[k], at[k + 1]) for k, symbol in enumerate(symbols)
                    if symbol == wave and 0 < k < len(symbols) - 1 and symbols[k - 1] == "(" and symbols[k + 1] == ")"
                ]).reshape(-1, 3))
            if lead == "II":
                r_ii = at[[k for k, symbol in enumerate(symbols) if symbol == "N"]]
        yield Annotated(row["ID"], row, Record(signal.T.astype(np.float32), 500, STANDARD_12), r_ii, marks)


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
    """PR, QRS, QT in ms from the marks: medians over beats, then over leads the median, or ("global") the extremes."""
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
    p_on = side("p", 0) if present else np.nan
    on, off, t_off = side("N", 0), side("N", 1), side("t", 1)
    return {"pr": 1000 * (on - p_on), "qrs": 1000 * (off - on), "qt": 1000 * (t_off - on)}
