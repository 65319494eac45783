"""Change of sampling rate with an anti-aliasing filter, for any pair of rates from 20 Hz to 50 kHz."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import firwin, resample_poly

from ecglm.signal.missing import FloatArray, as_leads, check_rate, fill_missing


def rational_ratio(fs: float, target_fs: float) -> Fraction:
    """target_fs / fs as a fraction that polyphase filtering can use; exact for all common rates, else within 1e-6."""
    exact = Fraction(target_fs) / Fraction(fs)
    for limit in (1_000, 20_000):
        ratio = exact.limit_denominator(limit)
        if ratio and abs(float(ratio / exact) - 1) < 1e-6:
            return ratio
    return max(ratio, Fraction(1, 20_000))


@lru_cache(maxsize=8)
def _low_pass(factor: int) -> FloatArray:
    """The filter that `resample_poly` designs at every call unless it is given one."""
    return np.asarray(firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)), dtype=np.float64)


def resample(signal: ArrayLike, fs: float, target_fs: float) -> FloatArray:
    """Resample ``[lead, time]`` from fs to target_fs (Hz): float64 ``[lead, ceil(time * target_fs / fs)]``.

    Polyphase FIR (scipy's Kaiser window) after removal of each lead's end-to-end line, so that
    an offset does not ring at the ends. Missing samples are bridged for the filter and are
    missing again in the result.
    """
    array = as_leads(signal)
    ratio = rational_ratio(check_rate(fs), check_rate(target_fs))
    if ratio == 1:
        return array.copy()
    filled, missing = fill_missing(array)
    window = _low_pass(max(ratio.numerator, ratio.denominator))
    out: FloatArray = resample_poly(filled, ratio.numerator, ratio.denominator, axis=1, window=window, padtype="line")
    if missing.any():
        nearest = np.minimum((np.arange(out.shape[1]) / float(ratio)).round().astype(int), array.shape[1] - 1)
        out[missing[:, nearest]] = np.nan
    return out
