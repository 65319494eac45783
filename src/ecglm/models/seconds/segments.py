"""A record as seconds: `Segments`. Numpy in, numpy out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import RecordError
from ecglm.models.seconds.config import SecondsConfig
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.missing import fill_missing
from ecglm.signal.resample import resample

#: A second is a token when this share of it was recorded (published).
MIN_SHARE = 0.5
#: Seconds of what was recorded of a lead that set its scale: the beginning, so that no token depends on what comes later.
SCALE_S = 10
#: Spread of a lead below which it is flat and not scaled (mV, or standard deviations).
_FLAT = 1e-6


class Segments(NamedTuple):
    """leads ``[L]`` in canonical order; seconds float32 ``[L, T, samples]``; known bool ``[L, T]``: enough of the second was
    recorded; size float32 ``[L]``: decimal logarithm of the mV that one unit of the seconds is, NaN where they are unknown."""

    leads: tuple[str, ...]
    seconds_LTS: NDArray[np.float32]
    known_LT: NDArray[np.bool_]
    size_L: NDArray[np.float32]


def segments(record: Record, config: SecondsConfig) -> Segments:
    """Cut a record of any length, rate and choice of standard leads into seconds.

    Gaps are bridged for the resampling filter; a second of which less than half was recorded is marked as unknown and zero.
    Raises RecordError for less than half a second of signal or no lead known to the model.
    """
    leads = [lead for lead in STANDARD_12 if lead in record.leads]
    if not leads:
        raise RecordError(f"{record.source or 'record'}: none of its leads ({', '.join(record.leads)}) is one of the 12 "
                          "standard leads; name them canonically")
    signal = resample(record.select(leads).signal, record.fs, config.fs)
    count, rest = divmod(signal.shape[1], config.fs)
    count += rest >= MIN_SHARE * config.fs
    if not count:
        raise RecordError(f"{record.source or 'record'}: {record.duration_s:.2g} s of signal; half a second is needed")
    whole = np.full((len(leads), count * config.fs), np.nan)
    width = min(signal.shape[1], whole.shape[1])
    whole[:, :width] = signal[:, :width]
    filled, missing = fill_missing(whole)
    known = 1 - missing.reshape(len(leads), count, config.fs).mean(-1) >= MIN_SHARE
    size = np.zeros(len(leads), np.float32)
    if config.scale == "robust":
        filled, spread = _scaled(filled, missing, SCALE_S * config.fs)
        size = np.log10(spread).astype(np.float32)
    if record.unit != "mV":
        size[:] = np.nan
    padded = np.pad(filled, ((0, 0), (config.context, 0)), mode="edge").astype(np.float32)
    seconds = np.lib.stride_tricks.sliding_window_view(padded, config.samples, axis=1)[:, :: config.fs]
    return Segments(tuple(leads), np.where(known[..., None], seconds, np.float32(0)), known, size)


def _scaled(filled: NDArray[np.float64], missing: NDArray[np.bool_], first: int,
            ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each lead around its median, in units of its robust spread, both of the first samples that were recorded; the spreads
    (1 of a flat lead)."""
    out, spreads = np.zeros_like(filled), np.ones(len(filled))
    for row, (lead, gaps) in enumerate(zip(filled, missing, strict=True)):
        low, middle, high = np.percentile(lead[~gaps][:first] if not gaps.all() else lead, (5, 50, 95))
        if high - low > _FLAT:
            spreads[row] = high - low
            out[row] = np.clip((lead - middle) / spreads[row], -8, 8)
    return out, spreads
