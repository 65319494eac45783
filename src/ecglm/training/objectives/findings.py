"""Multi-label findings with mixup: binary cross-entropy summed over labels, targets may be soft."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ecglm.models.encoders.resnet1d import ResNet1d
from ecglm.training.augment import AugmentConfig, crops, distort, lead_mask, mixup_weight


def findings_loss(
    net: ResNet1d, sig_BLT: Tensor, feat_BF: Tensor, target_BC: Tensor, config: AugmentConfig, rng: torch.Generator,
) -> Tensor:
    """Loss of one augmented batch; feat_BF standardised, target_BC probabilities."""
    fs = net.config.fs
    x = distort(crops(sig_BLT, config.crop_s, fs, rng), fs, config, rng)
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
