"""A fixed vector of rhythm and interval features that stands beside a neural encoder.

Convolutional encoders alone are poor at rhythm. All values are free of amplitude (every lead is scaled by its own
spread), NaN-free and bounded; a group that could not be measured is 0 and its `*_valid` flag is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecglm.errors import RecordError
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.atrial import P_PRESENT, atrial_spectrum, p_waves, polarity
from ecglm.signal.beats import Beats, detect_beats
from ecglm.signal.filters import bandpass
from ecglm.signal.missing import FloatArray, as_leads
from ecglm.signal.prepare import scale_leads
from ecglm.signal.resample import resample
from ecglm.signal.rhythm import pause_intervals, premature_intervals, rmssd
from ecglm.signal.stack import AFTER_S, BEFORE_S, BeatStack, stack_beats
from ecglm.signal.waves import PR_RANGE_S, delineate

#: Features are computed at this rate (Hz).
FEATURE_FS = 250.0
#: Samples of a median beat at that rate.
BEAT_SAMPLES = round(BEFORE_S * FEATURE_FS) + round(AFTER_S * FEATURE_FS)

RR_NAMES = (
    "rr_valid", "rate", "above_100", "below_60", "rr_mean", "rr_median", "rr_cv", "rmssd_rel", "pnn50", "rr_min_rel",
    "rr_max_rel", "rr_mad_rel", "rr_entropy", "turning_points", "premature", "pauses", "rr_smooth", "rr_lag1",
    "rr_lag2", "alternation", "beats_per_s",
)
MIXED_NAMES = ("rr_cv_with_p", "rmssd_with_p", "rr_cv_without_p", "rmssd_without_p")
SHAPE_NAMES = ("shape_valid", "corr_min", "corr_sd", "corr_mean", "misshapen")
WAVE_NAMES = ("p_valid", "p_score", "p_coherence", "p_coherence_max", "p_fraction", "p_size", "p_polarity_ii",
              "p_polarity_v1", "pr_s", "pr_lag_sd", "pr_known", "qrs_s", "qrs_known", "qt_s", "qtc_s", "qt_known")
ATRIAL_NAMES = ("atrial_hz", "atrial_peak", "flutter_share", "fibrillation_share", "atrial_level", "qrs_sharpness")
AXIS_NAMES = ("axis_known", "axis_sin", "axis_cos")
FEATURE_NAMES: tuple[str, ...] = RR_NAMES + SHAPE_NAMES + WAVE_NAMES + ATRIAL_NAMES + MIXED_NAMES


class RhythmReading(NamedTuple):
    """values_F: rhythm features, names in FEATURE_NAMES. beat_LW: the median beat of each lead at FEATURE_FS, in standard
    deviations of the lead, the QRS peak BEFORE_S after its start; zeros when there is no beat."""

    values_F: NDArray[np.float32]
    beat_LW: NDArray[np.float32]


def rhythm_features(
    record: Record | ArrayLike, fs: float | None = None, leads: Sequence[str] = STANDARD_12,
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Rhythm features of a record, or of an array ``[lead, time]`` at fs (Hz): float32 ``[F]`` and their F names.

    Works on any leads, rate and length; nothing measurable gives zeros. The frontal axis is not among them because
    it needs amplitudes: see `axis_features`.
    """
    return read_rhythm(record, fs, leads).values_F, FEATURE_NAMES


def read_rhythm(record: Record | ArrayLike, fs: float | None = None, leads: Sequence[str] = STANDARD_12) -> RhythmReading:
    """Rhythm features and median beat together, as both need the beats; arguments as in `rhythm_features`."""
    if isinstance(record, Record):
        signal, rate, names = as_leads(record.signal), record.fs, record.leads
    else:
        signal, rate, names = as_leads(record), float(fs or FEATURE_FS), tuple(leads)
    if len(names) != len(signal):
        raise RecordError(f"{len(names)} lead names for {len(signal)} signal rows; give one name per row")
    prepared = scale_leads(bandpass(resample(signal, rate, FEATURE_FS), FEATURE_FS))[0]
    beats = detect_beats(prepared, FEATURE_FS)
    stack = stack_beats(prepared, beats.samples, FEATURE_FS)
    rr, waves = _rr_features(beats, prepared.shape[1] / FEATURE_FS), _wave_features(prepared, beats, stack, names)
    # Irregularity means one thing with P waves and another without: linear heads cannot multiply.
    irregular = rr[[RR_NAMES.index("rr_cv"), RR_NAMES.index("rmssd_rel")]]
    p_score = waves[WAVE_NAMES.index("p_score")]
    values = np.concatenate([rr, _shape_features(stack), waves, _atrial_features(prepared, stack, beats),
                             irregular * p_score, irregular * (1 - p_score)])
    beat = np.zeros((len(prepared), BEAT_SAMPLES)) if stack is None else stack.median_LW
    return RhythmReading(np.nan_to_num(np.clip(values, -10, 20)).astype(np.float32), beat.astype(np.float32))


