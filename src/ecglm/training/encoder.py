"""Train one branch of the findings encoder: cross-fitted teachers or the student that is shipped.

Cross-fitting gives every training record a prediction of a network that never saw it. Those
out-of-fold predictions do three jobs: soft targets for the student, the data for fusion,
calibration and thresholds, and the facts the language model is trained on, so that it meets
the same uncertainty in training as on a new patient.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ecglm.atomic import replacing
from ecglm.models.device import best_device
from ecglm.models.encoders.beatnet import BeatNet
from ecglm.models.encoders.findings import FEATURE_CLIP, FindingsEncoderConfig
from ecglm.models.encoders.resnet1d import ResNet1d
from ecglm.training.augment import AugmentConfig, beat_views, strip_views
from ecglm.training.average import follow
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.examples import EncoderExamples
from ecglm.training.objectives.findings import Views, findings_loss

FloatArray = NDArray[np.float32]
Folds = tuple[int, ...]


@dataclass(frozen=True)
class EncoderTraining:
    """Optimisation of the networks; epochs of the strip's and of the beats' network. teachers: networks per held-out
    folds, alike but for their seed, whose predictions are averaged. soft: weight of the teachers' predictions in the
    students' targets."""

    epochs: int = 42
    beat_epochs: int = 60
    batch: int = 64
    lr: float = 3e-3
    weight_decay: float = 0.02
    ema: float = 0.995
    teacher_folds: tuple[Folds, ...] = ((1, 2), (3, 4), (5, 6), (7, 8))
    teachers: int = 3
    soft: float = 0.5
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass(frozen=True)
class Scaler:
    """Mean and spread of the rhythm features over the training folds."""

    mean_F: FloatArray
    std_F: FloatArray

    @staticmethod
    def fit(feat_NF: FloatArray) -> Scaler:
        return Scaler(feat_NF.mean(0), feat_NF.std(0) + 1e-6)

    def __call__(self, feat_NF: FloatArray) -> FloatArray:
        return np.asarray(np.clip((feat_NF - self.mean_F) / self.std_F, -FEATURE_CLIP, FEATURE_CLIP), np.float32)


@dataclass(frozen=True)
class Branch:
    """A network to train: how to build it, how to vary its waves, for how long, and which waves it reads [N, L, T]."""

    name: str
    build: Callable[[], nn.Module]
    views: Views
    epochs: int
    wave_NLT: NDArray[np.float16]


def branches(config: FindingsEncoderConfig, training: EncoderTraining, examples: EncoderExamples) -> tuple[Branch, Branch]:
    """The network on strips and the network on median beats."""
    return (Branch("strip", partial(ResNet1d, config.strip), partial(strip_views, fs=config.strip.fs), training.epochs,
                   examples.sig_NLT),
            Branch("beat", partial(BeatNet, config.beat), beat_views, training.beat_epochs, examples.beat_NLK))


def train_network(
    name: str, branch: Branch, training: EncoderTraining, rows: NDArray[np.int64], feat_NF: FloatArray, target_RC: FloatArray,
    run: Path, progress: bool = True,
) -> nn.Module:
    """Train one network on `rows`, or load it when this run has finished it before; resumes after the last epoch.

    target_RC has the targets of these rows, feat_NF the standardised features of all records.
    """
    from rich.progress import Progress

    device = best_device()
    torch.manual_seed(training.seed)
    rng = torch.Generator().manual_seed(training.seed)
    net = branch.build().to(device)
    mean_net = copy.deepcopy(net).eval().requires_grad_(False)
    done = _weights(run, name)
    if done.is_file():
        mean_net.load_state_dict(load_file(done))
        return mean_net
    optimizer = torch.optim.AdamW(net.parameters(), training.lr, weight_decay=training.weight_decay)
    batches = len(rows) // training.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.lr, total_steps=branch.epochs * batches, pct_start=0.2)
    state = run / f"{name}.resume.safetensors"
    first = step = 0
    if state.is_file():
        saved = load_state(state)
        for module, key in ((net, "net"), (mean_net, "mean"), (optimizer, "optimizer"), (schedule, "schedule")):
            module.load_state_dict(saved[key])
        rng.set_state(saved["rng"])
        torch.set_rng_state(saved["torch_rng"])
        first, step = saved["epoch"], saved["step"]
    wave, feat, target = (torch.from_numpy(a) for a in (branch.wave_NLT[rows], feat_NF[rows], target_RC))
    with Progress(disable=not progress) as bar:
        task = bar.add_task(f"Training {name}", total=branch.epochs, completed=first)
        for epoch in range(first, branch.epochs):
            net.train()
            order = torch.randperm(len(rows), generator=rng)
            for part in torch.split(order[: batches * training.batch], training.batch):
                loss = findings_loss(net, branch.views, wave[part].float(), feat[part], target[part], training.augment, rng)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
                optimizer.step()
                schedule.step()
                step += 1
                follow(mean_net, net, min(training.ema, (1 + step) / (10 + step)))
            bar.update(task, advance=1, description=f"Training {name} (loss {loss.item():.3f})")
            save_state(state, {"net": net.state_dict(), "mean": mean_net.state_dict(), "optimizer": optimizer.state_dict(),
                               "schedule": schedule.state_dict(), "rng": rng.get_state(),
                               "torch_rng": torch.get_rng_state(), "epoch": epoch + 1, "step": step})
    with replacing(done) as temporary:
        save_file({k: v.cpu().contiguous() for k, v in mean_net.state_dict().items()}, temporary)
    state.unlink(missing_ok=True)
    return mean_net


