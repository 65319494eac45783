"""How the features of steps run over a window: level, last level, change, and how sure the change is.

Shapes: K steps, F features, C = 4 F + 2 numbers of a window.
"""

from __future__ import annotations

import numpy as np

from ecglm.models.forecast.steps import FEATURES, STEP_S
from ecglm.signal.missing import FloatArray

#: The last steps that make the last level: a minute.
LAST = 6
#: A change with fewer known steps is none.
LEAST_STEPS = 3
#: What is told of each feature.
PARTS = ("level", "last", "change", "sure")


def names() -> tuple[str, ...]:
    """Names of the numbers, in their order."""
    return (*(f"{part} of {feature}" for part in PARTS for feature in FEATURES), "log window", "log horizon")


def course(steps_KF: FloatArray, horizon_s: float) -> FloatArray:
    """The numbers ``[C]`` of a window for a horizon; NaN where nothing is known. change: of the line through the steps over the
    whole window; sure: change over its standard error, within ±10."""
    known = np.isfinite(steps_KF)
    count = known.sum(axis=0)
    values = np.where(known, steps_KF, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = values.sum(axis=0) / np.where(count, count, np.nan)
        late = known[-LAST:].sum(axis=0)
        last = values[-LAST:].sum(axis=0) / np.where(late, late, np.nan)
        time = np.arange(len(steps_KF), dtype=float)[:, None]
        mean = (time * known).sum(axis=0) / np.where(count, count, np.nan)
        spread = (known * (time - mean) ** 2).sum(axis=0)
        slope = (known * (time - mean) * (values - level)).sum(axis=0) / spread
        rest = (known * (values - level - slope * (time - mean)) ** 2).sum(axis=0)
        error = np.sqrt(rest / (count - 2) / spread)
        change = slope * len(steps_KF)
        sure = np.clip(slope / (error + 1e-9 * np.abs(slope) + 1e-12), -10, 10)
    few = count < LEAST_STEPS
    change[few], sure[few] = np.nan, np.nan
    return np.concatenate([level, last, change, sure, [np.log(len(steps_KF) * STEP_S), np.log(horizon_s)]])
