"""Pre-norm transformer layers with optional cross-attention. Shapes: B batch, N queries, M keys, D width, H heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class Attention(nn.Module):
    """Multi-head attention of x_BND over y_BMD."""

    def __init__(self, width: int, heads: int, width_y: int | None = None) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is no multiple of {heads} heads")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width_y or width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x_BND: Tensor, y_BMD: Tensor, keep_BM: Tensor | None = None, causal: bool = False) -> Tensor:
        """keep_BM: which keys may be seen."""
        def split(t: Tensor) -> Tensor:
            return t.reshape(*t.shape[:-1], self.heads, -1).transpose(1, 2)

        key, value = self.key_value(y_BMD).chunk(2, dim=-1)
        mask = None if keep_BM is None else keep_BM[:, None, None, :]
        out = scaled_dot_product_attention(split(self.query(x_BND)), split(key), split(value), mask, is_causal=causal)
        mixed: Tensor = self.out(out.transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """Self-attention, cross-attention to width_y when given, perceptron."""

    def __init__(self, width: int, heads: int, dropout: float, width_y: int | None = None) -> None:
        super().__init__()
        self.norm_self, self.attend_self = nn.LayerNorm(width), Attention(width, heads)
        self.norm_cross = None if width_y is None else nn.LayerNorm(width)
        self.attend_cross = None if width_y is None else Attention(width, heads, width_y)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x_BND: Tensor, keep_BN: Tensor | None = None, y_BMD: Tensor | None = None, causal: bool = False) -> Tensor:
        normed = self.norm_self(x_BND)
        x = x_BND + self.drop(self.attend_self(normed, normed, keep_BN, causal))
        if self.attend_cross is not None and self.norm_cross is not None:
            if y_BMD is None:
                raise ValueError("this block was built with cross-attention; pass y_BMD")
            x = x + self.drop(self.attend_cross(self.norm_cross(x), y_BMD))
        out: Tensor = x + self.drop(self.mlp(self.norm_mlp(x)))
        return out


def embedding(count: int, width: int) -> nn.Parameter:
    """Small random vectors, such as positions."""
    return nn.Parameter(0.02 * torch.randn(count, width))
