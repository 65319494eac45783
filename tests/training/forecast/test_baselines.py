"""The baselines' numbers are what they are called, methods learn from people and classes they are given, and only from these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ecglm.corpus.windows import ForecastItem
from ecglm.records.record import Record
from ecglm.signal.holter import BeatSeries
from ecglm.training.forecast.baselines.features import FEATURES, features, sample_entropy
from ecglm.training.forecast.baselines.method import Example, balanced
from ecglm.training.forecast.baselines.plain import Chance, Persistence
from ecglm.training.forecast.baselines.tabular import Boosted, Logistic

NO_SPANS = np.empty((0, 2))


def series(times: Sequence[float] | np.ndarray, kinds: str | None = None, *, length: float, gaps: Any = NO_SPANS,
           af: Any = NO_SPANS) -> BeatSeries:
    """Beats on a clock that ends at 0."""
    at = np.asarray(times, float)
    unknown = np.full(len(at), np.nan)
    kind = np.array(list(kinds)) if kinds else np.full(len(at), "N")
    return BeatSeries(-length, 0.0, at, kind, np.ones(len(at)), unknown, unknown, np.asarray(gaps, float).reshape(-1, 2),
                      np.asarray(af, float).reshape(-1, 2))


def told(found: BeatSeries) -> dict[str, float]:
    return dict(zip(FEATURES, features(found).tolist(), strict=True))


def test_variability_is_that_of_the_intervals() -> None:
    rr = np.random.default_rng(0).normal(0.8, 0.05, 300)
    times = -rr[::-1].cumsum()[::-1] + 0.0
    seen = told(series(times, length=260.0))
    known = np.diff(times)
    assert seen["mean_rr_s"] == pytest.approx(known.mean())
    assert seen["sdnn_ms"] == pytest.approx(1000 * known.std(ddof=1))
    assert seen["rmssd_ms"] == pytest.approx(1000 * np.sqrt((np.diff(known) ** 2).mean()))
    assert seen["pnn50"] == pytest.approx((np.abs(np.diff(known)) > 0.05).mean())
    assert seen["readable"] == 1


@pytest.mark.parametrize(("hz", "larger", "smaller"), [(0.1, "lf_ms2", "hf_ms2"), (0.25, "hf_ms2", "lf_ms2")])
def test_power_lies_in_the_band_of_the_oscillation(hz: float, larger: str, smaller: str) -> None:
    times = [-298.0]
    while times[-1] < -1:
        times.append(times[-1] + 0.8 + 0.04 * np.sin(2 * np.pi * hz * times[-1]))
    seen = told(series(times, length=300.0))
    assert seen[larger] > 10 * seen[smaller]
    assert seen[larger] == pytest.approx(40**2 / 2, rel=0.3)  # an oscillation of 40 ms
    short = told(series([t for t in times if t > -60], length=60.0))
    assert np.isnan([short["lf_ms2"], short["hf_ms2"], short["lf_hf"]]).all()
    assert np.isfinite(short["rmssd_ms"])


def test_ectopic_beats_are_counted_and_kept_out_of_the_variability() -> None:
    times = -60 + np.arange(75) * 0.8
    kinds = ["N"] * 75
    for place in (10, 30, 31, 32, 50, 51, 52, 53):
        kinds[place] = "S"
    kinds[65] = "V"
    at = times.copy()
    at[10] -= 0.3
    at[65] -= 0.3
    seen = told(series(at, "".join(kinds), length=60.0))
    assert (seen["s_per_min"], seen["v_per_min"]) == (8, 1)
    assert (seen["s_runs_per_min"], seen["v_runs_per_min"], seen["longest_s_run"]) == (2, 0, 4)
    assert seen["sdnn_ms"] == pytest.approx(0, abs=1e-6)


def test_intervals_over_a_gap_do_not_count_and_rates_are_of_what_can_be_read() -> None:
    times = np.r_[np.arange(-60, -40, 0.8), np.arange(-18.9, 0, 0.8)]
    kinds = ["N"] * len(times)
    kinds[5] = "S"
    seen = told(series(times, "".join(kinds), length=60.0, gaps=[(-40.0, -20.0)]))
    assert seen["readable"] == pytest.approx(2 / 3)
    assert seen["s_per_min"] == pytest.approx(1.5)
    assert seen["sdnn_ms"] == pytest.approx(0, abs=1e-6)
    blind = told(series([], length=60.0, gaps=[(-60.0, 0.0)]))
    assert blind.pop("readable") == 0
    assert np.isnan([value for name, value in blind.items() if name != "longest_s_run"]).all()


def test_sample_entropy_is_that_of_the_definition() -> None:
    def plainly(values: np.ndarray, m: int, r: float) -> float:
        count = len(values) - m
        pairs = [0, 0]
        for i in range(count):
            for j in range(count):
                if i != j:
                    for longer in (0, 1):
                        pairs[longer] += np.abs(values[i:i + m + longer] - values[j:j + m + longer]).max() <= r
        return float(-np.log(pairs[1] / pairs[0]))

    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, 80)
    assert sample_entropy(noise) == pytest.approx(plainly(noise, 2, 0.2 * noise.std()))
    wave = np.sin(np.arange(200) / 3) + rng.normal(0, 0.05, 200)
    assert sample_entropy(wave) < 0.5 * sample_entropy(rng.normal(0, 1, 200))
    assert np.isnan(sample_entropy(noise[:40]))
    assert np.isnan(sample_entropy(np.ones(100)))


def example(person: int, rr: float, ectopic: float, label: str, seed: int) -> Example:
    """A minute of somebody, whose rate and ectopic beats are given."""
    rng = np.random.default_rng(seed)
    times = np.arange(-59.5, 0, rr) + rng.normal(0, 0.02, len(np.arange(-59.5, 0, rr)))
    kinds = "".join(rng.choice(["S", "N"], len(times), p=[ectopic, 1 - ectopic]))
    onset = None if label == "sinus" else 220.0 + seed
    item = ForecastItem(f"r{seed}", f"p{person}", 60, 60, 100 + seed, 160 + seed, onset, label, 1.0)

    def signal() -> Record:
        at = np.arange(60 * 100) / 100
        wave = np.sin(2 * np.pi * (5 if label == "sinus" else 9) * at) + rng.normal(0, 0.3, len(at))
        return Record(np.stack([wave, wave]).astype(np.float32), 100.0, ("II", "V1"))

    return Example(item, series(np.sort(times), kinds, length=60.0), signal)


@pytest.fixture(scope="module")
def shown() -> tuple[list[Example], np.ndarray]:
    """Classes that differ in rate and in ectopic beats."""
    looks = (("sinus", 0.9, 0.01), ("af", 0.9, 0.2), ("aflutter", 0.6, 0.01))
    made = [example(i, rr + 0.01 * (i % 5), ectopic, label, 3 * i + k)
            for i in range(24) for k, (label, rr, ectopic) in enumerate(looks)]
    return made, np.array([one.item.target for one in made])


@pytest.mark.parametrize("kind", [Logistic, Boosted])
def test_what_differs_is_learnt_in_the_order_of_the_classes(kind: Any, shown: Any) -> None:
    made, labels = shown
    method = kind(seed=0)
    method.fit(made[:48], labels[:48])
    found = method.predict_proba(made[48:])
    assert found.shape == (24, 3)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == labels[48:]).mean() > 0.9
    again = kind(seed=0)
    again.fit(made[:48], labels[:48])
    assert np.array_equal(again.predict_proba(made[48:]), found)


@pytest.mark.parametrize("kind", [Logistic, Boosted])
def test_classes_that_training_lacks_are_impossible(kind: Any, shown: Any) -> None:
    made, labels = shown
    two = labels != 1
    method = kind(seed=0)
    method.fit([one for one, chosen in zip(made, two, strict=True) if chosen], labels[two])
    assert not method.predict_proba(made)[:, 1].any()
    method.fit(made[:3:3], labels[:3:3])
    assert method.predict_proba(made[:5]).tolist() == [[1, 0, 0]] * 5


def test_rare_classes_count_as_much() -> None:
    labels = np.array([0] * 90 + [2] * 10)
    weight = balanced(labels)
    assert weight[labels == 0].sum() == pytest.approx(weight[labels == 2].sum()) == pytest.approx(50)


def test_windows_that_cannot_be_read_are_forecast_all_the_same(shown: Any) -> None:
    made, labels = shown
    blind = Example(made[0].item, series([], length=60.0, gaps=[(-60.0, 0.0)]), made[0].signal)
    for method in (Logistic(), Boosted()):
        method.fit(made, labels)
        method._kept.clear()
        assert np.isfinite(method.predict_proba([blind])).all()


def test_persistence_says_what_is_there() -> None:
    item = example(0, 0.8, 0.0, "sinus", 0).item
    spans = [NO_SPANS, [(-60, -40)], [(-15, 0)], [(-60, 0)]]
    found = Persistence().predict_proba([Example(item, series([-1.0], length=60.0, af=span), lambda: None) for span in spans])
    assert found.tolist() == [[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0], [0, 1, 0]]


def test_chance_prefers_no_class(shown: Any) -> None:
    found = Chance(seed=3).predict_proba(shown[0] * 100)
    assert np.bincount(found.argmax(axis=1)) / len(found) == pytest.approx([1 / 3] * 3, abs=0.02)


def test_the_network_learns_from_the_signal_and_is_reproducible(shown: Any) -> None:
    from ecglm.training.forecast.baselines.cnn import Cnn

    made, labels = shown
    event = np.minimum(labels, 1)
    method = Cnn(seed=0)
    method.fit(made[:36], event[:36])
    found = method.predict_proba(made[36:48])
    assert (found.argmax(axis=1) == event[36:48]).all()
    assert found[:, 2].max() < 1e-6
    again = Cnn(seed=0, kept=method._kept)
    again.fit(made[:36], event[:36])
    assert np.allclose(again.predict_proba(made[36:48]), found)


def test_a_trained_forecaster_is_a_row_and_sees_its_longest_window_at_most(tmp_path: Any) -> None:
    from ecglm.training.forecast.baselines.trained import Trained
    from tests.tiny_forecaster import made

    made().save(tmp_path / "tiny", {"recipe": {}}, "A tiny forecaster.")
    row = Trained(str(tmp_path / "tiny"))
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(-1740, 0, 2200))
    item = ForecastItem("p02", "p01", 1740, 60, 0, 1740, 1800, "af", float("nan"))
    long = Example(item, series(times, length=1740.0), lambda: None)
    short = Example(item, series(times[times > -600], length=600.0), lambda: None)
    found = row.predict_proba([long, short])
    assert found[0] == pytest.approx(found[1])
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert row.sets([long], found[:1]).shape == (1, 3)
    assert row.sets([long], found[:1]).any()
