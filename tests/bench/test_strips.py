"""Minutes of long recordings by class: which minutes count, what the ways answer, and scores of answers that are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from ecglm.bench.stats import Bootstrap
from ecglm.bench.studies.strips import CLASSES, best, by_head, by_rules, cells, study
from ecglm.corpus.mitdb import Minute, kinds_of_minutes, minutes
from ecglm.errors import RecordError
from ecglm.signal.simulate import simulate_one


def test_minutes_are_of_the_kind_that_marks_say() -> None:
    marks = [(0.2, "+", "(N"), *((t, "N", "") for t in range(1, 60)),
             *((t, "V" if t % 8 == 0 else "N", "") for t in range(60, 120)), (125.0, "+", "(AFIB"),
             *((t, "N", "") for t in range(122, 240)), (239.5, "+", "(P"), *((t, "/", "") for t in range(240, 300)),
             *((t, "L", "") for t in range(300, 360))]
    at, symbols, notes = zip(*marks, strict=True)
    kinds = kinds_of_minutes(np.array(at, float), symbols, notes, 425.0)
    assert kinds == ["normal", "ventricular ectopy", "", "", "paced", "", ""]
    later = [(t - 65, s, n) for t, s, n in marks if t >= 121]
    at, symbols, notes = zip(*later, strict=True)
    assert kinds_of_minutes(np.array(at, float), symbols, notes, 178.0)[:2] == ["", "atrial fibrillation"]


def test_minutes_of_the_data_set_are_whole_and_few_of_a_person(data_dir) -> None:
    found = minutes(1)
    assert {one.kind for one in found} == set(CLASSES)
    assert all(one.record.duration_s == pytest.approx(60) for one in found)
    assert len({(one.person, one.kind) for one in found}) == len(found)
    assert {one.name for one in found if one.kind == "paced"} <= {"102", "104", "107", "217"}


class Known:
    """Tells the class that is written in the record's source, and declines the third."""

    def classify(self, record, labels: Mapping | None = None) -> dict[str, float]:
        if record.source == "declined":
            raise RecordError("too noisy")
        names = list(CLASSES) if labels is not None else list(CLASSES.values())
        return {name: 0.7 if place == int(record.source) else 0.1 for place, name in enumerate(names)}


def test_a_model_that_knows_is_right_but_where_it_declines() -> None:
    made = simulate_one("normal", seed=1, duration_s=12).record
    strips = []
    for number in range(12):
        record = made.crop(0, 12)
        object.__setattr__(record, "source", "declined" if number == 2 else str(number % 4))
        strips.append(Minute(str(number), str(number), 0.0, list(CLASSES)[number % 4], record))
    found = study(Known(), strips, 0, 100, False)
    rows = {row[0]: row for row in found.tables[0].rows}
    assert rows["prompts, a minute"][-1] == rows["heads (learned from PTB-XL)"][-1] == "1"
    assert float(rows["prompts, a minute"][1].split(" ")[0]) == pytest.approx(100 * (3 + 0.8) / 4, abs=0.1)
    assert float(rows["always the commonest class"][1].split(" ")[0]) == pytest.approx(100 * 0.4 / 4, abs=0.1)
    assert float(rows["prompts, somebody else's minute"][1].split(" ")[0]) < 80


def test_ways_of_answering() -> None:
    assert best({"a": 0.2, "b": 0.8}) == "b"
    assert by_head({"rhythm:PACE": 0.4, "sub_class:NORM": 0.1}) == "paced"
    assert by_rules(simulate_one("atrial_fibrillation", seed=2).record) == "atrial fibrillation"
    assert by_rules(simulate_one("bigeminy", seed=2).record) == "ventricular ectopy"
    assert by_rules(simulate_one("normal", seed=2).record) == "normal"


def test_f1_of_nothing_right_is_zero() -> None:
    truth = ["paced", "normal"]
    assert cells(truth, [None, "paced"], Bootstrap(["1", "2"], 100, 0))[0].startswith("0.0")
