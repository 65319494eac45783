"""Answers of models that only see: the likelier one of some options, or what was said, or that nothing was."""

from __future__ import annotations

from collections.abc import Sequence

from ecglm.answers import Answer
from ecglm.schema import Evidence


def chosen(options: Sequence[str], scores: Sequence[float], evidence: tuple[Evidence, ...], model: str) -> Answer:
    """The option with the highest probability."""
    best = max(range(len(scores)), key=scores.__getitem__)
    return Answer(options[best], scores[best], False, evidence, model, probabilities=tuple(zip(options, scores, strict=True)))


def said(text: str, confidence: float, evidence: tuple[Evidence, ...], model: str) -> Answer:
    """What was said, or no answer where it was nothing."""
    if not text:
        return Answer("", 0.0, True, evidence, model, "the model had nothing to say to this; ask it in other words")
    return Answer(text, confidence, False, evidence, model)
