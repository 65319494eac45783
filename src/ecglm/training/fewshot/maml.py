"""`maml`: second order, through every inner step."""

from __future__ import annotations

from ecglm.training.fewshot.gradient import GradientMethod


class Maml(GradientMethod):
    """MAML of the whole mapper; the query loss after the last inner step counts."""

    name = "maml"
    second_order = True
