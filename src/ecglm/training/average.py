"""The moving average of a network's weights while it trains, which is what is kept of it."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def follow(mean: nn.Module, net: nn.Module, decay: float) -> None:
    """Move weights and batch statistics of `mean` towards those of `net`, to `decay` of themselves."""
    for target, source in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if target.dtype.is_floating_point:
            target.lerp_(source, 1 - decay)
        else:
            target.copy_(source)
