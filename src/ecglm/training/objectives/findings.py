"""Multi-label findings with mixup: binary cross-entropy summed over labels, targets may be soft."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ecglm.training.augment import AugmentConfig, lead_mask, mixup_weight

#: wave_BLT, strengths, generator to another view of the same waves.
Views = Callable[[Tensor, AugmentConfig, torch.Generator], Tensor]


def findings_loss(
    net: nn.Module, views: Views, wave_BLT: Tensor, feat_BF: Tensor, target_BC: Tensor, config: AugmentConfig,
    rng: torch.Generator,
) -> Tensor:
    """Loss of one augmented batch of strips or beats; feat_BF standardised, target_BC probabilities."""
    x = views(wave_BLT, config, rng)
    feat = feat_BF + config.features * torch.randn(feat_BF.shape, generator=rng)
    weight = mixup_weight(config.mixup, rng) if config.mixup else 1.0
    other = torch.randperm(len(x), generator=rng)
    x = weight * x + (1 - weight) * x[other]
    feat = weight * feat + (1 - weight) * feat[other]
    mask = lead_mask(len(x), x.shape[1], config, rng)  # after mixing, or the partner would bring hidden leads back
    device = next(net.parameters()).device
    logits = net(x.to(device), mask.to(device), feat.to(device)).logits_BC
    target = weight * target_BC + (1 - weight) * target_BC[other]
    return binary_cross_entropy_with_logits(logits, target.to(device)) * 10.0
