"""Rhythm annotations → stretches of time, and the onsets among them. Shapes: R stretches that tile the record, in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.records.annotations import ARRHYTHMIAS, BEATS, Annotations, rhythm_marks

Floats = NDArray[np.float64]
#: Where no rhythm is annotated.
UNKNOWN = "?"
#: Codes of annot(5) that are sinus rhythm of any rate; those that are neither these nor ARRHYTHMIAS count as neither.
SINUS = frozenset({"N", "SBR", "NSR"})
#: Marks of one record may be as late (s) after its last sample: some annotators round up.
LATE_S = 1.0


class RhythmError(ValueError):
    """Annotations that say nothing of rhythm, or whose times cannot be right."""


@dataclass(frozen=True)
class Onset:
    """An event that begins in a record at time_s, after another known rhythm, and lasts as long (s) as it is annotated."""

    time_s: float
    label: str
    lasts_s: float


@dataclass(frozen=True, eq=False)
class Rhythms:
    """codes ``[R]`` from edges_s ``[R]`` to the next edge; the last one to the end of the record, ``edges_s[R]``."""

    edges_s: Floats
    codes: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Of the record."""
        return float(self.edges_s[-1])

    def time_in(self, kind: str, start_s: float | Floats, stop_s: float | Floats) -> Floats:
        """Seconds of "sinus", "event" or "unknown" rhythm between start and stop (arrays of one shape, or numbers)."""
        chosen = np.array([_is(code, kind) for code in self.codes], float)
        until = np.r_[0.0, np.cumsum(chosen * np.diff(self.edges_s))]
        return np.asarray(np.interp(stop_s, self.edges_s, until) - np.interp(start_s, self.edges_s, until))

    def kind_at(self, time_s: Floats, kind: str) -> NDArray[np.bool_]:
        """Whether the rhythm is of that kind at each time; False beyond the record."""
        place = np.searchsorted(self.edges_s, time_s, side="right") - 1
        inside = (place >= 0) & (time_s <= self.duration_s)
        chosen = np.array([_is(code, kind) for code in self.codes])
        result: NDArray[np.bool_] = inside & chosen[place.clip(0, len(self.codes) - 1)]
        return result

    def shares(self, start_s: float, stop_s: float) -> dict[str, float]:
        """Share of the time from start to stop by code."""
        overlap = np.minimum(self.edges_s[1:], stop_s) - np.maximum(self.edges_s[:-1], start_s)
        found: dict[str, float] = {}
        for code, seconds in zip(self.codes, overlap, strict=True):
            if seconds > 0:
                found[code] = found.get(code, 0.0) + float(seconds) / (stop_s - start_s)
        return {code: round(share, 4) for code, share in sorted(found.items())}

    def onsets(self) -> list[Onset]:
        """Every change to fibrillation or flutter from a known rhythm that is neither. One that follows the other is no onset."""
        found = []
        for at in range(1, len(self.codes)):
            if self.codes[at] in ARRHYTHMIAS and self.codes[at - 1] not in ARRHYTHMIAS and self.codes[at - 1] != UNKNOWN:
                end = at
                while end < len(self.codes) and self.codes[end] in ARRHYTHMIAS:
                    end += 1
                lasts = float(self.edges_s[end] - self.edges_s[at])
                found.append(Onset(float(self.edges_s[at]), ARRHYTHMIAS[self.codes[at]], lasts))
        return found

    def next_event(self, time_s: Floats) -> Floats:
        """Beginning of the first fibrillation or flutter that is there at each time or later; infinity where there is none."""
        is_event = [code in ARRHYTHMIAS for code in self.codes]
        starts = np.append(self.edges_s[:-1][is_event], np.inf)
        stops = self.edges_s[1:][is_event]
        result: Floats = starts[np.searchsorted(stops, time_s, side="right")]
        return result

    def last_event(self, time_s: float) -> float | None:
        """End of the last fibrillation or flutter before a time; None without one."""
        ends = [stop for code, stop in zip(self.codes, self.edges_s[1:], strict=True) if code in ARRHYTHMIAS and stop <= time_s]
        return float(ends[-1]) if ends else None


def _is(code: str, kind: str) -> bool:
    return {"sinus": code in SINUS, "event": code in ARRHYTHMIAS, "unknown": code == UNKNOWN}[kind]


def rhythms(marks: Annotations, fs: float, duration_s: float, first: str = UNKNOWN) -> Rhythms:
    """Stretches from marks such as "(AFIB", which last to the next one or to ")".

    first: the rhythm before the first mark. Raises RhythmError when no rhythm is known at any time, marks lie outside the
    record, or beats go back in time.
    """
    at = marks.samples / fs
    beat = np.array([symbol in BEATS for symbol in marks.symbols], bool)
    if len(at) and (at.min() < 0 or at.max() > duration_s + LATE_S):
        raise RhythmError(f"clock: marks from {at.min():.1f} s to {at.max():.1f} s in a record of {duration_s:.1f} s")
    if (np.diff(at[beat]) < 0).any():
        raise RhythmError("clock: beats go back in time")
    edges, codes = [0.0], [first]
    for sample, named in rhythm_marks(marks):
        time, code = min(sample / fs, duration_s), named or UNKNOWN
        if time <= edges[-1]:  # nothing lies before it
            codes[-1] = code
        elif code != codes[-1]:
            edges.append(time)
            codes.append(code)
    if all(code == UNKNOWN for code in codes):
        raise RhythmError("no rhythm is annotated")
    if edges[-1] >= duration_s:
        edges.pop()
        codes.pop()
    return Rhythms(np.array([*edges, duration_s]), tuple(codes))
