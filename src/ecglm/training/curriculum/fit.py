"""The language stages: lessons in, an adapter and the parts around it trained in place, resumable within a stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecglm.models.prompt import answer_targets, conversation
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.training.curriculum.align import Targets, middle_states, read_loss
from ecglm.training.curriculum.lessons import Lesson
from ecglm.training.curriculum.recipe import CurriculumRecipe, Stage
from ecglm.training.curriculum.recordings import Recordings
from ecglm.training.instruct import answers_loss
from ecglm.training.steps import Learning, mixed, train_steps, warm_cosine


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
    asked = [lesson.pairs] if lesson.dialogue else [[pair] for pair in lesson.pairs]
    branches = [answer_targets(conversation(turns, model.format), model.tokens) for turns in asked]
    plan = model.seconds.plan(ecgs, model.before(ecgs), model.opening(ecgs), [ids for ids, _ in branches])
    target_L = torch.full((len(plan),), -100)
    branch_L = torch.from_numpy(plan.branch)
    for number, (_, target) in enumerate(branches, start=1):
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
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    blank = rng.random(len(lessons)) < recipe.no_ecg
    lora = [p for p in model.llm.parameters() if p.requires_grad]
    parts: dict[str, nn.Module] = {"seconds": model.seconds, **({} if reader is None else {"head": reader.head})}
    groups: list[dict[str, Any]] = [{"params": [p for part in parts.values() for p in part.parameters()],
                                     "lr": stage.lr * recipe.parts}]
    if lora:
        groups.append({"params": lora, "lr": stage.lr})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    total = math.ceil(len(lessons) / recipe.accumulate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(warm_cosine, warmup=min(30, total // 10 + 1), total=total,
                                                                    floor=0.05))

    def loss_of(i: int) -> Tensor:
        with mixed(model.llm, model.device):
            return lesson_loss(model, lessons[i], recordings, bool(blank[i]), reader)

    model.seconds.train()
    losses = train_steps(Learning(("lora", lora), parts, optimizer, schedule), len(lessons), loss_of,
                         run / f"{name}.resume.safetensors", f"Stage {name}", accumulate=recipe.accumulate,
                         save_every=recipe.save_every, progress=progress)
    model.seconds.eval()
    return losses
