"""Missing samples (NaN): bridged before a filter, put back or zeroed after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecglm.errors import RecordError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def as_leads(signal: ArrayLike) -> FloatArray:
    """The signal as float64 ``[lead, time]``; one lead may be given as ``[time]``. Infinite samples become NaN."""
    array = np.atleast_2d(np.asarray(signal, dtype=np.float64))
    if array.ndim != 2 or 0 in array.shape:
        raise RecordError(f"a signal needs the shape [lead, time] or [time], got {np.shape(signal)}; pass a 2-D array")
    return np.where(np.isinf(array), np.nan, array) if np.isinf(array).any() else array


def check_rate(fs: float) -> float:
    """The sampling rate in Hz. Raises RecordError unless it is finite and positive."""
    if not np.isfinite(fs) or fs <= 0:
        raise RecordError(f"sampling rate {fs} Hz is not a positive number; give the rate of the recording")
    return float(fs)


def fill_missing(signal: ArrayLike) -> tuple[FloatArray, BoolArray]:
    """Bridge NaN by straight lines within each lead ``[lead, time]``.

    Gaps at an end take the nearest sample; a lead that is missing altogether becomes zeros.
    Returns the filled copy and the mask of what was missing.
    """
    array = as_leads(signal)
    missing = np.isnan(array)
    if not missing.any():
        return array.copy(), missing
    filled = array.copy()
    at = np.arange(array.shape[1])
    for row, gaps in zip(filled, missing, strict=True):
        if gaps.all():
            row[:] = 0.0
        elif gaps.any():
            row[gaps] = np.interp(at[gaps], at[~gaps], row[~gaps])
    return filled, missing


def median_of_known(values: NDArray[Any]) -> NDArray[Any]:
    """Median along the first axis of what is not NaN; NaN where nothing is known."""
    ordered = np.sort(values, axis=0)  # faster than np.median along the first axis; NaN go last
    if not np.isnan(ordered[-1]).any():
        half = len(ordered) // 2
        return np.asarray(ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half]))
    last = np.isfinite(ordered).sum(axis=0, keepdims=True) - 1
    low, high = (np.take_along_axis(ordered, np.maximum(index, 0), axis=0)[0] for index in (last // 2, (last + 1) // 2))
    return np.where(last[0] >= 0, 0.5 * (low + high), np.nan)
