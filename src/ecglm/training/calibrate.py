"""Fusion weights, calibration and decisions of the findings, all on out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, expit

from ecglm.knowledge.statements import GROUPS, STATEMENTS
from ecglm.models.calibration import FindingCalibration, missing_shares, seen_together

FloatArray = NDArray[np.float32]
#: How far from 1 the slope of a calibration is expected to lie.
SLOPE_SD = 0.3


def _platt(logits: FloatArray, labels: NDArray[np.uint8]) -> tuple[float, float]:
    """Slope and bias of logit(p) = slope * logit + bias. A prior keeps the slope near 1 when cases are few: a statement
    of one case must not have its ranking turned round by it."""
    from scipy.optimize import minimize

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = _log_loss(theta[::-1], logits[None].astype(float), labels)
        prior = (theta[0] - 1.0) / SLOPE_SD
        return len(labels) * value + prior**2 / 2, len(labels) * gradient[::-1] + np.array([prior / SLOPE_SD, 0.0])

    # Half a case either way keeps the bias finite for a label that nobody or everybody has.
    rate = (labels.sum() + 0.5) / (len(labels) + 1)
    if labels.min() == labels.max():
        return 1.0, float(np.log(rate / (1 - rate)) - logits.mean())
    fit = minimize(loss, [1.0, 0.0], jac=True, bounds=[(0.1, None), (None, None)])
    return float(fit.x[0]), float(fit.x[1])


def fuse(branch_KNC: FloatArray, label_NC: NDArray[np.uint8]) -> FloatArray:
    """Weights [K, C] of K branches: one set per group, never negative, of the least log-loss when each label has its own bias.
    The losses of a group's labels count by how much there is to know of each, their entropy: rare ones as much as common ones.

    A branch that says nothing (all zeros) about a group gets no weight there.
    """
    from scipy.optimize import minimize

    weights = np.zeros((len(branch_KNC), label_NC.shape[1]), np.float32)
    for group in GROUPS:
        members = [i for i, s in enumerate(STATEMENTS) if s.group == group]
        columns = [i for i in members if 5 <= label_NC[:, i].sum() < len(label_NC)]
        logits, truth = branch_KNC[:, :, columns].astype(float), label_NC[:, columns].astype(float)
        start = np.r_[np.zeros(len(columns)), np.full(len(logits), 1 / len(logits))]
        bounds = [(None, None)] * len(columns) + [(0, None)] * len(logits)
        fit = minimize(_fused_loss, start, (logits, truth), jac=True, bounds=bounds)
        weights[:, members] = np.where(np.abs(logits).max((1, 2)) > 0, fit.x[len(columns):], 0.0)[:, None]
    return weights


def _fused_loss(theta: NDArray[np.float64], logits_KNC: NDArray[np.float64], truth_NC: NDArray[np.float64],
                ) -> tuple[float, NDArray[np.float64]]:
    """Mean log-loss over entropy of C labels with biases theta[:C] and branch weights theta[C:], and its gradient."""
    count, labels = truth_NC.shape
    rate = truth_NC.mean(0)
    share_C = 1.0 / ((entr(rate) + entr(1.0 - rate)) * count * labels)
    z = theta[:labels] + np.tensordot(theta[labels:], logits_KNC, 1)
    residual = (expit(z) - truth_NC) * share_C
    loss = float(((np.logaddexp(0, z) - truth_NC * z) * share_C).sum())
    return loss, np.r_[residual.sum(0), (logits_KNC * residual).sum((1, 2))]


def _log_loss(theta: NDArray[np.float64], logits_KM: NDArray[np.float64], truth_M: NDArray[Any],
              ) -> tuple[float, NDArray[np.float64]]:
    """Mean log-loss of bias theta[0] and weights theta[1:], and its gradient."""
    z = theta[0] + theta[1:] @ logits_KM
    residual = expit(z) - truth_M
    return float(np.mean(np.logaddexp(0, z) - truth_M * z)), np.r_[residual.mean(), logits_KM @ residual / len(z)]


def possible_threshold(prob_N: FloatArray, label_N: NDArray[np.uint8]) -> float:
    """The probability with the highest balanced accuracy; 0.25 for a label with fewer than 10 cases."""
    truth = label_N == 1
    if truth.sum() < 10:
        return 0.25
    grid = np.unique(np.quantile(prob_N, np.linspace(0.02, 0.998, 200)))
    called = prob_N[:, None] >= grid
    sensitivity, specificity = called[truth].mean(0), 1 - called[~truth].mean(0)
    # A running mean of five grid points: a threshold should not sit on one lucky record.
    smooth = np.convolve(np.pad(sensitivity + specificity, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    return float(grid[int(np.argmax(smooth))])


def fit_missing(logits_KNC: FloatArray, mask_KNL: FloatArray, label_NC: NDArray[np.uint8], slope_C: FloatArray,
                bias_C: FloatArray) -> FloatArray:
    """The `missing` of a `FindingCalibration` [4, C] from logits of N recordings that lack leads, each judged K times but
    counted once. A prior keeps changes small where cases are few."""
    rounds, weight = len(logits_KNC), len(label_NC)
    share_2M = missing_shares(mask_KNL.reshape(-1, mask_KNL.shape[-1])).T
    out = np.zeros((4, label_NC.shape[1]), np.float32)
    for c in range(label_NC.shape[1]):
        z = logits_KNC[:, :, c].ravel().astype(float)
        out[:, c] = _changes(slope_C[c] * z + bias_C[c], z, share_2M, np.tile(label_NC[:, c], rounds), weight)
    return out


def fit_unrecorded(logits_NC: FloatArray, whole_NC: FloatArray, share_N: FloatArray) -> FloatArray:
    """The `unrecorded` of a `FindingCalibration` [2, C]: what brings the calibrated logits of N recordings cut as a page shows
    them, without a share of their leads' time, to those of the whole recordings. The prior is that of missing leads."""
    out = np.zeros((2, logits_NC.shape[1]), np.float32)
    for c in range(logits_NC.shape[1]):
        z = logits_NC[:, c].astype(float)
        out[:, c] = _changes(z, z, share_N[None], expit(whole_NC[:, c].astype(float)), len(z))
    return out


