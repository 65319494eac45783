"""`ecglm train recipes/pulse.yaml`: pages, the encoder that looks at them, what looking is worth, and a vision-language model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.metrics import macro_auroc
from ecglm.bench.provenance import git_commit, versions
from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.corpus.ecgqa import waveform_hash
from ecglm.errors import UsageError
from ecglm.knowledge.statements import GROUPS
from ecglm.models import base as bases
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.folder import check_replaceable
from ecglm.models.vision.judge import JudgeConfig, PageJudge, Weights
from ecglm.models.vision.pagenet import PageNet
from ecglm.training.examples import data_hash
from ecglm.training.run_folder import checked_recipe, start_run
from ecglm.training.vision.fit import looked, train_pagenet
from ecglm.training.vision.pages import Job, jobs, pictures
from ecglm.training.vision.recipe import VisionRecipe
from ecglm.training.vision.targets import targets
from ecglm.training.vision.ways import all_seen, as_pages, stacked
from ecglm.training.vision.weigh import columns_of, weigh


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train a recipe; returns the folder of what it made. Without `resume` an earlier run's folder must be absent."""
    recipe = load_config(VisionRecipe, recipe_path, list(overrides))
    ptbxl.load()  # what is missing must not leave a started run behind
    teacher = _teacher(recipe.teacher) if recipe.encoder else None
    if recipe.language.sequences:
        bases.resolve(recipe.language.base)
    elif not recipe.encoder:
        raise UsageError("encoder=false and language.sequences=0 leave nothing to be trained; set one of them")
    folder, output = Path(recipe.run), Path(recipe.output or f"{recipe.run}/vision")
    check_replaceable(output)
    text = checked_recipe(folder, recipe, resume)
    start_run(folder, text)
    if teacher is not None:
        judge, metrics = train_judge(recipe, teacher, folder, progress)
        judge.save(output, _provenance(recipe, text, metrics), card(recipe, judge.weights, metrics))
    if not recipe.language.sequences:
        return output
    from ecglm.training.vision.language import train_language

    return train_language(recipe, output if teacher is not None else None, folder, _provenance(recipe, text, {}), progress)


def _teacher(name: str) -> EcgLanguageModel:
    from ecglm.inference.model import DEFAULT

    return EcgLanguageModel.from_pretrained(DEFAULT if name == "default" else Path(name).expanduser())


def rows_of(recipe: VisionRecipe) -> np.ndarray:
    """Rows of the training folds and the fold to weigh on, or as many as the recipe wants of them."""
    rows = ptbxl.load().rows((*recipe.train_folds, recipe.weigh_fold))
    if not 0 < recipe.recordings < len(rows):
        return rows
    return np.sort(np.random.default_rng(recipe.seed).choice(rows, recipe.recordings, replace=False))


def train_judge(recipe: VisionRecipe, teacher: EcgLanguageModel, folder: Path,
                progress: bool = True) -> tuple[PageJudge, dict[str, Any]]:
    """The encoder with its weights, and what it is worth."""
    data = ptbxl.load()
    rows = rows_of(recipe)
    wanted = jobs(rows.tolist(), recipe.drawing)
    target = targets(wanted, teacher, recipe.seed, folder / "targets", recipe.taught, progress)
    page = pictures(wanted, recipe.drawing, recipe.seed, folder / "pages", progress)
    config = replace(recipe.net, n_labels=target.label_NC.shape[1], n_features=target.feat_NF.shape[1])
    learnt = data.fold[[job.row for job in wanted]] != recipe.weigh_fold  # the others tell how it goes, and are never learnt from
    net, losses = train_pagenet(config, recipe.training, page[learnt], target.of(learnt), folder, progress)
    rows = rows[data.fold[rows] != recipe.weigh_fold]
    prevalence = np.clip(data.labels_NC[rows].mean(0), 0.5 / len(rows), 1 - 0.5 / len(rows)).astype(np.float32)
    aside = ~learnt & np.array([not job.twin for job in wanted])
    metrics = {"loss": [round(loss, 4) for loss in losses], "pages": int(learnt.sum()),
               "aside": by_group(target.label_NC[aside], looked(net, page[aside]))}
    weights, metrics["weighing"] = weighing(recipe, teacher, net, prevalence, folder, progress)
    metrics["validation"] = validation(recipe, net, folder, progress)
    return PageJudge(JudgeConfig(net=config), weights, net), metrics


