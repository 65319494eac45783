"""Train the vision encoder on pictures of pages, resumable at every epoch."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ecglm.atomic import replacing
from ecglm.models.vision.pagenet import SQUEEZE, PageNet, PageNetConfig, PageOutput, squeezed
from ecglm.training.average import follow
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.steps import warm_cosine
from ecglm.training.vision.targets import Targets

#: The loss of all labels beside that of the features.
_LABELS, _FEATURES = 10.0, 0.5


@dataclass(frozen=True)
class PageTraining:
    """Optimisation. soft: weight of the teacher's probabilities in the targets. turn (degrees), stretch and shift (shares): how
    far a picture is moved about, at most. noise: spread of what is added to the ink; holes: patches that are blanked."""

    epochs: int = 6
    batch: int = 16
    lr: float = 3e-3
    weight_decay: float = 0.05
    ema: float = 0.995
    soft: float = 0.5
    turn: float = 2.0
    stretch: float = 0.06
    shift: float = 0.04
    noise: float = 0.08
    holes: int = 2
    seed: int = 0


def varied(page_BHW: Tensor, training: PageTraining, rng: torch.Generator) -> Tensor:
    """Other views of the same pages (`squeezed`): moved, turned, paler or darker, noisy, with holes."""
    batch, height, width = page_BHW.shape
    x = page_BHW.unsqueeze(1)

    def within(bound: float) -> Tensor:
        return (torch.rand(batch, generator=rng) * 2 - 1) * bound

    angle, across, along = within(float(np.radians(training.turn))), 1 + within(training.stretch), 1 + within(training.stretch)
    theta = torch.zeros(batch, 2, 3)
    high = height * SQUEEZE
    theta[:, 0, 0], theta[:, 0, 1] = across * angle.cos(), -angle.sin() * high / width
    theta[:, 1, 0], theta[:, 1, 1] = angle.sin() * width / high, along * angle.cos()
    theta[:, 0, 2], theta[:, 1, 2] = within(2 * training.shift), within(2 * training.shift)
    grid = functional.affine_grid(theta, [batch, 1, height, width], align_corners=False)
    x = functional.grid_sample(x, grid, align_corners=False)
    x = x * (1 + within(0.35))[:, None, None, None]
    grain = torch.randn((1, 1, height, width), generator=rng)  # one for all: drawing it would cost as much as looking
    x = x + training.noise * torch.rand(batch, generator=rng)[:, None, None, None] * grain
    for _ in range(training.holes):
        top, left = (int(torch.randint(0, side, (), generator=rng)) for side in (height, width))
        x[torch.rand(batch, generator=rng) < 0.5, :, top:top + height // 8, left:left + width // 8] = 0.0
    return x.squeeze(1).clamp(0.0, 1.0)


def page_loss(out: PageOutput, target_BC: Tensor, feat_BF: Tensor) -> Tensor:
    """Cross-entropy of all statements and squared error of the features that are known (not NaN)."""
    known = feat_BF.isfinite()
    missed = torch.where(known, out.feat_BF - feat_BF.nan_to_num(), 0.0).square().sum() / known.sum().clamp(min=1)
    return _LABELS * functional.binary_cross_entropy_with_logits(out.logits_BC, target_BC) + _FEATURES * missed


def train_pagenet(config: PageNetConfig, training: PageTraining, page_NHW: NDArray[np.uint8], targets: Targets, run: Path,
                  progress: bool = True) -> tuple[PageNet, list[float]]:
    """The trained network (a moving average of its weights), and the mean loss of each epoch. What this run has finished is
    loaded."""
    from rich.progress import Progress

    done, state = run / "pagenet.safetensors", run / "pagenet.resume.safetensors"
    torch.manual_seed(training.seed)
    rng = torch.Generator().manual_seed(training.seed)
    net = PageNet(config)
    mean = copy.deepcopy(net).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(net.parameters(), training.lr, weight_decay=training.weight_decay)
    batches = max(1, len(page_NHW) // training.batch)
    total = training.epochs * batches
    warm = max(1, total // 5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(warm_cosine, warmup=warm, total=total, floor=0.01))
    first, losses = 0, list[float]()
    if state.is_file():
        saved = load_state(state)
        losses = list(saved["losses"])
        first = saved["epoch"]
        for module, key in ((net, "net"), (mean, "mean"), (optimizer, "optimizer"), (schedule, "schedule")):
            module.load_state_dict(saved[key])
        rng.set_state(saved["rng"])
        torch.set_rng_state(saved["torch_rng"])
    if done.is_file():
        mean.load_state_dict(load_file(done))
        return mean, losses
    pages = torch.from_numpy(page_NHW)
    target = torch.from_numpy((1 - training.soft) * targets.label_NC + training.soft * targets.taught_NC)
    feat = torch.from_numpy(targets.feat_NF)
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Learning to look", total=total, completed=first * batches)
        for epoch in range(first, training.epochs):
            net.train()
            order, summed = torch.randperm(len(pages), generator=rng), 0.0
            for number, part in enumerate(torch.split(order, training.batch)[:batches]):
                out = net(varied(squeezed(pages[part]), training, rng))
                loss = page_loss(out, target[part], feat[part])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
                optimizer.step()
                schedule.step()
                step = epoch * batches + number
                follow(mean, net, min(training.ema, (1 + step) / (10 + step)))
                summed += float(loss.detach())
                bar.update(task, advance=1, description=f"Learning to look (loss {float(loss.detach()):.3f})")
            losses.append(summed / batches)
            save_state(state, {"net": net.state_dict(), "mean": mean.state_dict(), "optimizer": optimizer.state_dict(),
                               "schedule": schedule.state_dict(), "rng": rng.get_state(), "torch_rng": torch.get_rng_state(),
                               "epoch": epoch + 1, "losses": losses})
    with replacing(done) as temporary:
        save_file({k: v.contiguous() for k, v in mean.state_dict().items()}, temporary)
    return mean, losses


@torch.no_grad()
def looked(net: PageNet, page_NHW: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits_NC of pictures."""
    out = [net(torch.from_numpy(page_NHW[i:i + 64])).logits_BC for i in range(0, len(page_NHW), 64)]
    return torch.cat(out).numpy()
