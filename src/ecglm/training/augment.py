"""Augmentations of prepared leads: what recordings of the same heart may differ in.

Shapes: sig_BLT batch, lead, time; mask_BL leads present. All randomness comes from one torch
generator, so a seed fixes a run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Lead subsets a user may have: limb leads, single leads, II+V5, II+V1, chest leads, 8 independent leads.
SUBSETS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2, 3, 4, 5), (1,), (0,), (1, 10), (0, 1), (1, 6), (0, 1, 6, 10), (6, 7, 8, 9, 10, 11), (0, 1, 6, 7, 8, 9, 10, 11),
)


@dataclass(frozen=True)
class AugmentConfig:
    """crop_s mean crop length (+-20 %), whole share of recordings that keep all leads, the rest strengths in lead standard
    deviations or probabilities."""

    crop_s: float = 6.0
    gain: float = 0.2
    noise: float = 0.1
    wander: float = 0.2
    blank: float = 0.15
    lead_dropout: float = 0.1
    subset: float = 0.12
    whole: float = 0.7
    features: float = 0.1
    mixup: float = 0.4


def crops(sig_BLT: Tensor, seconds: float, fs: float, rng: torch.Generator) -> Tensor:
    """A random crop of each record, one common length of 0.8 to 1.2 times `seconds`."""
    total = sig_BLT.shape[-1]
    length = min(total, int(fs * seconds * (0.8 + 0.4 * float(torch.rand((), generator=rng)))))
    starts = torch.randint(0, total - length + 1, (len(sig_BLT),), generator=rng)
    return torch.stack([record[:, s:s + length] for record, s in zip(sig_BLT, starts.tolist(), strict=True)])


def distort(sig_BLT: Tensor, fs: float, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Gain, white noise, baseline wander and a blanked stretch."""
    b, leads, length = sig_BLT.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng)

    x = sig_BLT * (1 + config.gain * torch.randn((b, leads, 1), generator=rng))
    x = x + config.noise * uniform(b, leads, 1) * torch.randn(x.shape, generator=rng)
    time = torch.arange(length) / fs
    x = x + config.wander * uniform(b, leads, 1) * torch.sin(
        2 * torch.pi * ((0.1 + 0.5 * uniform(b, leads, 1)) * time + uniform(b, leads, 1)))
    width = int(config.blank * length * float(uniform(1)))
    start = int(torch.randint(0, length - width + 1, (), generator=rng))
    x[:, :, start:start + width] = 0
    return x


def strip_views(sig_BLT: Tensor, config: AugmentConfig, rng: torch.Generator, fs: float) -> Tensor:
    """Cropped and distorted strips."""
    return distort(crops(sig_BLT, config.crop_s, fs, rng), fs, config, rng)


def beat_views(beat_BLK: Tensor, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """Median beats with another gain, noise, a sloping baseline and a shift of up to 32 ms."""
    b, leads, length = beat_BLK.shape
    x = beat_BLK * (1 + config.gain * torch.randn((b, leads, 1), generator=rng))
    x = x + config.noise * torch.rand((b, leads, 1), generator=rng) * torch.randn(x.shape, generator=rng)
    slope, level = (0.1 * torch.randn((b, leads, 1), generator=rng) for _ in range(2))
    x = x + slope * torch.linspace(-1, 1, length) + level
    return torch.roll(x, int(torch.randint(-4, 5, (), generator=rng)), dims=2)


def lead_mask(batch: int, leads: int, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """mask_BL: single leads dropped at random, and now and then only a subset that users have; most rows stay whole."""
    mask = (torch.rand((batch, leads), generator=rng) > config.lead_dropout).float()
    for row in torch.nonzero(torch.rand(batch, generator=rng) < config.subset).flatten().tolist():
        mask[row] = 0
        mask[row, list(SUBSETS[int(torch.randint(len(SUBSETS), (), generator=rng))])] = 1
    mask[torch.rand(batch, generator=rng) < config.whole] = 1
    return mask


def user_masks(batch: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Masks [batch, 12] of recordings that lack leads: half of them subsets that users have, half any 1 to 11 leads."""
    mask = np.zeros((batch, 12), np.float32)
    for row in range(batch):
        some = SUBSETS[int(rng.integers(len(SUBSETS)))] if rng.random() < 0.5 else rng.permutation(12)[:int(rng.integers(1, 12))]
        mask[row, list(some)] = 1
    return mask


def mixup_weight(alpha: float, rng: torch.Generator) -> float:
    """Beta(alpha, alpha) by two gamma draws."""
    draws = torch._standard_gamma(torch.full((2,), alpha), generator=rng)
    return float(draws[0] / draws.sum().clamp(min=1e-6))
