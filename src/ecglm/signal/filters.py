"""Zero-phase filters on ``[lead, time]``: baseline, mains and the diagnostic band.

All keep missing samples missing, leave an all-missing lead missing and accept signals of
half a second. Order, corner and direction of each are fixed so that two calls agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, tf2sos

from ecglm.signal.missing import FloatArray, check_rate, fill_missing

#: Pass band in Hz of the data that the embedded encoder was trained on (4th-order Butterworth, both directions).
BAND: tuple[float, float] = (0.5, 40.0)
#: Where QRS complexes have most of their energy (Hz; 2nd order).
QRS_BAND: tuple[float, float] = (5.0, 30.0)
#: A mains line is reported when it stands this many times above the spectrum beside it.
MAINS_PROMINENCE = 8.0


@dataclass(frozen=True)
class _Filter:
    """Second-order sections, and their state after a long constant 1 as `sosfilt` takes it for ``[lead, time]``."""

    sos: FloatArray
    settled: FloatArray

    @staticmethod
    def of(sos: ArrayLike) -> _Filter:
        sections = np.asarray(sos, dtype=np.float64)
        return _Filter(sections, sosfilt_zi(sections)[:, None, :])


@lru_cache(maxsize=64)
def _band_filter(low: float, high: float, fs: float, order: int) -> _Filter:
    top = min(high, 0.45 * fs) if high < np.inf else np.inf
    if low <= 0:
        sos = butter(order, top, "lowpass", fs=fs, output="sos")
    elif top == np.inf:
        sos = butter(order, low, "highpass", fs=fs, output="sos")
    else:
        sos = butter(order, (low, top), "bandpass", fs=fs, output="sos")
    return _Filter.of(sos)


@lru_cache(maxsize=16)
def _notch_filter(hz: float, fs: float) -> _Filter:
    return _Filter.of(tf2sos(*iirnotch(hz, Q=30.0, fs=fs)))


def _apply(wanted: _Filter, signal: ArrayLike, pad_s: float, fs: float) -> FloatArray:
    filled, missing = fill_missing(signal)
    out = _both_ways(wanted, filled, round(pad_s * fs))
    if missing.any():
        out[missing] = np.nan
    return out


def _both_ways(wanted: _Filter, filled_LT: FloatArray, pad: int) -> FloatArray:
    """As scipy's `sosfiltfilt` with odd ends, to the bit; that one works the settled state out at every call."""
    leads, total = filled_LT.shape
    pad = min(total - 1, pad)
    out = np.empty((leads, total + 2 * pad))
    out[:, pad: pad + total] = filled_LT
    np.subtract(2 * filled_LT[:, :1], filled_LT[:, pad:0:-1], out=out[:, :pad])
    np.subtract(2 * filled_LT[:, -1:], filled_LT[:, -2: -pad - 2: -1], out=out[:, pad + total:])
    for _ in ("forwards", "backwards"):
        out = sosfilt(wanted.sos, out, axis=1, zi=wanted.settled * out[:, :1])[0][:, ::-1]
    return out[:, pad: pad + total]


def detector_band(filled_LT: FloatArray, fs: float) -> FloatArray:
    """The QRS band (QRS_BAND) with ends of 15 samples, as sleepecg's detector filters a lead, to the bit; contiguous."""
    return np.ascontiguousarray(_both_ways(_band_filter(*QRS_BAND, check_rate(fs), 2), filled_LT, 15))


def bandpass(signal: ArrayLike, fs: float, low: float = BAND[0], high: float = BAND[1], order: int = 4) -> FloatArray:
    """Band-pass from low to high (Hz), Butterworth run forwards and backwards; float64 ``[lead, time]``.

    ``low=0`` gives a low-pass, ``high=inf`` a high-pass; a corner above 0.45 fs is lowered to it.
    """
    return _apply(_band_filter(float(low), float(high), check_rate(fs), order), signal, 2.0 if low < 2 else 0.5, fs)


def remove_baseline(signal: ArrayLike, fs: float, corner: float = 0.5) -> FloatArray:
    """Zero-phase 2nd-order high-pass (0.5 Hz unless told): keeps ST segments, the corner that
    AHA/ACC/HRS 2007 (10.1161/CIRCULATIONAHA.106.180200) allows for zero-phase filters."""
    return bandpass(signal, fs, corner, np.inf, order=2)


def mains_frequency(signal: ArrayLike, fs: float) -> float | None:
    """50.0 or 60.0 when that line stands out of the spectrum of ``[lead, time]``, else None."""
    filled, _ = fill_missing(signal)
    n = filled.shape[1]
    if n < check_rate(fs):
        return None
    power = np.abs(np.fft.rfft((filled - filled.mean(axis=1, keepdims=True)) * np.hanning(n), axis=1)) ** 2
    total, hz = power.sum(axis=0), np.fft.rfftfreq(n, 1 / fs)
    best: tuple[float, float] = (MAINS_PROMINENCE, 0.0)
    for line in (50.0, 60.0):
        if line + 4 > fs / 2:
            continue
        near = np.abs(hz - line)
        beside = (near > 1.5) & (near < 4)
        prominence = total[near <= 0.75].max() / (np.median(total[beside]) + 1e-30)
        # Relative to all power as well: rounding noise has lines too.
        if prominence > best[0] and total[near <= 0.75].sum() > 1e-6 * total.sum():
            best = (float(prominence), line)
    return best[1] or None


def remove_mains(signal: ArrayLike, fs: float, hz: float | None = None) -> FloatArray:
    """Notch out the mains line (hz, or whichever of 50 and 60 Hz is found; none found: unchanged copy)."""
    line = hz or mains_frequency(signal, fs)
    if line is None or line >= 0.48 * fs:
        filled, missing = fill_missing(signal)
        filled[missing] = np.nan
        return filled
    return _apply(_notch_filter(float(line), float(fs)), signal, 0.5, fs)
