"""Contrastive losses over recordings and texts, across processes: InfoNCE (Radford et al. 2021) and SigLIP (Zhai et al. 2023).

Shapes: B pairs of this process, T >= B texts (own texts first, then negatives), E width; upper case without process: all of them.
Several recordings with one report are no negatives of each other: `same` says what becomes of them.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, distributed
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

#: Texts equal to one's own: further positives, left out, or negatives as published.
Same = Literal["positive", "ignore", "negative"]


def processes() -> int:
    """How many processes share a batch."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


class _Gather(torch.autograd.Function):
    """Rows of all processes, in order. Each process's gradient is summed: every process holds the whole loss."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        ctx.rows = len(part)
        parts = [torch.empty_like(part) for _ in range(processes())]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        grad = grads[0].contiguous()
        distributed.all_reduce(grad)
        start = distributed.get_rank() * ctx.rows
        return grad[start:start + ctx.rows]


def gather(part: Tensor) -> Tensor:
    """The rows of all processes, with gradients; the same number on each. One process: the tensor itself."""
    if processes() == 1:
        return part
    out: Tensor = _Gather.apply(part)  # type: ignore[no-untyped-call]
    return out


def gathered(ecg_BE: Tensor, text_TE: Tensor, group_T: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of all processes: recordings, texts (all own texts first, then all negatives) and the groups of the texts."""
    own = len(ecg_BE)
    return (gather(ecg_BE), torch.cat([gather(text_TE[:own]), gather(text_TE[own:])]),
            torch.cat([gather(group_T[:own]), gather(group_T[own:])]))


def info_nce(ecg_BE: Tensor, text_TE: Tensor, group_T: Tensor, scale: Tensor, same: Same = "positive") -> Tensor:
    """Symmetric cross-entropy; group_T: equal numbers are equal texts. Negatives beyond the pairs join one direction."""
    logits_BT, target_BT, left_out_BT = _pairs(ecg_BE, text_TE, group_T, scale, same)
    pairs = len(logits_BT)  # of all processes
    return (_cross_entropy(logits_BT, target_BT, left_out_BT)
            + _cross_entropy(logits_BT[:, :pairs].T, target_BT[:, :pairs].T, left_out_BT[:, :pairs].T)) / 2


def sig_lip(ecg_BE: Tensor, text_TE: Tensor, group_T: Tensor, scale: Tensor, bias: Tensor, same: Same = "positive") -> Tensor:
    """Every pair is judged by itself; summed over texts, averaged over recordings."""
    logits_BT, target_BT, left_out_BT = _pairs(ecg_BE, text_TE, group_T, scale, same)
    loss_BT = binary_cross_entropy_with_logits(logits_BT + bias, (target_BT > 0).to(logits_BT.dtype), reduction="none")
    return loss_BT.masked_fill(left_out_BT, 0.0).sum() / len(logits_BT)


def _pairs(ecg_BE: Tensor, text_TE: Tensor, group_T: Tensor, scale: Tensor, same: Same) -> tuple[Tensor, Tensor, Tensor]:
    """logits_BT, target_BT (1 where a text belongs to a recording), left_out_BT."""
    ecg_BE, text_TE, group_T = gathered(ecg_BE, text_TE, group_T)
    pairs, texts = len(ecg_BE), len(text_TE)
    own_BT = torch.eye(pairs, texts, dtype=torch.bool, device=ecg_BE.device)
    equal_BT = group_T[:pairs, None] == group_T[None, :]
    target_BT = (equal_BT | own_BT) if same == "positive" else own_BT
    left_out_BT = equal_BT & ~own_BT if same == "ignore" else torch.zeros_like(own_BT)
    return scale * ecg_BE @ text_TE.T, target_BT.to(ecg_BE.dtype), left_out_BT


def _cross_entropy(logits_RC: Tensor, target_RC: Tensor, left_out_RC: Tensor) -> Tensor:
    """Mean over rows, a row's weight shared by its targets."""
    logs = log_softmax(logits_RC.masked_fill(left_out_RC, float("-inf")), dim=1).masked_fill(left_out_RC, 0.0)
    return -(logs * target_RC).sum(1).div(target_RC.sum(1)).mean()
