"""Questions to a lead-second model: one prefill of the ECGs, all questions over its cache."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from ecglm.inference.engine import Engine, Prefix
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.models.seconds.segments import Segments

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
        return [Reply(self.model.tokenizer.decode(said.ids, skip_special_tokens=True).strip(), math.exp(sum(said.logprobs)))
                for said in self.engine.generate(self.prefix, suffixes, max_tokens)]

    def score(self, question: str, options: Sequence[str], turns: Turns = ()) -> list[float]:
        """Probability of each option as the answer; all options together 1."""
        form = self.model.format
        logs = self.engine.score(self.prefix, self.model.between(turns, question),
                                 [self.model.tokens(option + form.stop) for option in options])
        return [float(p) for p in torch.tensor(logs).softmax(0)]
