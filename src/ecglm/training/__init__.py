"""Training: a recipe in, a checkpoint folder out."""

from ecglm.training.pipeline import run

__all__ = ["run"]
