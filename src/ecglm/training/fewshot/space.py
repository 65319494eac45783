"""Fit the space that `ecglm adapt` measures recordings in: `ecglm train recipes/fewshot-space.yaml`.

Means, spreads and components of what is measured on PTB-XL's training folds. No label takes part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.errors import UsageError
from ecglm.inference.adapt.space import FewShotSpace
from ecglm.training.examples import data_hash
from ecglm.training.fewshot.descriptions import descriptions

_ATTRIBUTION = ("Contains data from PTB-XL, Wagner P, Strodthoff N, Bousseljot R-D, Samek W, Schaeffter T (PhysioNet, "
                "doi:10.13026/kfzx-aw45), CC BY 4.0, modified.")


@dataclass(frozen=True)
class SpaceRecipe:
    """See recipes/fewshot-space.yaml. Folds are PTB-XL's, which keep the recordings of a patient together."""

    kind: str = "fewshot-space"
    run: str = "runs/fewshot"
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Fit; returns ``<run>/space.safetensors``, which ships in ecglm/inference/adapt."""
    recipe = load_config(SpaceRecipe, recipe_path, list(overrides))
    output = Path(recipe.run) / "space.safetensors"
    if output.exists() and not resume:
        raise UsageError(f"{output}: exists; pass --resume to replace it, or run=OTHER_FOLDER")
    data = ptbxl.load()
    rows = data.rows(recipe.train_folds)
    described = descriptions([str(ecg_id) for ecg_id in data.ecg_id], "12 leads", Path(recipe.run), progress).rows(rows)
    folds = ", ".join(map(str, recipe.train_folds))
    FewShotSpace.fit(described).save(output, {
        "license": "Apache-2.0", "attribution": _ATTRIBUTION, "labels": "none",
        "data": f"{len(rows)} recordings of PTB-XL folds {folds} ({data_hash(data)})"})
    return output
