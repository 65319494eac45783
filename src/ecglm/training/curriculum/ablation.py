"""Bench `camel-ablation`: CAMEL's curriculum with one thing left out or changed at a time, each trained anew from there on, on
the same questions about people whom none of them learnt from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import write_text
from ecglm.bench.metrics import strict_match
from ecglm.bench.stats import Bootstrap, paired_difference
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.config import closest, load_config
from ecglm.corpus import ptbxl
from ecglm.errors import UsageError
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.training.curriculum.evaluate import Asked, ask_all, right_number
from ecglm.training.curriculum.pipeline import run as train
from ecglm.training.curriculum.recipe import CurriculumRecipe
from ecglm.training.curriculum.study import examination
from ecglm.training.examples import data_hash

#: What is changed in the recipe, by the row's name.
VARIANTS: Mapping[str, Sequence[str]] = {
    "without autoencoder": ("autoencoder.steps=0",),
    "without align": ("align.epochs=0", "read=0"),
    "without labels": ("labels.sequences=0",),
    "without statistics": ("statistics.sequences=0",),
    "without dialogue": ("dialogue.sequences=0",),
    "without forecast": ("forecast.sequences=0",),
    "mask: causal": ("seconds.mask=causal",),
    "mask: full": ("seconds.mask=full",),
    "mask: published": ("seconds.mask=published",),
    "without LoRA": ("lora.rank=0",),
}
WHOLE = "all of it"
#: Stages whose answers are right or wrong.
STAGES = ("labels", "statistics", "dialogue")
#: What a run folder keeps of each step of the training, in their order: steps before the first change are taken over.
STEPS = ("autoencoder", "align", "labels", "statistics", "dialogue", "forecast")
KEPT = ("{}.safetensors", "{}.resume.safetensors", "{}.answers.json")


@dataclass(frozen=True)
class Group:
    """Trainings that are compared. recipe: settings of a CurriculumRecipe that all share; runs: the folder that holds a run
    of each; variants: of VARIANTS; asked: lessons of each stage that every model is asked."""

    title: str
    recipe: dict[str, Any]
    runs: str
    variants: tuple[str, ...]
    asked: dict[str, int]

    def folder(self, name: str) -> Path:
        """Where the run of a variant is."""
        return Path(self.runs) / name.replace(": ", "-").replace(" ", "-")


def run(seed: int, draws: int, progress: bool, **settings: Any) -> Study:
    """Train (or go on with, or reuse) every variant, and ask it. settings: those of `Group`. Raises ConfigError for one
    that a group or its recipe has not, UsageError where a folder holds another run."""
    group = load_config(Group, settings)
    if unknown := [name for name in group.variants if name not in VARIANTS]:
        raise UsageError(f"{group.title}: no variant {unknown[0]!r}; {closest(unknown[0], VARIANTS)}")
    found = {name: _variant(group, name, seed, progress) for name in (WHOLE, *group.variants)}
    values = {name: {stage: float(np.mean(_marked(said, [stage]))) for stage in STAGES if stage in group.asked}
              for name, said in found.items()}
    notes = (
        "Every row is a model of its own, trained from the same seed, on the bench camel's questions. Right is exact match of "
        "the free answer, of a number within a tenth; the last column is the paired difference from the first row over all "
        "questions. Intervals are of 95 %, clustered by patient; other seeds of the training would spread more.",)
    asked = [one for said in found.values() for one in said]
    return Study([table(group.title, found, draws, seed)], len(asked), len({one.patient for one in asked}),
                 digest([data_hash(ptbxl.load()), json.dumps(settings, sort_keys=True)]), notes, values)


def table(title: str, found: Mapping[str, list[Asked]], draws: int, seed: int) -> Table:
    """A row a model; all were asked the same, and the first is what the others are compared with."""
    whole, rows = next(iter(found.values())), []
    stages = [stage for stage in STAGES if any(one.stage == stage for one in whole)]
    forecasts = any(one.p_yes is not None for one in whole)
    for name, asked in found.items():
        own = {stage: [one.patient for one in asked if one.stage == stage] for stage in stages}
        cells = [percent(Bootstrap(own[stage], draws, seed).mean(_marked(asked, [stage]))) for stage in stages]
        if forecasts:
            forecast = [one for one in asked if one.p_yes is not None]
            cells.append(percent(Bootstrap([one.patient for one in forecast], draws, seed).auroc(
                [int(one.answer == "yes") for one in forecast], [one.p_yes or 0.0 for one in forecast]), 1.0, 3))
        gap = paired_difference(_marked(asked), _marked(whole), [one.patient for one in whole], draws=draws, seed=seed)
        rows.append([name, *cells, "–" if asked is whole else
                     f"{100 * gap.value:+.1f} [{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"])
    return Table(f"What each part of the curriculum is worth, {title}: right answers, %",
                 ("trained", *stages, *["forecast, AUROC"] * forecasts, "all, difference"), rows)


def _variant(group: Group, name: str, seed: int, progress: bool) -> list[Asked]:
    """What one model answers; kept in its folder."""
    changes, folder = VARIANTS.get(name, ()), group.folder(name)
    overrides = [*changes, f"run={folder}", f"seed={seed}"]
    wanted = load_config(CurriculumRecipe, group.recipe, overrides)
    kept, output = folder / "examination.json", folder / "model"
    settings = json.loads(json.dumps(asdict(wanted)))
    if not (output.is_dir() and SecondsLanguageModel.from_pretrained(output).run["recipe"] == settings):
        started = (folder / "recipe.json").exists()
        if not started and changes:
            take_over(group.folder(WHOLE), folder, changes)
        train(group.recipe, overrides, started, progress)
        kept.unlink(missing_ok=True)
    if not kept.is_file():
        lessons, recordings = examination(wanted, seed, progress, group.asked)
        asked = ask_all(SecondsLanguageModel.from_pretrained(output), lessons, recordings, progress=progress)
        write_text(kept, json.dumps(asked))
    return [Asked(*row) for row in json.loads(kept.read_text(encoding="utf8"))]


def take_over(whole: Path, folder: Path, changes: Sequence[str]) -> None:
    """What was trained before the first change is the same: copy it."""
    changed = changes[0].partition(".")[0]
    folder.mkdir(parents=True, exist_ok=True)
    for step in STEPS[: STEPS.index(changed) if changed in STEPS else 1]:
        for file in (whole / name.format(step) for name in KEPT):
            if file.is_file():
                shutil.copyfile(file, folder / file.name)


def _marked(asked: Sequence[Asked], stages: Sequence[str] = ()) -> list[float]:
    """1 where the answer is right, 0 elsewhere."""
    return [float(right_number(one) if one.kind == "number" else strict_match(one.answer, one.said))
            for one in asked if not stages or one.stage in stages]
