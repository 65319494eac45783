"""ECGs whose truth is known exactly: every wave is a raised cosine with a definite first and last moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record

#: Chest leads: size of the R and of the S wave in V1..V6 (mV).
CHEST = {"V1": (0.2, 1.0), "V2": (0.4, 1.4), "V3": (0.8, 1.0), "V4": (1.3, 0.6), "V5": (1.2, 0.3), "V6": (0.9, 0.1)}
ANGLE = {"I": 0, "II": 60, "III": 120, "aVR": -150, "aVL": -30, "aVF": 90}


@dataclass(frozen=True)
class Truth:
    """Intervals in seconds, axis in degrees, QRS onsets in seconds."""

    pr: float
    qrs: float
    qt: float
    axis: float
    onsets: np.ndarray


def dome(t: np.ndarray, start: float, stop: float) -> np.ndarray:
    """0 outside (start, stop), a raised cosine of height 1 within."""
    x = np.clip((t - start) / (stop - start), 0, 1)
    return 0.5 - 0.5 * np.cos(2 * np.pi * x)


def synthetic_ecg(
    rate: float = 72, pr: float = 0.16, qrs: float = 0.09, qt: float = 0.39, axis: float = 40, fs: float = 500,
    duration: float = 10, p_wave: bool = True, rr_jitter: float = 0.0, noise: float = 0.01, seed: int = 0,
    leads: tuple[str, ...] = STANDARD_12,
) -> tuple[Record, Truth]:
    """A 12-lead record in mV and its truth. rr_jitter: SD of RR relative to RR. noise: SD in mV."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration * fs)) / fs
    rr = 60 / rate
    steps = rr * np.clip(1 + rr_jitter * rng.normal(size=round(duration / rr) + 3), 0.5, 1.6)
    onsets = 0.35 * rr + np.r_[0, np.cumsum(steps)] - rr
    onsets = onsets[onsets < duration + rr]
    signal = np.zeros((len(STANDARD_12), len(t)))
    for row, lead in enumerate(STANDARD_12):
        if lead in ANGLE:
            gain = np.cos(np.radians(axis - ANGLE[lead])) * (np.sqrt(3) / 2 if lead.startswith("aV") else 1)
            r, s, wave = 1.2 * gain, 0.2 * gain, np.cos(np.radians(50 - ANGLE[lead]))
        else:
            (r, s), wave = CHEST[lead], 0.8
        for on in onsets:
            near = slice(max(0, int((on - 0.5) * fs)), max(0, int((on + 0.8) * fs)))
            at, beat = t[near], signal[row, near]
            if p_wave:
                beat += 0.14 * wave * dome(at, on - pr, on - pr + 0.10)
            beat += r * dome(at, on, on + 0.65 * qrs) - s * dome(at, on + 0.5 * qrs, on + qrs)
            beat += 0.3 * wave * dome(at, on + qt - 0.20, on + qt)
    signal += noise * rng.normal(size=signal.shape)
    inside = onsets[(onsets > 0) & (onsets + 0.4 * qrs < duration)]
    record = Record(signal.astype(np.float32), fs, STANDARD_12)
    return record.select(leads), Truth(pr, qrs, qt, axis, inside)
