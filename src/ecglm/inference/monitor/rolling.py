"""The last two minutes of a stream → beats, rhythm, quality. Nothing older is kept, and nothing later is known.

All of the two minutes is looked at anew in every step, by the code that looks at a half hour of a long recording: an edge that
spoils what is found near the present is far away one step later. Shapes: L leads, T samples, B beats.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.signal.beats import REFRACTORY_S
from ecglm.signal.holter.beats import analyse
from ecglm.signal.holter.minutes import FS, Minute, blanked
from ecglm.signal.missing import FloatArray
from ecglm.signal.quality import MIN_DURATION_S, USABLE, assess
from ecglm.signal.resample import rational_ratio, resample
from ecglm.signal.spans.find import LEAST_BEATS, beat_rhythms
from ecglm.signal.spans.model import CLASSES, SINUS

#: So much is looked at (s), and beats closer to the present than the second wait for the next step.
CONTEXT_S, WAIT_S = 120.0, 1.0
#: Beats of the last so many seconds give the rate.
RATE_S = 30.0
#: The rhythm is told from the beats of a step, or of so long (s) where the last step is shorter.
SHORTEST_S = 10.0
#: Share of a block that may be missing in a lead that is judged together with the block before.
MOST_LOST = 0.3


@dataclass(frozen=True, eq=False)
class View:
    """What is seen at stop_s. New beats since the step before: times_B (s of the stream), kinds_B, p_B3, leads_B. rhythm: name
    among CLASSES, None where nothing can be read; since_s: from when on, or None where it is as old as what is looked at. unread:
    stretches ``[n, 2]`` (s) of this step that cannot be read. quality_L: of this step."""

    stop_s: float
    times_B: FloatArray
    kinds_B: NDArray[np.str_]
    p_B3: NDArray[np.float32]
    rhythm: str | None
    since_s: float | None
    rate_bpm: float | None
    unread: FloatArray
    quality_L: FloatArray
    reason: str | None
    leads_B: NDArray[np.int64]


class Rolling:
    """Keeps the last CONTEXT_S of a stream of leads at fs."""

    def __init__(self, leads: tuple[str, ...], fs: float) -> None:
        self._leads, self._fs = leads, fs
        self._ratio = rational_ratio(fs, FS)
        self._blocks: deque[tuple[NDArray[np.float32], FloatArray, str | None]] = deque()
        self._begin = 0  # sample of the stream at which the first block begins
        self._last_s = -np.inf  # the last beat that was told

    def add(self, block_LT: NDArray[np.float32]) -> View:
        """One more block."""
        quality_L, verdict = self._judged(block_LT)
        self._blocks.append((block_LT, quality_L, verdict))
        while sum(b.shape[1] for b, _, _ in self._blocks) - self._blocks[0][0].shape[1] >= CONTEXT_S * self._fs:
            self._begin += self._blocks.popleft()[0].shape[1]
        stop = self._begin + sum(b.shape[1] for b, _, _ in self._blocks)
        stop_s, new_s = stop / self._fs, (stop - block_LT.shape[1]) / self._fs
        begin_s = self._begin / self._fs
        part = analyse(self._minutes(), self._leads, 0, 0, 0)
        times, gaps = begin_s + part.times_B / FS, begin_s + part.gaps / FS
        new = (times >= self._last_s + REFRACTORY_S) & (times < stop_s - WAIT_S)
        if new.any():
            self._last_s = float(times[new][-1])
        classes, _ = beat_rhythms(times, part.types_B, part.p_B3, gaps, part.seen)
        rhythm, since = _now(times, classes, min(new_s, stop_s - SHORTEST_S))
        unread = gaps.clip(new_s, stop_s)
        return View(stop_s, times[new], part.types_B[new], part.p_B3[new], rhythm, since, _rate(times, gaps, stop_s),
                    unread[unread[:, 1] > unread[:, 0]], quality_L, verdict, part.leads_B[new])

    def _judged(self, block_LT: NDArray[np.float32]) -> tuple[FloatArray, str | None]:
        if block_LT.shape[1] < MIN_DURATION_S * self._fs:
            return np.zeros(len(self._leads)), "too short to be judged"
        found = assess(Record(block_LT, self._fs, self._leads))
        lost_L = np.isnan(block_LT).mean(axis=1)
        if found.verdict is not None and self._blocks and lost_L.min() < MOST_LOST:
            # Half a minute may be too little to tell QRS complexes from noise: with the block before it is more.
            wider = assess(Record(np.concatenate([self._blocks[-1][0], block_LT], axis=1), self._fs, self._leads))
            if wider.verdict is None:
                quality_L = np.array([wider.quality[lead] for lead in self._leads])
                return np.where(lost_L < MOST_LOST, quality_L, 0.0), None
        return np.array([found.quality[lead] for lead in self._leads]), found.verdict

    def _minutes(self) -> list[Minute]:
        """The blocks at FS, as the parts of a stretch."""
        signal = np.concatenate([block for block, _, _ in self._blocks], axis=1)
        at_fs = resample(blanked(signal, self._fs), self._fs, FS).astype(np.float32)
        edges = [0]
        for block, _, _ in self._blocks:
            edges.append(edges[-1] + block.shape[1])
        places = [round(edge * self._ratio) for edge in edges[:-1]] + [at_fs.shape[1]]
        return [Minute(at_fs[:, first:last], quality, verdict)
                for first, last, (_, quality, verdict) in zip(places[:-1], places[1:], self._blocks, strict=True)]


def usable(view: View) -> NDArray[np.bool_]:
    """Which leads can be read in this step."""
    out: NDArray[np.bool_] = (view.quality_L >= USABLE) & (view.reason is None)
    return out


def _now(times_B: FloatArray, class_B: NDArray[np.int64], new_s: float) -> tuple[str | None, float | None]:
    """The rhythm of the last beats, if there are enough from new_s on, and when it began, as far as it is seen."""
    if (times_B >= new_s).sum() < LEAST_BEATS:
        return None, None
    kind = int(class_B[-1])
    other = np.flatnonzero(class_B != kind)
    first = int(other[-1]) + 1 if len(other) else 0
    return CLASSES[kind], float(times_B[first]) if first or kind == SINUS else None


def _rate(times_B: FloatArray, gaps_G2: FloatArray, stop_s: float) -> float | None:
    """Beats per minute over the last RATE_S, gaps left out; None with fewer than three intervals."""
    recent = times_B[times_B >= stop_s - RATE_S]
    if len(recent) < 4:
        return None
    inside = np.searchsorted(gaps_G2[:, 0], recent[1:]) == np.searchsorted(gaps_G2[:, 0], recent[:-1])
    rr = np.diff(recent)[inside]
    return float(60 / rr.mean()) if len(rr) >= 3 else None