def weighing(recipe: VisionRecipe, teacher: EcgLanguageModel, net: PageNet, prevalence: Any, folder: Path,
             progress: bool = True) -> tuple[Weights, dict[str, Any]]:
    """Weights fitted on pages of the weigh fold."""
    rows = ptbxl.load().rows((recipe.weigh_fold,))
    rows = np.random.default_rng(recipe.seed).permutation(rows)[:recipe.weighing.pages]
    presets = recipe.weighing.presets
    found = all_seen(teacher, [(int(row), presets[i % len(presets)]) for i, row in enumerate(rows)], folder / "weighed", progress)
    weights, told = weigh(as_pages(found, rows.tolist(), looked(net, stacked(found))), prevalence)
    return weights, told | {"refused": {reason: sum(one.reason == reason for one in found)
                                        for reason in sorted({one.reason for one in found} - {""})}}


def validation(recipe: VisionRecipe, net: PageNet, folder: Path, progress: bool = True) -> dict[str, dict[str, float]]:
    """Macro-AUROC of looking alone on pages of the validation fold, by preset and group of statements."""
    data = ptbxl.load()
    rows = data.rows((recipe.validation_fold,))[:recipe.validated or None]
    out: dict[str, dict[str, float]] = {}
    for preset in recipe.weighing.presets:
        wanted = [Job(int(row), False, preset, 0) for row in rows]
        page = pictures(wanted, recipe.drawing, recipe.seed, folder / "pages", progress, plain=True)
        out[preset] = by_group(data.labels_NC[rows], looked(net, page))
    return out


def by_group(label_NC: Any, score_NC: Any) -> dict[str, float]:
    """Macro-AUROC of each group of statements."""
    return {group: round(float(macro_auroc(label_NC[:, columns_of(group)].astype(np.uint8), score_NC[:, columns_of(group)])), 4)
            for group in GROUPS}


def _provenance(recipe: VisionRecipe, text: str, metrics: dict[str, Any]) -> dict[str, Any]:
    data, rows = ptbxl.load(), rows_of(recipe)
    rows = np.union1d(rows, data.rows((recipe.weigh_fold,)))
    return {
        "version": recipe.version, "recipe": asdict(recipe), "recipe_hash": hashlib.sha256(text.encode()).hexdigest()[:16],
        "data": {"ptbxl": data_hash(data)}, "git_commit": git_commit(), "libraries": versions(), "metrics": metrics,
        "train_patients": sorted({str(p) for p in data.patient[rows]}),
        "train_hashes": sorted({waveform_hash(data, int(row)) for row in rows}),
    }


def card(recipe: VisionRecipe, weights: Weights, metrics: dict[str, Any]) -> str:
    """The model card."""
    table = "\n".join(f"| `{preset}` | " + " | ".join(f"{value:.3f}" for value in groups.values()) + " |"
                      for preset, groups in metrics["validation"].items())
    say = ", ".join(f"{g} ({s.read:g} + {s.sure:g} c of reading, {s.seen:g} + {s.doubt:g} (1 - c) of looking, c the confidence)"
                    for g, s in weights.together.items()) or "none: reading back alone was better"
    return f"""---
license: apache-2.0
tags: [ecg, image]
---
# ecglm {recipe.name} {recipe.version}: looks at pages

A convolutional network that gives the log-odds of SCP-ECG statements from the ink of a page image, 512 by 384 pixels, without
reading a lead. ecglm uses it where a page cannot be read back, and beside reading back where that helps.

**Intended use:** research and teaching. **Not a medical device**; no clinical claim is made.

**Training data:** {metrics["pages"]} drawn and distorted pages of recordings of PTB-XL folds
{recipe.train_folds[0]}-{recipe.train_folds[-1]} (amplitude-normalised) and of simulated twins. Groups in which looking has a
say beside reading back, by fold {recipe.weigh_fold}: {say}.

| fold {recipe.validation_fold}, looking alone, macro-AUROC | superclass | subclass | form | rhythm |
|---|---|---|---|---|
{table}

**Attribution**
Contains data from PTB-XL, Wagner P, Strodthoff N, Bousseljot R-D, Samek W, Schaeffter T (PhysioNet,
doi:10.13026/kfzx-aw45), CC BY 4.0, modified.
"""
