"""A model without weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ecglm.answers import Answer
from ecglm.errors import UsageError
from ecglm.records.record import Record
from ecglm.schema import Evidence


class FakeModel:
    """Answers without weights and remembers what it was asked."""

    evidence = (Evidence("heart rate 61 bpm", ("II",), 61.0, "bpm"),)
    answer = Answer("Sinus rhythm", 0.72, False, evidence, "fake", note="possible, not called present: sinus rhythm 40 %")

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.read_with: dict[str, Any] = {}

    def ask_batch(self, items: list[tuple[Record, str, list[str] | None]]) -> list[Answer]:
        return [self.one(*item) for item in items]

    def one(self, record: Record, question: str, options: list[str] | None) -> Answer:
        self.asked.append((record, question, options))
        if not question:
            raise UsageError("the question is empty; ask something")
        if question == "Colour?":
            return Answer("", 0.0, True, (), "fake", reason="an ECG cannot tell")
        return Answer("yes\x1b[31m", 0.914, False, (Evidence("RR varies by 180 ms", ("II",), 180.0, "ms"),), "fake")

    def chat(self, records: list[Record]) -> FakeModel:
        self.asked.append(records)
        return self

    id, question, about, asked_back, quoted = "fake", "Rhythm?", (1,), False, None

    @property
    def answerer(self) -> FakeModel:
        return self

    def together(self, records: list[Record], question: str) -> None:
        return None

    def use(self, number: int) -> None:
        if number > 1:
            raise UsageError(f"there is no recording {number}; there are 1")

    def stream(self, text: str) -> Iterator[str]:
        if text == "too long":
            raise UsageError("the question is too long; shorten it")
        yield from ("Sinus ", "rhythm\x07.")
