"""Stage 2: instruction data from labels and out-of-fold facts, adapter training, confidence calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.metrics import strict_match
from ecglm.corpus import instructions, ptbxl
from ecglm.corpus.questions import asked_statements
from ecglm.inference.confidence import answer_kind, log_odds
from ecglm.inference.engine import Engine
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import facts_text
from ecglm.models.prompt import prefix_ids
from ecglm.training.examples import EncoderExamples
from ecglm.training.instruct import train_adapter
from ecglm.training.recipe import Recipe
from ecglm.training.stage_encoder import EncoderStage


def facts_by_row(
    model: EcgLanguageModel, stage: EncoderStage, examples: EncoderExamples,
) -> tuple[dict[int, str], dict[int, np.ndarray]]:
    """Facts text and connector input of every training row, from out-of-fold predictions."""
    data = ptbxl.load()
    facts, vectors = {}, {}
    for i, row in enumerate(stage.rows.tolist()):
        findings = model.findings(stage.prob_RC[i])
        facts[row] = facts_text(findings, model.possible, examples.measurements[row], data.sex[row], data.age[row])
        vectors[row] = stage.connector_RF[i]
    return facts, vectors


def train_language(recipe: Recipe, model: EcgLanguageModel, stage: EncoderStage, examples: EncoderExamples, run: Path,
                   progress: bool = True) -> dict[str, Any]:
    """Train connector and adapter of `model` in place, fit answer confidence on held-out folds; returns metrics."""
    data, training = ptbxl.load(), recipe.instruct
    facts, vectors = facts_by_row(model, stage, examples)
    held_out = np.isin(data.fold[stage.rows], recipe.calibrate_folds)
    rng = np.random.default_rng(training.seed)
    pool = instructions.pool(data, stage.rows[~held_out], examples.measurements, rng, training.scale)
    losses = train_adapter(model, instructions.sequences(pool, training.questions, rng), facts, vectors, training, run, progress)
    asked = asked_statements(data.labels_NC[stage.rows[~held_out]])
    model.llm.merge_adapter()  # as at inference, and faster; only the adapter itself is saved
    answers, metrics = calibrate_answers(recipe, model, stage.rows[held_out], asked, facts, vectors, examples, progress)
    model.llm.unmerge_adapter()
    model.calibration["answers"] = answers
    return {"questions": sum(map(len, pool.values())), "loss_first": float(np.mean(losses[:20])),
            "loss_last": float(np.mean(losses[-50:])), "calibration": metrics}


def calibrate_answers(
    recipe: Recipe, model: EcgLanguageModel, rows: np.ndarray, asked: Sequence[str], facts: dict[int, str],
    vectors: dict[int, np.ndarray], examples: EncoderExamples, progress: bool = True,
) -> tuple[dict[str, tuple[float, float]], dict[str, Any]]:
    """Platt slope and bias by kind of answer, from free answers on recordings the adapter never saw."""
    import torch
    from rich.progress import track
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(recipe.instruct.seed + 1)
    pool = instructions.pool(ptbxl.load(), rows, examples.measurements, rng, scale=12, asked=asked)
    engine = Engine(model.llm, model.tokens(model.format.stop)[:1])
    seen: dict[str, list[tuple[float, bool]]] = {}
    for row, pairs in track(list(pool.items()), "Calibrating confidence", disable=not progress):
        pairs = pairs[:recipe.instruct.questions]
        ids = prefix_ids(model.tokens, model.format, facts[row], model.config.connector.n_tokens)
        with torch.no_grad():
            emb = model.embed_tokens([max(i, 0) for i in ids]).clone()
            emb[[i for i, t in enumerate(ids) if t == -1]] = model.soft_prompt(vectors[row][None])[0].to(emb.dtype)
        results = engine.generate(engine.prefix(emb), [model.tokens(q + model.format.before_answer) for q, _ in pairs])
        for (_, answer), result in zip(pairs, results, strict=True):
            text = model.tokenizer.decode(result.ids, skip_special_tokens=True).strip()
            right = strict_match(answer, text)
            seen.setdefault(answer_kind(text), []).append((log_odds(math.exp(sum(result.logprobs))), right))
    fits: dict[str, tuple[float, float]] = {}
    metrics: dict[str, Any] = {}
    for kind, pairs_seen in seen.items():
        x, y = np.array([p[0] for p in pairs_seen])[:, None], np.array([p[1] for p in pairs_seen])
        metrics[kind] = {"n": len(y), "accuracy": round(float(y.mean()), 4)}
        if len(set(y.tolist())) == 2:
            fit = LogisticRegression(C=1.0).fit(x, y)
            fits[kind] = (float(fit.coef_[0, 0]), float(fit.intercept_[0]))
    return fits, metrics
