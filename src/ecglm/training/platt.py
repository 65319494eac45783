"""Confidence of answers: from how probable a text was to how often such texts are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecglm.inference.confidence import log_odds


def platt_by_kind(seen: Mapping[str, Sequence[tuple[float, bool]]]) -> tuple[dict[str, tuple[float, float]], dict[str, Any]]:
    """Platt slope and bias by kind of answer, with how many there were; seen: (probability of the text, whether it was right).
    A kind that was always or never right gets none."""
    from sklearn.linear_model import LogisticRegression

    fits: dict[str, tuple[float, float]] = {}
    metrics: dict[str, Any] = {}
    for kind, answers in seen.items():
        x, y = np.array([log_odds(p) for p, _ in answers])[:, None], np.array([right for _, right in answers])
        metrics[kind] = {"n": len(y), "accuracy": round(float(y.mean()), 4)}
        if len(set(y.tolist())) == 2:
            fit = LogisticRegression(C=1.0).fit(x, y)
            fits[kind] = (float(fit.coef_[0, 0]), float(fit.intercept_[0]))
    return fits, metrics
