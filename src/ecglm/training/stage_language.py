"""Stage 2: instruction data from labels and out-of-fold facts, adapter training, confidence calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ecglm.bench.metrics import strict_match
from ecglm.corpus import instructions, ptbxl
from ecglm.corpus.questions import asked_statements
from ecglm.corpus.truth import Truth, heads_truth
from ecglm.errors import CheckpointError
from ecglm.inference.confidence import answer_kind
from ecglm.inference.engine import Engine
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.encoders.findings import connector_input
from ecglm.models.facts import axis_name
from ecglm.models.prompt import prefix_ids
from ecglm.training.examples import EncoderExamples
from ecglm.training.instruct import Sample, train_adapter
from ecglm.training.platt import platt_by_kind
from ecglm.training.recipe import Recipe
from ecglm.training.stage_encoder import EncoderStage


class Pools:
    """Questions about the training rows with what the model would read of each recording."""

    def __init__(self, recipe: Recipe, model: EcgLanguageModel, stage: EncoderStage, examples: EncoderExamples) -> None:
        self.data, self.training = ptbxl.load(), recipe.instruct
        self.model, self.stage, self.examples = model, stage, examples
        held_out = np.isin(self.data.fold[stage.rows], recipe.calibrate_folds)
        self.learned, self.held_out = stage.rows[~held_out], stage.rows[held_out]
        labels = self.data.labels_NC[stage.rows]
        #: Statements with enough cases to be asked by label, and the more of which the heads can say something.
        self.asked, self.known = asked_statements(labels), asked_statements(labels, minimum=10)
        self.labels = Truth(self.data.labels_NC, self.data.labels_NC, self.data.axis)

    def vary(self, rng: np.random.Generator, jitter: float) -> NDArray[np.float32]:
        """Out-of-fold logits of all recordings (zeros where there are none) with normal noise."""
        logits = np.zeros(self.data.labels_NC.shape, np.float32)
        noise = rng.normal(0, 1, self.stage.logits_RC.shape) if jitter else 0.0
        logits[self.stage.rows] = self.stage.logits_RC + jitter * noise
        return logits

    def reads(self, logits_NC: NDArray[np.float32], row: int) -> tuple[str, NDArray[np.float32]]:
        """Facts and connector input of a row."""
        measured, feat = self.examples.measurements[row], self.stage.feat_RF[np.searchsorted(self.stage.rows, row)]
        facts = self.model.facts(expit(logits_NC[row]), measured, self.data.sex[row], self.data.age[row])
        return facts, connector_input(logits_NC[row:row + 1], feat[None])[0]

    def heads(self, logits_NC: NDArray[np.float32]) -> Truth:
        """What the heads say of these logits."""
        angles = [m.axis.value for m in self.examples.measurements]
        axis = ["" if angle is None else axis_name(angle) for angle in angles]
        return heads_truth(self.model.findings_calibration, expit(logits_NC), axis)

    def questions(self, truth: Truth, rows: NDArray[np.int64], rng: np.random.Generator, asked: Sequence[str], scale: int,
                  ) -> dict[int, list[instructions.Pair]]:
        """A pool about these rows."""
        return instructions.pool(truth, rows, self.examples.measurements, self.data.sex, rng, asked, scale, self.training.focus)

    def samples(self, rng: np.random.Generator) -> list[Sample]:
        """Everything to train on, in order: what the labels say, then lessons on reading the heads. Labels contradict
        the findings of every seventh question, so what is learned last must be to say what was read."""
        training, out = self.training, []
        for number in range(training.passes + training.lessons):
            lesson = number >= training.passes
            logits = self.vary(rng, training.jitter if lesson else 0.0)
            pool = self.questions(self.heads(logits) if lesson else self.labels, self.learned, rng,
                                  self.known if lesson else self.asked, training.scale)
            for row, pairs in instructions.sequences(pool, training.questions, rng):
                facts, vector = self.reads(logits, row)
                blank, dialogue = rng.random() < training.no_ecg, rng.random() < training.dialogue
                out.append(Sample(None if blank else facts, vector, pairs, bool(dialogue)))
        return out


def train_language(recipe: Recipe, model: EcgLanguageModel, stage: EncoderStage, examples: EncoderExamples, run: Path,
                   progress: bool = True) -> dict[str, Any]:
    """Train connector and adapter of `model` in place, fit answer confidence on held-out folds; returns metrics."""
    pools = Pools(recipe, model, stage, examples)
    samples = pools.samples(np.random.default_rng(recipe.instruct.seed))
    losses = train_adapter(model, samples, recipe.instruct, run, progress)
    model.llm.merge_adapter()  # as at inference, and faster; only the adapter itself is saved
    answers, metrics = calibrate_answers(pools, progress)
    model.llm.unmerge_adapter()
    model.calibration["answers"] = answers
    return {"questions": sum(len(s.pairs) for s in samples), "loss_first": float(np.mean(losses[:20])),
            "loss_last": float(np.mean(losses[-50:])), "calibration": metrics}


def keep_language(recipe: Recipe, model: EcgLanguageModel, stage: EncoderStage, examples: EncoderExamples,
                  progress: bool = True) -> dict[str, Any]:
    """Take connector and adapter of `recipe.adapter_from` into `model`, which reads findings as they do, and fit answer
    confidence anew; returns metrics. Raises CheckpointError where they do not fit."""
    kept = EcgLanguageModel.from_pretrained(recipe.adapter_from)
    if kept.adapter is None or (kept.config.connector, kept.config.base) != (model.config.connector, model.config.base):
        raise CheckpointError(f"{recipe.adapter_from}: its adapter is not one for this recipe; leave out adapter_from")
    model.connector.load_state_dict(kept.connector.state_dict())
    model.adapter = kept.adapter
    answers, metrics = calibrate_answers(Pools(recipe, model, stage, examples), progress)
    model.calibration["answers"] = answers
    return {**kept.run["metrics"]["language"], "calibration": metrics, "adapter_from": kept.run["version"]}


def calibrate_answers(pools: Pools, progress: bool = True) -> tuple[dict[str, tuple[float, float]], dict[str, Any]]:
    """Platt slope and bias by kind of answer, from free answers on recordings the adapter never saw."""
    import torch
    from rich.progress import track

    model, rng = pools.model, np.random.default_rng(pools.training.seed + 1)
    logits = pools.vary(rng, 0.0)
    pool = pools.questions(pools.labels, pools.held_out, rng, pools.asked, scale=12)
    engine = Engine(model.llm, model.tokens(model.format.stop)[:1])
    seen: dict[str, list[tuple[float, bool]]] = {}
    for row, pairs in track(list(pool.items()), "Calibrating confidence", disable=not progress):
        pairs = pairs[:pools.training.questions]
        facts, vector = pools.reads(logits, row)
        ids = prefix_ids(model.tokens, model.format, facts, model.config.connector.n_tokens)
        with torch.no_grad():
            emb = model.embed_tokens([max(i, 0) for i in ids]).clone()
            emb[[i for i, t in enumerate(ids) if t == -1]] = model.soft_prompt(vector[None])[0].to(emb.dtype)
        results = engine.generate(engine.prefix(emb), [model.tokens(q + model.format.before_answer) for q, _ in pairs])
        for (_, answer), result in zip(pairs, results, strict=True):
            text = model.tokenizer.decode(result.ids, skip_special_tokens=True).strip()
            right = strict_match(answer, text)
            seen.setdefault(answer_kind(text), []).append((math.exp(sum(result.logprobs)), right))
    return platt_by_kind(seen)
