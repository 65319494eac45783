"""The loop of the language stages: lessons in, an adapter and the parts around it trained in place, resumable within a stage."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ecglm.models.prompt import conversation
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.curriculum.align import Targets, middle_states, read_loss
from ecglm.training.curriculum.lessons import Lesson
from ecglm.training.curriculum.recipe import CurriculumRecipe, Lora, Stage
from ecglm.training.curriculum.recordings import Recordings
from ecglm.training.instruct import answers_loss


class HasLanguageModel(Protocol):
    """Whatever carries a language model that an adapter may be put on."""

    llm: Any


def put_adapter(model: HasLanguageModel, lora: Lora) -> None:
    """A new LoRA adapter on the language model, or none: everything of it stays frozen."""
    from peft import LoraConfig, get_peft_model

    for parameter in model.llm.parameters():
        parameter.requires_grad_(False)
    if lora.rank:
        targets: str | list[str] = list(lora.targets)
        if hasattr(model.llm.model, "language_model"):  # a multimodal model's images have layers of the same names
            targets = rf".*language_model.*\.({'|'.join(lora.targets)})"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft reads an attribute that transformers is renaming
            model.llm = get_peft_model(model.llm, LoraConfig(
                r=lora.rank, lora_alpha=lora.alpha, target_modules=targets, task_type="CAUSAL_LM"))


@dataclass(frozen=True)
class Reader:
    """The head of `align` that goes on beside the lessons: what it should say of each ECG, and the weight of its loss."""

    head: nn.Linear
    targets: Targets
    weight: float


def lesson_loss(model: SecondsLanguageModel, lesson: Lesson, recordings: Recordings, blank: bool, reader: Reader | None = None,
                ) -> Tensor:
    """Loss of the answers of a lesson; blank: without its ECGs. reader: adds the loss of reading the first of them."""
    ecgs = [] if blank else [recordings[key] for key in lesson.ecgs]
    texts: list[list[int]] = []
    targets: list[list[int]] = []
    for turns in [lesson.pairs] if lesson.dialogue else [[pair] for pair in lesson.pairs]:
        ids, target = list[int](), list[int]()
        for text, is_answer in conversation(turns, model.format):
            for token in model.tokens(text):
                if is_answer:
                    target[-1] = token  # the token before predicts this one
                ids.append(token)
                target.append(-100)
        texts.append(ids)
        targets.append(target)
    plan = model.seconds.plan(ecgs, model.before(ecgs), model.opening(ecgs), texts)
    target_L = torch.full((len(plan),), -100)
    branch_L = torch.from_numpy(plan.branch)
    for number, target in enumerate(targets, start=1):
        target_L[branch_L == number] = torch.tensor(target)
    read = None if reader is None or not ecgs else reader.targets.get(lesson.ecgs[0])
    with ExitStack() as stack:
        middle = [] if read is None else stack.enter_context(middle_states(model.llm))
        hidden = model.seconds.run(model.llm, plan, model.seconds.embed(model.llm, plan, ecgs))
    loss = answers_loss(model.llm.get_output_embeddings(), hidden, target_L, branch_L)
    if reader is None or read is None:
        return loss
    return loss + reader.weight * read_loss(model, reader.head, plan, middle[0], *read)


def train_stage(model: SecondsLanguageModel, name: str, lessons: Sequence[Lesson], recordings: Recordings, stage: Stage,
                recipe: CurriculumRecipe, run: Path, progress: bool = True, reader: Reader | None = None) -> list[float]:
    """Train in place on the lessons in their order; returns the loss curve. Resumes within the stage from the run folder, and
    takes a finished stage from there. reader: goes on learning as well."""
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    lora = [p for p in model.llm.parameters() if p.requires_grad]
    parts = [*model.seconds.parameters(), *(() if reader is None else reader.head.parameters())]
    groups: list[dict[str, Any]] = [{"params": parts, "lr": stage.lr * recipe.parts}]
    if lora:
        groups.append({"params": lora, "lr": stage.lr})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    optimizer.zero_grad()  # what an earlier attempt left
    total = math.ceil(len(lessons) / recipe.accumulate)
    warmup = min(30, total // 10 + 1)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    state, first, losses = run / f"{name}.resume.safetensors", 0, list[float]()
    if state.is_file():
        saved = load_state(state)
        first, losses = saved["step"], list(saved["losses"])
        for parameter, value in zip(lora, saved["lora"], strict=True):
            parameter.data.copy_(value)
        model.seconds.load_state_dict(saved["seconds"])
        if reader is not None:
            reader.head.load_state_dict(saved["head"])
        if first < total:
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
        torch.set_rng_state(saved["rng"])
    blank = rng.random(len(lessons)) < recipe.no_ecg
    autocast = torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=model.llm.dtype == torch.bfloat16)
    model.seconds.train()

    def save(step: int) -> None:
        save_state(state, {"step": step, "losses": losses, "lora": [p.detach() for p in lora],
                           "seconds": model.seconds.state_dict(), "rng": torch.get_rng_state(),
                           **({} if reader is None else {"head": reader.head.state_dict()}),
                           **({} if step == total else {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()})})

    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn(), TextColumn("{task.fields[loss]}"))
    with Progress(*columns, disable=not progress) as bar:
        task = bar.add_task(f"Stage {name}", total=total, completed=first, loss="")
        for step in range(first, total):
            part = range(step * recipe.accumulate, min((step + 1) * recipe.accumulate, len(lessons)))
            summed = 0.0
            for i in part:
                with autocast:
                    loss = lesson_loss(model, lessons[i], recordings, bool(blank[i]), reader) / len(part)
                loss.backward()  # type: ignore[no-untyped-call]
                summed += float(loss.detach())
            torch.nn.utils.clip_grad_norm_([*lora, *parts], 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(summed)
            bar.update(task, advance=1, loss=f"loss {np.mean(losses[-20:]):.3f}")
            if (step + 1) % recipe.save_every == 0 or step + 1 == total:
                save(step + 1)
    model.seconds.eval()
    return losses
