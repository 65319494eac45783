"""Questions to a lead-second model: one prefill of the ECGs, all questions over its cache.

`LongModel` is what `ecglm.load` gives for its folder; it answers questions and leaves everything else to the default model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from ecglm.answers import Answer
from ecglm.errors import UsageError
from ecglm.inference.chosen import chosen, said
from ecglm.inference.confidence import calibrated_confidence
from ecglm.inference.engine import Engine, Prefix
from ecglm.inference.guard import check_options, check_question
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.models.seconds.segments import Segments, segments
from ecglm.records.record import Record, checked_records
from ecglm.schema import Evidence
from ecglm.signal import unreadable

Turns = Sequence[tuple[str, str]]


class Reply(NamedTuple):
    """What was said, and the probability of saying it."""

    text: str
    probability: float


class Listener:
    """ECGs that a model has read, and what may be asked about them. ecgs: none is the text-only control."""

    def __init__(self, model: SecondsLanguageModel, ecgs: Sequence[Segments]) -> None:
        self.model = model
        self.engine = Engine(model.llm, model.tokens(model.format.stop)[:1])
        cache, plan = model.prefill(ecgs)
        self.prefix = Prefix(cache, len(plan), int(plan.position.max()) + 1 - len(plan))

    def reply(self, questions: Sequence[str], turns: Turns = (), max_tokens: int = 48) -> list[Reply]:
        """The greedy answer to each question, each asked after these turns."""
        suffixes = [self.model.between(turns, question) for question in questions]
        return [Reply(self.model.tokenizer.decode(made.ids, skip_special_tokens=True).strip(), math.exp(sum(made.logprobs)))
                for made in self.engine.generate(self.prefix, suffixes, max_tokens)]

    def score(self, question: str, options: Sequence[str], turns: Turns = ()) -> list[float]:
        """Probability of each option as the answer; all options together 1."""
        form = self.model.format
        logs = self.engine.score(self.prefix, self.model.between(turns, question),
                                 [self.model.tokens(option + form.stop) for option in options])
        return [float(p) for p in torch.tensor(logs).softmax(0)]


class LongModel:
    """A lead-second model as `ecglm ask` uses it. It reads signals of any length and several recordings in one prompt; what it
    says rests on its tokens alone, so the evidence says what was read, not what was measured."""

    def __init__(self, model: SecondsLanguageModel) -> None:
        self.model = model
        self.answerer = self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UsageError(f"{self.id}: a lead-second model answers questions and has no {name}; leave out --model for that")

    @property
    def id(self) -> str:
        """Name and version for results and answers."""
        return self.model.name

    def ask(self, record: Record | Sequence[Record], question: str, options: Sequence[str] | None = None) -> Answer:
        """Answer a question about a recording, or about several together (with options: one of them)."""
        records, question, options = checked_records(record), check_question(question), check_options(options)
        for one in records:
            if (reason := unreadable(one)) is not None:
                return Answer("", 0.0, True, (), self.id, reason)
        ecgs = [segments(one, self.model.config.seconds) for one in records]
        listener = Listener(self.model, ecgs)
        evidence = tuple(Evidence(f"read {ecg.known_LT.shape[1]} s of {', '.join(ecg.leads)}", ecg.leads) for ecg in ecgs)
        if options is not None:
            return chosen(options, listener.score(question, options), evidence, self.id)
        reply = listener.reply([question])[0]
        return said(reply.text, calibrated_confidence(self.model.calibration, *reply), evidence, self.id)

    def ask_batch(self, items: Sequence[tuple[Any, ...]], progress: bool = False) -> list[Answer]:
        """Answers to (record, question) or (record, question, options) in order."""
        from rich.progress import track

        return [self.ask(*item) for item in track(items, "Asking", disable=not progress)]

    def together(self, records: Sequence[Record], question: str) -> Answer:
        """One answer about several recordings, which are read in one prompt."""
        return self.ask(records, question)
