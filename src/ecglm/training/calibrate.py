"""Fusion weights, calibration and thresholds of the findings, all on out-of-fold predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecglm.knowledge.statements import GROUPS, STATEMENTS

FloatArray = NDArray[np.float32]


def _platt(logits: FloatArray, labels: NDArray[np.uint8], strength: float = 1.0) -> tuple[float, float]:
    """Slope and bias of a one-feature logistic fit with the slope kept near 1 when cases are few."""
    from sklearn.linear_model import LogisticRegression

    if labels.min() == labels.max():
        return 1.0, float(-np.log(len(labels)) if labels.max() == 0 else np.log(len(labels)))
    fit = LogisticRegression(C=strength, max_iter=1000).fit(logits[:, None], labels)
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def fuse(deep_NC: FloatArray, wide_NC: FloatArray, label_NC: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
    """Weights [C] of the two branches: one pair per group, by logistic regression pooled over its labels."""
    from sklearn.linear_model import LogisticRegression

    deep = np.ones(len(STATEMENTS), np.float32)
    wide = np.zeros(len(STATEMENTS), np.float32)
    for group in GROUPS:
        columns = [i for i, s in enumerate(STATEMENTS) if s.group == group and label_NC[:, i].sum() >= 5]
        both = np.stack([deep_NC[:, columns].ravel(), wide_NC[:, columns].ravel()], axis=1)
        fit = LogisticRegression(C=1e3).fit(both, label_NC[:, columns].ravel())
        members = [i for i, s in enumerate(STATEMENTS) if s.group == group]
        deep[members] = max(0.05, float(fit.coef_[0, 0]))
        wide[members] = max(0.0, float(fit.coef_[0, 1]))
    return deep, wide


def _best(score: FloatArray, thresholds: FloatArray) -> float:
    return float(thresholds[int(np.argmax(score))])


def thresholds(prob_NC: FloatArray, label_NC: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
    """present: highest F1 (at least 0.15 and the "possible" threshold); possible: highest balanced accuracy.

    A label with fewer than 10 cases gets 0.5 and 0.25.
    """
    present = np.full(prob_NC.shape[1], 0.5, np.float32)
    possible = np.full(prob_NC.shape[1], 0.25, np.float32)
    for c in range(prob_NC.shape[1]):
        truth = label_NC[:, c] == 1
        if truth.sum() < 10:
            continue
        grid = np.unique(np.quantile(prob_NC[:, c], np.linspace(0.02, 0.998, 200))).astype(np.float32)
        called = prob_NC[:, c][:, None] >= grid
        hit = (called & truth[:, None]).sum(0)
        sensitivity, specificity = hit / truth.sum(), 1 - (called & ~truth[:, None]).sum(0) / (~truth).sum()
        f1 = 2 * hit / (called.sum(0) + truth.sum())
        possible[c] = _best(_smooth(sensitivity + specificity), grid)
        present[c] = max(_best(_smooth(f1), grid), 0.15, possible[c])
    return present, possible


def _smooth(score: FloatArray) -> FloatArray:
    """Running mean of five grid points: a threshold should not sit on one lucky record."""
    padded = np.pad(score, 2, mode="edge")
    return np.asarray(np.convolve(padded, np.ones(5) / 5, mode="valid"))


def calibrate_findings(fused_NC: FloatArray, label_NC: NDArray[np.uint8]) -> dict[str, list[float]]:
    """The "findings" entry of calibration.json from out-of-fold fused logits."""
    fits = [_platt(fused_NC[:, c], label_NC[:, c]) for c in range(fused_NC.shape[1])]
    slope, bias = np.array(fits, np.float32).T
    prob = (1 / (1 + np.exp(-(fused_NC * slope + bias)))).astype(np.float32)
    present, possible = thresholds(prob, label_NC)
    return {"slope": slope.tolist(), "bias": bias.tolist(), "present": present.tolist(), "possible": possible.tolist(),
            "prevalence": label_NC.mean(0).astype(float).tolist()}
