"""Ten seconds of beats at a time as numbers that are known to change before atrial arrhythmia.

Ectopic beats and their coupling: Haissaguerre et al. 1998, 10.1056/NEJM199809033391003; length of the P wave: Bayes de Luna et
al. 2012, 10.1016/j.jelectrocard.2012.06.029; variability of the rate: Task Force of ESC/NASPE 1996, 10.1161/01.CIR.93.5.1043.
Shapes: B beats, K steps, F features.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

from ecglm.signal.beats import IntArray
from ecglm.signal.holter import BeatSeries
from ecglm.signal.missing import BoolArray, FloatArray

#: Length of a step (s): that of the shortest window.
STEP_S = 10.0
#: Intervals outside these limits (s) are no RR intervals: a beat was missed or made up.
RR_S = (0.25, 3.0)
#: An interval shorter than this share of the usual one around ends early; one over the other limit is no usual interval either.
EARLY, LATE = 0.86, 1.25
#: Beats whose intervals say what is usual around.
AROUND = 15
#: A P wave that the network believes less has no length.
LEAST_P = 0.5
#: A difference of successive intervals over this share of them is irregular.
IRREGULAR = 0.1

#: Features of a step. early: narrow beats that come early, and supraventricular ones, per minute; coupling: of these, as a share
#: of the usual interval; the rest is of usual beats. log: natural logarithm of seconds.
FEATURES = ("log_rr", "log_sd", "log_rmssd", "irregular", "early", "ventricular", "coupling", "p", "p_ms", "p_ms_sd", "pr_ms",
            "readable")


def step_features(series: BeatSeries) -> FloatArray:
    """``[K, F]`` of a stretch that `BeatSeries.cut` made, the first step of it first; NaN where nothing is known of it. The last
    step ends where the stretch ends; what is left over at its beginning is left out. At least one step."""
    count = max(1, int(series.duration_s / STEP_S + 1e-6))
    start = series.stop_s - count * STEP_S
    step_B = np.floor((series.times_B - start) / STEP_S).astype(int)
    rr = np.diff(series.times_B, prepend=np.nan)
    rr[~((rr >= RR_S[0]) & (rr <= RR_S[1])) | _over_gap(series)] = np.nan
    step_B[step_B >= count] = count - 1  # a beat at the very end
    ventricular = series.kinds_B == "V"
    after_v = np.r_[False, ventricular[:-1]]
    usual_rr = _usual(np.where(ventricular | after_v, np.nan, rr))
    early = ~ventricular & ~after_v & ((rr < EARLY * usual_rr) | (series.kinds_B == "S"))
    normal = ~ventricular & ~after_v & ~early & ~np.r_[False, early[:-1]] & (rr < LATE * usual_rr)
    readable = _readable(series, start, count)
    p = normal & (series.p_B >= LEAST_P) & _usual_leads(series)
    both = np.r_[False, (step_B[1:] >= 0) & np.isfinite(rr[1:]) & np.isfinite(rr[:-1]) & ~ventricular[1:] & ~ventricular[:-1]]
    change = np.r_[np.nan, np.diff(rr)]
    successive = normal & np.r_[False, normal[:-1]]
    with np.errstate(invalid="ignore", divide="ignore"):
        coupling, relative, per_minute = rr / usual_rr, np.abs(change) / rr, 60 / STEP_S / readable

        def of(what: str, values: FloatArray, chosen: BoolArray, least: int) -> FloatArray:
            return _by_step(what, values, chosen & (step_B >= 0) & np.isfinite(values), step_B, count, least)

        out = np.stack([
            np.log(of("median", rr, normal, 2)), np.log(of("std", rr, normal, 4) + 1e-3),
            np.log(np.sqrt(of("mean", change**2, successive, 3)) + 1e-3),
            of("mean", (relative > IRREGULAR).astype(float), both, 4), _counted(early, step_B, count) * per_minute,
            _counted(ventricular, step_B, count) * per_minute, of("mean", coupling, early, 1), of("mean", series.p_B, normal, 2),
            of("median", series.p_ms_B, p, 2), of("std", series.p_ms_B, p, 4), of("median", series.pr_ms_B, p, 2), readable,
        ], axis=1)
    out[readable <= 0, :-1] = np.nan
    return out


def _counted(chosen: BoolArray, step_B: IntArray, count: int) -> FloatArray:
    return np.bincount(step_B[chosen & (step_B >= 0)], minlength=count)[:count].astype(float)


def _by_step(what: str, values: FloatArray, chosen: BoolArray, step_B: IntArray, count: int, least: int) -> FloatArray:
    """Mean, standard deviation or median of the chosen values of each step, NaN where there are fewer than least."""
    step, known = step_B[chosen], values[chosen]
    number = np.bincount(step, minlength=count)
    if what == "median":
        known = known[np.lexsort((known, step))]
        first = np.r_[0, np.cumsum(number)[:-1]]
        low, high = ((first + (number - shift) // 2).clip(0, max(0, len(known) - 1)) for shift in (1, 0))
        out = (known[low] + known[high]) / 2 if len(known) else np.full(count, np.nan)
    else:
        out = np.bincount(step, known, count) / number
        if what == "std":
            out = np.sqrt(np.bincount(step, (known - out[step]) ** 2, count) / number)
    return np.where(number >= least, out, np.nan)


def _usual(rr_B: FloatArray) -> FloatArray:
    """The median of the known intervals around each beat."""
    known = np.flatnonzero(np.isfinite(rr_B))
    if not len(known):
        return np.full(len(rr_B), np.nan)
    usual: FloatArray = np.interp(np.arange(len(rr_B)), known, median_filter(rr_B[known], size=AROUND, mode="nearest"))
    return usual


def _usual_leads(series: BeatSeries) -> BoolArray:
    """Whether a beat was seen in the leads that most are seen in: elsewhere a P wave begins and ends at other times, and a lead
    that drops out would look like a change of it."""
    if series.leads_B is None or not len(series.leads_B):
        return np.ones(len(series.times_B), bool)
    choices, number = np.unique(series.leads_B, return_counts=True)
    out: BoolArray = series.leads_B == choices[number.argmax()]
    return out


def _over_gap(series: BeatSeries) -> BoolArray:
    """Whether a gap lies between each beat and the one before."""
    if not len(series.times_B):
        return np.zeros(0, bool)
    gap = np.searchsorted(series.gaps[:, 0], series.times_B)
    out: BoolArray = np.r_[False, gap[1:] != gap[:-1]]
    return out


def _readable(series: BeatSeries, start: float, count: int) -> FloatArray:
    """Share of each step that can be read."""
    edges = start + STEP_S * np.arange(count + 1)
    lost = np.zeros(count)
    for begin, end in series.gaps:
        lost += np.maximum(0, np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin))
    out: FloatArray = np.clip(1 - lost / STEP_S, 0, 1)
    return out
