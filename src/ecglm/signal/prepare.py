"""The one deterministic preprocessing between a `Record` and an encoder."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.signal.filters import BAND, bandpass
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.resample import resample

#: A lead that varies less than this (standard deviation; mV or normalized units) is flat.
FLAT_SD = 1e-4


class Prepared(NamedTuple):
    """What an encoder takes: signal float32 ``[lead, time]`` in standard deviations, and mask bool ``[lead]``,
    False where the lead is flat or missing and its row therefore zero."""

    signal: NDArray[np.float32]
    mask: NDArray[np.bool_]


def prepare(record: Record, fs: float = 250.0, band: tuple[float, float] = BAND) -> Prepared:
    """Resample to fs (Hz), band-pass (Hz, zero-phase 4th-order Butterworth), zero what is missing, z-score each lead.

    The order of leads is that of the record. Mean and deviation come from the samples that are there, so the unit
    and gain of a lead do not matter. Same input, same output; nothing is random.
    """
    scaled, mask, _ = scale_leads(bandpass(resample(record.signal, record.fs, fs), fs, *band))
    return Prepared(scaled.astype(np.float32), mask)


def scale_leads(filtered_LT: FloatArray) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Z-score each lead over the samples it has: scaled ``[lead, time]`` with zeros where missing or flat, the mask
    ``[lead]`` of leads that are neither, and the deviation ``[lead]`` by which each was divided."""
    missing = np.isnan(filtered_LT)
    there = np.maximum((~missing).sum(axis=1, keepdims=True), 1)
    signal = np.where(missing, 0.0, filtered_LT)
    centred = np.where(missing, 0.0, signal - signal.sum(axis=1, keepdims=True) / there)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / there)
    mask = spread[:, 0] > FLAT_SD
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=mask[:, None])
    return scaled, mask, spread[:, 0]
