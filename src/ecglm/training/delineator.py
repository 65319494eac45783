"""Train the delineation network: `ecglm train recipes/delineator.yaml`.

LUDB teaches the edges of waves, half of the MIT-BIH records teach which of all the shapes and noises there are is a QRS.
Every LUDB record is held out once (cross-validation by record, which are patients), so that the figures in
docs/results.md come from networks that never saw the record; the network that ships has seen them all.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, cross_entropy

from ecglm.atomic import replacing
from ecglm.config import load_config
from ecglm.models.delineator import Delineator, DelineatorConfig
from ecglm.signal.wave_network import CLASSES
from ecglm.training.average import follow
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.delineator_data import (
    BeatExamples,
    Examples,
    Variation,
    beat_batch,
    beat_examples,
    examples,
    joined,
    simulated_examples,
    vary,
)
from ecglm.training.run_folder import checked_recipe, start_run


@dataclass(frozen=True)
class DelineatorRecipe:
    """See recipes/delineator.yaml. folds: networks trained for the figures, each without its share of the records;
    simulated: records made once, of which each batch holds share_simulated times `batch`; weight_p: weight of samples inside
    P waves; weight_beats: weight of the MIT-BIH beats beside the waves."""

    kind: str = "delineator"
    run: str = "runs/delineator"
    network: DelineatorConfig = field(default_factory=DelineatorConfig)
    folds: int = 5
    epochs: int = 60
    batch: int = 8
    lr: float = 4e-3
    simulated: int = 240
    share_simulated: float = 0.25
    vary: Variation = field(default_factory=Variation)
    weight_p: float = 1.5
    weight_beats: float = 0.3
    seed: int = 0


def _beat_loss(net: Delineator, wave_BLT: Tensor, state_BT: Tensor) -> Tensor:
    """Cross-entropy of "is it a QRS" on the mean over leads."""
    prob = net(wave_BLT, torch.ones(wave_BLT.shape[:2])).softmax(2)[:, :, CLASSES.index("qrs")].mean(1)
    known = state_BT >= 0
    return binary_cross_entropy(prob[known].clamp(1e-5, 1 - 1e-5), state_BT[known].float())


def fold_rows(count: int, folds: int, seed: int) -> list[NDArray[np.int64]]:
    """Rows that each fold holds out."""
    order = np.random.default_rng(seed).permutation(count)
    return [order[k::folds] for k in range(folds)]


def train_one(data: Examples, beats: BeatExamples, rows: NDArray[np.int64], recipe: DelineatorRecipe, name: str,
              progress: bool = True) -> Delineator:
    """The network of these records (a moving average of its weights), or what an earlier run saved; resumes by epoch."""
    from rich.progress import Progress

    torch.manual_seed(recipe.seed)
    net = Delineator(recipe.network)
    mean_net = copy.deepcopy(net).eval().requires_grad_(False)
    done, state = Path(recipe.run) / f"{name}.done.safetensors", Path(recipe.run) / f"{name}.resume.safetensors"
    if done.is_file():
        mean_net.load_state_dict(load_state(done)["mean"])
        return mean_net
    optimizer = torch.optim.AdamW(net.parameters(), recipe.lr, weight_decay=0.01)
    batches, beside = len(rows) // recipe.batch, round(recipe.share_simulated * recipe.batch)
    made = np.arange(len(data.marks), len(data.names))  # the simulated records
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=recipe.epochs * batches, pct_start=0.2)
    first = 0
    if state.is_file():
        saved = load_state(state)
        for module, key in ((net, "net"), (mean_net, "mean"), (optimizer, "optimizer"), (schedule, "schedule")):
            module.load_state_dict(saved[key])
        first = saved["epoch"]
    weight = torch.ones(len(CLASSES))
    weight[CLASSES.index("p")] = recipe.weight_p
    with Progress(disable=not progress) as bar:
        task = bar.add_task(f"Training {name}", total=recipe.epochs, completed=first)
        for epoch in range(first, recipe.epochs):
            rng = np.random.default_rng((recipe.seed, epoch))
            order = rng.permutation(rows)
            net.train()
            for batch in range(batches):
                some = np.r_[order[batch * recipe.batch: (batch + 1) * recipe.batch], rng.choice(made, beside)]
                varied = [vary(data.signal_NLT[n], data.class_NLT[n], data.known_NLT[n], recipe.vary, rng) for n in some]
                wave, states, known, real = (torch.from_numpy(np.stack(parts)) for parts in zip(*varied, strict=True))
                logits = net(wave, real).permute(0, 1, 3, 2)
                loss = cross_entropy(logits[known], states[known], weight)
                loss = loss + recipe.weight_beats * _beat_loss(net, *beat_batch(beats, recipe.batch, rng))
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
                step = epoch * batches + batch
                follow(mean_net, net, min(0.99, (1 + step) / (10 + step)))
            bar.update(task, advance=1)
            saved = {"net": net.state_dict(), "mean": mean_net.state_dict(), "optimizer": optimizer.state_dict(),
                     "schedule": schedule.state_dict(), "epoch": epoch + 1}
            save_state(state, saved)
    save_state(done, {"mean": mean_net.state_dict()})
    state.unlink(missing_ok=True)
    return mean_net


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train the folds and the network of all records; returns the folder, whose delineator.npz and delineator_folds.npz
    ship in ecglm/signal/weights."""
    recipe = load_config(DelineatorRecipe, recipe_path, list(overrides))
    real, beats = examples(), beat_examples()  # a missing data set must not leave a started run behind
    folder = Path(recipe.run)
    start_run(folder, checked_recipe(folder, recipe, resume))
    data = joined(real, simulated_examples(recipe.simulated, recipe.seed))
    held_out = fold_rows(len(real.names), recipe.folds, recipe.seed)
    folds: dict[str, NDArray[Any]] = {}
    for number, rows in enumerate(held_out):
        others = np.setdiff1d(np.arange(len(real.names)), rows)
        net = train_one(data, beats, others, recipe, f"fold-{number}", progress)
        folds |= {f"{number}/{name}": value.astype(np.float16) for name, value in net.exported().items()}
        folds[f"{number}/records"] = np.array([data.names[row] for row in rows])
    every = train_one(data, beats, np.arange(len(real.names)), recipe, "all", progress).exported()
    for name, weights in (("delineator", every), ("delineator_folds", folds)):
        with replacing(folder / f"{name}.npz") as temporary:
            np.savez_compressed(temporary, **weights)
    return folder
