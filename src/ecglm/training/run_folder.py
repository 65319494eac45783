"""The folder of a training run, and the recipe that it was started with."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ecglm.atomic import write_text
from ecglm.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_STAMP = "recipe.json"


def checked_recipe(folder: Path, recipe: DataclassInstance, resume: bool) -> str:
    """The recipe as the folder keeps it. Raises UsageError where an earlier run lies there that `resume` does not continue, or
    that another recipe started."""
    stamp, text = folder / _STAMP, json.dumps(asdict(recipe), indent=1)
    if stamp.exists():
        if not resume:
            raise UsageError(f"{folder}: holds an earlier run; pass --resume to go on, or run=OTHER_FOLDER")
        if stamp.read_text(encoding="utf8") != text:
            raise UsageError(f"{folder}: was started with another recipe; pass the same settings, or run=OTHER_FOLDER")
    return text


def start_run(folder: Path, text: str) -> None:
    """Make the folder and note the recipe in it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / _STAMP, text)
