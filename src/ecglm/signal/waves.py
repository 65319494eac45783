"""Onset and offset of P, QRS and T on aligned beats of any leads, in any unit.

QRS edges come from the spatial speed (mean slope over leads), T end from every lead with a clear T wave (median of
them), P from the first principal component of the PR region. Thresholds are shares of each wave's own largest
slope, chosen on LUDB (docs/measure.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ecglm.signal.missing import FloatArray
from ecglm.signal.stack import BeatStack

#: Share of the largest spatial speed of the QRS that marks its onset and offset.
QRS_ON_SHARE, QRS_OFF_SHARE = 0.06, 0.085
#: Share of the steepest slope of the T wave's end at which it ends, and of the P wave's at which it begins and ends.
T_OFF_SHARE, P_ON_SHARE, P_OFF_SHARE = 0.30, 0.35, 0.50
#: A QRS shorter or longer than this (s), or a QT outside, is not reported: no source allows it.
QRS_RANGE_S, QT_RANGE_S, PR_RANGE_S = (0.04, 0.26), (0.20, 0.70), (0.07, 0.40)


@dataclass(frozen=True)
class Waves:
    """Where waves begin and end, in samples of the beat window (fractions allowed); NaN when not found."""

    p_on: float
    p_off: float
    qrs_on: float
    qrs_off: float
    t_off: float


def qrs_edges(beats_BLW: FloatArray, r: int, fs: float) -> tuple[FloatArray, FloatArray]:
    """QRS onset and offset ``[beat]`` of beats ``[beat, lead, window]`` whose peak is sample r; NaN when not found."""
    speed = np.abs(np.gradient(gaussian_filter1d(beats_BLW, max(0.4, 0.006 * fs), axis=2), axis=2)).mean(axis=1)
    lo, hi = max(0, r - round(0.15 * fs)), min(speed.shape[1], r + round(0.20 * fs))
    near = speed[:, max(0, r - round(0.07 * fs)): r + round(0.09 * fs)].max(axis=1, keepdims=True)
    rest = np.percentile(speed[:, max(0, r - round(0.3 * fs)): r + round(0.5 * fs)], 20, axis=1, keepdims=True)
    level_on, level_off = (rest + share * (near - rest) for share in (QRS_ON_SHARE, QRS_OFF_SHARE))
    core = slice(max(lo, r - round(0.15 * fs)), min(hi, r + round(0.18 * fs)))
    first, _ = _ends(speed[:, core] > 2.5 * level_on)
    _, last = _ends(speed[:, core] > 2.5 * level_off)
    at = np.arange(speed.shape[1])
    onset_ok = (speed < level_on) & (at < core.start + first[:, None])
    offset_ok = (speed < level_off) & (at > core.start + last[:, None])
    on = np.where(onset_ok.any(axis=1), at[-1] - onset_ok[:, ::-1].argmax(axis=1), np.nan)
    off = np.where(offset_ok.any(axis=1), offset_ok.argmax(axis=1), np.nan)
    wrong = ~((off - on >= QRS_RANGE_S[0] * fs) & (off - on <= QRS_RANGE_S[1] * fs))
    return np.where(wrong, np.nan, on), np.where(wrong, np.nan, off)


def _ends(mask_BW: FloatArray) -> tuple[FloatArray, FloatArray]:
    return mask_BW.argmax(axis=1), mask_BW.shape[1] - 1 - mask_BW[:, ::-1].argmax(axis=1)


def t_off(beats_BLW: FloatArray, start: int, stop: int, fs: float) -> FloatArray:
    """T-wave end ``[beat]``, searched between two samples of the window: the median over leads with a clear T wave.

    In each lead the end is where the slope after the T peak has fallen to T_OFF_SHARE of its steepest.
    """
    part = gaussian_filter1d(beats_BLW, max(0.4, 0.010 * fs), axis=2)[:, :, start:stop]
    n = part.shape[2]
    margin = max(2, round(0.02 * fs))
    if n < 4 * margin:
        return np.full(len(part), np.nan)
    at = np.arange(n)
    chord = part[..., :1] + (part[..., -1:] - part[..., :1]) * (at / (n - 1))
    bulge = part - chord
    inner = np.abs(bulge)
    inner[..., :margin] = inner[..., n - margin:] = 0
    peak = inner.argmax(axis=2, keepdims=True)
    sign = np.sign(np.take_along_axis(bulge, peak, axis=2))
    size = np.take_along_axis(inner, peak, axis=2)[..., 0]
    fall = np.where(at >= peak, -sign * np.gradient(part, axis=2), -np.inf)
    steepest = fall.argmax(axis=2, keepdims=True)
    slope = np.take_along_axis(fall, steepest, axis=2)
    done = (at > steepest) & (fall < T_OFF_SHARE * slope)
    end = np.where(done.any(axis=2), done.argmax(axis=2), n - 1).astype(float)
    clear = (size >= 0.3 * size.max(axis=1, keepdims=True)) & (size > 1e-9) & (slope[..., 0] > 0)
    found, some = np.full(len(part), np.nan), clear.any(axis=1)
    if some.any():
        found[some] = start + np.nanmedian(np.where(clear, end, np.nan)[some], axis=1)
    # An end at the border of the search is no end.
    return np.where(found >= stop - 2, np.nan, found)


def t_search(qrs_off: float, r: int, fs: float, rr_s: float, window: int) -> tuple[int, int]:
    """Samples between which a T wave may end: after the J point, before the next P wave."""
    reach = min(0.60, (0.72 if rr_s > 0.5 else 0.80) * rr_s)
    return round(qrs_off + 0.04 * fs), min(window - round(0.01 * fs), r + round(reach * fs))


def p_search(qrs_on: float, r: int, fs: float, rr_s: float) -> tuple[int, int]:
    """Samples between which a P wave may lie: after the T wave of the beat before, up to the QRS onset."""
    start = max(0.0, r - 0.36 * fs, r - (rr_s - 0.40 * np.sqrt(min(rr_s, 1.0))) * fs)
    return round(max(0.0, min(start, qrs_on - 0.10 * fs))), round(qrs_on)


def level(beats_BLW: FloatArray) -> FloatArray:
    """Beats with the straight line from first to last sample of every lead taken away."""
    ramp = np.linspace(0.0, 1.0, beats_BLW.shape[-1])
    flat: FloatArray = beats_BLW - (beats_BLW[..., :1] * (1 - ramp) + beats_BLW[..., -1:] * ramp)
    return flat


def p_edges(median_LW: FloatArray, start: int, stop: int, fs: float) -> tuple[float, float]:
    """Onset and offset of the P wave between two samples of a median beat ``[lead, window]``; NaN when not found."""
    part = level(gaussian_filter1d(median_LW, max(0.4, 0.008 * fs), axis=1)[:, start: stop + 1])
    margin, reach = max(1, round(0.02 * fs)), round(0.08 * fs)
    n = part.shape[1]
    if n < 4 * margin or not np.abs(part).max() > 1e-9:
        return np.nan, np.nan
    wave = np.linalg.svd(part, full_matrices=False)[2][0]
    peak = int(np.abs(wave)[margin: n - margin].argmax()) + margin
    slope = np.gradient(wave) * np.sign(wave[peak])
    left, right = max(0, peak - reach), min(n, peak + reach)
    rise, fall = left + int(slope[left: peak + 1].argmax()), peak + int(slope[peak:right].argmin())
    before = np.flatnonzero(slope[:rise] < P_ON_SHARE * slope[rise])
    after = np.flatnonzero(slope[fall:] > P_OFF_SHARE * slope[fall])
    on = float(before[-1] + 1) if len(before) else 0.0
    off = float(fall + after[0]) if len(after) else float(n - 1)
    return start + on, start + off


def delineate(stack: BeatStack, rr_s: float) -> Waves:
    """Waves of the median beat of a stack; rr_s is the usual interval between beats (s).

    p_on and p_off are where a P wave would be: whether there is one is for `atrial.p_waves` to say.
    """
    fs, r, median = stack.fs, stack.r, stack.median_LW
    on, off = (float(edge[0]) for edge in qrs_edges(median[None], r, fs))
    if np.isnan(on):
        return Waves(np.nan, np.nan, np.nan, np.nan, np.nan)
    end = float(t_off(median[None], *t_search(off, r, fs, rr_s, median.shape[1]), fs)[0])
    if not QT_RANGE_S[0] * fs <= end - on <= QT_RANGE_S[1] * fs:
        end = np.nan
    p_on, p_off = p_edges(median, *p_search(on, r, fs, rr_s), fs)
    return Waves(p_on, p_off, on, off, end)
