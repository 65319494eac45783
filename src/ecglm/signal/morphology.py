"""The waves of every lead in the record's own unit, on beats that no 0.5-40 Hz filter has bent.

The beats found and aligned by `stack` are cut out of the resampled signal as it was recorded. The baseline under each is
the smooth curve through the levels just before the QRS complexes; those levels are the zero of all heights. Waves are found
on the median beat, and each is read in every beat at the same place for its spread. Times are those of `waves`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ecglm.schema import TShape
from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray, median_of_known
from ecglm.signal.stack import MAX_BEATS, BeatStack
from ecglm.signal.waves import Waves

Float32 = NDArray[np.float32]

#: The mean of so long a stretch (s) is the zero of a beat; it ends so long before the QRS onset, which may be off by 10 ms.
ISO_S, ISO_BEFORE_S = 0.016, (0.004, 0.016)
#: A wave of the QRS is this high (mV) and lasts this long (s) at least. The CSE working party (1985, Eur Heart J 6:815) has
#: 0.02 mV and 6 ms, which noise reaches on a median of few beats.
MIN_WAVE_MV, MIN_WAVE_S = 0.03, 0.008
#: A T wave within this height (mV) is flat, and each phase of a biphasic one is half as high at least
#: (AHA/ACCF/HRS part IV 2009, 10.1161/CIRCULATIONAHA.108.191096, calls T flat between -0.1 and 0.1 mV).
FLAT_T_MV = 0.1
#: ST levels are read so long after the J point (s).
ST_S = (0.0, 0.060, 0.080)
NAMES = ("p", "q", "r", "s", "r_prime", "t", "st_j", "st_j60", "st_j80")


@dataclass(frozen=True)
class RecordedBeats:
    """Beats ``[beat, lead, window]`` above their baseline, in the record's unit, and their median ``[lead, window]``; waves in
    samples of this window."""

    beats_BLW: Float32
    median_LW: Float32
    waves: Waves
    fs: float


class LeadWaves(NamedTuple):
    """Height ``[lead, NAMES]`` (NaN: no such wave), also in every beat, length of Q, R and S ``[lead, 3]`` (s), shape of T."""

    height_LN: FloatArray
    each_BLN: FloatArray
    length_L3: FloatArray
    t_shape: list[TShape | None]


def recorded_beats(raw_LT: Float32, samples: IntArray, stack: BeatStack, waves: Waves, next_p: float) -> RecordedBeats:
    """The usual beats of the stack as recorded. raw_LT: at the stack's rate; samples: all QRS peaks; waves: with a QRS.

    next_p: sample of the stack's window at which the P wave of the next beat begins, NaN without one. There the T wave ends
    at the latest, so that P is never taken for it.
    """
    fs, r, n = stack.fs, stack.r, raw_LT.shape[1]
    iso = _quietest(stack, waves) - r
    start = iso[0] if np.isnan(waves.p_on) else min(iso[0], round(waves.p_on - 0.02 * fs) - r)
    waves = replace(waves, t_off=next_p if waves.qrs_off + 0.1 * fs < next_p < waves.t_off else waves.t_off)
    end = np.nanmax([waves.t_off, waves.qrs_off + ST_S[-1] * fs])
    window = np.arange(start, round(end + 0.02 * fs) - r)
    usual = stack.samples_B[stack.usual_B]
    whole = usual[(usual + window[0] >= 0) & (usual + window[-1] < n)]
    at = whole if len(whole) else usual
    anchors = _anchors(samples, stack)
    inside = (anchors + iso[0] >= 0) & (anchors + iso[-1] < n) if len(whole) else np.isin(anchors, at)
    anchors = anchors[inside]
    level_AL = raw_LT[:, np.clip(anchors[:, None] + iso, 0, n - 1)].mean(axis=2).T
    baseline = _baseline(level_AL, anchors / fs, np.searchsorted(anchors, at), (window - iso.mean()) / fs)
    beats = raw_LT[:, np.clip(at[:, None] + window, 0, n - 1)].transpose(1, 0, 2) - baseline
    return RecordedBeats(beats, median_of_known(beats), Waves(*(edge - r - window[0] for edge in vars(waves).values())), fs)


def _quietest(stack: BeatStack, waves: Waves) -> IntArray:
    """Samples of the stack's window in which the baseline is read: the stretch before the QRS where least moves."""
    length, last = round(ISO_S * stack.fs), round(waves.qrs_on - ISO_BEFORE_S[0] * stack.fs)
    first = max(0, round(waves.qrs_on - ISO_BEFORE_S[1] * stack.fs) - length)
    moved = np.abs(np.diff(stack.median_LW[:, first: last + 1], axis=1)).sum(axis=0)
    start = first + int(np.convolve(moved, np.ones(length), "valid").argmin()) if len(moved) > length else first
    return np.arange(start, start + length + 1)


