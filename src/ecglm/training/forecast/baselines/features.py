"""Rate, its variability, and ectopic beats of a whole window: numbers that any beat detector gives.

Variability is that of normal-to-normal intervals after the Task Force of ESC/NASPE 1996 (10.1161/01.CIR.93.5.1043); sample
entropy after Richman & Moorman 2000 (10.1152/ajpheart.2000.278.6.H2039). Nothing here looks at how a number changes within a
window. Shapes: B beats, I intervals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from ecglm.signal.holter import BeatSeries

Floats = NDArray[np.float64]
FEATURES = ("mean_rr_s", "sdnn_ms", "rmssd_ms", "pnn50", "rmssd_of_rr", "lf_ms2", "hf_ms2", "lf_hf", "sample_entropy",
            "s_per_min", "v_per_min", "s_runs_per_min", "v_runs_per_min", "longest_s_run", "irregular", "readable")
#: Those that are counts or powers, whose logarithm is nearer to normal.
SKEWED = ("sdnn_ms", "rmssd_ms", "lf_ms2", "hf_ms2", "lf_hf", "s_per_min", "v_per_min", "s_runs_per_min", "v_runs_per_min",
          "longest_s_run")
#: RR intervals lie within (s); fewer normal ones give no variability.
RR_S, LEAST_NN = (0.25, 3.0), 5
#: Spectra need two minutes (Task Force); bands in Hz, and the rate at which intervals are interpolated.
LEAST_SPECTRUM_S, LF_HZ, HF_HZ, RATE_HZ = 120.0, (0.04, 0.15), (0.15, 0.40), 4.0
#: Sample entropy: length of templates, tolerance as a share of the standard deviation, least and most intervals.
M, TOLERANCE, ENTROPY_NN = 2, 0.2, (50, 1000)
#: Change from one interval to the next, as a share of it, that is irregular.
IRREGULAR = 0.1


def features(series: BeatSeries) -> Floats:
    """FEATURES ``[F]`` of a stretch that `BeatSeries.cut` made; NaN where the window is too short or cannot be read."""
    rr, normal = _intervals(series)
    minutes = series.readable_s / 60
    found = dict.fromkeys(FEATURES, np.nan)
    found["readable"] = series.readable_s / series.duration_s
    if minutes > 0:
        for kind in "SV":
            runs = _runs(series.kinds_B == kind)
            found[f"{kind.lower()}_per_min"] = float((series.kinds_B == kind).sum()) / minutes
            found[f"{kind.lower()}_runs_per_min"] = float((runs >= 3).sum()) / minutes
            if kind == "S":
                found["longest_s_run"] = float(runs.max(initial=0))
    nn = rr[normal]
    if len(nn) >= LEAST_NN:
        pair = normal[1:] & normal[:-1]
        change = np.diff(rr)[pair]
        found["mean_rr_s"] = float(nn.mean())
        found["sdnn_ms"] = 1000 * float(nn.std(ddof=1))
        if len(change):
            found["rmssd_ms"] = 1000 * float(np.sqrt((change**2).mean()))
            found["rmssd_of_rr"] = found["rmssd_ms"] / 1000 / found["mean_rr_s"]
            found["pnn50"] = float((np.abs(change) > 0.05).mean())
            found["irregular"] = float((np.abs(change) > IRREGULAR * rr[:-1][pair]).mean())
        found["sample_entropy"] = sample_entropy(nn)
        if series.duration_s >= LEAST_SPECTRUM_S:
            found["lf_ms2"], found["hf_ms2"] = _powers(series.times_B[1:][normal], nn)
            found["lf_hf"] = found["lf_ms2"] / found["hf_ms2"] if found["hf_ms2"] > 0 else np.nan
    return np.array([found[name] for name in FEATURES])


def _intervals(series: BeatSeries) -> tuple[Floats, NDArray[np.bool_]]:
    """Intervals (s) ``[I]`` and which of them lie between two normal beats with no gap in between."""
    rr = np.diff(series.times_B)
    gap = np.searchsorted(series.gaps[:, 0], series.times_B)
    plain = series.kinds_B == "N"
    return rr, (rr >= RR_S[0]) & (rr <= RR_S[1]) & (np.diff(gap) == 0) & plain[1:] & plain[:-1]


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of runs of True."""
    edge = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
    return np.asarray(edge[1::2] - edge[::2])


def _powers(times: Floats, nn: Floats) -> tuple[float, float]:
    """Power (ms²) in the low and high band of the intervals, interpolated evenly; NaN where they do not span two minutes."""
    at = np.arange(times[0], times[-1], 1 / RATE_HZ)
    if len(at) < LEAST_SPECTRUM_S * RATE_HZ * 0.8:
        return np.nan, np.nan
    even = 1000 * np.interp(at, times, nn)
    hz, density = welch(even, RATE_HZ, nperseg=min(len(even), round(LEAST_SPECTRUM_S * RATE_HZ)), detrend="linear")
    low, high = (float(density[(hz >= band[0]) & (hz < band[1])].sum() * (hz[1] - hz[0])) for band in (LF_HZ, HF_HZ))
    return low, high


def sample_entropy(values: Floats) -> float:
    """-ln of the chance that stretches alike in M values are alike in the next one too; of the last ENTROPY_NN values at most,
    NaN for fewer than its least or when nothing is alike."""
    values = values[-ENTROPY_NN[1]:]
    if len(values) < ENTROPY_NN[0] or values.std() == 0:
        return float("nan")
    near = np.abs(values[:, None] - values) <= TOLERANCE * values.std()
    count = len(values) - M
    alike = np.logical_and.reduce([near[k:k + count, k:k + count] for k in range(M)])
    longer = alike & near[M:, M:]
    short, long = int(alike.sum()) - count, int(longer.sum()) - count  # each is like itself
    return float(-np.log(long / short)) if long > 0 else float("nan")


def table(features_NF: Floats) -> Floats:
    """Features as a linear model sees them best: logarithms of the skewed ones."""
    out = features_NF.copy()
    skewed = [FEATURES.index(name) for name in SKEWED]
    out[:, skewed] = np.log1p(np.maximum(out[:, skewed], 0))
    return out
