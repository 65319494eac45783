"""`fomaml`: the published method."""

from __future__ import annotations

from ecglm.training.fewshot.gradient import GradientMethod


class Fomaml(GradientMethod):
    """First-order MAML of the whole mapper."""

    name = "fomaml"
