"""A small convolutional network on the raw signal of one lead. Shapes: N windows, T samples at FS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecglm.corpus.windows import CLASSES
from ecglm.signal.filters import bandpass
from ecglm.signal.missing import fill_missing
from ecglm.signal.resample import resample
from ecglm.training.forecast.baselines.method import Example, Floats, Ints, balanced

#: Rate (Hz) and longest stretch (s) that it sees at once; of longer windows the mean of so many stretches.
FS, CROP_S, CROPS = 64.0, 60.0, 6
EPOCHS, BATCH, RATE, DECAY = 15, 32, 2e-3, 1e-2


class Network(nn.Sequential):
    """Four strided convolutions, mean over time, linear: 21,000 parameters."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for inside, outside in ((1, 16), (16, 32), (32, 48), (48, 64)):
            layers += [nn.Conv1d(inside, outside, 7, stride=3, padding=3), nn.BatchNorm1d(outside), nn.ReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, len(CLASSES)))


class Cnn:
    """Learns from a random stretch of each window in each epoch; prediction is the mean over stretches that tile the window."""

    name = "1-D CNN on the signal"

    def __init__(self, seed: int = 0, kept: dict[Any, Floats] | None = None) -> None:
        self.seed = seed
        self._kept: dict[Any, Floats] = {} if kept is None else kept
        self._network: Network | None = None
        self._allowed = np.ones(len(CLASSES), bool)

    def signal(self, one: Example) -> Floats:
        """The first lead ``[T]`` at FS, 0.5-40 Hz, in units of its own robust spread, float32."""
        if one.item not in self._kept:
            record = one.signal()
            filled, _ = fill_missing(record.signal[:1])
            wave = resample(bandpass(filled, record.fs), record.fs, FS)[0]
            scale = np.percentile(np.abs(wave), 90) or 1.0
            self._kept[one.item] = np.clip(wave / scale, -8, 8).astype(np.float32)
        return self._kept[one.item]

    def fit(self, examples: Sequence[Example], labels: Ints) -> None:
        """Train from random weights. The same seed and examples give the same network."""
        rng = np.random.default_rng(self.seed)
        waves = [self.signal(one) for one in examples]
        length = min(min(map(len, waves)), round(CROP_S * FS))
        self._allowed = np.bincount(labels, minlength=len(CLASSES)) > 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = Network().train()
            target, weight = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(balanced(labels).astype(np.float32))
            optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
            steps = EPOCHS * -(-len(waves) // BATCH)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
            for _ in range(EPOCHS):
                order = rng.permutation(len(waves))
                for first in range(0, len(order), BATCH):
                    rows = order[first:first + BATCH]
                    starts = [rng.integers(0, len(waves[row]) - length + 1) for row in rows]
                    crops = torch.from_numpy(np.stack([waves[row][at:at + length] for row, at in zip(rows, starts, strict=True)]))
                    if len(rows) > 1:  # batch normalisation needs two
                        loss = nn.functional.cross_entropy(self._masked(network(crops[:, None])), target[rows], reduction="none")
                        optimiser.zero_grad()
                        (loss * weight[rows]).mean().backward()  # type: ignore[no-untyped-call]
                        optimiser.step()
                    schedule.step()
        self._network = network.eval()

    def _masked(self, logits: Tensor) -> Tensor:
        """Classes that training does not have are impossible."""
        return logits.masked_fill(~torch.from_numpy(self._allowed), -1e9)

    @torch.no_grad()
    def predict_proba(self, examples: Sequence[Example]) -> Floats:
        """``[N, 3]``."""
        assert self._network is not None
        out = np.zeros((len(examples), len(CLASSES)))
        for row, one in zip(out, examples, strict=True):
            wave = self.signal(one)
            length = min(len(wave), round(CROP_S * FS))
            starts = np.linspace(0, len(wave) - length, 1 if len(wave) == length else CROPS).round().astype(int)
            crops = torch.from_numpy(np.stack([wave[at:at + length] for at in starts.tolist()]))[:, None]
            row[:] = self._masked(self._network(crops)).softmax(dim=1).mean(dim=0).numpy()
        return out
