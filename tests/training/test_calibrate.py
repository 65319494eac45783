"""Calibration and thresholds on simulated predictions with known truth."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.bench.metrics import ece
from ecglm.knowledge.statements import STATEMENTS
from ecglm.training.calibrate import calibrate_findings, fuse, thresholds


@pytest.fixture(scope="module")
def predictions():
    """Over-confident logits (twice too steep, shifted) of labels with prevalences from 2 to 40 %."""
    rng = np.random.default_rng(0)
    n, c = 4000, len(STATEMENTS)
    bias = np.log(np.linspace(0.02, 0.4, c))
    logit = rng.normal(0, 2, (n, c)) + bias
    label = (rng.random((n, c)) < 1 / (1 + np.exp(-logit))).astype(np.uint8)
    return (2 * logit + 1).astype(np.float32), label


def test_overconfidence_is_undone(predictions):
    logits, label = predictions
    cal = calibrate_findings(logits, label)
    prob = 1 / (1 + np.exp(-(logits * np.array(cal["slope"]) + np.array(cal["bias"]))))
    raw = 1 / (1 + np.exp(-logits))
    assert np.mean([ece(label[:, c], prob[:, c]) for c in range(20)]) < 0.02
    assert np.mean([ece(label[:, c], raw[:, c]) for c in range(20)]) > 0.04


def test_possible_is_more_sensitive_than_present(predictions):
    logits, label = predictions
    prob = (1 / (1 + np.exp(-logits))).astype(np.float32)
    present, possible = thresholds(prob, label)
    assert (possible <= present).all()
    assert (present >= 0.15).all()


def test_a_label_without_cases_keeps_default_thresholds():
    prob = np.full((50, len(STATEMENTS)), 0.1, np.float32)
    label = np.zeros((50, len(STATEMENTS)), np.uint8)
    present, possible = thresholds(prob, label)
    assert set(present.tolist()) == {0.5}
    assert set(possible.tolist()) == {0.25}
    assert np.isfinite(calibrate_findings(prob, label)["bias"]).all()


def test_fusion_prefers_the_branch_that_knows(predictions):
    logits, label = predictions
    noise = np.random.default_rng(1).normal(0, 2, logits.shape).astype(np.float32)
    deep, wide = fuse(logits, noise, label)
    assert (deep > 5 * np.abs(wide)).all()
    deep, wide = fuse(noise, logits, label)
    assert (wide > deep).all()
