"""Training: a recipe in, a checkpoint folder out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecglm.config import read_yaml
from ecglm.registry import RECIPES

__all__ = ["run"]


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train a recipe of whatever kind it names; returns what was written. Without `resume` an earlier run's folder must
    be absent. Raises ConfigError for a recipe of an unknown kind."""
    train = RECIPES.get(str(read_yaml(recipe_path).get("kind", "language")))
    written: Path = train(recipe_path, overrides, resume, progress)
    return written
