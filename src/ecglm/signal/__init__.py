"""Arrays to arrays: resampling, filters, quality, beats, waves and measurements. Numpy and scipy only, never torch."""

from ecglm.signal.axis import axis_deg, axis_from_leads
from ecglm.signal.beats import Beats, detect_beats
from ecglm.signal.features import (
    BEAT_SAMPLES,
    FEATURE_FS,
    FEATURE_NAMES,
    RhythmReading,
    axis_features,
    read_rhythm,
    rhythm_features,
)
from ecglm.signal.filters import bandpass, remove_baseline, remove_mains
from ecglm.signal.measure import beat_features, measure
from ecglm.signal.prepare import Prepared, prepare
from ecglm.signal.quality import USABLE, lead_quality, unreadable
from ecglm.signal.resample import resample
from ecglm.signal.rhythm import BeatFeatures

__all__ = [
    "BEAT_SAMPLES", "FEATURE_FS", "FEATURE_NAMES", "USABLE", "BeatFeatures", "Beats", "Prepared", "RhythmReading",
    "axis_deg", "axis_features", "axis_from_leads", "bandpass", "beat_features", "detect_beats", "lead_quality", "measure",
    "prepare", "read_rhythm", "remove_baseline", "remove_mains", "resample", "rhythm_features", "unreadable",
]
