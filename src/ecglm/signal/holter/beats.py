"""Minutes of a stretch of recording → its beats, their kinds, where atria fibrillate, and where nothing can be seen.

A stretch is as long as the recordings that taught the kinds of beats (half an hour), and has a minute on either side, so that
no beat lies at an end of what is searched. Shapes: M minutes, L leads, T samples at FS, B beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.signal.beat_types import beat_types
from ecglm.signal.beats import IntArray, detect_beats
from ecglm.signal.conduction import STEADY, disorder
from ecglm.signal.delineation import waves_of
from ecglm.signal.filters import bandpass
from ecglm.signal.holter.minutes import FS, MINUTE, Minute
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.prepare import scale_leads
from ecglm.signal.rhythm_name import rhythm

#: Leads that are searched, the best of a stretch by quality: more of them cost time and find no more beats. The network that
#: looks for P waves gets two.
LEADS, WAVE_LEADS = 3, 2
#: A lead that can be read in less than this share of a stretch of readable minutes does not vote there.
LEAST_SHARE = 0.2
#: Without signal in any lead for as long (s), what lies beside are no neighbours.
GAP_S = 0.5
#: Segments (s) that are asked for atrial fibrillation: as long as it must last to be called so (Hindricks et al. 2021, ESC
#: guideline, 10.1093/eurheartj/ehaa612).
SEGMENT_S = 30.0


@dataclass(frozen=True, eq=False)
class Part:
    """What was found in a stretch. times_B: samples of the recording at FS, those of the margins too; types_B: AAMI classes;
    gaps: samples ``[gap, 2]`` without signal in any lead; af: for each segment of the stretch, whether atria fibrillate."""

    first: int
    stop: int
    times_B: IntArray
    types_B: NDArray[np.str_]
    gaps: IntArray
    af: BoolArray


def analyse(minutes: Sequence[Minute], leads: Sequence[str], at: int, before: int, after: int) -> Part:
    """The stretch of these minutes, of which `at` is the number of the first; before, after: how many are margin."""
    raw = np.concatenate([minute.signal_LT for minute in minutes], axis=1)
    edges = np.r_[0, np.cumsum([minute.signal_LT.shape[1] for minute in minutes])]
    first, stop = int(edges[before]), int(edges[len(minutes) - after])
    weight_ML = np.stack([np.where(minute.usable_L, minute.quality_L, 0.0) for minute in minutes])
    best = np.argsort(-weight_ML.sum(axis=0), kind="stable")[:LEADS]
    best = np.sort(best[weight_ML[:, best].any(axis=0)])
    start = at * MINUTE
    if not len(best):
        whole = np.array([[start + first, start + stop]])
        none = np.empty(0, np.int64)
        return Part(start + first, start + stop, none, none.astype("U1"), whole, np.zeros(_segments(stop - first), bool))
    weight_ML, raw = weight_ML[:, best], raw[best]
    for number in range(len(minutes)):
        raw[weight_ML[number] == 0, edges[number]: edges[number + 1]] = np.nan
    filtered = bandpass(raw, FS)
    scaled, _, _ = scale_leads(filtered)
    samples = _samples(filtered, scaled, weight_ML, edges)
    types = np.array(beat_types(scaled, samples, FS) or ["N"] * len(samples), "U1")
    gaps = _runs(np.isnan(raw).all(axis=0), round(GAP_S * FS))
    order = np.argsort(-weight_ML.sum(axis=0), kind="stable")[:WAVE_LEADS]
    names = [leads[row] for row in best[order]]
    af = _fibrillation(raw[order], scaled[order], names, samples, types, first, stop)
    inside = gaps.clip(first, stop)
    return Part(start + first, start + stop, start + samples, types, start + inside[inside[:, 1] > inside[:, 0]], af)


def _samples(filtered_LT: FloatArray, scaled_LT: FloatArray, weight_ML: FloatArray, edges: IntArray) -> IntArray:
    """Beats of every run of readable minutes."""
    found = []
    for begin, end in _runs(weight_ML.any(axis=1), 1):
        weights = weight_ML[begin:end]
        there = weights > 0
        trust = weights.sum(axis=0) / np.maximum(there.sum(axis=0), 1) * (there.mean(axis=0) >= LEAST_SHARE)
        part = slice(edges[begin], edges[end])
        signal = np.where(np.isnan(filtered_LT[:, part]), np.nan, scaled_LT[:, part])
        found.append(edges[begin] + detect_beats(signal, FS, trust).samples)
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _runs(mask: BoolArray, shortest: int) -> IntArray:
    """First and past-the-last index ``[run, 2]`` of runs of True."""
    change = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    runs = np.stack([change[::2], change[1::2]], axis=1)
    return runs[runs[:, 1] - runs[:, 0] >= shortest]


def _segments(samples: int) -> int:
    return max(1, round(samples / (SEGMENT_S * FS)))


def _fibrillation(
    raw_LT: NDArray[np.float32], scaled_LT: FloatArray, leads: Sequence[str], samples: IntArray, types: NDArray[np.str_],
    first: int, stop: int,
) -> BoolArray:
    """For each segment between first and stop whether `rhythm` says so. It cannot where RR is regular, so there the waves are
    not looked for, which takes most of the time."""
    total = _segments(stop - first)
    out = np.zeros(total, bool)
    for number in range(total):
        begin = first + round(number * SEGMENT_S * FS)
        end = stop if number + 1 == total else begin + round(SEGMENT_S * FS)
        low, high = np.searchsorted(samples, (begin, end))
        if high - low < 5 or disorder(np.diff(samples[low:high]) / FS) < STEADY:
            continue
        found = waves_of(tuple(leads), scaled_LT[:, begin:end].astype(np.float32))
        qrs = np.round(found.overall["qrs"][:, 1] * FS) + begin
        near = np.searchsorted((samples[low + 1:high] + samples[low:high - 1]) / 2, qrs) + low
        found = replace(found, types=tuple(types[near]))
        out[number] = rhythm(Record(raw_LT[:, begin:end], FS, tuple(leads)), found).name == "atrial fibrillation"
    return out
