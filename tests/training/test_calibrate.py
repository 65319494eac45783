"""Calibration and thresholds on simulated predictions with known truth."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecglm.bench.metrics import ece
from ecglm.corpus.truth import heads_truth
from ecglm.inference.confidence import log_odds, sigmoid
from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.calibration import FindingCalibration
from ecglm.models.facts import UNSPOKEN
from ecglm.training.augment import user_masks
from ecglm.training.calibrate import calibrate_findings, fit_unrecorded, fuse, possible_threshold
from ecglm.training.either import fit_either

N = len(STATEMENTS)


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
    prob = 1 / (1 + np.exp(-(logits * np.array(cal.slope) + np.array(cal.bias))))
    raw = 1 / (1 + np.exp(-logits))
    assert np.mean([ece(label[:, c], prob[:, c]) for c in range(20)]) < 0.02
    assert np.mean([ece(label[:, c], raw[:, c]) for c in range(20)]) > 0.04


def test_possible_has_the_highest_balanced_accuracy(predictions):
    logits, label = predictions
    prob = (1 / (1 + np.exp(-logits))).astype(np.float32)
    for c in range(0, len(STATEMENTS), 7):
        threshold = possible_threshold(prob[:, c], label[:, c])

        def balanced(at, truth=label[:, c] == 1, p=prob[:, c]):
            return ((p[truth] >= at).mean() + (p[~truth] < at).mean()) / 2

        assert balanced(threshold) > max(balanced(at) for at in np.quantile(prob[:, c], np.linspace(0, 1, 50))) - 0.02


def test_a_label_without_cases_keeps_the_default_threshold():
    prob = np.full((50, len(STATEMENTS)), 0.1, np.float32)
    label = np.zeros((50, len(STATEMENTS)), np.uint8)
    assert possible_threshold(prob[:, 0], label[:, 0]) == 0.25
    assert np.isfinite(calibrate_findings(prob, label).bias).all()


def test_fusion_prefers_the_branch_that_knows(predictions):
    logits, label = predictions
    noise = np.random.default_rng(1).normal(0, 2, logits.shape).astype(np.float32)
    weights = fuse(np.stack([logits, noise, np.zeros_like(noise)]), label)
    assert (weights[0] > 5 * weights[1]).all()
    assert (weights[2] == 0).all()
    weights = fuse(np.stack([-logits, noise, logits]), label)
    assert (weights[2] > weights[1]).all()
    assert (weights >= 0).all()


def test_what_missing_leads_cost_is_learned(predictions):
    """Without limb leads the logits are noisy, so that they mean less; without chest leads they stay as they are."""
    logits, label = predictions
    mask = np.ones((len(logits), 12), np.float32)
    mask[::2, :6], mask[1::2, 6:] = 0, 0
    lacking = logits.copy()
    rng = np.random.default_rng(2)
    calm = (logits[::2] - 1) / 2  # the true log-odds
    lacking[::2] = calm * 2 + 2 * rng.normal(0, 3, calm.shape) + 1
    cal = calibrate_findings(logits, label, [lacking], [mask])
    limb, chest = mask[1], mask[0]  # rows that have limb leads only, chest leads only
    prob = np.where(mask[:, :1] == 1, cal.probability(lacking, limb), cal.probability(lacking, chest))
    unaware = cal.probability(lacking)
    wrong, right = ([ece(label[::2, c], p[::2, c]) for c in range(30)] for p in (unaware, prob))
    assert np.mean(right) < 0.03 < 0.05 < np.mean(wrong)
    np.testing.assert_allclose(cal.probability(lacking[1::2], limb), unaware[1::2], atol=0.06)


def test_pages_are_brought_to_what_the_whole_recordings_say():
    """With the less of a lead recorded the log-odds shrink and move, as much as the share that is missing."""
    rng = np.random.default_rng(3)
    whole = rng.normal(-1, 2, (6000, 4)).astype(np.float32)
    share = rng.choice([0.5, 0.75], 6000).astype(np.float32)
    slope, bias = 1 + share[:, None] * np.array([0.4, 0.0, -0.3, 0.2]), share[:, None] * np.array([-1.0, 0.0, 0.5, 0.8])
    found = fit_unrecorded(((whole - bias) / slope).astype(np.float32), whole, share)
    np.testing.assert_allclose(found, [[0.4, 0.0, -0.3, 0.2], [-1.0, 0.0, 0.5, 0.8]], atol=0.12)
    cal = replace(calibrate_findings(whole[:, :1].repeat(N, 1), np.zeros((6000, N), np.uint8)),
                  unrecorded=tuple(map(tuple, found[:, :1].repeat(N, 1).tolist())))
    again = FindingCalibration.of(json.loads(json.dumps(cal.to_dict())))
    logits = np.full((2, N), 1.5, np.float32)
    assert (again.calibrated(logits) == replace(cal, unrecorded=()).calibrated(logits)).all()
    half = again.calibrated(logits, None, 0.5)
    np.testing.assert_allclose(half, again.calibrated(logits) * (1 + 0.5 * found[0, 0]) + 0.5 * found[1, 0], rtol=1e-5)
    with pytest.raises(ValueError, match="two for leads"):
        FindingCalibration.of({**cal.to_dict(), "unrecorded": [[0.0] * N]})


def test_masks_are_what_users_have():
    mask = user_masks(400, np.random.default_rng(0))
    kept = mask.sum(1)
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert kept.min() == 1
    assert kept.max() == 11
    assert (mask[:, :6].all(1) & ~mask[:, 6:].any(1)).sum() > 10  # limb leads alone
    assert (user_masks(400, np.random.default_rng(0)) == mask).all()


def test_answers_to_a_or_b_are_as_sure_as_they_are_often_right():
    rng = np.random.default_rng(0)
    n = 1500
    label = np.zeros((n, N), np.uint8)
    logits = np.full((n, N), -3.0, np.float32)
    shown = [i for i, s in enumerate(STATEMENTS) if s.group == "sub_class" and s.key not in UNSPOKEN][:8]
    label[np.arange(n), np.array(shown)[rng.integers(0, 8, n)]] = 1  # one of them, never two
    logits[:, shown] = 2.0 * (2.0 * label[:, shown] - 1) + rng.normal(0, 2, (n, 8))
    cal = calibrate_findings(logits, label)
    known = fit_either(cal, cal.calibrated(logits), label)
    assert known == fit_either(cal, cal.calibrated(logits), label)
    cal = replace(cal, either=known)
    assert FindingCalibration.of(json.loads(json.dumps(cal.to_dict()))).either == known

    prob = cal.probability(logits)
    heads, even = heads_truth(cal, prob, [""] * n), cal.even(prob)
    right, modest = [], []
    for number in range(n):
        pair = rng.choice(shown, 2, replace=False).tolist()
        asked = (label[:, pair] == ([1, 0], [0, 1], [0, 0])[number % 3]).all(1)  # one, the other, or none of them
        row = int(rng.choice(np.flatnonzero(asked)))
        said = heads.pair(row, *pair)
        right.append(said == (bool(label[row, pair[0]]), bool(label[row, pair[1]])))
        modest.append(float(np.where(said, even[row, pair], 1 - even[row, pair]).prod()))
    sure = [sigmoid(known[0] * log_odds(p) + known[1]) for p in modest]
    truth = np.array(right)
    assert ece(truth, np.array(sure)) < 0.06 < ece(truth, np.array(modest))
