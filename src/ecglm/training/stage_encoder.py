"""Stage 1: from recordings to a calibrated findings encoder and out-of-fold facts for stage 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.bench.metrics import ece, macro_auroc
from ecglm.errors import CheckpointError
from ecglm.knowledge.statements import GROUPS, STATEMENTS
from ecglm.models.calibration import FindingCalibration
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.encoders.findings import BRANCHES, FindingsEncoder
from ecglm.training.calibrate import calibrate_findings, fuse
from ecglm.training.codec import Head, train_codec
from ecglm.training.either import fit_either
from ecglm.training.encoder import Job, Scaler, branches, cross_fit, teachers, train_side_by_side
from ecglm.training.examples import EncoderExamples
from ecglm.training.recipe import Recipe
from ecglm.training.wide import forest_logits, grow_forest, linear_branch, linear_fit, out_of_fold

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderStage:
    """What stage 2 needs. codec_heads: see `CodecStage`. rows are the training rows; logits_RC their out-of-fold calibrated
    logits, feat_RF their standardised features; valid_* the students' on the validation rows."""

    encoder: FindingsEncoder
    calibration: FindingCalibration
    codec_heads: tuple[tuple[tuple[int, ...], Head], ...]
    rows: NDArray[np.int64]
    logits_RC: FloatArray
    feat_RF: FloatArray
    valid_rows: NDArray[np.int64]
    valid_prob_RC: FloatArray
    metrics: dict[str, Any]


class _View(NamedTuple):
    """Records as the branches read them: all leads (mask_RL None) or some. feat_NF standardised; mask_RL of the training rows."""

    feat_NF: FloatArray
    beat_NLK: NDArray[np.float16]
    mask_RL: FloatArray | None


def _by_group(prob_NC: FloatArray, label_NC: NDArray[np.uint8]) -> dict[str, float]:
    """Macro-AUROC of each group of statements."""
    columns = {group: [i for i, s in enumerate(STATEMENTS) if s.group == group] for group in GROUPS}
    return {group: round(float(macro_auroc(label_NC[:, c], prob_NC[:, c])), 4) for group, c in columns.items()}


def train_encoder(recipe: Recipe, examples: EncoderExamples, run: Path, progress: bool = True) -> EncoderStage:
    """Teachers, fusion, calibration, students. Every finished part is reused on a second call."""
    training, config = recipe.encoder_training, recipe.encoder
    rows = np.flatnonzero(np.isin(examples.fold_N, recipe.train_folds))
    scaler = Scaler.fit(examples.feat_NF[rows])
    feat, label, fold = scaler(examples.feat_NF), examples.label_NC[rows], examples.fold_N[rows]
    networks = branches(config, training, examples)

    def forest_fit(feat_NF: FloatArray, label_NC: NDArray[np.uint8]) -> Callable[[FloatArray], FloatArray]:
        grown = grow_forest(feat_NF, label_NC, config.forest, training.seed)
        return lambda f: forest_logits(grown, f, label_NC.shape[1])

    views = [_View(feat, examples.beat_NLK, None)]
    views += [_View(scaler(some.feat_NF), some.beat_NLK, some.mask_NL[rows]) for some in examples.lacking]
    taught_by = [teachers(branch, examples, rows, training) for branch in networks]
    train_side_by_side([job for of_branch in taught_by for alike in of_branch.values() for job in alike], feat, run, progress)
    deep = [[cross_fit(jobs, view.beat_NLK if branch.name == "beat" else branch.wave_NLT, examples.fold_N, rows, view.feat_NF,
                       run, view.mask_RL) for view in views] for branch, jobs in zip(networks, taught_by, strict=True)]
    shallow = [out_of_fold(fit, [view.feat_NF[rows] for view in views], label, fold, training.teacher_folds)
               for fit in (linear_fit, forest_fit)]
    codec = train_codec(config, examples, rows, [view.feat_NF for view in views], training.teacher_folds, run, progress)
    whole, *lacking = zip(*deep, *shallow, codec.logits_KRC, strict=True)  # branches by view: all leads, then without some
    weights = fuse(np.stack(whole), label)
    fused = _weighted(weights, whole)
    table = calibrate_findings(fused, label, [_weighted(weights, parts) for parts in lacking],
                               [view.mask_RL for view in views if view.mask_RL is not None])
    table = replace(table, either=fit_either(table, table.calibrated(fused), label, training.seed))

    # The students are the two networks: they learn from the teachers' networks, or the models of the features, which are
    # fused with them in the end, would count twice.
    networks_whole = [of_branch[0] for of_branch in deep]
    taught = _weighted(fuse(np.stack(networks_whole), label), networks_whole)
    taught = calibrate_findings(taught, label).probability(taught)
    target = ((1 - training.soft) * label + training.soft * taught).astype(np.float32)
    forest = grow_forest(feat[rows], label, config.forest, training.seed)
    encoder = FindingsEncoder(replace(config, forest=forest.config))
    studying = replace(training, seed=training.seed + training.teachers)
    students = [Job(f"{branch.name}-student", branch, studying, rows, target) for branch in networks]
    train_side_by_side(students, feat, run, progress)
    for job in students:
        encoder.get_submodule(job.branch.name).load_state_dict(job.train(feat, run).cpu().state_dict())
    encoder.forest.load_state_dict(forest.state_dict())
    encoder.codec.load_state_dict(codec.branch.state_dict())
    weight, bias = linear_branch(feat[rows], label)
    with torch.no_grad():
        for tensor, value in ((encoder.linear.weight, weight), (encoder.linear.bias, bias), (encoder.mean_F, scaler.mean_F),
                              (encoder.std_F, scaler.std_F), (encoder.fuse_KC, weights)):
            tensor.copy_(torch.from_numpy(value))
    encoder.eval()

    valid = np.flatnonzero(examples.fold_N == recipe.validation_fold)
    valid_prob, truth = table.probability(_said(encoder, examples, valid)), examples.label_NC[valid]
    metrics = {"out_of_fold": _by_group(table.probability(fused), label), "validation": _by_group(valid_prob, truth),
               "validation_ece": round(float(ece(truth.ravel(), valid_prob.ravel())), 4),
               "fusion": {group: dict(zip(BRANCHES, np.round(weights[:, column], 3).tolist(), strict=True))
                          for group, column in ((g, [s.group for s in STATEMENTS].index(g)) for g in GROUPS)}}
    return EncoderStage(encoder, table, codec.heads, rows, table.calibrated(fused), feat[rows], valid, valid_prob, metrics)


