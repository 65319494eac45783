"""The forecaster's parts: features of steps against series that are known, their course, calibration that holds on new people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import CheckpointError
from ecglm.models.forecast import CLASSES
from ecglm.models.forecast.calibration import GRID, least_probability, rebased, venn_abers
from ecglm.models.forecast.course import course, names
from ecglm.models.forecast.forecaster import Forecaster
from ecglm.models.forecast.steps import FEATURES, step_features
from ecglm.signal.holter import BeatSeries
from tests.tiny_forecaster import made, series

RNG = np.random.default_rng(0)


def column(steps: np.ndarray, name: str) -> np.ndarray:
    return steps[:, FEATURES.index(name)]


def test_steps_of_a_steady_rhythm() -> None:
    steps = step_features(series(np.full(75, 0.8)))
    assert steps.shape == (5, len(FEATURES))
    assert np.allclose(np.exp(column(steps, "log_rr")), 0.8)
    assert np.allclose(column(steps, "early"), 0)
    assert np.allclose(column(steps, "p_ms"), 110)
    assert np.allclose(column(steps, "readable"), 1)


def test_early_and_ventricular_beats_are_counted_per_minute() -> None:
    rr = np.full(75, 0.8)
    rr[30], rr[31] = 0.5, 1.1
    kinds = ["N"] * 75
    kinds[60] = "V"
    steps = step_features(series(rr, "".join(kinds)))
    assert np.nansum(column(steps, "early")) == pytest.approx(6)       # one in ten seconds
    assert np.nansum(column(steps, "ventricular")) == pytest.approx(6)
    assert np.nanmin(column(steps, "coupling")) == pytest.approx(0.5 / 0.8)


def test_a_gap_is_no_interval_and_lowers_what_can_be_read() -> None:
    rr = np.full(40, 0.8)
    rr[20] = 5.8
    whole = series(rr)
    gap = (whole.times_B[19] + 0.4, whole.times_B[20] - 0.4)
    steps = step_features(replace(whole, gaps=np.array([gap])))
    assert np.allclose(np.exp(column(steps, "log_rr")), 0.8)
    assert column(steps, "readable").min() < 0.7
    assert np.nanmax(column(steps, "irregular")) == 0


def test_nothing_is_known_of_what_cannot_be_read() -> None:
    empty = np.empty(0)
    steps = step_features(BeatSeries(-30.0, 0.0, empty, np.empty(0, "U1"), empty, empty, empty, np.array([[-30.0, 0.0]]),
                                     np.empty((0, 2))))
    assert np.isnan(steps[:, :-1]).all()
    assert not steps[:, -1].any()
    assert np.isnan(course(steps, 60)[: len(FEATURES) - 1]).all()


def test_course_finds_the_change_and_how_sure_it_is() -> None:
    n = 750
    p_ms = 100 + 30 * np.arange(n) / n + RNG.normal(0, 3, n)
    numbers = dict(zip(names(), course(step_features(series(np.full(n, 0.8), p_ms=p_ms)), 300), strict=True))
    assert numbers["change of p_ms"] == pytest.approx(30, abs=2)
    assert numbers["sure of p_ms"] == 10
    assert numbers["level of p_ms"] == pytest.approx(115, abs=1)
    assert numbers["last of p_ms"] > 125
    assert abs(numbers["change of log_rr"]) < 1e-6
    assert numbers["log horizon"] == pytest.approx(np.log(300))


def test_p_waves_are_compared_in_the_leads_that_most_beats_are_seen_in() -> None:
    """Those of another choice of leads are of other lengths, which is no change."""
    off = np.arange(750) < 200
    beats = replace(series(np.full(750, 0.8), p_ms=np.where(off, 150.0, 110.0)), leads_B=np.where(off, 1000, 2001))
    numbers = dict(zip(names(), course(step_features(beats), 300), strict=True))
    assert numbers["level of p_ms"] == pytest.approx(110)
    assert numbers["change of p_ms"] == pytest.approx(0, abs=1e-6)
    told = dict(zip(names(), course(step_features(replace(beats, leads_B=None)), 300), strict=True))
    assert told["change of p_ms"] < -30
    part = beats.cut(-480, -240)
    assert len(part.leads_B) == len(part.times_B)
    assert set(part.leads_B.tolist()) == {1000, 2001}


def test_one_step_has_a_level_and_no_change() -> None:
    numbers = dict(zip(names(), course(step_features(series(np.full(14, 0.8))), 60), strict=True))
    assert np.isfinite(numbers["level of log_rr"])
    assert np.isnan(numbers["change of log_rr"])


def scored(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are overconfident, and outcomes."""
    rng = np.random.default_rng(seed)
    true = rng.beta(1, 2, n)
    return np.clip(true**0.5, 0, 1), rng.random(n) < true


