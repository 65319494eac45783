"""The loop of the language stages: parameters of a language model and parts beside it learn in place, resumable at any step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecglm.training.checkpoint import load_state, save_state


def warm_cosine(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
    """Share of the learning rate at a step: up to 1 in a line, then down to `floor` along a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def mixed(llm: Any, device: torch.device) -> torch.autocast:
    """bfloat16 for the parts as well, where the language model has such weights."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=llm.dtype == torch.bfloat16)


@dataclass(frozen=True)
class Learning:
    """What learns in place. words: parameters of the language model, under the name that a resume point has for them; parts:
    modules beside it under theirs."""

    words: tuple[str, Sequence[nn.Parameter]]
    parts: Mapping[str, nn.Module]
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Of both."""
        return [*self.words[1], *(parameter for part in self.parts.values() for parameter in part.parameters())]

    def step(self) -> None:
        """One step along the gradients that have been added up."""
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()

    def save(self, file: Path, finished: bool, **where: Any) -> None:
        """Write a resume point; where: how far it has come. finished: optimizer and schedule are needed no more."""
        name, words = self.words
        rest = {} if finished else {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}
        save_state(file, {**where, name: [word.detach() for word in words],
                          **{key: part.state_dict() for key, part in self.parts.items()}, **rest})

    def resume(self, file: Path) -> dict[str, Any]:
        """Take up a resume point; returns what it holds, {} where there is none. Raises CheckpointError for a damaged one."""
        if not file.is_file():
            return {}
        saved = load_state(file)
        name, words = self.words
        for parameter, value in zip(words, saved[name], strict=True):
            parameter.data.copy_(value)
        for key, part in self.parts.items():
            part.load_state_dict(saved[key])
        if "optimizer" in saved:
            self.optimizer.load_state_dict(saved["optimizer"])
            self.schedule.load_state_dict(saved["schedule"])
        return saved


def train_steps(learning: Learning, count: int, loss_of: Callable[[int], Tensor], file: Path, title: str, *, accumulate: int,
                save_every: int, progress: bool = True) -> list[float]:
    """Learn from sequences 0 to `count` - 1 in their order, `accumulate` a step; returns the loss of each step. loss_of: of a
    sequence. Goes on from the resume point `file`, which is written every `save_every` steps and at the end."""
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    learning.optimizer.zero_grad()  # what an earlier attempt left
    saved = learning.resume(file)
    first, losses, total = saved.get("step", 0), list(saved.get("losses", ())), math.ceil(count / accumulate)
    if saved:
        torch.set_rng_state(saved["rng"])
    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn(), TextColumn("{task.fields[loss]}"))
    with Progress(*columns, disable=not progress) as bar:
        task = bar.add_task(title, total=total, completed=first, loss="")
        for step in range(first, total):
            part = range(step * accumulate, min((step + 1) * accumulate, count))
            summed = 0.0
            for i in part:
                loss = loss_of(i) / len(part)
                torch.autograd.backward(loss)
                summed += float(loss.detach())
            learning.step()
            losses.append(summed)
            bar.update(task, advance=1, loss=f"loss {np.mean(losses[-20:]):.3f}")
            if (step + 1) % save_every == 0 or step + 1 == total:
                learning.save(file, step + 1 == total, step=step + 1, losses=losses, rng=torch.get_rng_state())
    return losses