def _changes(given_M: NDArray[Any], slope_M: NDArray[Any], share_SM: FloatArray, truth_M: NDArray[Any], weight: float,
             ) -> FloatArray:
    """Changes of slope and of bias [2 * S] per share, that bring given log-odds nearest to the truth by log-loss. slope_M: what
    the slope multiplies. weight: how many cases there are, against the prior that nothing changes."""
    from scipy.optimize import minimize

    spread = np.repeat([SLOPE_SD, 1.0], len(share_SM))
    parts = np.stack([given_M, *(share_SM * slope_M), *share_SM])

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = _log_loss(np.r_[0.0, 1.0, theta], parts, truth_M)
        return weight * value + float(((theta / spread) ** 2).sum()) / 2, weight * gradient[2:] + theta / spread**2

    return np.asarray(minimize(loss, np.zeros(len(spread)), jac=True).x, np.float32)


def calibrate_findings(fused_NC: FloatArray, label_NC: NDArray[np.uint8], lacking_KNC: Sequence[FloatArray] = (),
                       mask_KNL: Sequence[FloatArray] = ()) -> FindingCalibration:
    """Calibration from out-of-fold fused logits. lacking_KNC: K times those of the same recordings without the leads that
    mask_KNL lacks; with none of them missing leads change nothing."""
    fits = [_platt(fused_NC[:, c], label_NC[:, c]) for c in range(fused_NC.shape[1])]
    slope, bias = np.array(fits, np.float32).T
    prob = expit(fused_NC * slope + bias).astype(np.float32)
    missing = np.zeros((4, len(slope)), np.float32)
    if len(lacking_KNC):
        missing = fit_missing(np.stack(lacking_KNC), np.stack(mask_KNL), label_NC, slope, bias)
    return FindingCalibration(
        tuple(slope.tolist()), tuple(bias.tolist()),
        tuple(possible_threshold(p, y) for p, y in zip(prob.T, label_NC.T, strict=True)),
        tuple(label_NC.mean(0).astype(float).tolist()), seen_together(label_NC), tuple(map(tuple, missing.tolist())))
