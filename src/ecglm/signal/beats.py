"""Heart beats from any set of leads: every lead is searched, the leads vote, times are refined together.

The per-lead detector is sleepecg's Pan-Tompkins (Brunner & Hofer 2023, 10.21105/joss.05411).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import find_peaks
from sleepecg import detect_heartbeats

from ecglm.signal.filters import bandpass
from ecglm.signal.missing import BoolArray, FloatArray, check_rate, fill_missing

IntArray = NDArray[np.int64]

#: Two ventricular activations cannot follow one another faster than this (300/min).
REFRACTORY_S = 0.2
#: Detections of one beat in different leads lie within this time.
VOTE_S = 0.12


@dataclass(frozen=True)
class Beats:
    """Beats of a record: sample of each QRS peak ``[beat]``, rate, and the share of lead votes each got ``[beat]``."""

    samples: IntArray
    fs: float
    votes: FloatArray

    @property
    def times_s(self) -> FloatArray:
        """Beat times in seconds."""
        return self.samples / self.fs

    @property
    def rr_s(self) -> FloatArray:
        """Intervals between successive beats in seconds, ``[beat - 1]``."""
        return np.diff(self.samples) / self.fs

    def __len__(self) -> int:
        return len(self.samples)


def qrs_energy(signal_LT: FloatArray, fs: float, weights_L: FloatArray | None = None) -> FloatArray:
    """Spatial QRS activity ``[time]``: root mean square over leads of the 5-30 Hz band, each lead scaled to its own
    95th percentile, so that neither unit nor gain matters."""
    band = bandpass(signal_LT, fs, 5.0, 30.0, order=2)
    scale = np.percentile(np.abs(band[:, :: max(1, round(fs / 125))]), 95, axis=1, keepdims=True)
    scaled = np.divide(band, scale, out=np.zeros_like(band), where=scale > 1e-9)
    np.clip(scaled, -12, 12, out=scaled)
    weights = np.ones(len(band)) if weights_L is None else weights_L
    energy: FloatArray = np.sqrt(weights @ scaled**2 / max(weights.sum(), 1e-9))
    return energy


def detect_beats(signal: ArrayLike, fs: float, weights: ArrayLike | None = None) -> Beats:
    """Beats in ``[lead, time]`` (any unit, any leads, 0.5 s to hours).

    weights: trust per lead (quality 0..1); leads of weight 0 do not vote. A beat needs half of the
    voting weight and some spatial QRS activity; with fewer votes (a third at least) it needs more activity.
    Returns no beats where nothing repeats above the noise, or under 0.5 s.
    """
    filled, missing = fill_missing(signal)
    fs = check_rate(fs)
    trust = np.ones(len(filled)) if weights is None else np.clip(np.asarray(weights, dtype=np.float64), 0, 1)
    live = (np.ptp(filled, axis=1) > 1e-9) & (missing.mean(axis=1) < 0.9) & (trust > 0)
    none = Beats(np.empty(0, np.int64), fs, np.empty(0))
    if not live.any() or filled.shape[1] < 0.5 * fs:
        return none
    leads_LT, trust, gaps = filled[live], trust[live], missing[live]
    energy = qrs_energy(leads_LT, fs, trust)
    ballots = np.zeros(filled.shape[1])
    for row, weight in zip(leads_LT, trust, strict=True):
        ballots[_one_lead(row, fs)] += weight
    # The combined activity votes too: with two leads it breaks the tie.
    ballots[_one_lead(energy, fs)] += trust.mean()
    total = trust.sum() + trust.mean()
    votes = uniform_filter1d(ballots, size := max(1, round(VOTE_S * fs)), mode="constant") * size / total
    return _elect(votes, energy, fs, gaps.all(axis=0))


def _one_lead(row_T: FloatArray, fs: float) -> IntArray:
    found: IntArray = np.asarray(detect_heartbeats(np.ascontiguousarray(row_T), fs), dtype=np.int64)
    return found


def _elect(votes_T: FloatArray, energy_T: FloatArray, fs: float, gap_T: BoolArray) -> Beats:
    smooth = uniform_filter1d(energy_T, max(1, round(0.04 * fs)))
    refractory = max(1, round(REFRACTORY_S * fs))
    peaks, _ = find_peaks(np.r_[0.0, votes_T + 1e-6 * smooth, 0.0], height=0.33, distance=refractory)
    peaks = np.clip(peaks - 1, 0, len(votes_T) - 1)
    if not len(peaks):
        return Beats(np.empty(0, np.int64), fs, np.empty(0))
    reach = round(0.08 * fs)
    offsets = np.arange(-reach, reach + 1)
    around = np.clip(peaks[:, None] + offsets, 0, len(votes_T) - 1)
    refined = around[np.arange(len(peaks)), smooth[around].argmax(axis=1)]
    height, share = smooth[refined], votes_T[peaks]
    # The fewer leads agree, the closer must its activity come to that of the beats around it.
    sure = height[share >= 0.5] if (share >= 0.5).any() else height
    usual = np.maximum(median_filter(height, size=15, mode="nearest"), 0.8 * np.median(sure))
    kept = (height > usual * np.interp(share, (0.33, 0.5, 0.9), (0.75, 0.55, 0.3))) & ~gap_T[refined]
    refined, share, height = refined[kept], share[kept], height[kept]
    refined, first = np.unique(refined, return_index=True)
    share, height = share[first], height[first]
    while len(refined) > 1 and (np.diff(refined) < refractory).any():
        near = int(np.argmax(np.diff(refined) < refractory))
        lower = near if height[near] < height[near + 1] else near + 1
        refined, share, height = (np.delete(a, lower) for a in (refined, share, height))
    return Beats(refined.astype(np.int64), fs, np.minimum(share, 1.0))
