"""What of a window speaks about what comes: measured levels and changes with their times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ecglm.models.forecast.course import LEAST_STEPS
from ecglm.models.forecast.steps import FEATURES, STEP_S, step_features
from ecglm.schema import Evidence
from ecglm.signal.holter import BeatSeries
from ecglm.signal.missing import FloatArray

#: A change is told where it is this many times its standard error, and as large (in the unit of the evidence).
SURE = 2.0
#: A change that was last seen so long (s) before the end of the window goes on to it.
LATELY_S = 30.0
#: Feature, its name, unit, whether it is the logarithm of seconds that are told in ms, digits, the least change worth telling.
_TOLD = (("early", "premature narrow beats", "per minute", False, 1, 0.5),
         ("ventricular", "ventricular beats", "per minute", False, 1, 0.5),
         ("coupling", "coupling of premature narrow beats", "% of the usual interval", False, 0, 4.0),
         ("log_rr", "RR interval", "ms", True, 0, 30.0), ("log_rmssd", "RMSSD", "ms", True, 0, 8.0),
         ("p_ms", "P duration", "ms", False, 0, 5.0), ("pr_ms", "PR interval", "ms", False, 0, 8.0),
         ("irregular", "intervals that differ from the last by over a tenth", "%", False, 0, 10.0))
#: The mechanisms of simulated onsets in words.
SIGNS = {"rising_ectopy": "what rising atrial ectopy looks like before an onset",
         "p_prolongation": "what slowing atrial conduction looks like before an onset",
         "rr_shortening": "what a rising rate with falling variability looks like before an onset",
         "none": "no sign of an onset that it knows"}
#: Told without a change as well: what atrial arrhythmia is expected from (feature, from which level).
_LEVELS = {"early": 1.0, "p_ms": 120.0}


def evidence(window: BeatSeries) -> tuple[Evidence, ...]:
    """The surest changes first, then levels that matter. Times are seconds before the end of the window."""
    steps = step_features(window)
    changes: list[tuple[float, Evidence]] = []
    levels: list[Evidence] = []
    for feature, name, unit, is_log, digits, least in _TOLD:
        values = steps[:, FEATURES.index(feature)]
        values = 1000 * np.exp(values) if is_log else 100 * values if unit.startswith("%") else values
        found = _change(values)
        if found is not None and abs(found.last - found.first) >= least and found.sure >= SURE:
            way = "rising" if found.last > found.first else "falling"
            text = f"{name} {way} from {_shown(found.first, digits)} to {_shown(found.last, digits)} {unit} {_when(found.span_s)}"
            changes.append((found.sure, Evidence(text, (), round(found.last, digits), unit, found.span_s)))
        elif np.isfinite(values).any() and feature in _LEVELS and (level := float(np.nanmean(values))) >= _LEVELS[feature]:
            levels.append(Evidence(f"{name} {level:.{digits}f} {unit}, without a change", (), round(level, digits), unit,
                                   (-len(values) * STEP_S, 0.0)))
    return (*(item for _, item in sorted(changes, key=lambda pair: -pair[0])), *levels)


def likeness(signs: Mapping[str, float]) -> Evidence:
    """Which sign of an onset the forecaster sees, if any."""
    name = max(signs, key=lambda one: signs[one])
    share = 100 * signs[name]
    return Evidence(f"most like {SIGNS[name]} ({share:.0f} %)", (), round(share, 1), "%")


class _Change(NamedTuple):
    """First and last value of the line through the known steps, how many standard errors they differ by, and from when to when
    these steps last (s before the end of the window): beyond them the line says nothing."""

    first: float
    last: float
    sure: float
    span_s: tuple[float, float]


def _change(values_K: FloatArray) -> _Change | None:
    at = np.flatnonzero(np.isfinite(values_K))
    if len(at) < max(LEAST_STEPS, 6):
        return None
    time, known = at - at.mean(), values_K[at]
    slope = float(time @ known / (time @ time))
    rest = known - known.mean() - slope * time
    error = float(np.sqrt((rest**2).sum() / (len(at) - 2) / (time @ time)))
    first, last = (max(0.0, float(known.mean() + slope * t)) for t in (time[0], time[-1]))
    span = ((float(at[0]) - len(values_K)) * STEP_S, (float(at[-1]) + 1 - len(values_K)) * STEP_S)
    return _Change(first, last, abs(slope) / max(error, 1e-9), span)


def _when(span_s: tuple[float, float]) -> str:
    begin, end = (-edge for edge in span_s)
    return f"over the last {_long(begin)}" if end <= LATELY_S else f"from {_long(begin)} to {_long(end)} before the window's end"


def _long(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if round(value, digits) else "0"
