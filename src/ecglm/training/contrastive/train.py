"""`ecglm train recipes/ecg_chat.yaml`: from PTB-XL to a folder with towers, tokenizer and card."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from accelerate import PartialState

from ecglm.bench.provenance import git_commit, versions
from ecglm.config import load_config
from ecglm.corpus import ptbxl, reports
from ecglm.corpus.ecgqa import waveform_hash
from ecglm.models.ecgtext import EcgTextConfig, EcgTextModel, load_architecture
from ecglm.models.ecgtext.tokens import TextTokens
from ecglm.training.contrastive.data import Pairs, Vectors, load_pairs, statements_text
from ecglm.training.contrastive.fit import fit
from ecglm.training.contrastive.recipe import ContrastiveRecipe, ContrastiveTraining
from ecglm.training.examples import data_hash
from ecglm.training.run_folder import checked_recipe, start_run


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train; returns the model's folder. Without `resume` an earlier run's folder must be absent."""
    recipe = load_config(ContrastiveRecipe, recipe_path, list(overrides))
    config = load_architecture(recipe.architecture)
    data = ptbxl.load()  # a missing data set must not leave a started run behind
    state = PartialState(cpu=not torch.cuda.is_available())  # a run may be shared by processes: one of them writes
    folder = Path(recipe.run)
    text = checked_recipe(folder, recipe, resume)
    state.wait_for_everyone()
    with state.main_process_first():
        if state.is_main_process:
            start_run(folder, text)
        pairs = load_pairs(recipe, config.vit is not None, folder, progress and state.is_main_process)
    model = new_model(config, pairs, recipe.training)
    fit(model, pairs, recipe.training, folder, progress)
    table = reports.load()
    told = table.rows(recipe.train_folds, reported=True)  # the text side learnt from more patients than have a recording
    output = Path(recipe.output or folder / "model")
    if not state.is_main_process:
        return output
    model.save_pretrained(output, {
        "version": recipe.version, "recipe": asdict(recipe), "recipe_hash": hashlib.sha256(text.encode()).hexdigest()[:16],
        "data": {"ptbxl": data_hash(data)}, "git_commit": git_commit(), "libraries": versions(),
        "train_patients": sorted({*map(str, data.patient[pairs.rows]), *map(str, table.patient[told])}),
        "train_hashes": sorted({waveform_hash(data, int(row)) for row in pairs.rows}),
    }, _card(recipe, pairs))
    return output


def new_model(config: EcgTextConfig, pairs: Pairs, training: ContrastiveTraining) -> EcgTextModel:
    """Random weights, a tokenizer learnt on all texts the model may meet in training; no decoder where captions weigh nothing."""
    said = [statements_text(label, german) for label in pairs.label_NC for german in (False, True)]
    tokens = TextTokens.learn([*pairs.texts, *said], config.text.vocabulary)
    if config.vector is not None and isinstance(pairs.ecg, Vectors):
        config = replace(config, vector=replace(config.vector, inputs=pairs.ecg.width))
    if not training.caption:
        config = replace(config, decoder=None)
    torch.manual_seed(training.seed)
    return EcgTextModel(config, tokens)


def _card(recipe: ContrastiveRecipe, pairs: Pairs) -> str:
    """The model card."""
    reported = sum(bool(text) for text in pairs.report)
    return f"""---
license: apache-2.0
tags: [ecg, retrieval, contrastive]
---
# ecglm {recipe.name} {recipe.version}: ECG and text in one space

Finds reports for a recording, recordings for a text, and classifies by prompts (`ecglm search`, `model.classify(labels=...)`).
The ECG side reads rhythm features, measured waves and the median beat; the text side is a small transformer, English and German.

**Intended use:** research and teaching. **Not a medical device**; no clinical claim is made.

**Training data:** {len(pairs.rows)} recordings of PTB-XL folds {recipe.train_folds[0]}-{recipe.train_folds[-1]},
amplitude-normalised, {reported} of them with a report, the others with their statements as sentences; the text side besides
on {len(pairs.texts)} reports of these folds with their statements. No signal and no report is part of this folder.

docs/results.md of the ecglm repository has retrieval and zero-shot results with their controls.

**Attribution**
Contains data from PTB-XL, Wagner P, Strodthoff N, Bousseljot R-D, Samek W, Schaeffter T (PhysioNet,
doi:10.13026/kfzx-aw45), CC BY 4.0, modified.
"""