def axis_features(axis_deg: float | None) -> NDArray[np.float32]:
    """The frontal axis (degrees, None when unknown) as ``[known, sin, cos]``, float32; names in AXIS_NAMES."""
    if axis_deg is None or not np.isfinite(axis_deg):
        return np.zeros(3, np.float32)
    return np.array([1.0, np.sin(np.radians(axis_deg)), np.cos(np.radians(axis_deg))], np.float32)


def _rr_features(beats: Beats, duration_s: float) -> FloatArray:
    rr = beats.rr_s
    if len(rr) < 2:
        return np.zeros(len(RR_NAMES))
    mean, median, diff = rr.mean(), float(np.median(rr)), np.diff(rr)
    bins = np.bincount(np.clip(np.round((rr / median - 0.4) / 0.1).astype(int), 0, 14), minlength=15) / len(rr)
    rate = 0.6 / mean
    centred = rr - mean
    power = (centred**2).sum() + 1e-6
    lag1, lag2 = (float((centred[:-k] * centred[k:]).sum() / power) for k in (1, 2))
    return np.array([
        1, rate, max(0.0, rate - 1.0), max(0.0, 0.6 - rate), mean, median, rr.std() / mean, rmssd(rr) / mean,
        np.mean(np.abs(diff) > 0.05), rr.min() / median, rr.max() / median,
        np.median(np.abs(rr - median)) / median, -(bins[bins > 0] * np.log(bins[bins > 0])).sum(),
        np.mean(diff[:-1] * diff[1:] < 0) if len(diff) > 1 else 0.0, premature_intervals(rr).mean(),
        pause_intervals(rr).mean(), np.std(np.convolve(rr, np.ones(3) / 3, "valid")) / mean if len(rr) > 2 else 0.0,
        lag1, lag2, max(0.0, lag2 - lag1) * min(1.0, 4 * rr.std() / mean), len(beats) / duration_s,
    ])


def _shape_features(stack: BeatStack | None) -> FloatArray:
    if stack is None or len(stack.corr_B) < 2:
        return np.zeros(len(SHAPE_NAMES))
    corr = stack.corr_B
    return np.array([1, corr.min(), corr.std(), corr.mean(), np.mean(corr < 0.8)])


def _wave_features(signal_LT: FloatArray, beats: Beats, stack: BeatStack | None, leads: tuple[str, ...]) -> FloatArray:
    out = np.zeros(len(WAVE_NAMES))
    if stack is None or len(beats) < 2:
        return out
    fs, rr = stack.fs, float(np.median(beats.rr_s))
    waves = delineate(stack, rr)
    p = p_waves(signal_LT, stack, waves, rr)
    if p is not None:
        tilt = [polarity(p.mean_LW, leads.index(name)) if name in leads else 0.0 for name in ("II", "V1")]
        out[:8] = 1, p.score, p.coherence_L.mean(), p.coherence_L.max(), p.fraction, 10 * p.size, *tilt
        pr = (waves.qrs_on - waves.p_on) / fs
        if p.score >= P_PRESENT and PR_RANGE_S[0] <= pr <= PR_RANGE_S[1]:
            out[8:11] = pr, 10 * p.lag_sd_s, 1
    if np.isfinite(waves.qrs_off):
        out[11:13] = (waves.qrs_off - waves.qrs_on) / fs, 1
    if np.isfinite(waves.t_off):
        qt = (waves.t_off - waves.qrs_on) / fs
        out[13:] = qt, qt + 0.154 * (1 - rr), 1
    return out


def _atrial_features(signal_LT: FloatArray, stack: BeatStack | None, beats: Beats) -> FloatArray:
    found = None if stack is None else atrial_spectrum(signal_LT, stack, beats.samples)
    if stack is None or found is None:
        return np.zeros(len(ATRIAL_NAMES))
    half = round(0.14 * stack.fs)
    around = stack.beats_BLW[:, :, stack.r - half: stack.r + half // 2]
    jump = np.abs(np.diff(around, n=2, axis=2)).max(axis=2).mean(axis=0)
    slope = np.abs(np.diff(around, axis=2)).max(axis=2).mean(axis=0)
    sharp = float(np.max(jump / (slope + 1e-6)))
    return np.array([found.peak_hz / 10, found.peak_share, found.flutter_share, found.fibrillation_share,
                     found.level, sharp])
