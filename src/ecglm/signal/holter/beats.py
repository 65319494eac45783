"""Minutes of a stretch of recording → its beats, their kinds, where atria fibrillate, and where nothing can be seen.

A stretch is as long as the recordings that taught the kinds of beats (half an hour), and has a margin on either side, so that
no beat lies at an end of what is searched. Shapes: M minutes, L leads, T samples at FS, B beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from ecglm.signal.beat_types import LEAST_BEATS, beat_types
from ecglm.signal.beats import IntArray, detect_beats
from ecglm.signal.conduction import disorder
from ecglm.signal.delineation import qrs_from
from ecglm.signal.filters import bandpass
from ecglm.signal.holter.atrial import p_before
from ecglm.signal.holter.minutes import FS, MINUTE, Minute
from ecglm.signal.missing import BoolArray
from ecglm.signal.prepare import scale_leads
from ecglm.signal.spans.evidence import Evidence, beat_evidence
from ecglm.signal.stack import align
from ecglm.signal.wave_network import CLASSES, MARGIN, wave_probabilities

#: The best leads of a stretch by quality: more of them cost time and find no more beats.
LEADS = 2
#: Beside a lead that is so much better a lead is left out of a minute: it would only add noise.
LEAST_OF_BEST = 0.6
#: Signal (s) before and after a stretch.
MARGIN_S = 10.0
#: What the network believes less is no beat here (`delineate` asks for .5), and where it neither calls nor excludes a QRS for
#: more than a share of as long (s) there is noise, or a rhythm without any, unless `detect_beats` finds as regular intervals.
#: Set on MIT-BIH's training records and simulated ventricular tachycardia (.01 to .07 between beats; noise .33 to .56).
LEAST_QRS = 0.7
UNDECIDED, NOISE_S, NOISE, REGULAR = (0.1, 0.9), 10.0, 0.25, 0.1
#: Without signal in any lead for as long (s), what lies beside are no neighbours.
GAP_S = 0.5


@dataclass(frozen=True, eq=False)
class Part:
    """What was found in a stretch. times_B: samples of the recording at FS, those of the margins too; types_B: AAMI classes;
    p_B3: of `p_before`; gaps: samples ``[gap, 2]`` without signal in any lead; seen: what each beat tells about the
    atria; leads_B: a number for each choice of leads that can be read where a beat is."""

    first: int
    stop: int
    times_B: IntArray
    types_B: NDArray[np.str_]
    p_B3: NDArray[np.float32]
    gaps: IntArray
    seen: Evidence
    leads_B: IntArray


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Prepared leads of a stretch and its margins: names, raw and scaled ``[lead, time]`` (NaN and 0 where a lead cannot be
    read), the first sample of each part, which leads can be read in it ``[part, lead]``."""

    names: tuple[str, ...]
    raw_LT: NDArray[np.float32]
    scaled_LT: NDArray[np.float32]
    edges: IntArray
    there_ML: BoolArray


def analyse(minutes: Sequence[Minute], leads: Sequence[str], at: int, before: int, after: int) -> Part:
    """The stretch of these minutes, of which `at` is the number of the first; before, after: how many are margin."""
    edges = np.r_[0, np.cumsum([minute.signal_LT.shape[1] for minute in minutes])]
    first, stop = int(edges[before]), int(edges[len(minutes) - after])
    low, high = max(0, first - round(MARGIN_S * FS)), min(int(edges[-1]), stop + round(MARGIN_S * FS))
    known = _prepared(minutes, leads, edges, low, high)
    start, first, stop = at * MINUTE + low, first - low, stop - low
    samples, prob_LCT, unseen = _beats(known)
    types = _types(known, samples)
    gaps = _runs(unseen, round(GAP_S * FS)).clip(first, stop)
    return Part(start + first, start + stop, start + samples, types, p_before(prob_LCT, samples),
                start + gaps[gaps[:, 1] > gaps[:, 0]], beat_evidence(known.scaled_LT, prob_LCT, samples, types),
                _choice(known, [*map(tuple(leads).index, known.names)], samples))


def _prepared(minutes: Sequence[Minute], leads: Sequence[str], edges: IntArray, low: int, high: int) -> _Stretch:
    weight_ML = np.stack([np.where(minute.usable_L, minute.quality_L, 0.0) for minute in minutes])
    best = np.sort(np.argsort(-weight_ML.sum(axis=0), kind="stable")[:LEADS])
    weight_ML = weight_ML[:, best]
    there_ML = (weight_ML > 0) & (weight_ML >= LEAST_OF_BEST * weight_ML.max(axis=1, keepdims=True))
    raw = np.concatenate([np.where(there[:, None], minute.signal_LT[best], np.float32(np.nan))
                          for minute, there in zip(minutes, there_ML, strict=True)], axis=1)[:, low:high]
    scaled, _, _ = scale_leads(bandpass(raw, FS))
    return _Stretch(tuple(leads[row] for row in best), raw, scaled.astype(np.float32), edges.clip(low, high) - low, there_ML)


