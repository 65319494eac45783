"""Beats, gaps and fibrillation of a whole recording → `Holter`. Shapes: B beats, I = B - 1 intervals between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ecglm.records.windows import Windows
from ecglm.signal.beats import IntArray
from ecglm.signal.holter.minutes import FS, MINUTE
from ecglm.signal.holter.result import KINDS, Episode, Holter, Hrv, Span
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.rhythm_name import PAUSE_S
from ecglm.signal.spans.evidence import Evidence
from ecglm.signal.spans.find import RhythmSpan, beat_rhythms, spans_of

#: Least and largest rates are of as many RR intervals in a row.
RATE_OF = 8
#: Intervals between normal beats that are no NN intervals, as missed and false beats are likelier: outside these limits (s), or
#: this far from the median of the 41 around. The PhysioNet HRV Toolkit leaves out the same (0.2 of the mean of 20 on either
#: side, 0.4-2.0 s; 10.13026/C2MS3C).
NN_S, NN_OFF, NN_AROUND = (0.4, 2.0), 0.2, 41
#: Fewer NN intervals, or differences of two in a row, than this have no variability.
LEAST_NN = 30
HOUR_S = 3600.0


@dataclass
class Seen:
    """What is kept of a recording while it is read: a part for each stretch. times: samples at FS ``[beat]``; p: of `p_before`;
    gaps ``[gap, 2]``; evidence: what each beat tells about the atria; leads: a number for those it was seen in; reasons: why a
    minute cannot be read, by its number."""

    duration_s: float
    times: list[IntArray] = field(default_factory=list)
    types: list[NDArray[np.str_]] = field(default_factory=list)
    p: list[NDArray[np.float32]] = field(default_factory=list)
    gaps: list[IntArray] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    leads: list[IntArray] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Beats:
    """times (s) and kinds ``[B]``; rr (s), whether no gap lies in it, and whether it is an NN interval ``[I]``; gaps, af and
    flutter ``[n, 2]`` (s)."""

    times_B: FloatArray
    kinds_B: NDArray[np.str_]
    rr_I: FloatArray
    valid_I: BoolArray
    nn_I: BoolArray
    gaps: FloatArray
    af: FloatArray
    flutter: FloatArray


def summarise(seen: Seen, windows: Windows) -> Holter:
    """The recording by the hour and in all."""
    beats = _beats(seen)
    valid = beats.valid_I
    runs, bigeminy = _ventricular(beats), _bigeminy(beats)
    at = np.flatnonzero(valid & (beats.rr_I > PAUSE_S))
    pauses = tuple(Episode(float(beats.times_B[i]), float(beats.times_B[i + 1]), f"{beats.rr_I[i]:.2f} s",
                           round(float(beats.rr_I[i]), 3)) for i in at)
    rate_B = _rates(beats)
    hours = [(begin, min(begin + HOUR_S, seen.duration_s)) for begin in np.arange(0, seen.duration_s, HOUR_S)]
    spans = [_span(beats, rate_B, runs, bigeminy, pauses, begin, end) for begin, end in [(0.0, seen.duration_s), *hours]]
    known = np.isfinite(rate_B).any()
    unusable = tuple(Episode(float(a), float(b), _reason(seen, a, b)) for a, b in beats.gaps)
    return Holter(
        seen.duration_s, windows.first.leads, None if windows.first.start is None else windows.first.start.isoformat(),
        spans[0], tuple(spans[1:]), float(beats.times_B[np.nanargmin(rate_B)]) if known else None,
        float(beats.times_B[np.nanargmax(rate_B)]) if known else None, pauses,
        tuple(run for run in runs if (run.value or 0) >= 3), bigeminy,
        tuple(Episode(float(a), float(b)) for a, b in beats.af), unusable, beats.times_B, beats.kinds_B,
        np.concatenate(seen.p), None if valid.any() else unusable[0].text if unusable else "fewer than two QRS complexes found",
        tuple(Episode(float(a), float(b)) for a, b in beats.flutter), np.concatenate(seen.leads) if seen.leads else None)


def _beats(seen: Seen) -> _Beats:
    times = np.concatenate(seen.times) / FS
    kinds = np.concatenate(seen.types)
    gaps = _merged(np.concatenate(seen.gaps)) / FS
    gaps = np.minimum(gaps, seen.duration_s)
    found = _rhythms(seen, times, kinds, gaps)
    fibrillates, flutters = (_merged(np.array([(one.start_s, one.stop_s) for one in found if one.name == name]).reshape(-1, 2))
                             for name in ("af", "aflutter"))
    inside = _within(times, fibrillates)
    kinds = np.where(inside & (kinds == "S"), "N", kinds)  # no beat is early where every interval is another
    rr = np.diff(times)
    valid = np.searchsorted(gaps[:, 0], times[1:]) == np.searchsorted(gaps[:, 0], times[:-1])
    normal = (kinds == "N") & ~inside & ~_within(times, flutters)
    nn = valid & normal[1:] & normal[:-1] & (rr >= NN_S[0]) & (rr <= NN_S[1])
    nn[nn] &= abs(rr[nn] / median_filter(rr[nn], size=NN_AROUND, mode="nearest") - 1) <= NN_OFF
    return _Beats(times, kinds, rr, valid, nn, gaps, fibrillates, flutters)


def _rhythms(seen: Seen, times: FloatArray, kinds: NDArray[np.str_], gaps: FloatArray) -> list[RhythmSpan]:
    if not seen.evidence:  # beats that experts marked have none
        return []
    classes, prob = beat_rhythms(times, kinds, np.concatenate(seen.p), gaps, Evidence.joined(seen.evidence))
    return spans_of(times, gaps, classes, prob, seen.duration_s)


def _merged(spans: NDArray[np.generic]) -> FloatArray:
    """Spans ``[n, 2]`` in order, those that touch as one."""
    out: FloatArray = np.asarray(spans, float)
    if not len(out):
        return out.reshape(0, 2)
    apart = out[1:, 0] > out[:-1, 1]
    return np.stack([out[np.r_[True, apart], 0], out[np.r_[apart, True], 1]], axis=1)


def _within(times: FloatArray, spans: FloatArray) -> BoolArray:
    place = np.searchsorted(spans[:, 0], times, side="right") - 1
    out: BoolArray = (place >= 0) & (times < np.append(spans[:, 1], 0.0)[place])
    return out


def _overlap(spans: FloatArray, begin: float, end: float) -> float:
    """Minutes of the spans that lie between begin and end."""
    return float(np.maximum(0, np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], begin)).sum() / 60)


def _chains(link_I: BoolArray, least: int) -> list[tuple[int, int]]:
    """First and last beat of chains of `least` beats or more, of which neighbours are linked."""
    change = np.flatnonzero(np.diff(np.r_[False, link_I, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(change[::2], change[1::2], strict=True) if b - a + 1 >= least]


def _ventricular(beats: _Beats) -> tuple[Episode, ...]:
    """Couplets and runs: ventricular beats in a row, their number as value."""
    is_v = beats.kinds_B == "V"
    out = []
    for a, b in _chains(is_v[1:] & is_v[:-1] & beats.valid_I, 2):
        rate = 60 * (b - a) / (beats.times_B[b] - beats.times_B[a])
        out.append(Episode(float(beats.times_B[a]), float(beats.times_B[b]), f"{b - a + 1} beats, {rate:.0f} bpm", b - a + 1))
    return tuple(out)


def _bigeminy(beats: _Beats) -> tuple[Episode, ...]:
    """Every other beat ventricular, three of them or more; their number as value."""
    is_v = beats.kinds_B == "V"
    out = []
    for a, b in _chains((is_v[1:] != is_v[:-1]) & beats.valid_I, 5):
        number = int(is_v[a:b + 1].sum())
        if number >= 3:
            out.append(Episode(float(beats.times_B[a]), float(beats.times_B[b]), f"{number} ventricular beats", number))
    return tuple(out)


def _rates(beats: _Beats) -> FloatArray:
    """Rate of the RATE_OF intervals that end at each beat, NaN where a gap lies among them."""
    out = np.full(len(beats.times_B), np.nan)
    if len(out) > RATE_OF:
        whole = np.convolve(beats.valid_I, np.ones(RATE_OF), "valid") > RATE_OF - 0.5
        out[RATE_OF:][whole] = 60 * RATE_OF / (beats.times_B[RATE_OF:] - beats.times_B[:-RATE_OF])[whole]
    return out


def _span(beats: _Beats, rate_B: FloatArray, runs: Sequence[Episode], bigeminy: Sequence[Episode], pauses: Sequence[Episode],
          begin: float, end: float) -> Span:
    low, high = np.searchsorted(beats.times_B, (begin, end))
    intervals = slice(max(0, low - 1), max(0, high - 1))  # those that end here
    rr, valid = beats.rr_I[intervals], beats.valid_I[intervals]
    rates = rate_B[low:high]
    rates = rates[np.isfinite(rates)]
    longest = int(np.where(valid, rr, 0).argmax()) if valid.any() else None
    kinds = beats.kinds_B[low:high]
    mine = [int(run.value or 0) for run in runs if begin <= run.start_s < end]
    unusable = _overlap(beats.gaps, begin, end)

    def here(episodes: Sequence[Episode]) -> int:
        return sum(begin <= one.start_s < end for one in episodes)

    return Span(
        float(begin), float(end), {kind: int((kinds == kind).sum()) for kind in KINDS},
        float(60 / rr[valid].mean()) if valid.any() else None, float(rates.min()) if len(rates) else None,
        float(rates.max()) if len(rates) else None, mine.count(2), sum(n >= 3 for n in mine),
        max((n for n in mine if n >= 3), default=0), here(bigeminy), here(pauses),
        None if longest is None else float(rr[longest]),
        None if longest is None else float(beats.times_B[intervals.start + longest]), _overlap(beats.af, begin, end),
        max(0.0, (end - begin) / 60 - unusable), unusable, _hrv(rr, beats.nn_I[intervals]))


def _hrv(rr_I: FloatArray, nn_I: BoolArray) -> Hrv:
    nn = 1000 * rr_I[nn_I]
    change = 1000 * np.diff(rr_I)[nn_I[1:] & nn_I[:-1]]
    if min(len(nn), len(change)) < LEAST_NN:
        return Hrv(None, None, None, len(nn))
    return Hrv(float(nn.std(ddof=1)), float(np.sqrt((change**2).mean())), float(100 * (abs(change) > 50).mean()), len(nn))


def _reason(seen: Seen, begin: float, end: float) -> str:
    """Why there is no signal: the commonest reason of its minutes."""
    why = [seen.reasons[minute] for minute in range(int(begin * FS) // MINUTE, int(np.ceil(end * FS / MINUTE)))
           if minute in seen.reasons]
    return max(sorted(set(why)), key=why.count) if why else "no clear QRS complexes: noise, or ventricular fibrillation"
