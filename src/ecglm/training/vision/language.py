"""The vision-language model: connector (and adapter, or the whole language model) learn to answer about pages; the encoder is
frozen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ecglm.models import base as bases
from ecglm.models.vision.language import VisionLanguageConfig, VisionLanguageModel
from ecglm.models.vision.llava import is_llava, load_llava
from ecglm.training.adapter import new_adapter
from ecglm.training.steps import Learning, mixed, train_steps, warm_cosine
from ecglm.training.vision.lessons import Lesson, drawn, from_llava
from ecglm.training.vision.recipe import LanguageStage, VisionRecipe


def train_language(recipe: VisionRecipe, encoder: Path | None, folder: Path, run: dict[str, Any], progress: bool = True) -> Path:
    """The model's folder. encoder: of the small vision encoder that this run trained; None: the one that the recipe names."""
    from ecglm.training.vision.pipeline import rows_of

    stage = recipe.language
    if encoder is not None and stage.vision.encoder == "pagenet":
        stage = replace(stage, vision=replace(stage.vision, source=str(encoder)))
    if stage.data:
        lessons = from_llava(stage.data, stage.images, stage.sequences)
    else:
        lessons = drawn(rows_of(recipe), stage.sequences, stage.questions, recipe.drawing, recipe.seed)
    model = build(stage, recipe.seed)
    losses = train(model, lessons, stage, folder, recipe.seed, progress)
    output = folder / "language"
    metrics = {"loss_first": round(float(np.mean(losses[:10])), 3), "loss_last": round(float(np.mean(losses[-10:])), 3)}
    model.save_pretrained(output, run | {"metrics": metrics}, _card(recipe, stage, len(lessons)),
                          stage.whole)
    return output


def build(stage: LanguageStage, seed: int) -> VisionLanguageModel:
    """The model as training begins: a LLaVA checkpoint with what it has learnt, or a new connector before a language model."""
    torch.manual_seed(seed)
    place = bases.resolve(stage.base)
    if is_llava(place):
        model = load_llava(place)
    else:
        model = VisionLanguageModel(VisionLanguageConfig(base=stage.base, template=stage.template, vision=stage.vision))
    model.llm = new_adapter(model.llm, stage.lora)
    if stage.whole:
        model.llm.requires_grad_(True)
    return model


def train(model: VisionLanguageModel, lessons: Sequence[Lesson], stage: LanguageStage, run: Path, seed: int,
          progress: bool = True) -> list[float]:
    """Train in place, all lessons `epochs` times in an order of the seed; returns the loss of each step. Resumes from the run
    folder."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(lessons)) for _ in range(stage.epochs)])
    blank = rng.random(len(order)) < stage.no_image
    words = [p for p in model.llm.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": list(model.vision.parameters()), "lr": stage.projector_lr}]
    if words:
        groups.append({"params": words, "lr": stage.lr})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)  # as published
    total = math.ceil(len(order) / stage.accumulate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(warm_cosine, warmup=max(1, round(stage.warmup * total)),
                                                                    total=total))

    def loss_of(i: int) -> Tensor:
        lesson = lessons[order[i]]
        with mixed(model.llm, model.device):
            return model.loss(None if blank[i] else lesson.image(), lesson.pairs)

    model.vision.train()
    model.vision.tower.train(False)
    losses = train_steps(Learning(("words", words), {"vision": model.vision}, optimizer, schedule), len(order), loss_of,
                         run / "language.resume.safetensors", "Learning to answer", accumulate=stage.accumulate,
                         save_every=stage.save_every, progress=progress)
    model.vision.eval()
    return losses


def _card(recipe: VisionRecipe, stage: LanguageStage, count: int) -> str:
    """The model card."""
    return f"""---
tags: [ecg, image, question-answering]
---
# ecglm {recipe.name} {recipe.version}: answers about pages by looking at them

A language model ({stage.base}) behind a frozen vision encoder ({stage.vision.encoder}, {stage.vision.source}) and a connector of
two layers; the picture comes before the conversation, and the loss is on answers alone. {count} pages with conversations.

**Intended use:** research. **Not a medical device**; no clinical claim is made. The embedded default of ecglm reads pages
back and measures them, and answers better.
"""
