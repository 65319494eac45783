"""Rhythm from numbers alone: interval statistics, premature beats, and one short statement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from ecglm.signal.missing import BoolArray, FloatArray

#: An RR interval shorter (longer) than this share of its neighbours' median is premature (a pause).
PREMATURE, PAUSE = 0.85, 1.25
#: Below this relative RMSSD the rhythm is called regular; above the second, with no P waves, irregularly irregular.
REGULAR, IRREGULAR = 0.04, 0.10
#: Usual (median) change from one RR to the next, relative to RR, above which irregularity is not due to a few beats.
EVERYWHERE = 0.05


@dataclass(frozen=True)
class BeatFeatures:
    """What the rhythm statement rests on. Shares are 0..1, None when it could not be looked at.

    rate_bpm; rr_cv: SD of RR over mean RR; rmssd_rel: RMSSD over mean RR; rr_change: median |difference of successive
    RR| over mean RR; premature, pauses: numbers of intervals;
    misshapen: beats that do not fit the median beat, of looked_at; p_score: evidence of P waves that belong to the
    QRS; p_fraction: share of beats with the usual P wave; beats: found in all.
    """

    beats: int
    rate_bpm: float | None
    rr_cv: float | None
    rmssd_rel: float | None
    rr_change: float | None
    premature: int
    pauses: int
    misshapen: int
    looked_at: int
    p_score: float | None
    p_fraction: float | None
    atrial_hz: float | None


def local_rr(rr_s: FloatArray) -> FloatArray:
    """The median RR of the seven intervals around each, ``[interval]``."""
    return np.asarray(median_filter(rr_s, size=7, mode="nearest"), dtype=np.float64) if len(rr_s) else rr_s


def premature_intervals(rr_s: FloatArray) -> BoolArray:
    """Which intervals end early, ``[interval]``."""
    return np.asarray(rr_s < PREMATURE * local_rr(rr_s))


def pause_intervals(rr_s: FloatArray) -> BoolArray:
    """Which intervals are pauses, ``[interval]``."""
    return np.asarray(rr_s > PAUSE * local_rr(rr_s))


def rmssd(rr_s: FloatArray) -> float:
    """Root mean square of successive differences, in the unit of rr (Task Force 1996, 10.1161/01.CIR.93.5.1043)."""
    return float(np.sqrt(np.mean(np.diff(rr_s) ** 2)))


def statement(seen: BeatFeatures) -> str | None:
    """A short rhythm statement such as "regular, 72 bpm, P wave before every QRS"; None under three beats."""
    if seen.rate_bpm is None or seen.rr_cv is None or seen.rmssd_rel is None or seen.beats < 3:
        return None
    no_p = seen.p_score is not None and seen.p_score < 0.5
    ectopic = max(seen.premature, seen.misshapen if seen.misshapen <= 0.5 * seen.looked_at else 0)
    parts = []
    if seen.rmssd_rel < REGULAR and seen.rr_cv < REGULAR:
        parts.append("regular")
    elif no_p and seen.rmssd_rel > IRREGULAR and (seen.rr_change or 0) > EVERYWHERE:
        parts.append("irregularly irregular")
    elif ectopic and seen.premature:
        parts.append("irregular with premature beats" if ectopic > 1 else "one premature beat")
    elif seen.rmssd_rel < IRREGULAR:
        parts.append("slightly irregular")
    else:
        parts.append("irregular")
    parts.append(f"{seen.rate_bpm:.0f} bpm")
    if seen.p_score is not None and seen.p_fraction is not None:
        if no_p:
            parts.append("no consistent P waves")
        elif seen.p_fraction > 0.9 and seen.p_score > 0.8:
            parts.append("P wave before every QRS")
        else:
            parts.append("P wave before most QRS")
    if 0 < seen.misshapen <= 0.5 * seen.looked_at:
        parts.append(f"{seen.misshapen} of {seen.looked_at} beats of another shape")
    if seen.pauses and not (no_p and "irregularly" in parts[0]):
        parts.append(f"{seen.pauses} pause{'s' if seen.pauses > 1 else ''}")
    return ", ".join(parts)
