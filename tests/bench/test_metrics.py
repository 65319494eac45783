"""Scores agree with second implementations, and answers match when a person would say so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score, roc_auc_score

from ecglm.bench import metrics

LABELS_AND_SCORES = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60).filter(
    lambda rows: len({y for y, _ in rows}) == 2)


@pytest.mark.parametrize(("answer", "reply"), [
    ("yes", "Yes."), ("sinus rhythm", "The sinus rhythm"), ("lead V1, lead II", "Lead II,  lead V1."),
    ("left axis deviation", "Left-axis deviation"), ("none", "None"), ("a, b and c", "a, b and c"),
    ("lead I, lead II, lead III", "lead III, lead I, and lead II"), ("0.12 s", "0.12 s."),
    ("st/t change", "ST/T change"), ("a, b", "b, a, b"),
    ("bigeminal pattern (unknown origin, supraventricular, or ventricular)",
     "Bigeminal pattern (unknown origin, supraventricular, or ventricular)."),
])
def test_the_same_answer_in_other_clothes_matches(answer: str, reply: str) -> None:
    assert metrics.exact_match(answer, reply)


@pytest.mark.parametrize(("answer", "reply"), [
    ("yes", "no"), ("yes", ""), ("yes", "yes, there is"), ("lead V1", "lead V1, lead V2"),
    ("lead V1, lead V2", "lead V1"),
    ("0.12 s", "0.13 s"), ("-30 degrees", "30 degrees"), ("normal", "abnormal"), ("12", "1.2"), ("none", ""),
])
def test_another_answer_does_not_match(answer: str, reply: str) -> None:
    assert not metrics.exact_match(answer, reply)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = metrics.normalize(text)
    assert metrics.normalize(once) == once


def test_paper_protocol_reads_valid_classes_out_of_a_sentence() -> None:
    valid = ("myocardial infarction", "myocardial infarction in anterior leads", "hypertrophy", "none")
    said = "This ECG shows myocardial infarction in anterior leads."
    assert metrics.paper_match("myocardial infarction in anterior leads", said, valid)
    assert not metrics.paper_match("myocardial infarction", said, valid)
    assert not metrics.paper_match("hypertrophy", "hypertrophy and myocardial infarction", valid)
    assert metrics.paper_match("none", "None of these: none", valid)
    assert not metrics.paper_match("none", "", valid)
    assert not metrics.paper_match("no", "normal", ("yes", "no"))
    bigeminy = "bigeminal pattern (unknown origin, supraventricular, or ventricular)"
    assert metrics.paper_match(bigeminy, bigeminy, (bigeminy, "sinus rhythm"))


@given(LABELS_AND_SCORES)
def test_auroc_with_ties_equals_sklearn(rows: list[tuple[bool, int]]) -> None:
    y, p = [r[0] for r in rows], [r[1] / 8 for r in rows]
    assert metrics.auroc(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)


@given(LABELS_AND_SCORES)
def test_f1_and_brier_equal_sklearn(rows: list[tuple[bool, int]]) -> None:
    y, p = np.array([r[0] for r in rows]), np.array([r[1] / 8 for r in rows])
    assert metrics.f1(y, p) == pytest.approx(f1_score(y, p >= 0.5), abs=1e-12)
    assert metrics.brier(y, p) == pytest.approx(brier_score_loss(y, p), abs=1e-12)


def test_macro_auroc_leaves_out_labels_without_both_classes() -> None:
    y = np.array([[0, 1, 0], [1, 1, 0], [1, 1, 1]])
    p = np.array([[0.1, 0.5, 0.9], [0.8, 0.1, 0.2], [0.9, 0.2, 0.3]])
    assert metrics.macro_auroc(y, p) == pytest.approx((1.0 + 0.5) / 2)
    assert math.isnan(metrics.auroc([1, 1], [0.1, 0.2]))


def test_balanced_accuracy_is_the_mean_recall() -> None:
    truth, reply = ["yes"] * 8 + ["no"] * 2, ["yes"] * 8 + ["yes", "no"]
    correct = [a == b for a, b in zip(truth, reply, strict=True)]
    assert metrics.balanced_accuracy(truth, correct) == pytest.approx(balanced_accuracy_score(truth, reply)) == 0.75


def test_calibration_error_of_a_perfect_and_of_an_overconfident_model() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    y = rng.random(200_000) < p
    assert metrics.ece(y, p) < 0.005
    assert metrics.ece_equal_width(y, p) < 0.005
    assert metrics.ece(y[:1000], np.ones(1000)) == pytest.approx(1 - y[:1000].mean())
    assert metrics.ece([0, 0, 1, 1], [0.25] * 4) == pytest.approx(0.25)


def test_few_items_have_a_calibration_error_even_when_calibrated():
    rng = np.random.default_rng(1)
    p = rng.random(200)
    floor = metrics.ece_when_calibrated(p, 400)
    own = [metrics.ece(rng.random(200) < p, p) for _ in range(100)]
    assert floor.mean() == pytest.approx(np.mean(own), rel=0.1)
    assert np.quantile(floor, 0.975) < metrics.ece(rng.random(200) < p**3, p)
    assert metrics.ece_when_calibrated(rng.random(20_000), 50).mean() < 0.2 * floor.mean()
    assert not metrics.ece_when_calibrated([0.0, 1.0], 3).any()


def test_equal_mass_bins_hold_equal_shares_and_keep_ties_together() -> None:
    counts = np.bincount(metrics.equal_mass_bins(np.random.default_rng(0).random(1500)), minlength=15)
    assert counts.tolist() == [100] * 15
    assert len(set(metrics.equal_mass_bins([0.5] * 50).tolist())) == 1


def test_probabilities_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        metrics.auroc([0, 1], [0.5, float("nan")])
    with pytest.raises(ValueError, match="one length"):
        metrics.brier([0, 1], [0.5])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_macro_f1_agrees_with_sklearn(rows: list[tuple[int, int]]) -> None:
    y, chosen = zip(*rows, strict=True)
    found = f1_score(y, chosen, average="macro", labels=sorted(set(y)), zero_division=0)
    assert metrics.macro_f1(y, chosen) == pytest.approx(found)


def test_sets_cover_and_classes_are_calibrated_one_by_one() -> None:
    assert metrics.coverage([0, 1, 2, 2], [[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]]) == 0.75
    rng = np.random.default_rng(2)
    p = rng.dirichlet((1, 2, 3), 60_000)
    y = (rng.random(len(p))[:, None] > p.cumsum(axis=1)[:, :2]).sum(axis=1)
    assert metrics.ece_of_classes(y, p) < 0.01
    assert metrics.ece_of_classes(y, p[:, ::-1]) > 0.2