class Job(NamedTuple):
    """A network to train: its name in the run folder, from which rows, towards which targets [len(rows), C]."""

    name: str
    branch: Branch
    training: EncoderTraining
    rows: NDArray[np.int64]
    target_RC: FloatArray

    def train(self, feat_NF: FloatArray, run: Path, progress: bool = True) -> nn.Module:
        """See `train_network`."""
        return train_network(self.name, self.branch, self.training, self.rows, feat_NF, self.target_RC, run, progress)


def train_side_by_side(jobs: Sequence[Job], feat_NF: FloatArray, run: Path, progress: bool = True) -> None:
    """Train networks into the run folder, one on each core: so small a network gains little from a second one. A GPU takes one
    after another."""
    from rich.progress import track

    waiting = [job for job in jobs if not _weights(run, job.name).is_file()]
    if best_device().type != "cpu":
        for job in waiting:
            job.train(feat_NF, run, progress)
        return
    with ProcessPoolExecutor(min(torch.get_num_threads(), len(waiting)) or 1, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_train_on_one_core, job, feat_NF, run) for job in waiting]
        for future in track(as_completed(futures), f"Training {len(waiting)} networks", total=len(waiting),
                            disable=not (progress and waiting)):
            future.result()


def _train_on_one_core(job: Job, feat_NF: FloatArray, run: Path) -> None:
    torch.set_num_threads(1)
    job.train(feat_NF, run, progress=False)


def _weights(run: Path, name: str) -> Path:
    return run / f"{name}.safetensors"


@torch.no_grad()
def predict(net: nn.Module, wave_NLT: NDArray[np.float16], feat_NF: FloatArray, mask_NL: FloatArray | None = None) -> FloatArray:
    """Logits_NC on whole records; mask_NL which leads are present, None all."""
    device = next(net.parameters()).device
    out: list[Tensor] = []
    for start in range(0, len(wave_NLT), 64):
        wave = torch.from_numpy(wave_NLT[start:start + 64]).float().to(device)
        feat = torch.from_numpy(feat_NF[start:start + 64]).to(device)
        mask = torch.ones(wave.shape[:2]) if mask_NL is None else torch.from_numpy(mask_NL[start:start + 64])
        out.append(net(wave, mask.to(device), feat).logits_BC.cpu())
    return torch.cat(out).numpy()


def teachers(branch: Branch, examples: EncoderExamples, rows: NDArray[np.int64],
             training: EncoderTraining) -> dict[Folds, list[Job]]:
    """The networks that never saw these folds, alike but for their seed."""
    jobs = {}
    for held_out in training.teacher_folds:
        others = rows[~np.isin(examples.fold_N[rows], held_out)]
        truth = examples.label_NC[others].astype(np.float32)
        jobs[held_out] = [Job(f"{branch.name}-teacher-{''.join(map(str, held_out))}-{seed}", branch, replace(training, seed=seed),
                              others, truth) for seed in range(training.seed, training.seed + training.teachers)]
    return jobs


def cross_fit(
    jobs: dict[Folds, list[Job]], wave_NLT: NDArray[np.float16], fold_N: NDArray[np.int64], rows: NDArray[np.int64],
    feat_NF: FloatArray, run: Path, mask_RL: FloatArray | None = None,
) -> FloatArray:
    """Out-of-fold logits [len(rows), C]: the mean of the trained teachers that never saw a record's fold, on these waves and
    features of all records. mask_RL: which leads they see of each of these rows, None all."""
    logits = np.zeros((len(rows), next(iter(jobs.values()))[0].target_RC.shape[1]), np.float32)
    for held_out, alike in jobs.items():
        out = np.isin(fold_N[rows], held_out)
        for job in alike:
            seen = None if mask_RL is None else mask_RL[out]
            logits[out] += predict(job.train(feat_NF, run), wave_NLT[rows[out]], feat_NF[rows[out]], seen) / len(alike)
    return logits
