"""The vision-language model: connector (and adapter, or the whole language model) learn to answer about pages; the encoder is
frozen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecglm.models import base as bases
from ecglm.models.vision.language import VisionLanguageConfig, VisionLanguageModel
from ecglm.models.vision.llava import is_llava, load_llava
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.curriculum.fit import put_adapter
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
    put_adapter(model, stage.lora)
    if stage.whole:
        model.llm.requires_grad_(True)
    return model


def train(model: VisionLanguageModel, lessons: Sequence[Lesson], stage: LanguageStage, run: Path, seed: int,
          progress: bool = True) -> list[float]:
    """Train in place, all lessons `epochs` times in an order of the seed; returns the loss of each step. Resumes from the run
    folder."""
    from rich.progress import Progress

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(lessons)) for _ in range(stage.epochs)])
    blank = rng.random(len(order)) < stage.no_image
    words = [p for p in model.llm.parameters() if p.requires_grad]
    parts = list(model.vision.parameters())
    groups: list[dict[str, Any]] = [{"params": parts, "lr": stage.projector_lr}]
    if words:
        groups.append({"params": words, "lr": stage.lr})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)  # as published
    total = math.ceil(len(order) / stage.accumulate)
    warm = max(1, round(stage.warmup * total))

    def factor(step: int) -> float:
        return (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    state, first, losses = run / "language.resume.safetensors", 0, list[float]()
    if state.is_file():
        saved = load_state(state)
        first, losses = saved["step"], list(saved["losses"])
        for parameter, value in zip(words, saved["words"], strict=True):
            parameter.data.copy_(value)
        model.vision.load_state_dict(saved["vision"])
        if first < total:
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
        torch.set_rng_state(saved["rng"])
    model.vision.train()
    model.vision.tower.train(False)

    def save(step: int) -> None:
        rest = {} if step == total else {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
        save_state(state, {"step": step, "losses": losses, "words": [p.detach() for p in words],
                           "vision": model.vision.state_dict(), "rng": torch.get_rng_state(), **rest})

    autocast = torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=model.llm.dtype == torch.bfloat16)
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Learning to answer", total=total, completed=first)
        for step in range(first, total):
            part = range(step * stage.accumulate, min((step + 1) * stage.accumulate, len(order)))
            optimizer.zero_grad()
            summed = 0.0
            for i in part:
                lesson = lessons[order[i]]
                with autocast:
                    loss = model.loss(None if blank[i] else lesson.image(), lesson.pairs) / len(part)
                loss.backward()  # type: ignore[no-untyped-call]
                summed += float(loss.detach())
            torch.nn.utils.clip_grad_norm_([*words, *parts], 1.0)
            optimizer.step()
            schedule.step()
            losses.append(summed)
            bar.update(task, advance=1, description=f"Learning to answer (loss {summed:.3f})")
            if (step + 1) % stage.save_every == 0 or step + 1 == total:
                save(step + 1)
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
