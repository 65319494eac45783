"""Which P wave belongs to which QRS, and how regular both are: shared by waves and rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.signal.beat_types import FROM_BELOW
from ecglm.signal.missing import FloatArray

#: Where before a QRS (s) the onset of a P wave may lie that belongs to it.
PR_S = (0.05, 0.40)
#: Usual change from one RR to the next (share of RR): below, regular; above, with few P waves, irregularly irregular.
STEADY, UNSTEADY = 0.04, 0.06
#: Of the QRS complexes this share has a P wave before it, at times that vary by less than this (ms), unless atria fibrillate.
MOST, STRAYING_MS = 0.7, 20.0


def owners(p_P3: FloatArray, qrs_B3: FloatArray) -> NDArray[np.int64]:
    """Index of the P wave ``[wave, 3]`` that belongs to each QRS ``[beat, 3]``, -1 for none."""
    owner = np.full(len(qrs_B3), -1)
    for number, (on, _, _) in enumerate(qrs_B3):
        earliest = max(on - PR_S[1], qrs_B3[number - 1, 2] if number else -1.0)
        fits = np.flatnonzero((p_P3[:, 0] >= earliest) & (p_P3[:, 0] <= on - PR_S[0]) & (p_P3[:, 2] <= on + 0.03))
        if len(fits):
            owner[number] = fits[-1]
    return owner


@dataclass(frozen=True)
class Conduction:
    """rr_change: median |difference of successive RR| over the shorter; disorder: the same or that of every second or third
    RR, whichever is least, as bigeminy and trigeminy are orderly; rr_cv: SD over mean of RR, between normal beats where there
    are enough; p_share: share of QRS complexes with a P wave, ventricular ones aside; pr_ms, pr_sd_ms: median and spread
    (from the median absolute deviation) of PR, None where there are too few."""

    rr_change: float
    disorder: float
    rr_cv: float
    p_share: float
    pr_ms: float | None
    pr_sd_ms: float | None

    @property
    def fibrillates(self) -> bool:
        """Irregularly irregular, without P waves that lead to the QRS complexes."""
        strays = self.pr_sd_ms is not None and self.pr_sd_ms > STRAYING_MS and self.rr_cv > 0.1
        return self.disorder > UNSTEADY and (self.p_share < MOST or strays)


def disorder(rr_s: FloatArray) -> float:
    """`Conduction.disorder` of RR intervals, 0 with fewer than two."""
    return min(_change(rr_s, lag) for lag in (1, 2, 3)) if len(rr_s) > 1 else 0.0


def _change(rr_s: FloatArray, lag: int) -> float:
    if len(rr_s) <= lag:
        return np.inf
    shorter = np.maximum(np.minimum(rr_s[lag:], rr_s[:-lag]), 1e-3)  # two marks of one beat may coincide
    return float(np.median(np.abs(rr_s[lag:] - rr_s[:-lag]) / shorter))


def conduction(p_P3: FloatArray, qrs_B3: FloatArray, types: Sequence[str] = ()) -> Conduction:
    """Of at least two QRS complexes; types: their AAMI classes, where they are known."""
    kinds = np.array(types or ["N"] * len(qrs_B3))
    owner, rr = owners(p_P3, qrs_B3), np.diff(qrs_B3[:, 0])
    pr = 1000 * (qrs_B3[owner >= 0, 0] - p_P3[owner[owner >= 0], 0])
    whole = (qrs_B3[:, 0] > PR_S[1]) & ~np.isin(kinds, FROM_BELOW)  # the first P wave may lie before the record begins
    normal = (kinds[1:] == "N") & (kinds[:-1] == "N")
    steady = rr[normal] if normal.sum() >= 3 else rr
    return Conduction(
        _change(rr, 1) if len(rr) > 1 else 0.0, disorder(rr),
        float(steady.std() / steady.mean()), float((owner[whole] >= 0).mean()) if whole.any() else 0.0,
        float(np.median(pr)) if len(pr) else None,
        float(1.4826 * np.median(np.abs(pr - np.median(pr)))) if len(pr) > 1 else None)
