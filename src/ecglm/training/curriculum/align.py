"""Before the language stages: the tokens learn to be read. At the end of each ECG a linear head says its labels and numbers.

Answers alone teach the way from tokens to words too slowly on few recordings (docs/log.md); here every ECG gives some eighty
targets at once. The head reads the middle of the language model, since questions attend from the layers above it: what only
the last layer knew at the end of the ECG, no question could ever see. It goes on beside the lessons, so that they do not forget
it, and is thrown away in the end. Not in CAMEL, which has millions of sequences instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from ecglm.bench.metrics import auroc
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.models.seconds.layout import GLOBAL_END, Plan
from ecglm.models.seconds.model import text_model
from ecglm.models.seconds.segments import Segments
from ecglm.schema import Measurements
from ecglm.training.curriculum.recipe import Alignment
from ecglm.training.curriculum.recordings import Recordings
from ecglm.training.steps import Learning, mixed

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


@contextmanager
def lower_half(llm: Any) -> Iterator[None]:
    """The language model without the layers above its middle."""
    text = text_model(llm)
    whole = text.layers
    text.layers = whole[: middle_of(llm)]
    try:
        yield
    finally:
        text.layers = whole


@contextmanager
def middle_states(llm: Any) -> Iterator[list[Tensor]]:
    """What leaves the layer in the middle of the language model while it runs, one tensor a run."""
    seen: list[Tensor] = []
    layer = text_model(llm).layers[middle_of(llm) - 1]
    handle = layer.register_forward_hook(lambda _module, _given, out: seen.append(out[0] if isinstance(out, tuple) else out))
    try:
        yield seen
    finally:
        handle.remove()


def middle_of(llm: Any) -> int:
    """How many layers lie below the middle."""
    return max(1, len(text_model(llm).layers) // 2)


def at_the_end(model: SecondsLanguageModel, ecg: Segments) -> Tensor:
    """The state of an ECG's end in the middle of the language model, normalised, hidden_D."""
    plan = model.seconds.plan([ecg], model.before([ecg]), [])
    with lower_half(model.llm):
        hidden = model.seconds.run(model.llm, plan, model.seconds.embed(model.llm, plan, [ecg]))
    return hidden[end_of(plan)]


def end_of(plan: Plan) -> int:
    """Where the first ECG of a prompt ends."""
    return int((plan.kind == GLOBAL_END).argmax())


def read_loss(model: SecondsLanguageModel, head: nn.Module, plan: Plan, middle_1ND: Tensor, labels_C: NDArray[np.uint8],
              numbers_M: NDArray[np.float32]) -> Tensor:
    """The head's loss on the first ECG of a prompt that was run under `middle_states`."""
    state = text_model(model.llm).norm(middle_1ND[0, end_of(plan)])
    return loss_of(head(state.float()), labels_C, numbers_M)


def align(model: SecondsLanguageModel, keys: Sequence[str], targets: Targets, recordings: Recordings, valid: Sequence[str],
          config: Alignment, run: Path, seed: int, progress: bool = True) -> tuple[nn.Linear, dict[str, Any]]:
    """Train in place on these ECGs; targets: labels and numbers by key. Returns the head and its marks on the valid ones: macro
    AUROC of the labels and the share of each number's variance that is explained. Resumes by epoch from the run folder."""
    from rich.progress import Progress

    torch.manual_seed(seed)
    first = targets[keys[0]]
    head = nn.Linear(model.config.seconds.hidden, len(first[0]) + len(first[1])).to(model.device)
    lora = [p for p in model.llm.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": [*model.seconds.parameters(), *head.parameters()], "lr": config.lr * 2.5}]
    groups += [{"params": lora, "lr": config.lr}] if lora else []
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    steps = math.ceil(len(keys) / config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [float(g["lr"]) for g in groups], total_steps=steps * config.epochs,
                                                   pct_start=0.15)
    learning = Learning(("lora", lora), {"seconds": model.seconds, "head": head}, optimizer, schedule)
    file = run / "align.resume.safetensors"
    begun = learning.resume(file).get("epoch", 0)
    model.seconds.train()
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Stage align", total=config.epochs * steps, completed=begun * steps)
        for epoch in range(begun, config.epochs):
            rng = np.random.default_rng([seed, epoch])
            order, total = rng.permutation(len(keys)), 0.0
            for step in range(steps):
                part = [keys[i] for i in order[step * config.batch:(step + 1) * config.batch]]
                for key in part:
                    with mixed(model.llm, model.device):
                        said = head(at_the_end(model, fewer(recordings[key], rng)).float())
                    loss = loss_of(said, *targets[key]) / len(part)
                    loss.backward()  # type: ignore[no-untyped-call]
                    total += float(loss.detach()) / steps
                learning.step()
                bar.update(task, advance=1, description=f"Stage align (loss {total * steps / (step + 1):.3f})")
            learning.save(file, finished=False, epoch=epoch + 1)
    model.seconds.eval()
    return head, marks_of(model, head, valid, targets, recordings)


def loss_of(said: Tensor, labels_C: NDArray[np.uint8], numbers_M: NDArray[np.float32]) -> Tensor:
    """Labels summed, since most are rare; numbers that are known."""
    label = torch.from_numpy(labels_C).float().to(said.device)
    number = torch.from_numpy(numbers_M).to(said.device)
    known = number.isfinite()
    loss = binary_cross_entropy_with_logits(said[: len(label)], label, reduction="sum") / 8
    return loss + smooth_l1_loss(said[len(label):][known], number[known], reduction="sum") / 4


@torch.inference_mode()
def marks_of(model: SecondsLanguageModel, head: nn.Module, valid: Sequence[str],
             targets: Targets, recordings: Recordings) -> dict[str, Any]:
    """How well the head reads these ECGs."""
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
