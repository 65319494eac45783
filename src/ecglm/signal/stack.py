"""Beats cut out and laid on one another: the stack, its median beat, and how well each beat fits it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecglm.signal.beats import IntArray
from ecglm.signal.missing import BoolArray, FloatArray, median_of_known
from ecglm.signal.rhythm import premature_intervals

#: Window of a beat around its QRS peak, seconds before and after.
BEFORE_S, AFTER_S = 0.42, 0.70
#: Of a long recording this many beats, evenly spread, are stacked.
MAX_BEATS = 400


@dataclass(frozen=True)
class BeatStack:
    """Beats aligned at the QRS. beats_BLW ``[beat, lead, window]``; sample r of the window is the QRS peak.

    corr_B: correlation of each beat's QRST with the median beat, all leads together.
    usual_B: beats of the dominant shape, neither premature nor misshapen. median_LW: median of those.
    """

    beats_BLW: FloatArray
    samples_B: IntArray
    r: int
    fs: float
    corr_B: FloatArray
    usual_B: BoolArray
    median_LW: FloatArray


def cut(signal_LT: FloatArray, at: IntArray, before: int, after: int) -> FloatArray:
    """Windows ``[beat, lead, before + after]`` around samples ``at``; what lies outside the signal repeats its edge."""
    index = np.clip(at[:, None] + np.arange(-before, after), 0, signal_LT.shape[1] - 1)
    return signal_LT[:, index].transpose(1, 0, 2)


def correlation(beats_BK: FloatArray, template_K: FloatArray) -> FloatArray:
    """Pearson correlation of every row with the template, ``[beat]``; 0 where either is constant."""
    b = beats_BK - beats_BK.mean(axis=1, keepdims=True)
    t = template_K - template_K.mean()
    norm = np.sqrt((b * b).sum(axis=1) * (t @ t))
    out: FloatArray = np.divide(b @ t, norm, out=np.zeros(len(b)), where=norm > 1e-12)
    return out


def stack_beats(signal_LT: FloatArray, samples: IntArray, fs: float, unusual: BoolArray | None = None) -> BeatStack | None:
    """Align the beats of ``[lead, time]`` at their QRS (shifted by up to 40 ms for the best fit) and take the median.

    unusual: beats that are known not to be of the usual kind, such as ventricular ones, however many they are.
    Beats whose QRS would be cut by an end of the signal are left out, and all but MAX_BEATS of a long recording;
    None when no beat remains.
    """
    before, after = round(BEFORE_S * fs), round(AFTER_S * fs)
    edge = round(0.06 * fs)
    whole = (samples >= edge) & (samples < signal_LT.shape[1] - edge)
    early = np.r_[False, premature_intervals(np.diff(samples) / fs)] if len(samples) else whole
    at, early, odd = samples[whole], early[whole], (early & False if unusual is None else unusual)[whole]
    if not len(at):
        return None
    some = np.unique(np.linspace(0, len(at) - 1, min(len(at), MAX_BEATS)).round().astype(int))
    at, early, odd = at[some], early[some], odd[some]
    odd = odd if (~odd).sum() >= 2 else odd & False
    at = align(signal_LT, at, fs, ~odd)
    beats = cut(signal_LT, at, before, after)
    near = slice(before - round(0.06 * fs), before + round(0.30 * fs))
    flat = beats[:, :, near].reshape(len(beats), -1)
    corr = correlation(flat, median_of_known(flat[~odd]))
    middle = float(np.median(corr[~odd]))
    usual = ~odd & (corr >= (max(0.8, middle - 0.15) if middle > 0.5 else middle))
    if (usual & ~early).sum() >= 2:
        usual &= ~early
    usual = usual if usual.any() else np.ones(len(at), dtype=bool)
    # Ends repeated by `cut` must not pull the median: the first and last beat join only when whole, or when few.
    inside = (at >= before) & (at < signal_LT.shape[1] - after)
    chosen = usual & inside if (usual & inside).sum() >= 2 else usual
    return BeatStack(beats, at, before, fs, corr, usual, median_of_known(beats[chosen]))


def align(signal_LT: FloatArray, at: IntArray, fs: float, usual: BoolArray | None = None) -> IntArray:
    """Beats moved by up to 40 ms to where they best fit their median, or that of the usual ones; unmoved when that would change
    their order."""
    reach, half = round(0.04 * fs), round(0.08 * fs)
    if len(at) < 2 or reach < 1:
        return at
    wide = cut(signal_LT, at, half + reach, half + reach + 1)
    template = median_of_known(wide[slice(None) if usual is None else usual][:, :, reach:-reach])
    template = template - template.mean(axis=1, keepdims=True)
    shifts = np.lib.stride_tricks.sliding_window_view(wide, template.shape[1], axis=2)
    score = np.einsum("blsw,lw->bs", shifts, template, optimize=True)
    best = score.argmax(axis=1) - reach
    moved = np.clip(at + best, 0, signal_LT.shape[1] - 1)
    return moved if (np.diff(moved) > 0).all() else at
