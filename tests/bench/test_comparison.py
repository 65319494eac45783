"""Questions about two recordings: what counts as changed, what is read out of an answer, and models whose score is known."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.answers import Answer
from ecglm.bench.studies.comparison import changed, commonest, denied, labels, named, score, study
from ecglm.bench.task import BenchItem
from ecglm.knowledge.statements import BY_KEY
from ecglm.records.record import Record

SPACE = ("rhythm:AFIB", "sub_class:IRBBB", "sub_class:CRBBB", "form:PVC")


def item(number: int, *there: str) -> BenchItem:
    grouped: dict[str, dict[str, int]] = {"rhythm": {"SR": 1}}
    for key in SPACE:
        group, code = key.split(":")
        grouped.setdefault(group, {})[code] = int(key in there)
    return BenchItem(str(number), str(number), str(number), "", "", "findings", "", "", meta={"labels": grouped})


def test_changes_are_signed_and_a_sinus_rhythm_is_none() -> None:
    before, now = labels(item(1, "form:PVC")), labels(item(2, "rhythm:AFIB"))
    assert before == {"form:PVC"}
    assert denied(item(1, "form:PVC")) == set(SPACE) - {"form:PVC"}
    assert changed(before, now) == {"+rhythm:AFIB", "-form:PVC"}
    assert changed(now, now) == set()


def test_answers_are_read_by_whole_names() -> None:
    complete, partial = (BY_KEY[key].name for key in ("sub_class:CRBBB", "sub_class:IRBBB"))
    text = f"PR interval 160 to 200 ms (+40); new in ECG 2: {partial} 91 %, {BY_KEY['form:PVC'].name} 55 %; " \
        f"only in ECG 1: {complete} 80 %, from ECG 1 to ECG 2"
    answer = Answer(text, 0.9, False, (), "model")
    assert named(answer, SPACE) == {"+sub_class:IRBBB", "+form:PVC", "-sub_class:CRBBB"}
    assert named(Answer("", 0.0, True, (), "model", "noise"), SPACE) is None
    assert named(Answer("No value differs", 0.9, False, (), "model"), SPACE) == set()


def test_scores() -> None:
    a, b = frozenset({"+x", "-y"}), frozenset({"+x", "+z"})
    assert score(a, b) == pytest.approx(1 / 3)
    assert (score(a, a), score(frozenset(), frozenset()), score(a, frozenset()), score(a, None)) == (1.0, 1.0, 0.0, 0.0)
    assert commonest([a, a, frozenset({"+x"})]) == a


class Oracle:
    """Knows the labels of recordings with signal; `shift` makes it look at other recordings."""

    def __init__(self, items: list[BenchItem], shift: int = 0) -> None:
        self.items, self.shift = items, shift

    def ask(self, record, question: str) -> Answer:
        if not all(np.any(one.signal) for one in record):
            return Answer("", 0.0, True, (), "oracle", "no signal")
        before, now = (labels(self.items[(int(one.source) + self.shift) % len(self.items)]) for one in record)
        parts = [f"{opening} " + ", ".join(f"{BY_KEY[key].name} 90 %" for key in sorted(keys)) for opening, keys in (
            ("new in ECG 2:", now - before), ("only in ECG 1:", before - now)) if keys]
        return Answer("; ".join(parts) + ", from ECG 1 to ECG 2", 0.9, False, (), "oracle")


def test_who_knows_scores_all_and_who_looks_elsewhere_does_not() -> None:
    rng = np.random.default_rng(0)
    items = [item(i, *(key for key in SPACE if rng.random() < 0.4)) for i in range(40)]

    def record(key: str) -> Record:
        return Record(np.ones((1, 100), np.float32), 100.0, ("II",), source=key)

    right = study(Oracle(items), 0, 200, False, 20, items, record)
    wrong = study(Oracle(items, 7), 0, 200, False, 20, items, record)
    scores = {row[0]: float(row[1].split(" ")[0]) for row in right.tables[0].rows}
    assert scores["asked"] == 100.0
    assert scores["without signal"] == 0.0
    elsewhere = float(wrong.tables[0].rows[0][1].split(" ")[0])
    assert max(elsewhere, scores["another pair's answer"], scores["chance: what is true of another pair"]) < 60
    assert right.n_items == 20
    assert right.n_patients == 40
