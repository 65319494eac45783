"""`BeatSeries`: the beats of a stretch of recording with their P waves, as forecasts and monitors see it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.records.windows import Windows
from ecglm.signal.holter.atrial import COLUMNS
from ecglm.signal.holter.result import Episode, Holter
from ecglm.signal.holter.stream import holter
from ecglm.signal.missing import FloatArray


@dataclass(frozen=True, eq=False)
class BeatSeries:
    """Beats from start_s to stop_s. times_B: seconds; kinds_B: AAMI classes N, S, V, F; p_B: probability (0..1) of a P wave
    before the QRS; p_ms_B, pr_ms_B: its duration and the PR interval (NaN where not seen); gaps, af: spans ``[n, 2]`` (s) that
    cannot be read and in which atria fibrillate or flutter; leads_B: a number for the leads that a beat was seen in (None: always
    the same). Times are of one clock: that of the recording, or that of `cut`."""

    start_s: float
    stop_s: float
    times_B: FloatArray
    kinds_B: NDArray[np.str_]
    p_B: FloatArray
    p_ms_B: FloatArray
    pr_ms_B: FloatArray
    gaps: FloatArray
    af: FloatArray
    leads_B: NDArray[np.int64] | None = None

    @property
    def duration_s(self) -> float:
        """Length of the stretch, gaps and all."""
        return self.stop_s - self.start_s

    @property
    def readable_s(self) -> float:
        """Seconds of it that can be read."""
        return self.duration_s - float((self.gaps[:, 1] - self.gaps[:, 0]).sum())

    def cut(self, start_s: float, stop_s: float) -> BeatSeries:
        """The part from start_s to stop_s, on a clock that ends at 0."""
        low, high = np.searchsorted(self.times_B, (start_s, stop_s))
        part = slice(low, high)

        def spans(given: FloatArray) -> FloatArray:
            inside = given.clip(start_s, stop_s) - stop_s
            out: FloatArray = inside[inside[:, 1] > inside[:, 0]]
            return out

        return BeatSeries(start_s - stop_s, 0.0, self.times_B[part] - stop_s, self.kinds_B[part], self.p_B[part],
                          self.p_ms_B[part], self.pr_ms_B[part], spans(self.gaps), spans(self.af),
                          None if self.leads_B is None else self.leads_B[part])

    @staticmethod
    def of(found: Holter) -> BeatSeries:
        """The beats of a long recording."""
        p, p_s, pr_s = (found.p[:, COLUMNS.index(name)].astype(float) for name in COLUMNS)

        def spans(episodes: tuple[Episode, ...]) -> FloatArray:
            return np.array([(e.start_s, e.stop_s) for e in episodes], float).reshape(-1, 2)

        return BeatSeries(0.0, found.duration_s, found.times_s, found.types, p, 1000 * p_s, 1000 * pr_s, spans(found.unusable),
                          spans(tuple(sorted((*found.af, *found.flutter), key=lambda episode: episode.start_s))), found.leads_B)


def beat_series(recording: str | os.PathLike[str] | Record | Windows, *, progress: bool = False) -> BeatSeries:
    """The beats of a recording of any length and leads. Raises ReadError as `holter` does."""
    return BeatSeries.of(holter(recording, progress=progress))