def test_venn_abers_intervals_are_calibrated_where_scores_are_not() -> None:
    bounds = venn_abers(*scored(600, 1))
    assert (bounds[0] <= bounds[1] + 1e-9).all()
    assert (np.diff(bounds, axis=1) >= -1e-9).all()
    scores, happened = scored(20000, 2)
    low, high = (np.interp(scores, GRID, bound) for bound in bounds)
    for part in np.array_split(np.argsort(scores), 8):
        assert low[part].mean() - 0.06 <= happened[part].mean() <= high[part].mean() + 0.06
    assert abs(scores.mean() - happened.mean()) > 0.1  # which the scores are not


def test_conformal_sets_hold_the_truth_as_often_as_promised() -> None:
    def people(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        prob = rng.dirichlet([1.0, 0.7, 0.7], n)
        blurred = 0.5 * prob + 0.5 * rng.dirichlet([1, 1, 1], n)
        return blurred, np.array([rng.choice(3, p=p) for p in prob])

    least = least_probability(*people(600, 3))
    prob, truth = people(6000, 4)
    assert (prob[np.arange(len(truth)), truth] >= least).mean() == pytest.approx(0.9, abs=0.03)
    assert least_probability(prob[:3], truth[:3]) == 0.0  # too few people promise nothing


def test_another_base_rate_moves_the_odds() -> None:
    assert rebased(0.5, 0.5, 0.1) == pytest.approx(0.1)
    assert rebased(0.3, 0.2, 0.2) == pytest.approx(0.3)
    assert rebased(0.9, 1 / 3, 0.01) < 0.2


def test_a_saved_forecaster_says_the_same(tmp_path: Path) -> None:
    one = made()
    one.save(tmp_path / "f", {}, "card")
    again = Forecaster.load(tmp_path / "f")
    window = series(np.full(75, 0.8))
    assert np.array_equal(one.probabilities(window, 60), again.probabilities(window, 60))
    assert one.probabilities(window, 60).sum() == pytest.approx(1)
    assert again.calibration.interval("af", 0.4, 50, 60) == one.calibration.interval("af", 0.4, 50, 60)
    assert again.calibration.rates == (0.5, 0.25, 0.25)


def test_calibrated_classes_sum_to_one_and_agree_with_the_event() -> None:
    calibration = made().calibration
    prob = np.array([0.5, 0.3, 0.2])
    found = calibration.calibrated(prob, 600, 60)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert 1 - found[0] == pytest.approx(calibration.interval("any", 0.5, 600, 60)[0])


def test_the_nearest_cell_is_used_and_sets_are_never_empty() -> None:
    calibration = made().calibration
    assert calibration.cell(30, 600) == (0, 0)
    assert calibration.cell(300, 60) == (1, 0)
    assert calibration.classes([0.1, 0.15, 0.12], 600, 60) == (CLASSES[1],)
    assert calibration.classes([0.5, 0.3, 0.2], 600, 60) == CLASSES


def test_a_damaged_or_foreign_folder_is_refused(tmp_path: Path) -> None:
    made().save(tmp_path / "f", {}, "card")
    weights = tmp_path / "f" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="checksum"):
        Forecaster.load(tmp_path / "f")
    with pytest.raises(CheckpointError, match="no such checkpoint folder"):
        Forecaster.load(tmp_path / "none")