def _beats(known: _Stretch) -> tuple[IntArray, NDArray[np.float32], BoolArray]:
    """QRS peaks, probabilities ``[lead, class, time]`` of waves (0 where a lead cannot be read), and where no beat can be
    seen."""
    qrs_T = np.zeros(known.scaled_LT.shape[1], np.float32)
    prob_LCT = np.zeros((len(known.names), len(CLASSES), known.scaled_LT.shape[1]), np.float32)
    found = []
    for begin, end in _alike(known.there_ML):
        rows = np.flatnonzero(known.there_ML[begin])
        low, high = known.edges[begin], known.edges[end]
        # Beyond its ends the signal goes on where these leads can be read there as well.
        wide_low = low - MARGIN * bool(begin and known.there_ML[begin - 1, rows].all())
        wide_high = high + MARGIN * bool(end < len(known.there_ML) and known.there_ML[end, rows].all())
        part = slice(max(0, wide_low), min(prob_LCT.shape[2], wide_high))
        if not len(rows) or low == high:
            continue
        scaled = known.scaled_LT[rows, part]
        prob = wave_probabilities(scaled)
        peaks = part.start + np.round(qrs_from(scaled, prob)[:, 1] * FS).astype(np.int64)
        found.append(peaks[(peaks >= low) & (peaks < high)])
        prob_LCT[rows, :, low:high] = prob[:, :, low - part.start: high - part.start]
        qrs_T[low:high] = prob_LCT[rows, CLASSES.index("qrs"), low:high].mean(axis=0)
    samples = np.concatenate(found) if found else np.empty(0, np.int64)
    samples = samples[maximum_filter1d(qrs_T, round(0.1 * FS))[samples] >= LEAST_QRS]
    noise, samples = _noise(known, qrs_T, samples)
    unseen = np.isnan(known.raw_LT).all(axis=0) | noise
    samples = samples[~unseen[samples]]
    # The largest wave of a QRS is not the same in every beat: put it where it fits the usual one, which stays where it is.
    moved = align(known.scaled_LT.astype(np.float64), samples, FS)
    if len(samples):  # a beat at an end is not moved over it
        samples = (moved - int(np.median(moved - samples))).clip(0, len(qrs_T) - 1)
    return samples, prob_LCT, unseen


def _noise(known: _Stretch, qrs_T: NDArray[np.float32], samples: IntArray) -> tuple[BoolArray, IntArray]:
    """Where QRS complexes cannot be told from noise, and the beats with those of fast ventricular rhythms: the network is
    undecided there as well, and may see each of their beats twice, but `detect_beats` finds them regular."""
    undecided = ((qrs_T > UNDECIDED[0]) & (qrs_T < UNDECIDED[1])).astype(np.float32)
    noise: BoolArray = uniform_filter1d(undecided, round(NOISE_S * FS)) > NOISE
    for begin, end in _runs(noise, 1):
        signal = np.where(np.isnan(known.raw_LT[:, begin:end]), np.nan, known.scaled_LT[:, begin:end])
        found = begin + detect_beats(signal, FS).samples
        if len(found) >= LEAST_BEATS and disorder(np.diff(found) / FS) < REGULAR:
            noise[begin:end] = False
            samples = np.sort(np.r_[samples[(samples < begin) | (samples >= end)], found])
    return noise, samples


def _alike(there_ML: BoolArray) -> list[tuple[int, int]]:
    """Runs of parts in which the same leads can be read: first and past-the-last."""
    change = np.flatnonzero((there_ML[1:] != there_ML[:-1]).any(axis=1)) + 1
    edges = [0, *change.tolist(), len(there_ML)]
    return list(pairwise(edges))


def _choice(known: _Stretch, rows: Sequence[int], samples: IntArray) -> IntArray:
    """A number for each choice of LEADS leads or fewer, the same in every stretch; rows: of the recording, which these are."""
    part = (np.searchsorted(known.edges, samples, side="right") - 1).clip(0, len(known.there_ML) - 1)
    there_BL = np.sort(np.where(known.there_ML[part], np.array(rows, np.int64) + 1, 0), axis=1)
    out: IntArray = there_BL @ 1000 ** np.arange(there_BL.shape[1])
    return out


def _types(known: _Stretch, samples: IntArray) -> NDArray[np.str_]:
    """The kinds of beats; each is compared with the dominant beat of the very leads that can be read where it is."""
    types = np.full(len(samples), "N", "U1")
    part = np.searchsorted(known.edges, samples, side="right") - 1
    for leads in np.unique(known.there_ML[np.unique(part)], axis=0):
        rows = np.flatnonzero(leads)
        if not len(rows):  # a peak that was moved over the edge of what can be read
            continue
        among = np.flatnonzero(known.there_ML[part][:, rows].all(axis=1))
        found = beat_types(known.scaled_LT[rows], samples[among], FS)
        mine = (known.there_ML[part[among]] == leads).all(axis=1)
        if found:
            types[among[mine]] = np.array(found)[mine]
    return types


def _runs(mask: BoolArray, shortest: int) -> IntArray:
    """First and past-the-last index ``[run, 2]`` of runs of True."""
    change = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    runs = np.stack([change[::2], change[1::2]], axis=1)
    return runs[runs[:, 1] - runs[:, 0] >= shortest]
