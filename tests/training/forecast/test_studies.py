"""In both studies nobody is forecast by what was trained on them, and tables say what the forecasters did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ecglm.bench.study import Study
from ecglm.bench.task import load_task
from ecglm.corpus.onsets import ANNOUNCED, OnsetSubject, subjects
from ecglm.corpus.windows import ForecastItem
from ecglm.corpus.windows.layouts import LAYOUTS
from ecglm.records.record import Record
from ecglm.registry import FORECASTERS
from ecglm.signal.holter import BeatSeries
from ecglm.signal.simulate import simulate_one
from ecglm.training.forecast import study_afpdb, study_simulated
from ecglm.training.forecast.baselines.method import Example
from ecglm.training.forecast.fit import Person

NO_SPANS = np.empty((0, 2))


class Watcher:
    """Knows from the items, and fails when it is asked about anybody whom it was trained on."""

    name = "watcher"
    trained = False

    def __init__(self, seed: int = 0) -> None:
        self.seen: set[str] = set()

    def fit(self, examples: Sequence[Example], labels: np.ndarray) -> None:
        assert len(examples) == len(labels) > 0
        self.seen = {one.item.subject for one in examples}

    def predict_proba(self, examples: Sequence[Example]) -> np.ndarray:
        assert self.trained or self.seen
        assert not self.seen & {one.item.subject for one in examples}
        return np.array([self.of(one) for one in examples])

    def of(self, one: Example) -> list[float]:
        ill = {"imminent": 0.9, "distant": 0.6, "none": 0.1}[one.item.kind]
        return [1 - ill, ill, 0.0]


class Wrong(Watcher):
    """Is trained already, and takes distant records for imminent ones."""

    name = "wrong"
    trained = True

    def of(self, one: Example) -> list[float]:
        ill = {"imminent": 0.2, "distant": 0.6, "none": 0.3}[one.item.kind]
        return [1 - ill, ill, 0.0]


class Even(Watcher):
    """Says the same of all."""

    name = "even"

    def of(self, one: Example) -> list[float]:
        return [0.5, 0.5, 0.0]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (Watcher, Wrong, Even):
        FORECASTERS.add(one.name, one)
    yield
    for one in (Watcher, Wrong, Even):
        FORECASTERS._entries.pop(one.name)


def series(rr: float, length: float = 1800.0) -> BeatSeries:
    times = np.arange(0.5, length, rr)
    unknown = np.full(len(times), np.nan)
    return BeatSeries(0.0, length, times, np.full(len(times), "N"), unknown, unknown, unknown, NO_SPANS, NO_SPANS)


def afpdb() -> list[Example]:
    """Pairs of the same names, groups and kinds as in the data, without signals."""
    made = []
    for number in (1, 2, 7, 8, 14, 19):  # sets; 19 repeats 1
        for letter in "np":
            for odd in (1, 0):
                name = f"{letter}{2 * number - odd:02d}"
                kind = "none" if letter == "n" else "distant" if odd else "imminent"
                item = ForecastItem(name, f"{letter}{1 if letter == 'p' and number == 19 else number:02d}", 1740, 60, 0, 1740,
                                    1800.0 if kind == "imminent" else None, "af" if kind == "imminent" else "sinus", float("nan"),
                                    kind=kind)
                made.append(Example(item, series(0.8).cut(0, 1740), lambda: None))
    return made


def test_the_events_of_2001(known: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_afpdb, "examples_of", lambda *_, **__: afpdb())
    found: Study = study_afpdb.run(0, 200, False, forecasters=["watcher", "wrong", "even", "persistence", "chance"])
    rows = {row[0]: row[1:] for row in found.tables[0].rows}
    assert rows["watcher"] == ["1.000 [1.000, 1.000]", "1.000 [1.000, 1.000]", "6/6", "100.0 [100.0, 100.0]", "5/5"]
    assert rows["wrong"][0].startswith("0.500")  # distant ones above, imminent ones below those without
    assert rows["wrong"][1].startswith("1.000")
    assert rows["wrong"][2:] == ["0/6", "0.0 [0.0, 0.0]", "0/5"]
    assert rows["even"][0].startswith("0.500")
    assert rows["even"][2] == rows["last rhythm persists"][2] == "3/6"
    assert 0 < found.values["chance"]["pairs_right"] < 6  # not the same numbers for everybody who is left out
    assert (found.n_items, found.n_patients) == (24, 11)
    assert found.values["watcher"]["imminent"].keys() == {one.item.record for one in afpdb() if one.item.kind != "none"}


def test_nothing_of_the_gap_moves_the_beats_before_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = simulate_one("normal", fs=128, duration_s=130, leads=("II", "V1"), seed=5).record
    loud = whole.signal.copy()
    loud[:, 70 * 128:] = np.random.default_rng(0).normal(0, 5, loud[:, 70 * 128:].shape)
    found = []
    for number, signal in enumerate((whole.signal, loud)):
        root = tmp_path / str(number)
        root.mkdir()
        for name in ("n01", "p01", "p02"):
            Record(signal, 128.0, whole.leads).save(root / f"{name}.hea")
        monkeypatch.setattr(study_afpdb, "open_source", lambda _, root=root: (LAYOUTS["afpdb"], root))
        found.append(study_afpdb.examples_of(60.0, None, root / "kept"))
    assert [one.item.kind for one in found[0]] == ["none", "distant", "imminent"]
    assert (found[0][2].item.stop_s, found[0][2].item.onset_s) == (70.0, 130.0)
    for one, other in zip(*found, strict=True):
        assert one.signal().n_samples == 70 * 128
        np.testing.assert_array_equal(one.beats.kinds_B, other.beats.kinds_B)
        for name in ("times_B", "p_B", "gaps", "af"):  # noise makes the steps of the file's integers coarser
            np.testing.assert_allclose(getattr(one.beats, name), getattr(other.beats, name), atol=1e-3)
    assert len(found[0][0].beats.times_B) > 50
    again = study_afpdb.examples_of(30.0, None, tmp_path / "1" / "kept")  # what was kept is of one gap
    assert again[0].beats.duration_s == 100


def test_people_are_left_out_in_parts_too(known: None) -> None:
    for parts in (None, 3):
        ill = np.array([one.item.kind != "none" for one in afpdb()]).astype(int)
        scores = study_afpdb.left_out(Watcher, afpdb(), ill, parts, 0)
        assert sorted(set(scores.round(6).tolist())) == [0.1, 0.6, 0.9]
    method = Watcher()
    method.fit(afpdb(), np.ones(24, int))
    with pytest.raises(AssertionError):  # it does see it when somebody is not left out
        method.predict_proba(afpdb()[:1])


class Sees(Watcher):
    """Knows the class of announced onsets; own, with sets."""

    name = "sees"
    trained = True

    def of(self, one: Example) -> list[float]:
        if one.item.dataset != ANNOUNCED.name:
            return [0.8, 0.1, 0.1]
        return [float(one.item.target == column) for column in range(3)]

    def sets(self, examples: Sequence[Example], probability: np.ndarray) -> np.ndarray:
        return probability > 0.5


def people(of: Sequence[OnsetSubject], folder: Path, workers: int, progress: bool) -> list[Person]:
    """Of announced onsets of fibrillation the rate is low, of flutter high."""
    rates = {"sinus": 0.8, "af": 1.0, "aflutter": 0.6}
    def rate(one: OnsetSubject) -> float:
        return rates[one.label] if one.cohort == ANNOUNCED.name and one.mechanism != "none" else 0.8

    return [Person(one.key, series(rate(one) + 0.001 * n, 1440.0), one.moment_s, ("sinus", "af", "aflutter").index(one.label), 3)
            for n, one in enumerate(of)]


def test_the_grid_on_simulated_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_simulated, "people_of", people)
    monkeypatch.setitem(FORECASTERS._entries, "shipped", Sees)
    found: Study = study_simulated.run(0, 200, False, forecasters=["chance", "logistic", "shipped"], teach=20, test=12,
                                       windows_s=(60, 120), horizons_s=(60, 600))
    mean, mechanisms, grid, silent = found.tables
    rows = {row[0]: row[1:] for row in mean.rows}
    assert rows["sees"][0] == "100.0 [100.0, 100.0]"
    assert (rows["sees"][1], rows["sees"][2]) == ("0.000", "100.0")
    assert rows["sees"][3].endswith("(HRV + ectopy, logistic regression)")
    assert rows["chance"][2:] == ["–", "–"]
    values = found.values
    assert 20 < 100 * values["chance"]["macro_f1"]["value"] < 47
    assert values["sees"]["macro_f1"]["value"] > values["HRV + ectopy, logistic regression"]["macro_f1"]["value"] > 0.6
    told = {one.mechanism for one in subjects("test", ANNOUNCED, 12) if one.onset_s is not None}
    assert {row[0] for row in mechanisms.rows} == told
    assert sum(int(row[1]) for row in mechanisms.rows) == 24
    assert len(grid.rows) == 4
    quiet = {row[0]: float(row[1].split()[0]) for row in silent.rows}
    assert quiet["sees"] == pytest.approx(100 / 6, abs=0.1)  # sinus rhythm of all: F1 of .5, 0 and 0
    assert quiet["HRV + ectopy, logistic regression"] < 55
    assert found.n_patients == 36


def test_the_same_people_are_not_taught_and_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglm.corpus.onsets import items
    from ecglm.errors import UsageError
    from ecglm.training.forecast.raw import Signals

    one = study_simulated.set_of(items("train", per_class=2, windows=(60,), horizons=(60,)),
                                 people(subjects("train", ANNOUNCED, 2), Path(), 1, False), Signals())
    with pytest.raises(UsageError, match="teach and are tested"):
        study_simulated.compare(["chance"], 0, one, [one], False)


@pytest.mark.parametrize("name", ["forecast-afpdb", "forecast-simulated"])
def test_the_tasks_name_what_exists(name: str) -> None:
    from ecglm.registry import STUDIES

    task = load_task(name)
    assert callable(STUDIES.get(task.dataset))
    assert all(forecaster in FORECASTERS for forecaster in task.dataset_args["forecasters"])
