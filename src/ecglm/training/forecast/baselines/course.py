"""Logistic regression on how beats and P waves run over a window: the forecaster's numbers, taught on the people at hand.

Which numbers, and the penalty, were fixed before any result was seen (docs/log.md, 2026-11-29).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecglm.models.forecast.course import course, names
from ecglm.models.forecast.steps import step_features
from ecglm.training.forecast.baselines.method import Example, Floats
from ecglm.training.forecast.baselines.tabular import Logistic

#: Counts per minute are told as log(1 + count).
COUNTS = ("level of early", "level of ventricular")
USED = (*COUNTS, "level of coupling", "level of log_rr", "level of log_rmssd", "level of irregular", "level of p_ms",
        "level of p_ms_sd", "level of pr_ms", "change of early", "change of log_rr", "change of p_ms")
PENALTY = 0.1


class Course(Logistic):
    """See above."""

    name = "beats and P waves, logistic regression"

    def numbers(self, examples: Sequence[Example]) -> Floats:
        """``[N, F]``."""
        for one in examples:
            if one.item not in self._kept:
                known = dict(zip(names(), course(step_features(one.beats), one.item.horizon_s), strict=True))
                self._kept[one.item] = np.array([np.log1p(known[name]) if name in COUNTS else known[name] for name in USED])
        return np.stack([self._kept[one.item] for one in examples])

    def make(self) -> Any:
        """Pipeline with this penalty."""
        pipeline = super().make()
        pipeline.set_params(logisticregression__C=PENALTY)
        return pipeline