def _anchors(samples: IntArray, stack: BeatStack) -> IntArray:
    """Beats before which the level is that of the baseline: the usual ones, and in long recordings those not stacked."""
    known, usual = stack.samples_B, stack.samples_B[stack.usual_B]
    if len(samples) < MAX_BEATS:
        return usual
    after = np.searchsorted(known, samples).clip(0, len(known) - 1)
    away = np.minimum(np.abs(known[after] - samples), np.abs(known[np.maximum(after - 1, 0)] - samples))
    return np.sort(np.r_[usual, samples[away > 0.1 * stack.fs]])


def _baseline(level_AL: Float32, time_A: FloatArray, beat_B: IntArray, window_W: FloatArray) -> Float32:
    """Baseline ``[beat, lead, window]`` through the levels ``[anchor, lead]`` of all anchors, at times around some of them.

    Between two anchors it is the cubic whose slope at each is that between its neighbours (Catmull and Rom 1974); straight
    beyond the first and last. time_A, window_W: seconds; beat_B: the anchor of each beat.
    """
    slope = np.gradient(level_AL, time_A, axis=0) if len(time_A) > 1 else np.zeros_like(level_AL)
    terms = [level_AL[beat_B], slope[beat_B]]
    for step in (1, -1):
        to = beat_B + step
        ends = ((to < 0) | (to >= len(time_A)))[:, None]
        to = np.where(ends[:, 0], beat_B, to)
        width = np.where(ends, 1.0, (time_A[to] - time_A[beat_B])[:, None])
        rise = (level_AL[to] - level_AL[beat_B]) / width
        terms += [np.where(ends, 0, (3 * rise - 2 * slope[beat_B] - slope[to]) / width),
                  np.where(ends, 0, (slope[beat_B] + slope[to] - 2 * rise) / width**2)]
    right, left = np.maximum(window_W, 0), np.minimum(window_W, 0)
    powers = np.stack([np.ones_like(window_W), window_W, right**2, right**3, left**2, left**3])
    out: Float32 = np.stack(terms, axis=2).astype(np.float32) @ powers.astype(np.float32)
    return out


def lead_waves(seen: RecordedBeats, has_p: bool) -> LeadWaves:
    """Where the waves of every lead are on the median beat, and how high. Millivolts: MIN_WAVE_MV and FLAT_T_MV are."""
    waves, fs, median = seen.waves, seen.fs, seen.median_LW
    smooth = uniform_filter1d(median, max(1, 2 * round(0.004 * fs) + 1), axis=1)  # 10 ms: P, ST and T have nothing faster
    place = np.full((len(median), len(NAMES)), -1)
    on, off = round(waves.qrs_on), round(waves.qrs_off)
    place[:, 1:5], length = _qrs_waves(median[:, on: off + 1], fs)
    place[:, 1:5] += np.where(place[:, 1:5] >= 0, on, 0)
    place[:, 6:] = np.minimum(np.round(waves.qrs_off + np.array(ST_S) * fs), median.shape[1] - 1)
    height = np.where(place >= 0, np.take_along_axis(median, np.maximum(place, 0), axis=1), np.nan)
    zero_P = np.zeros(len(median))
    shape: list[TShape | None] = [None] * len(median)
    if has_p:
        first, last = round(waves.p_on), round(waves.p_off)
        zero_P = smooth[:, max(0, first - round(0.008 * fs))]
        place[:, 0] = first + np.abs(smooth[:, first: last + 1] - zero_P[:, None]).argmax(axis=1)
    if not np.isnan(waves.t_off):
        place[:, 5], shape = _t_waves(smooth, round(t_on(waves, fs)), round(waves.t_off))
    slow = [0, 5, 7, 8]
    height[:, slow] = np.where(place[:, slow] >= 0, np.take_along_axis(smooth, np.maximum(place[:, slow], 0), axis=1), np.nan)
    height[:, 0] -= zero_P
    each = np.where(place >= 0, np.take_along_axis(seen.beats_BLW, np.maximum(place, 0)[None], axis=2), np.nan)
    return LeadWaves(height, each, length, shape)


