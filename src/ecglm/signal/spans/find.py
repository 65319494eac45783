"""Beats with their evidence → spans of sinus (or other) rhythm, atrial fibrillation and flutter."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray
from ecglm.signal.spans.evidence import Evidence
from ecglm.signal.spans.features import rhythm_features
from ecglm.signal.spans.model import CLASSES, SINUS, SpanModel, shipped_model, viterbi

#: Fewer beats than this (between two gaps) have no rhythm.
LEAST_BEATS = 5


@dataclass(frozen=True)
class RhythmSpan:
    """From when to when (s) a rhythm lasts, its name among `CLASSES`, and the mean probability of it there."""

    start_s: float
    stop_s: float
    name: str
    probability: float


def beat_rhythms(times_B: FloatArray, kinds_B: NDArray[np.str_], p_B3: NDArray[np.floating], gaps_G2: FloatArray, seen: Evidence,
                 model: SpanModel | None = None) -> tuple[IntArray, FloatArray]:
    """The class of each beat ``[B]`` as a number of CLASSES, and the probability of each class ``[B, K]``. Arguments as in
    `rhythm_features`."""
    known = shipped_model() if model is None else model
    if len(times_B) < LEAST_BEATS:
        return np.zeros(len(times_B), np.int64), np.tile(np.eye(len(CLASSES))[SINUS], (len(times_B), 1))
    log_BK = known.log_probabilities(rhythm_features(times_B, kinds_B, p_B3, gaps_G2, seen))
    return decoded(times_B, gaps_G2, log_BK, known), np.exp(log_BK)


def decoded(times_B: FloatArray, gaps_G2: FloatArray, log_BK: FloatArray, model: SpanModel) -> IntArray:
    """The most likely classes; what lies on either side of a gap is decoded alone."""
    rule = model.decoder
    out = np.zeros(len(times_B), np.int64)
    part = np.searchsorted(gaps_G2[:, 0], times_B)
    for begin, end in _runs(part):
        path = viterbi(rule.weight * log_BK[begin:end], rule.change)
        for first, last in _runs(path):
            inside = first > 0 and begin + last < end  # what an end or a gap cuts may be longer
            if inside and path[first] != SINUS and times_B[begin + last] - times_B[begin + first] < rule.shortest_s:
                path[first:last] = path[first - 1]
        out[begin:end] = path
    return out


def spans_of(times_B: FloatArray, gaps_G2: FloatArray, class_B: IntArray, prob_BK: FloatArray, duration_s: float,
             ) -> list[RhythmSpan]:
    """Spans of beats of one class, from its first beat to the first of the next; none reaches into a gap."""
    out = []
    part = np.searchsorted(gaps_G2[:, 0], times_B)
    for begin, end in _runs(part):
        edge = float(gaps_G2[part[begin], 0]) if part[begin] < len(gaps_G2) else duration_s
        first_s = float(gaps_G2[part[begin] - 1, 1]) if part[begin] else 0.0
        runs = _runs(class_B[begin:end])
        for first, last in runs:
            start = first_s if first == 0 else float(times_B[begin + first])
            stop = edge if last == end - begin else float(times_B[begin + last])
            kind = int(class_B[begin + first])
            out.append(RhythmSpan(start, stop, CLASSES[kind], float(prob_BK[begin + first:begin + last, kind].mean())))
    return out


def _runs(values: NDArray[np.generic]) -> list[tuple[int, int]]:
    """First and past-the-last index of runs of one value."""
    if not len(values):
        return []
    change = np.flatnonzero(values[1:] != values[:-1]) + 1
    return list(pairwise([0, *change.tolist(), len(values)]))
