"""A run's folder belongs to one recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ecglm.errors import UsageError
from ecglm.training.run_folder import checked_recipe, start_run


@dataclass(frozen=True)
class Recipe:
    steps: int = 1


def test_a_run_goes_on_only_when_asked_and_with_its_own_recipe(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    text = checked_recipe(folder, Recipe(), resume=False)
    assert not folder.exists()  # looking leaves nothing behind
    start_run(folder, text)
    assert checked_recipe(folder, Recipe(), resume=True) == text
    with pytest.raises(UsageError, match="pass --resume"):
        checked_recipe(folder, Recipe(), resume=False)
    with pytest.raises(UsageError, match="another recipe"):
        checked_recipe(folder, Recipe(steps=2), resume=True)
