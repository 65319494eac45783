"""Models without weights, to test the runner and to see what a score means."""

from __future__ import annotations

import random
from typing import Literal

from ecglm.bench.scoring import majority
from ecglm.bench.task import BenchItem, FindingScores, Prediction
from ecglm.errors import UsageError


class DummyModel:
    """majority: the commonest answer per template of what it is asked; echo: repeats the question;
    oracle: the right answer, but only when it sees the right ECG (controls get the majority answer)."""

    def __init__(self, behaviour: Literal["majority", "echo", "oracle"] = "majority", *, accuracy: float = 1.0,
                 train_patients: set[str] | None = None, train_hashes: set[str] | None = None) -> None:
        """accuracy: share of items on which the oracle is right (decided by item id)."""
        self.id = f"dummy-{behaviour}" if accuracy == 1.0 else f"dummy-{behaviour}-{accuracy:g}"
        self.behaviour, self.accuracy = behaviour, accuracy
        self.train_patients = set() if train_patients is None else train_patients
        self.train_hashes = set() if train_hashes is None else train_hashes
        self.asked: list[tuple[str, str]] = []  #: (control, item id) in the order asked

    def answer_items(self, items: list[BenchItem], control: str, progress: bool) -> list[Prediction]:
        """One prediction per item, in order."""
        self.asked += [(control, item.id) for item in items]
        if self.behaviour == "echo":
            return [Prediction(item.id, item.question, 0.5) for item in items]
        constant = majority(items)
        if self.behaviour == "majority" or control not in ("full", "heads"):
            return [Prediction(p.id, p.text, 0.5) for p in constant]
        return [Prediction(i.id, i.answer, self.accuracy) if random.Random(i.id).random() < self.accuracy
                else Prediction(i.id, "wrong", self.accuracy) for i in items]

    def score_items(self, items: list[BenchItem], progress: bool) -> list[FindingScores]:
        """The labels themselves (oracle) or one half (others)."""
        return [FindingScores(item.id, {group: {code: float(label) if self.behaviour == "oracle" else 0.5
                                                for code, label in labels.items()}
                                        for group, labels in item.meta["labels"].items()}) for item in items]


def dummy(behaviour: str) -> DummyModel:
    """A dummy model by name. Raises UsageError for another name."""
    if behaviour not in ("majority", "echo", "oracle"):
        raise UsageError(f"there is no dummy model {behaviour!r}; use majority, echo or oracle")
    return DummyModel(behaviour)  # type: ignore[arg-type]
