"""Train the findings encoder: cross-fitted teachers, a distilled student, a wide branch, calibration.

Cross-fitting gives every training record a prediction of a network that never saw it. Those
out-of-fold predictions do three jobs: soft targets for the student, the data for fusion,
calibration and thresholds, and the facts the language model is trained on, so that it meets
the same uncertainty in training as on a new patient.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from ecglm.atomic import replacing
from ecglm.models.encoders.findings import FEATURE_CLIP
from ecglm.models.encoders.resnet1d import ResNet1d, ResNet1dConfig
from ecglm.training.augment import AugmentConfig
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.examples import EncoderExamples
from ecglm.training.objectives.findings import findings_loss

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderTraining:
    """Optimisation of one network. soft: weight of the teachers' predictions in the student's targets."""

    epochs: int = 42
    batch: int = 64
    lr: float = 3e-3
    weight_decay: float = 0.02
    ema: float = 0.995
    teacher_folds: tuple[tuple[int, ...], ...] = ((1, 2), (3, 4), (5, 6), (7, 8))
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


def train_network(
    name: str, config: ResNet1dConfig, training: EncoderTraining, sig_NLT: NDArray[np.float16], feat_NF: FloatArray,
    target_NC: FloatArray, run: Path, progress: bool = True,
) -> ResNet1d:
    """Train one network, or load it when this run has finished it before; resumes after the last epoch."""
    from rich.progress import Progress

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(training.seed)
    rng = torch.Generator().manual_seed(training.seed)
    net = ResNet1d(config).to(device)
    mean_net = copy.deepcopy(net).eval().requires_grad_(False)
    done = run / f"{name}.safetensors"
    if done.is_file():
        mean_net.load_state_dict(load_file(done))
        return mean_net
    optimizer = torch.optim.AdamW(net.parameters(), training.lr, weight_decay=training.weight_decay)
    batches = len(sig_NLT) // training.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training.lr, total_steps=training.epochs * batches, pct_start=0.2)
    state = run / f"{name}.resume.safetensors"
    first = step = 0
    if state.is_file():
        saved = load_state(state)
        for part, key in ((net, "net"), (mean_net, "mean"), (optimizer, "optimizer"), (schedule, "schedule")):
            part.load_state_dict(saved[key])
        rng.set_state(saved["rng"])
        torch.set_rng_state(saved["torch_rng"])
        first, step = saved["epoch"], saved["step"]
    sig, feat, target = torch.from_numpy(sig_NLT), torch.from_numpy(feat_NF), torch.from_numpy(target_NC)
    with Progress(disable=not progress) as bar:
        task = bar.add_task(f"Training {name}", total=training.epochs, completed=first)
        for epoch in range(first, training.epochs):
            net.train()
            order = torch.randperm(len(sig), generator=rng)
            for rows in torch.split(order[: batches * training.batch], training.batch):
                loss = findings_loss(net, sig[rows].float(), feat[rows], target[rows], training.augment, rng)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
                optimizer.step()
                schedule.step()
                step += 1
                _average(mean_net, net, min(training.ema, (1 + step) / (10 + step)))
            bar.update(task, advance=1, description=f"Training {name} (loss {loss.item():.3f})")
            save_state(state, {"net": net.state_dict(), "mean": mean_net.state_dict(), "optimizer": optimizer.state_dict(),
                               "schedule": schedule.state_dict(), "rng": rng.get_state(),
                               "torch_rng": torch.get_rng_state(), "epoch": epoch + 1, "step": step})
    with replacing(done) as temporary:
        save_file({k: v.cpu().contiguous() for k, v in mean_net.state_dict().items()}, temporary)
    state.unlink(missing_ok=True)
    return mean_net


@torch.no_grad()
def _average(mean: ResNet1d, net: ResNet1d, decay: float) -> None:
    """Exponential moving average of weights and batch statistics."""
    for target, source in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if target.dtype.is_floating_point:
            target.lerp_(source, 1 - decay)
        else:
            target.copy_(source)


@torch.no_grad()
def predict(net: ResNet1d, sig_NLT: NDArray[np.float16], feat_NF: FloatArray) -> FloatArray:
    """Logits_NC on whole records, all leads present."""
    device = next(net.parameters()).device
    out: list[Tensor] = []
    for start in range(0, len(sig_NLT), 64):
        sig = torch.from_numpy(sig_NLT[start:start + 64]).float().to(device)
        feat = torch.from_numpy(feat_NF[start:start + 64]).to(device)
        out.append(net(sig, torch.ones(len(sig), sig.shape[1], device=device), feat).logits_BC.cpu())
    return torch.cat(out).numpy()


def cross_fit(
    examples: EncoderExamples, rows: NDArray[np.int64], scaler: Scaler, config: ResNet1dConfig, training: EncoderTraining,
    run: Path, progress: bool = True,
) -> FloatArray:
    """Out-of-fold logits [len(rows), C]: each teacher predicts the folds it was not trained on."""
    logits = np.zeros((len(rows), config.n_labels), np.float32)
    feat = scaler(examples.feat_NF[rows])
    for held_out in training.teacher_folds:
        out = np.isin(examples.fold_N[rows], held_out)
        name = "teacher-" + "".join(map(str, held_out))
        net = train_network(name, config, training, examples.sig_NLT[rows[~out]], feat[~out],
                            examples.label_NC[rows[~out]].astype(np.float32), run, progress)
        logits[out] = predict(net, examples.sig_NLT[rows[out]], feat[out])
    return logits
