"""Training of rhythm spans: people stay together, beats are kept, and what is trained tells simulated rhythms apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecglm.corpus.rhythms import Rhythms
from ecglm.signal.spans.model import AF
from ecglm.training.spans import recipe
from ecglm.training.spans.examples import Beats, simulated_person


def rhythms(name: str, subject: str, classes: tuple[int, ...]) -> Rhythms:
    edges = np.arange(len(classes) + 1) * 60.0
    return Rhythms(name, subject, Path(name), float(edges[-1]), np.stack([edges[:-1], edges[1:]], axis=1), ("(N",) * len(classes),
                   np.array(classes))


def test_people_who_fibrillate_are_dealt_to_all_parts_and_nobody_to_two() -> None:
    some = [rhythms("201", "201", (0, 1)), rhythms("202", "201", (1,)), *(rhythms(str(k), str(k), (0,)) for k in range(100, 106)),
            *(rhythms(str(k), str(k), (1, 2)) for k in (203, 221, 222))]
    parts = recipe.folds(some)
    assert sorted(parts[name] for name in ("201", "203", "221", "222")) == [0, 1, 2, 3]
    assert "202" not in parts


def test_what_is_marked_between_stretches_of_fibrillation_is_in_doubt() -> None:
    one = Rhythms("x", "x", Path("x"), 240.0, np.array([[0.0, 60.0], [60.0, 120.0], [120.0, 180.0], [180.0, 240.0]]),
                  ("(AFIB", "(T", "(AFIB", "(N"), np.array([1, 0, 1, 0]))
    at = np.array([30.0, 90.0, 150.0, 200.0])
    assert one.at(at).tolist() == [1, 0, 1, 0]
    assert one.doubtful(at).tolist() == [False, True, False, False]


def test_beats_are_kept_and_simulated_people_teach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beats").mkdir()
    settings = recipe.SpansRecipe(rounds=8, least=10, ends=2)
    made = [recipe.made_beats(tmp_path, 0, number) for number in range(6)]
    monkeypatch.setattr(recipe, "simulated_person", None)  # they are read, not made again
    again = recipe.made_beats(tmp_path, 0, 1)
    np.testing.assert_array_equal(again.times_B, made[1].times_B)
    np.testing.assert_array_equal(again.seen.alike, made[1].seen.alike)
    assert {int(kind) for one in made for kind in one.class_B} == {0, 1, 2}
    examples = recipe._examples(made, settings, np.random.default_rng(0), 1.0)
    model = recipe._fitted([examples], settings)
    other: Beats = simulated_person(0, 7)
    said = model.log_probabilities(other.features()).argmax(axis=1)
    known = other.class_B == AF
    assert (said[known] == AF).mean() > 0.6 if known.any() else (said == AF).mean() < 0.4
