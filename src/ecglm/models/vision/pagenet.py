"""`PageNet`: a small network that looks at the picture of a page and says which statements it supports, without reading a lead.

Shapes: B pages, H and W of `paper.look.SIZE`, N tokens (6 rows of 16), D width, C statements, F rhythm features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ecglm.paper.look import SIZE

#: Rows of the picture that are averaged before it is looked at. Time, which runs along the rows, keeps its resolution.
SQUEEZE = 2
#: Pixels of what is left, in each direction, that one token stands for.
STRIDE = 32


@dataclass(frozen=True)
class PageNetConfig:
    """widths: channels at strides 4, 8, 16 and 32, the last is that of the tokens. queries: places that a page is looked at, each
    by attention over the tokens. n_features: rhythm features that are predicted beside the statements, in training only."""

    widths: tuple[int, ...] = (16, 32, 64, 128)
    queries: int = 8
    dropout: float = 0.2
    n_labels: int = 59
    n_features: int = 52

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tokens."""
        return SIZE[0] // SQUEEZE // STRIDE, SIZE[1] // STRIDE


class PageOutput(NamedTuple):
    """tok_BND tokens row by row, emb_BD pooled, logits_BC of statements, feat_BF standardised rhythm features."""

    tok_BND: Tensor
    emb_BD: Tensor
    logits_BC: Tensor
    feat_BF: Tensor


def _convolved(before: int, after: int, kernel: int, stride: int) -> nn.Sequential:
    margin = (kernel - stride + 1) // 2 if stride > 1 else kernel // 2
    return nn.Sequential(nn.Conv2d(before, after, kernel, stride, margin, bias=False), nn.BatchNorm2d(after), nn.ReLU())


class _More(nn.Module):
    """A convolution beside a short cut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _convolved(width, width, 3, 1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out: Tensor = x_BCHW + self.conv(x_BCHW)
        return out


def squeezed(page_BHW: Tensor) -> Tensor:
    """Pictures (uint8) as they are looked at: float 0..1, H / SQUEEZE rows."""
    return nn.functional.avg_pool2d(page_BHW.unsqueeze(1).float() / 255.0, (SQUEEZE, 1)).squeeze(1)


class PageNet(nn.Module):
    """Pictures page_BHW (uint8), or what `squeezed` made of them, to `PageOutput`."""

    def __init__(self, config: PageNetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.widths[-1]
        fine, low, middle, _ = config.widths
        self.body = nn.Sequential(_convolved(1, fine, 8, 4), _convolved(fine, low, 3, 2), _convolved(low, middle, 3, 2),
                                  _More(middle), _convolved(middle, width, 3, 2), _More(width))
        rows, columns = config.grid
        self.place = nn.Parameter(torch.zeros(rows * columns, width))
        self.score = nn.Linear(width, config.queries)
        self.norm = nn.LayerNorm(width * (config.queries + 1))
        self.drop = nn.Dropout(config.dropout)
        self.labels = nn.Linear(width * (config.queries + 1), config.n_labels)
        self.features = nn.Linear(width * (config.queries + 1), config.n_features)
        nn.init.normal_(self.place, std=0.02)

    def forward(self, page_BHW: Tensor) -> PageOutput:
        x = squeezed(page_BHW) if page_BHW.dtype == torch.uint8 else page_BHW
        x = self.body(x.unsqueeze(1))
        tok = x.flatten(2).transpose(1, 2) + self.place
        looked = self.score(tok).softmax(1).transpose(1, 2) @ tok
        emb = self.norm(torch.cat([looked.flatten(1), tok.mean(1)], 1))
        kept = self.drop(emb)
        return PageOutput(tok, emb, self.labels(kept), self.features(kept))
