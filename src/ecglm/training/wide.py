"""The wide branch: one logistic regression per label on the standardised rhythm features."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def wide_branch(feat_NF: FloatArray, label_NC: NDArray[np.uint8], strength: float = 0.3) -> tuple[FloatArray, FloatArray]:
    """Weight [C, F] and bias [C] of one logistic regression per label; labels never seen get the bias of one case."""
    from sklearn.linear_model import LogisticRegression

    weight = np.zeros((label_NC.shape[1], feat_NF.shape[1]), np.float32)
    bias = np.full(label_NC.shape[1], -np.log(len(label_NC)), np.float32)
    for c in range(label_NC.shape[1]):
        if label_NC[:, c].sum() >= 2:
            fit = LogisticRegression(C=strength, max_iter=1000).fit(feat_NF, label_NC[:, c])
            weight[c], bias[c] = fit.coef_[0], fit.intercept_[0]
    return weight, bias


def wide_out_of_fold(
    feat_NF: FloatArray, label_NC: NDArray[np.uint8], fold_N: NDArray[np.int64], folds: Iterable[tuple[int, ...]],
) -> FloatArray:
    """Out-of-fold logits of the wide branch, with the teachers' folds."""
    logits = np.zeros(label_NC.shape, np.float32)
    for held_out in folds:
        out = np.isin(fold_N, held_out)
        weight, bias = wide_branch(feat_NF[~out], label_NC[~out])
        logits[out] = feat_NF[out] @ weight.T + bias
    return logits
