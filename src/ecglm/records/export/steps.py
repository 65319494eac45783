"""Millivolts → 16-bit samples: which amplitude step to store a lead with. WFDB, EDF and DICOM share it.

A lead that was digitised in one of the usual steps keeps it, and so its exact values; any other gets the
finest step of three digits that its range allows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.records.record import FloatArray, Record

#: Stored samples stay within it: with steps of three digits, limits in the 8 characters of an EDF header.
LIMIT = 32_000
MISSING = -32_768  #: WFDB's mark for a missing sample; DICOM states it as padding value
#: Steps per millivolt of recorders whose step is a short decimal of microvolts (1 uV, 5 uV, 4.8828125 uV, ...).
_USUAL = (1000, 200, 204.8, 250, 400, 409.6, 500, 800, 819.2, 1024, 2000, 5000, 10_000)


class Stored(NamedTuple):
    """One lead: millivolts = (samples - zero) x step; per_mv is 1 / step."""

    samples: NDArray[np.int16]
    step: float
    per_mv: float
    zero: int


def stored(record: Record, target: str) -> list[Stored]:
    """Every lead as 16-bit samples, MISSING where a sample is."""
    return [_lead(row, name, target) for name, row in zip(record.leads, record.signal, strict=True)]


def _lead(row: FloatArray, name: str, target: str) -> Stored:
    good = np.isfinite(row)
    values = row[good].astype(np.float64)
    largest = float(np.abs(values).max(initial=0.0))
    for per_mv in _USUAL:
        whole = np.rint(values * per_mv)
        if largest * per_mv <= LIMIT and np.array_equal((whole / per_mv).astype(np.float32), row[good]):
            return _stored(whole, good, 1 / per_mv, per_mv, 0)
    if not 1e-6 < largest < 1e6:
        raise UsageError(f"{target}: lead {name} reaches {largest:.3g} mV, which no ECG does; save it as .npz or .csv")
    low, high = float(values.min()), float(values.max())
    span = max(high - low, largest * 1e-6)  # finer than the steps of float32 makes no sense
    away = min(abs(low), abs(high)) > span and low * high > 0  # a large offset and a small signal on it
    step = _three_digits(span / (1.9 * LIMIT) if away else largest / LIMIT)
    zero = -1000 * round((low + high) / 2 / step / 1000) if away else 0
    return _stored(np.rint(values / step) + zero, good, step, 1 / step, zero)


def _stored(whole: NDArray[np.float64], good: NDArray[np.bool_], step: float, per_mv: float, zero: int) -> Stored:
    samples = np.full(len(good), MISSING, np.int16)
    samples[good] = whole
    return Stored(samples, step, per_mv, zero)


def _three_digits(step: float) -> float:
    """The step rounded up to three significant digits, a short decimal."""
    power = math.floor(math.log10(step)) - 2
    return float(f"{math.ceil(step / 10.0**power * (1 - 1e-12))}e{power}")
