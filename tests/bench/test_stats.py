"""Intervals cover the truth, patients count and items do not, and it is fast."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ecglm.bench import metrics
from ecglm.bench.stats import Bootstrap, paired_difference


def test_the_interval_of_independent_items_is_the_textbook_one() -> None:
    rng = np.random.default_rng(0)
    hits = rng.random(2000) < 0.7
    found = Bootstrap([str(i) for i in range(2000)], draws=4000).mean(hits)
    half = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / 2000)
    assert found.value == hits.mean()
    assert found.high - found.value == pytest.approx(half, rel=0.08)
    assert found.value - found.low == pytest.approx(half, rel=0.08)


def test_twenty_copies_of_a_patient_are_one_patient() -> None:
    hits = (np.arange(100) % 3 == 0).astype(float)
    once = Bootstrap([str(i) for i in range(100)]).mean(hits)
    copied = Bootstrap([str(i) for i in range(100)] * 20).mean(np.tile(hits, 20))
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    pretending = Bootstrap([str(i) for i in range(2000)]).mean(np.tile(hits, 20))
    assert pretending.high - pretending.low < 0.3 * (copied.high - copied.low)


def test_intervals_cover_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        patient_level = rng.normal(0.5, 0.1, 80)
        patients = np.repeat(np.arange(80), 5)
        values = patient_level[patients] + rng.normal(0, 0.1, 400)
        found = Bootstrap([str(p) for p in patients], draws=500, seed=trial).mean(values)
        covered += found.low <= 0.5 <= found.high
    assert 0.89 <= covered / 200 <= 0.99


@pytest.mark.parametrize("name", ["auroc", "f1", "ece"])
def test_each_draw_equals_the_metric_of_the_drawn_items(name: str) -> None:
    rng = np.random.default_rng(2)
    patients = [str(p) for p in rng.integers(0, 40, 200)]
    y = rng.random(200) < 0.4
    p = np.round(np.clip(0.3 * y + 0.7 * rng.random(200), 0, 1), 1)
    boot = Bootstrap(patients, draws=100)
    second = p >= 0.5 if name == "f1" else p
    draws = getattr(boot, f"{name}_draws")(y, second)
    for b in range(5):
        rows = np.repeat(np.arange(200), boot.count_BP[b, boot.patient_of].astype(int))
        if name == "ece":
            bins = metrics.equal_mass_bins(p)[rows]
            expected = np.abs(np.bincount(bins, p[rows] - y[rows])).sum() / len(rows)
        else:
            expected = getattr(metrics, name)(y[rows], second[rows].astype(float))
        assert draws[b] == pytest.approx(expected, abs=1e-6)


def test_balanced_accuracy_draws_equal_the_metric() -> None:
    rng = np.random.default_rng(3)
    answers = list(rng.choice(["yes", "no", "not sure"], 150, p=[0.5, 0.4, 0.1]))
    hits = rng.random(150) < 0.6
    boot = Bootstrap([str(p) for p in rng.integers(0, 50, 150)], draws=100)
    draws = boot.balanced_accuracy_draws(answers, hits)
    rows = np.repeat(np.arange(150), boot.count_BP[0, boot.patient_of].astype(int))
    assert draws[0] == pytest.approx(metrics.balanced_accuracy([answers[r] for r in rows], hits[rows]), abs=1e-6)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    patients, hits = [str(i % 50) for i in range(300)], np.arange(300) % 7 < 4
    assert Bootstrap(patients, seed=3).mean(hits) == Bootstrap(patients, seed=3).mean(hits)
    assert Bootstrap(patients, seed=3).mean(hits) != Bootstrap(patients, seed=4).mean(hits)


def test_paired_difference_sees_what_unpaired_intervals_cannot() -> None:
    rng = np.random.default_rng(4)
    patients = [str(i // 3) for i in range(600)]
    a = rng.random(600) < 0.7
    b = a & (rng.random(600) > 0.05)
    found = paired_difference(a, b, patients)
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert found.p < 0.01
    assert found.low > 0
    assert paired_difference(a, a, patients).p == 1.0
    noise = paired_difference(rng.random(600) < 0.7, rng.random(600) < 0.7, patients)
    assert noise.p > 0.05


def test_a_single_patient_and_a_missing_class_do_not_break_it() -> None:
    one = Bootstrap(["p"] * 5).mean([1, 0, 1, 1, 0])
    assert (one.low, one.value, one.high) == pytest.approx((0.6, 0.6, 0.6))
    none = Bootstrap(["a", "b"]).auroc([1, 1], [0.2, 0.3])
    assert none.to_dict() == {"value": None, "low": None, "high": None}
    with pytest.raises(ValueError, match="at least one item"):
        Bootstrap([])


def test_a_thousand_draws_over_5000_items_take_well_under_a_second() -> None:
    rng = np.random.default_rng(5)
    patients, hits = [str(p) for p in rng.integers(0, 4000, 5000)], rng.random(5000) < 0.5
    start = time.perf_counter()
    Bootstrap(patients, draws=1000).mean(hits)
    assert time.perf_counter() - start < 2.0  # 0.2 s on two idle cores


def test_macro_f1_of_a_draw_is_that_of_its_items() -> None:
    rng = np.random.default_rng(5)
    y, chosen, who = rng.integers(0, 3, 60), rng.integers(0, 3, 60), [f"p{i // 3}" for i in range(60)]
    boot = Bootstrap(who, draws=100)
    found = boot.macro_f1_draws(y, chosen)
    for draw in range(5):
        times = boot.count_BP[draw].astype(int)[boot.patient_of]
        assert found[draw] == pytest.approx(metrics.macro_f1(np.repeat(y, times), np.repeat(chosen, times)))
    assert boot.macro_f1(y, chosen).low < metrics.macro_f1(y, chosen) < boot.macro_f1(y, chosen).high
