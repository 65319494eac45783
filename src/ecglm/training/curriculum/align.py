"""Before the language stages: the tokens learn to be read. At the end of each ECG a linear head says its labels and numbers.

Answers alone teach the way from tokens to words too slowly on few recordings (docs/log.md); here every ECG gives some eighty
targets at once. The head is thrown away; encoder, projector and adapter go on to the lessons. Not in CAMEL, which has millions
of sequences instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from ecglm.bench.metrics import auroc
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.models.seconds.layout import GLOBAL_END
from ecglm.models.seconds.segments import Segments
from ecglm.schema import Measurements
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.curriculum.recipe import Alignment
from ecglm.training.curriculum.recordings import Recordings

#: Numbers that the head says, with about their mean and spread.
NUMBERS: Mapping[str, tuple[float, float]] = {
    "heart_rate": (72.0, 17.0), "rr_sd": (40.0, 60.0), "rmssd": (50.0, 90.0), "pr": (160.0, 28.0), "qrs": (95.0, 18.0),
    "qt": (395.0, 38.0), "qtc_bazett": (425.0, 30.0), "p_duration": (105.0, 16.0)}


#: Labels and numbers of each ECG.
Targets = Mapping[str, tuple[NDArray[np.uint8], NDArray[np.float32]]]


def numbers_of(measured: Measurements) -> NDArray[np.float32]:
    """Standardised numbers with the axis as sine and cosine, NaN where there is none."""
    values = [(value - mean) / spread if (value := getattr(measured, name).value) is not None else math.nan
              for name, (mean, spread) in NUMBERS.items()]
    axis = measured.axis.value
    turn = [math.nan, math.nan] if axis is None else [math.sin(math.radians(axis)), math.cos(math.radians(axis))]
    return np.clip(np.array([*values, *turn], np.float32), -4, 4)


def fewer(ecg: Segments, rng: np.random.Generator) -> Segments:
    """Now and then without some leads, or a shorter part: what users have."""
    if rng.random() < 0.3:
        rows = np.sort(rng.choice(len(ecg.leads), int(rng.integers(1, len(ecg.leads) + 1)), replace=False))
        ecg = Segments(tuple(ecg.leads[i] for i in rows), ecg.seconds_LTS[rows], ecg.known_LT[rows], ecg.size_L[rows])
    return ecg


def at_the_end(model: SecondsLanguageModel, ecg: Segments) -> Tensor:
    """The last hidden state of an ECG's end, hidden_D."""
    plan = model.seconds.plan([ecg], model.before([ecg]), [])
    hidden = model.seconds.run(model.llm, plan, model.seconds.embed(model.llm, plan, [ecg]))
    return hidden[int((plan.kind == GLOBAL_END).argmax())]


def align(model: SecondsLanguageModel, keys: Sequence[str], targets: Targets, recordings: Recordings, valid: Sequence[str],
          config: Alignment, run: Path, seed: int, progress: bool = True) -> dict[str, Any]:
    """Train in place on these ECGs; targets: labels and numbers by key. Returns marks on the valid ones: macro AUROC of
    the labels and the share of each number's variance that is explained. Resumes by epoch from the run folder."""
    from rich.progress import Progress

    torch.manual_seed(seed)
    first = targets[keys[0]]
    head = nn.Linear(model.config.seconds.hidden, len(first[0]) + len(first[1])).to(model.device)
    lora = [p for p in model.llm.parameters() if p.requires_grad]
    parts = [*model.seconds.parameters(), *head.parameters()]
    groups: list[dict[str, Any]] = [{"params": parts, "lr": config.lr * 2.5}]
    groups += [{"params": lora, "lr": config.lr}] if lora else []
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    steps = math.ceil(len(keys) / config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [float(g["lr"]) for g in groups], total_steps=steps * config.epochs,
                                                   pct_start=0.15)
    state, begun = run / "align.resume.safetensors", 0
    if state.is_file():
        saved = load_state(state)
        begun = saved["epoch"]
        for parameter, value in zip(lora, saved["lora"], strict=True):
            parameter.data.copy_(value)
        model.seconds.load_state_dict(saved["seconds"])
        head.load_state_dict(saved["head"])
        if begun < config.epochs:
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
    autocast = torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=model.llm.dtype == torch.bfloat16)
    model.seconds.train()
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Stage align", total=config.epochs * steps, completed=begun * steps)
        for epoch in range(begun, config.epochs):
            rng = np.random.default_rng([seed, epoch])
            order, total = rng.permutation(len(keys)), 0.0
            for step in range(steps):
                part = [keys[i] for i in order[step * config.batch:(step + 1) * config.batch]]
                for key in part:
                    with autocast:
                        said = head(at_the_end(model, fewer(recordings[key], rng)).float())
                    loss = _loss(said, *targets[key]) / len(part)
                    loss.backward()  # type: ignore[no-untyped-call]
                    total += float(loss.detach()) / steps
                torch.nn.utils.clip_grad_norm_([*lora, *parts], 1.0)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
                bar.update(task, advance=1, description=f"Stage align (loss {total * steps / (step + 1):.3f})")
            save_state(state, {"epoch": epoch + 1, "lora": [p.detach() for p in lora], "seconds": model.seconds.state_dict(),
                               "head": head.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()})
    model.seconds.eval()
    return _marks(model, head, valid, targets, recordings)


def _loss(said: Tensor, labels_C: NDArray[np.uint8], numbers_M: NDArray[np.float32]) -> Tensor:
    """Labels summed, since most are rare; numbers that are known."""
    label = torch.from_numpy(labels_C).float().to(said.device)
    number = torch.from_numpy(numbers_M).to(said.device)
    known = number.isfinite()
    loss = binary_cross_entropy_with_logits(said[: len(label)], label, reduction="sum") / 8
    return loss + smooth_l1_loss(said[len(label):][known], number[known], reduction="sum") / 4


@torch.inference_mode()
def _marks(model: SecondsLanguageModel, head: nn.Module, valid: Sequence[str],
           targets: Targets, recordings: Recordings) -> dict[str, Any]:
    said = torch.stack([head(at_the_end(model, recordings[key]).float()) for key in valid]).cpu().numpy()
    label, number = (np.stack([targets[key][i] for key in valid]) for i in (0, 1))
    known = [c for c in range(label.shape[1]) if 3 <= label[:, c].sum() <= len(label) - 3]
    explained = {}
    for m, name in enumerate((*NUMBERS, "axis_sin", "axis_cos")):
        there = np.isfinite(number[:, m])
        error = said[there, label.shape[1] + m] - number[there, m]
        explained[name] = round(float(1 - (error**2).mean() / number[there, m].var()), 3)
    return {"labels": len(known), "auroc": round(float(np.mean([auroc(label[:, c], said[:, c]) for c in known])), 4),
            "explained": explained}