def keep_encoder(recipe: Recipe, examples: EncoderExamples, ecg_id_N: NDArray[np.int64]) -> EncoderStage:
    """The stage as the checkpoint `recipe.encoder_from` remembers it. ecg_id_N: PTB-XL's numbers of the examples. Raises
    CheckpointError where it was made from other recordings or does not say what its teachers said of them."""
    kept = EcgLanguageModel.from_pretrained(recipe.encoder_from, device="cpu")
    rows = np.flatnonzero(np.isin(examples.fold_N, recipe.train_folds))
    if kept.out_of_fold is None:
        raise CheckpointError(f"{recipe.encoder_from}: does not keep what its teachers said; leave out encoder_from")
    logits_RC, ecg_id_R = (part.numpy() for part in kept.out_of_fold)
    if not np.array_equal(ecg_id_R, ecg_id_N[rows]):
        raise CheckpointError(f"{recipe.encoder_from}: its encoder learned from other recordings; leave out encoder_from")
    feat = kept.encoder.standardise(torch.from_numpy(examples.feat_NF[rows])).numpy()
    valid = np.flatnonzero(examples.fold_N == recipe.validation_fold)
    valid_prob = kept.findings_calibration.probability(_said(kept.encoder, examples, valid))
    return EncoderStage(kept.encoder, kept.findings_calibration, (), rows, logits_RC.astype(np.float32), feat, valid, valid_prob,
                        kept.run["metrics"]["encoder"])


@torch.no_grad()
def _said(encoder: FindingsEncoder, examples: EncoderExamples, rows: NDArray[np.int64]) -> FloatArray:
    """Fused logits of whole recordings, one after another."""
    parts = (examples.sig_NLT, np.ones(examples.sig_NLT.shape[:2], np.float32), examples.beat_NLK, examples.feat_NF)
    return np.concatenate([encoder(*(torch.from_numpy(part[row:row + 1]).float() for part in parts)).logits_BC.numpy()
                           for row in rows.tolist()])


def _weighted(weight_KC: FloatArray, branch_KNC: Sequence[FloatArray]) -> FloatArray:
    return np.asarray(sum(w * b for w, b in zip(weight_KC, branch_KNC, strict=True)), np.float32)
