"""The fusion mapper of FSL-ECG-QA (Tang et al. 2025, CHIL): an ECG vector to a few soft tokens by attention.

Architecture and parameter shapes are the published ones. Departures from the released code: dropout is off in evaluation,
and the last normalisation starts at the spread of the language model's token embeddings (`scale`), among which its soft
tokens stand.
Shapes: B batch, E width of the ECG vector, P soft tokens, H width of the language model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ecglm.errors import UsageError


@dataclass(frozen=True)
class AttentionMapperConfig:
    """width_in: of the ECG vector; width_out: of the language model. scale: initial gain of the soft tokens."""

    width_in: int = 768
    width_out: int = 4096
    n_tokens: int = 4
    heads: int = 8
    dropout: float = 0.5
    scale: float = 1.0


class AttentionMapper(nn.Module):
    """ecg_BE to soft_BPH: P learnt rows and the ECG vector attend to each other, the first P rows come out."""

    def __init__(self, config: AttentionMapperConfig) -> None:
        super().__init__()
        self.config = c = config
        if c.width_out % c.heads:
            raise UsageError(f"{c.heads} heads do not divide the language model's width of {c.width_out}; "
                             "set gradient.heads to a divisor of it")
        self.prefix = nn.Parameter(torch.randn(c.n_tokens, c.width_in) * c.width_in ** -0.5)
        self.q, self.k, self.v = (nn.Linear(c.width_in, c.width_out) for _ in range(3))
        self.o = nn.Linear(c.width_out, c.width_out)
        self.norm1, self.norm2 = nn.LayerNorm(c.width_out), nn.LayerNorm(c.width_out)
        nn.init.constant_(self.norm2.weight, c.scale)
        self.drop = nn.Dropout(c.dropout)

    def forward(self, ecg_BE: Tensor) -> Tensor:
        c = self.config
        rows = torch.cat([self.prefix.expand(len(ecg_BE), -1, -1), ecg_BE.unsqueeze(1)], dim=1)
        q, k, v = (layer(rows) for layer in (self.q, self.k, self.v))

        def split(x: Tensor) -> Tensor:
            return x.reshape(*x.shape[:2], c.heads, c.width_out // c.heads).transpose(1, 2)

        weight = (split(q) @ split(k).transpose(-1, -2) / c.width_out ** 0.5).softmax(-1)  # the whole width, as published
        mixed = self.norm1(self.drop(q + (weight @ split(v)).transpose(1, 2).flatten(-2)))
        out: Tensor = self.norm2(self.drop(mixed + leaky_relu(self.o(mixed))))[:, :c.n_tokens]
        return out
