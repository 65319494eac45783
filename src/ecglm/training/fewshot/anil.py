"""`anil`: almost no inner loop."""

from __future__ import annotations

from ecglm.training.fewshot.gradient import GradientMethod


class Anil(GradientMethod):
    """First-order MAML in which the support changes the mapper's output layers alone."""

    name = "anil"

    def adapts(self, name: str) -> bool:
        return name.startswith(("o.", "norm2."))
