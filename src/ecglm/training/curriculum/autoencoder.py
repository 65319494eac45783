"""Stage 1: the encoder learns to keep a second of signal in its features (mean squared error of what is decoded again)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import mse_loss

from ecglm.models.seconds.encoder import SecondDecoder
from ecglm.models.seconds.model import SecondsModel
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.curriculum.recipe import Autoencoding
from ecglm.training.steps import Learning

#: Steps between resume points.
SAVE_EVERY = 100


def autoencode(model: SecondsModel, seconds_NS: NDArray[np.float16], config: Autoencoding, run: Path, seed: int,
               progress: bool = True) -> float:
    """Train the encoder in place; returns the share of the variance of held-out seconds that is kept. Goes on from the run folder
    where it was stopped; a finished stage is read from there."""
    from rich.progress import track

    done = run / "autoencoder.safetensors"
    if done.is_file():
        saved = load_state(done)
        model.encoder.load_state_dict(saved["encoder"])
        return float(saved["kept"])
    device = next(model.parameters()).device
    order = np.random.default_rng(seed).permutation(len(seconds_NS))
    held, learned = order[: len(order) // 50], order[len(order) // 50:]
    torch.manual_seed(seed)
    decoder = SecondDecoder(model.config).to(device)
    both = nn.ModuleList([model.encoder, decoder]).train()
    optimizer = torch.optim.AdamW(both.parameters(), config.lr, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.lr, total_steps=config.steps)
    rng = np.random.default_rng(seed + 1)
    learning = Learning(("words", ()), {"encoder": model.encoder, "decoder": decoder}, optimizer, schedule)
    going = run / "autoencoder.resume.safetensors"
    first = int(learning.resume(going).get("step", 0))

    def batch(rows: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(seconds_NS[rows].astype(np.float32)).to(device)

    for step in track(range(config.steps), "Stage 1: autoencoder", disable=not progress):
        rows = rng.choice(learned, config.batch)
        if step < first:  # what it drew before it was stopped
            continue
        wave = batch(rows)
        loss = mse_loss(decoder(model.encoder(wave)), wave)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if (step + 1) % SAVE_EVERY == 0:
            learning.save(going, False, step=step + 1)
    both.eval()
    with torch.inference_mode():
        wave = batch(held[:20_000])
        kept = 1 - float(mse_loss(decoder(model.encoder(wave)), wave) / wave.var())
    save_state(done, {"encoder": model.encoder.state_dict(), "kept": kept})
    going.unlink(missing_ok=True)
    return kept
