"""Captioning loss (CoCa, Yu et al. 2022): the text of a recording, word by word, from the ECG tower's tokens."""

from __future__ import annotations

import torch
from torch import Tensor, distributed
from torch.nn.functional import cross_entropy

from ecglm.training.objectives.contrastive import processes


def caption_loss(logits_BNV: Tensor, ids_BN: Tensor, pad: int) -> Tensor:
    """Mean over the words of all processes. logits_BNV for ids_BN[:, :-1]; pad is not learnt.

    The sum is divided by the words of all processes per process, so that averaged gradients are those of one large batch.
    """
    wanted = ids_BN[:, 1:]
    total = cross_entropy(logits_BNV.flatten(0, 1), wanted.flatten(), ignore_index=pad, reduction="sum")
    words = (wanted != pad).sum().to(total.dtype)
    if processes() > 1:
        distributed.all_reduce(words)
    return total / (words / processes()).clamp(min=torch.finfo(total.dtype).tiny)
