"""Heart beats from any set of leads: every lead is searched, the leads vote, times are refined together.

The per-lead detector is sleepecg's Pan-Tompkins (Brunner & Hofer 2023, 10.21105/joss.05411). Its two compiled functions are
called by us: `detect_heartbeats` filters lead by lead, which takes four times as long as all leads at once, for the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import median_filter, uniform_filter1d
from scipy.signal import find_peaks
from sleepecg._heartbeat_detection import _squared_moving_integration, _thresholding

from ecglm.signal.filters import QRS_BAND, bandpass, detector_band
from ecglm.signal.missing import BoolArray, FloatArray, check_rate, fill_missing

IntArray = NDArray[np.int64]

#: Two ventricular activations cannot follow one another faster than this (300/min).
REFRACTORY_S = 0.2
#: Detections of one beat in different leads lie within this time.
VOTE_S = 0.12
#: Five-point derivative (Pan and Tompkins 1985, 10.1109/TBME.1985.325532).
_SLOPE = np.array([-1, -2, 0, 2, 1])


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
    return _energy(qrs_band(signal_LT, fs), fs, weights_L)


def qrs_band(signal_LT: FloatArray, fs: float) -> FloatArray:
    """Leads in the QRS band."""
    return bandpass(signal_LT, fs, *QRS_BAND, order=2)


def _energy(band: FloatArray, fs: float, weights_L: FloatArray | None) -> FloatArray:
    scale = np.percentile(np.abs(band[:, :: max(1, round(fs / 125))]), 95, axis=1, keepdims=True)
    scaled = np.divide(band, scale, out=np.zeros_like(band), where=scale > 1e-9)
    np.clip(scaled, -12, 12, out=scaled)
    weights = np.ones(len(band)) if weights_L is None else weights_L
    energy: FloatArray = np.sqrt(weights @ scaled**2 / max(weights.sum(), 1e-9))
    return energy


def detect_beats(signal: ArrayLike, fs: float, weights: ArrayLike | None = None, band_LT: FloatArray | None = None) -> Beats:
    """Beats in ``[lead, time]`` (any unit, any leads, 0.5 s to hours).

    weights: trust per lead (quality 0..1); leads of weight 0 do not vote. A beat needs half of the
    voting weight and some spatial QRS activity; with fewer votes (a third at least) it needs more activity.
    band_LT: what `qrs_band` gives for the signal, where it is known already.
    Returns no beats where nothing repeats above the noise, or under 0.5 s.
    """
    filled, missing = fill_missing(signal)
    fs = check_rate(fs)
    trust = np.ones(len(filled)) if weights is None else np.clip(np.asarray(weights, dtype=np.float64), 0, 1)
    gaps = missing.any()
    live = (np.ptp(filled, axis=1) > 1e-9) & (trust > 0)
    if gaps:
        live &= missing.mean(axis=1) < 0.9
    none = Beats(np.empty(0, np.int64), fs, np.empty(0))
    if not live.any() or filled.shape[1] < 0.5 * fs:
        return none
    leads_LT, trust = filled[live], trust[live]
    energy = _energy(qrs_band(leads_LT, fs) if band_LT is None else band_LT[live], fs, trust)
    ballots = np.zeros(filled.shape[1])
    # The combined activity votes too: with two leads it breaks the tie.
    for found, weight in zip(_by_lead(np.concatenate((leads_LT, energy[None])), fs), (*trust, trust.mean()), strict=True):
        ballots[found] += weight
    total = trust.sum() + trust.mean()
    votes = uniform_filter1d(ballots, size := max(1, round(VOTE_S * fs)), mode="constant") * size / total
    return _elect(votes, energy, fs, missing[live].all(axis=0) if gaps else None)


def _by_lead(leads_LT: FloatArray, fs: float) -> list[IntArray]:
    """What sleepecg's `detect_heartbeats` finds in each lead, from its first change on."""
    out: list[IntArray] = [np.empty(0, np.int64)] * len(leads_LT)
    starts = np.where(leads_LT[:, 1] == leads_LT[:, 0], (leads_LT != leads_LT[:, :1]).argmax(axis=1), 0)
    for start in np.unique(starts):
        if leads_LT.shape[1] - start <= 0.15 * fs:  # too little to look at
            continue
        rows = np.flatnonzero(starts == start)
        for row, band_T in zip(rows, detector_band(leads_LT[rows, start:], fs), strict=True):
            slope = np.correlate(band_T, _SLOPE, mode="same")
            marked = _marked(band_T, _squared_moving_integration(slope, int(0.15 * fs)), fs)
            out[row] = start + np.flatnonzero(marked)
    return out


def _marked(band_T: FloatArray, squared_T: FloatArray, fs: float) -> BoolArray:
    """sleepecg's marks. Its 0.6.0 has room for as many intervals as refractory times fit the signal, and writes beyond that where
    each holds a peak, which a signal of up to some ten seconds can: where as many are found, it is searched with zeros behind."""
    refractory, total = int(0.2 * fs), len(band_T)
    if refractory and (total - 1) // (refractory + 1) + 1 >= total // refractory:
        longer = _thresholding(np.pad(band_T, (0, 2 * refractory)), np.pad(squared_T, (0, 2 * refractory)), fs)[:total]
        if longer.sum() + 2 > total // refractory:
            return np.asarray(longer)
    return np.asarray(_thresholding(band_T, squared_T, fs))


def _elect(votes_T: FloatArray, energy_T: FloatArray, fs: float, gap_T: BoolArray | None) -> Beats:
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
    kept = height > usual * np.interp(share, (0.33, 0.5, 0.9), (0.75, 0.55, 0.3))
    if gap_T is not None:
        kept &= ~gap_T[refined]
    refined, share, height = refined[kept], share[kept], height[kept]
    refined, first = np.unique(refined, return_index=True)
    share, height = share[first], height[first]
    while len(refined) > 1 and (np.diff(refined) < refractory).any():
        near = int(np.argmax(np.diff(refined) < refractory))
        lower = near if height[near] < height[near + 1] else near + 1
        refined, share, height = (np.delete(a, lower) for a in (refined, share, height))
    return Beats(refined.astype(np.int64), fs, np.minimum(share, 1.0))