def spread_over_beats(each_BK: FloatArray) -> FloatArray:
    """Standard deviation over beats, from the median absolute deviation: one badly seen beat must not decide it. NaN where
    fewer than two beats are known."""
    away = np.abs(each_BK - median_of_known(each_BK))
    return np.where(np.isfinite(each_BK).sum(axis=0) > 1, 1.4826 * median_of_known(away), np.nan)


def t_on(waves: Waves, fs: float) -> float:
    """Sample from which the T wave may begin: 80 ms after the J point, at fast rates a quarter of the way to its end."""
    return waves.qrs_off + min(ST_S[-1] * fs, 0.25 * (waves.t_off - waves.qrs_off))


def _qrs_waves(qrs_LW: Float32, fs: float) -> tuple[IntArray, FloatArray]:
    """Samples ``[lead, 4]`` of Q, R, S and R' (-1: none) in the QRS, and how long Q, R and S last ``[lead, 3]`` (s, NaN: none).

    A wave is a run on one side of the level before the QRS. The first upward one is R, the second R', the deepest
    downward one before R is Q, after R S; without R it is Q. What only leads over to a raised or lowered ST segment is none.
    """
    leads, width = qrs_LW.shape
    side = (qrs_LW > MIN_WAVE_MV).astype(np.int8) - (qrs_LW < -MIN_WAVE_MV)
    row, at = np.nonzero(side)
    place, length = np.full((leads, 4), -1), np.full((leads, 3), np.nan)
    if not len(row):
        return place, length
    sign, size = side[row, at], np.abs(qrs_LW[row, at])
    start = np.flatnonzero(np.r_[True, (np.diff(row) != 0) | (np.diff(sign) != 0)])
    last = np.r_[start[1:], len(row)] - 1
    height = np.maximum.reduceat(size, start)
    number = np.repeat(np.arange(len(start)), last - start + 1)
    top = np.flatnonzero(size == height[number])
    peak = at[top[np.searchsorted(number[top], np.arange(len(start)))]]
    lasts = (at[last] - at[start] + 1) / fs
    to_st = (at[last] == width - 1) & (height - np.abs(qrs_LW[row[start], -1]) < MIN_WAVE_MV)
    for wave in np.flatnonzero((lasts >= MIN_WAVE_S) & ~to_st).tolist():
        lead = int(row[start[wave]])
        q, r, s, r_prime = place[lead]
        if sign[start[wave]] > 0:
            kind = 1 if r < 0 else 3
            if r_prime >= 0:
                continue
        else:
            kind = 0 if r < 0 else 2
            other = q if r < 0 else s
            if other >= 0 and abs(qrs_LW[lead, other]) >= height[wave]:
                continue
        place[lead, kind] = peak[wave]
        if kind < 3:
            length[lead, kind] = lasts[wave]
    return place, length


def _t_waves(smooth_LW: Float32, start: int, stop: int) -> tuple[IntArray, list[TShape | None]]:
    """Sample ``[lead]`` of the larger phase of the T wave between two samples, and its shape.

    A phase stands out of zero and of both ends. Where none does, as on a sloping ST segment, the T wave is what lies farthest
    from the line between the ends.
    """
    part = smooth_LW[:, start: stop + 1]
    ends = part[:, [0, -1]]
    up, down = part.max(axis=1) - np.maximum(ends, 0).max(axis=1), np.minimum(ends, 0).min(axis=1) - part.min(axis=1)
    ramp = np.linspace(0, 1, part.shape[1], dtype=np.float32)
    bulge = part - (ends[:, :1] * (1 - ramp) + ends[:, 1:] * ramp)
    plain = np.fmax(up, down) >= FLAT_T_MV / 4
    sign = np.where(plain, np.where(up >= down, 1, -1), np.sign(bulge[np.arange(len(part)), np.abs(bulge).argmax(axis=1)]))
    signed = sign[:, None] * bulge
    near = plain[:, None] | (signed > 0.5 * signed.max(axis=1, keepdims=True))
    peak = np.where(near, sign[:, None] * part, -np.inf).argmax(axis=1)
    both = np.minimum(up, down) >= FLAT_T_MV / 2
    heights = part[np.arange(len(part)), peak].tolist()
    return start + peak, ["biphasic" if two else "flat" if abs(value) < FLAT_T_MV else "upright" if value > 0 else "inverted"
                          for value, two in zip(heights, both.tolist(), strict=True)]
