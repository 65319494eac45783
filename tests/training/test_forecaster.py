"""The forecaster's training: windows end before onsets, people lie on one side, a recipe makes a folder that forecasts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecglm import training
from ecglm.errors import UsageError
from ecglm.inference.forecast import forecast
from ecglm.models.forecast.course import names
from ecglm.models.forecast.forecaster import Forecaster
from ecglm.signal.simulate.onset import MECHANISMS
from ecglm.training.forecast import fit, recipe
from ecglm.training.forecast.fit import FitSettings, Person, cell_windows, drawn_windows, fit_network
from tests.tiny_forecaster import series

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "forecaster.yaml"


def person(number: int, sign: int, label: int) -> Person:
    """Twenty-two minutes whose P waves grow before the moment, where that is the sign."""
    rng = np.random.default_rng(number)
    rr = np.clip(rng.normal(0.8, 0.02, 1650), 0.6, 1.0)
    p = np.full(1650, 105.0) + rng.normal(0, 4, 1650)
    if MECHANISMS[sign] == "p_prolongation":
        p[600:1620] += np.linspace(0, 35, 1020)
    made = series(rr, p_ms=p)
    moved = replace(made, start_s=0.0, stop_s=made.duration_s, times_B=made.times_B - made.start_s)
    return Person(str(number), moved, 1295.0, label, sign)


def people() -> list[Person]:
    none, slow = len(MECHANISMS) - 1, MECHANISMS.index("p_prolongation")
    return [person(k, slow if k % 2 else none, 2 if k % 2 else 0) for k in range(24)]


def test_no_window_reaches_into_the_time_before_its_onset(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, float, Person]] = []
    cohort = people()
    for one in cohort:
        def cut(start: float, stop: float, one: Person = one) -> object:
            seen.append((start, stop, one))
            return type(one.series).cut(one.series, start, stop)

        object.__setattr__(one.series, "cut", cut)
    settings = FitSettings(windows=30, later=0.3, within=0.5)
    _, labels, signs = drawn_windows(cohort, (10, 600), (60, 600), settings)
    assert len(seen) == len(labels)
    assert set(signs[labels == 0]) == {len(MECHANISMS) - 1}
    before = [one.moment_s - stop for (start, stop, one), label in zip(seen, labels, strict=True) if label]
    assert min(before) >= fit.NEAREST_S - 1e-6
    late = [one.moment_s - stop for (start, stop, one), label in zip(seen, labels, strict=True) if not label and one.label]
    assert min(late) >= 1.5 * 60 - 1e-6
    assert min(start for start, _, _ in seen) >= 0
    monkeypatch.undo()


def test_the_cell_of_a_person_ends_exactly_at_the_horizon() -> None:
    one = people()[1]
    rows, labels = cell_windows([one], 600, 60)
    assert labels.tolist() == [2]
    change = dict(zip(names(), rows[0], strict=True))["change of p_ms"]
    assert change == pytest.approx(35 * 600 / 816, abs=4)  # 1,020 beats of .8 s


def test_the_network_learns_the_sign_and_what_follows_it() -> None:
    settings = FitSettings(windows=20, members=2, hidden=(16,), epochs=30, batch=32, later=0.0, within=0.0)
    network = fit_network(*drawn_windows(people(), (600,), (60, 120), settings), settings)
    assert np.allclose(network.follows_S3.sum(axis=1), 1, atol=1e-6)
    assert network.follows_S3[MECHANISMS.index("p_prolongation"), 2] > 0.99
    rows, labels = cell_windows([person(k, 1 if k % 2 else 3, 2 if k % 2 else 0) for k in range(100, 120)], 600, 60)
    prob = network.probabilities(rows)
    assert np.allclose(prob.sum(axis=1), 1, atol=1e-5)
    assert (prob.argmax(axis=1) == labels).mean() > 0.9


def test_a_recipe_makes_a_forecaster_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def few(subjects: list, folder: Path, workers: int, progress: bool) -> list[Person]:
        made.append(str(folder))
        return people()

    monkeypatch.setattr(recipe, "people_of", few)
    settings = [f"run={tmp_path / 'run'}", "teach=4", "check=4", "windows_s=[60,600]", "horizons_s=[60]", "fit.windows=6",
                "fit.members=2", "fit.epochs=3", "fit.batch=16"]
    folder = training.run(RECIPE, settings, progress=False)
    again = training.run(RECIPE, settings, resume=True, progress=False)
    assert folder == again
    said = forecast(people()[1].series, "any", 60, at_s=1200, model=Forecaster.load(folder))
    assert said.probability is not None
    assert 0 <= said.probability <= 1
    with pytest.raises(UsageError, match="--resume"):
        training.run(RECIPE, settings, progress=False)
