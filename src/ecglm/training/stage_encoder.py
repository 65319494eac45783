"""Stage 1: from recordings to a calibrated findings encoder and out-of-fold facts for stage 2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.bench.metrics import ece, macro_auroc
from ecglm.knowledge.statements import GROUPS, STATEMENTS
from ecglm.models.encoders.findings import FindingCalibration, FindingsEncoder, connector_input
from ecglm.training.calibrate import calibrate_findings, fuse
from ecglm.training.encoder import Scaler, cross_fit, predict, train_network
from ecglm.training.examples import EncoderExamples
from ecglm.training.recipe import Recipe
from ecglm.training.wide import wide_branch, wide_out_of_fold

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderStage:
    """What stage 2 needs. rows are the training rows; prob_RC and connector_RF their out-of-fold
    probabilities and connector inputs; valid_* the student's on the validation rows."""

    encoder: FindingsEncoder
    calibration: dict[str, list[float]]
    rows: NDArray[np.int64]
    prob_RC: FloatArray
    connector_RF: FloatArray
    valid_rows: NDArray[np.int64]
    valid_prob_RC: FloatArray
    metrics: dict[str, Any]


def _by_group(prob_NC: FloatArray, label_NC: NDArray[np.uint8]) -> dict[str, float]:
    """Macro-AUROC of each group of statements."""
    columns = {group: [i for i, s in enumerate(STATEMENTS) if s.group == group] for group in GROUPS}
    return {group: round(float(macro_auroc(label_NC[:, c], prob_NC[:, c])), 4) for group, c in columns.items()}


def train_encoder(recipe: Recipe, examples: EncoderExamples, run: Path, progress: bool = True) -> EncoderStage:
    """Teachers, student, wide branch, fusion, calibration. Every finished part is reused on a second call."""
    training, config = recipe.encoder_training, recipe.encoder
    rows = np.flatnonzero(np.isin(examples.fold_N, recipe.train_folds))
    scaler = Scaler.fit(examples.feat_NF[rows])
    feat = scaler(examples.feat_NF)
    label = examples.label_NC[rows]
    deep_oof = cross_fit(examples, rows, scaler, config, training, run, progress)
    wide_oof = wide_out_of_fold(feat[rows], label, examples.fold_N[rows], training.teacher_folds)
    deep_w, wide_w = fuse(deep_oof, wide_oof, label)
    fused = deep_w * deep_oof + wide_w * wide_oof
    calibration = calibrate_findings(fused, label)
    table = FindingCalibration.of(calibration)

    teacher = table.probability(fused)
    # The student is a deep branch: it learns from the teachers' deep branches, or the wide one would count twice in the end.
    deep_probability = FindingCalibration.of(calibrate_findings(deep_oof, label)).probability(deep_oof)
    target = ((1 - training.soft) * label + training.soft * deep_probability).astype(np.float32)
    student = train_network("student", config, replace(training, seed=training.seed + 1), examples.sig_NLT[rows], feat[rows],
                            target, run, progress)
    encoder = FindingsEncoder(config)
    encoder.net.load_state_dict(student.cpu().state_dict())
    weight, bias = wide_branch(feat[rows], label)
    with torch.no_grad():
        encoder.wide.weight.copy_(torch.from_numpy(weight))
        encoder.wide.bias.copy_(torch.from_numpy(bias))
        for name, value in (("mean_F", scaler.mean_F), ("std_F", scaler.std_F), ("deep_C", deep_w), ("wide_C", wide_w)):
            getattr(encoder, name).copy_(torch.from_numpy(np.asarray(value, np.float32)))
    encoder.eval()

    valid = np.flatnonzero(examples.fold_N == recipe.validation_fold)
    raw = deep_w * predict(encoder.net, examples.sig_NLT[valid], feat[valid]) + wide_w * (feat[valid] @ weight.T + bias)
    valid_prob = table.probability(raw)
    truth = examples.label_NC[valid]
    metrics = {"out_of_fold": _by_group(teacher, label), "validation": _by_group(valid_prob, truth),
               "validation_ece": round(float(ece(truth.ravel(), valid_prob.ravel())), 4)}
    return EncoderStage(encoder, calibration, rows, teacher, connector_input(table.calibrated(fused), feat[rows]),
                        valid, valid_prob, metrics)
