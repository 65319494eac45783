"""`run`: a recipe from data to checkpoint folder, one command, resumable at every step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ecglm.bench.provenance import git_commit, versions
from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.corpus.ecgqa import waveform_hash
from ecglm.models.elm import EcgLanguageModel, ElmConfig, OutOfFold
from ecglm.models.folder import check_replaceable
from ecglm.training.codec import OPENECG
from ecglm.training.examples import build, data_hash
from ecglm.training.recipe import Recipe
from ecglm.training.run_folder import checked_recipe, start_run
from ecglm.training.stage_encoder import EncoderStage, keep_encoder, train_encoder
from ecglm.training.stage_language import keep_language, train_language
from ecglm.training.unrecorded import calibrated_for_pages


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train a recipe; returns the checkpoint folder. Without `resume` an earlier run's folder must be absent."""
    recipe = load_config(Recipe, recipe_path, list(overrides))
    data = ptbxl.load()  # a missing data set must not leave a started run behind
    folder, output = Path(recipe.run), Path(recipe.output or f"{recipe.run}/checkpoint")
    check_replaceable(output)
    text = checked_recipe(folder, recipe, resume)
    start_run(folder, text)
    commit = git_commit()  # of the code that trains: hours later the folder may hold another

    examples = build(folder, progress)
    recipe = replace(recipe, encoder=recipe.encoder.with_features(examples.feat_NF.shape[1]))
    if recipe.encoder_from:
        stage = keep_encoder(recipe, examples, data.ecg_id)
    else:
        stage = train_encoder(recipe, examples, folder, progress)
    width = stage.logits_RC.shape[1] + stage.feat_RF.shape[1]
    config = ElmConfig(base=recipe.base, encoder=stage.encoder.config, connector=replace(recipe.connector, width_in=width))
    torch.manual_seed(recipe.instruct.seed)
    model = EcgLanguageModel(config, {"findings": stage.calibration.to_dict()})
    model.encoder.load_state_dict(stage.encoder.state_dict())
    if recipe.adapter_from:
        language = keep_language(recipe, model, stage, examples, progress)
    else:
        language = train_language(recipe, model, stage, examples, folder, progress)
    if not recipe.encoder_from:
        model.findings_calibration = calibrated_for_pages(model, data, stage.rows, stage.codec_heads, progress)
        model.calibration["findings"] = model.findings_calibration.to_dict()
    model.out_of_fold = OutOfFold(torch.from_numpy(stage.logits_RC).half(), torch.from_numpy(data.ecg_id[stage.rows]))
    model.save_pretrained(output, _provenance(recipe, data, stage, language, commit), _card(recipe, stage, language))
    return output


def _provenance(recipe: Recipe, data: ptbxl.PtbXl, stage: EncoderStage, language: dict[str, Any],
                commit: str | None) -> dict[str, Any]:
    """What run.json records beside the checksums."""
    text = json.dumps(asdict(recipe), sort_keys=True)
    return {
        "version": recipe.version, "recipe": asdict(recipe), "recipe_hash": hashlib.sha256(text.encode()).hexdigest()[:16],
        "data": {"ptbxl": data_hash(data)}, "codec": {"package": str(OPENECG), "sha256": OPENECG.sha256},
        "git_commit": commit,
        "seeds": {"encoder": recipe.encoder_training.seed, "language": recipe.instruct.seed},
        "libraries": versions(),
        "metrics": {"encoder": stage.metrics, "language": language},
        "train_patients": sorted({str(p) for p in data.patient[stage.rows]}),
        "train_hashes": sorted({waveform_hash(data, int(row)) for row in stage.rows}),
    }


def _card(recipe: Recipe, stage: EncoderStage, language: dict[str, Any]) -> str:
    """The model card."""
    validation = stage.metrics["validation"]
    rows = "\n".join(f"| {group} | {value:.3f} |" for group, value in validation.items())
    return f"""---
license: apache-2.0
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
tags: [ecg, question-answering]
---
# ecglm {recipe.name} {recipe.version}

Answers questions about 12-lead ECG recordings (any subset of leads, 2 to 60 s) with evidence.
Two convolutional networks, rhythm features and openecg's single-lead codec give the probability of
{stage.logits_RC.shape[1]} SCP-ECG statements; a connector and a LoRA adapter let a frozen SmolLM2-135M-Instruct answer from them.

**Intended use:** research and teaching. **Not a medical device**; no clinical claim is made.

**Training data:** {len(stage.rows)} recordings of PTB-XL folds {recipe.train_folds[0]}-{recipe.train_folds[-1]},
amplitude-normalised; {language["questions"]} questions made from their labels and measurements in ECG-QA's forms.
Voltages were lost in the training signals, so nothing is said about them.

| fold {recipe.validation_fold} ({len(stage.valid_rows)} recordings) | macro-AUROC |
|---|---|
{rows}

docs/results.md of the ecglm repository has intervals, controls and question answering accuracy.

**Attribution**
Contains data from PTB-XL, Wagner P, Strodthoff N, Bousseljot R-D, Samek W, Schaeffter T (PhysioNet,
doi:10.13026/kfzx-aw45), CC BY 4.0, modified. Question forms and answer sets follow ECG-QA (Oh J, Lee G, Bae S,
Kwon J, Choi E, NeurIPS 2023 Datasets and Benchmarks), CC BY 4.0. Base model: SmolLM2-135M-Instruct
(Hugging Face TB), Apache-2.0, not included. `encoder.codec.codec.*` are the weights of openecg's codec_v6 (PyPI package
openecg 0.11.0, Apache-2.0), unchanged but without its heads. Its makers name what it and the versions it goes back to learned
from: waves of LUDB, QTDB, ISP and BUT-PDB; beats of MIT-BIH (DS1), INCART, LTDB, SVDB and VitalDB; rhythms of AFDB, VFDB, CUDB,
MVEDB, SDDB, NSRDB, BUT-PDB, Korean hospital recordings, and four rhythms (sinus, AF, bundle branch block, paced) of PTB-XL and
Chapman-Shaoxing, on folds that are not named.
"""
