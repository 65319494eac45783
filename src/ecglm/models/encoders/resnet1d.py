"""A 1-D residual network with squeeze-and-excitation for any subset of the 12 leads.

Shapes: B batch, L leads (12), T samples at `fs`, N tokens, D width, F rhythm features, C labels.
The convolutional body follows xresnet1d of the PTB-XL benchmark (Strodthoff et al. 2021,
10.1109/JBHI.2020.3022989). Two departures: rhythm features measured on the R peaks enter the
heads beside the pooled tokens, because convolutions alone are poor at irregularity
(docs/log.md has the numbers), and a lead mask makes missing leads explicit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecglm.models.encoders.output import EncoderOutput


@dataclass(frozen=True)
class ResNet1dConfig:
    """Architecture of `ResNet1d`; sizes in channels, rate in Hz."""

    fs: float = 125.0
    n_leads: int = 12
    n_features: int = 0
    n_labels: int = 59
    stem: int = 32
    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    kernel: int = 7
    dropout: float = 0.3
    feature_width: int = 64


def _conv(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(c_in, c_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm1d(c_out),
    )


class _Block(nn.Module):
    """Two convolutions, squeeze-and-excitation, average-pooled shortcut."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int) -> None:
        super().__init__()
        last = _conv(c_out, c_out, kernel)
        nn.init.zeros_(last.get_parameter("1.weight"))  # every block starts as its shortcut
        self.body = nn.Sequential(_conv(c_in, c_out, kernel, stride), nn.ReLU(), last)
        self.squeeze = nn.Sequential(nn.Linear(c_out, c_out // 8), nn.ReLU(), nn.Linear(c_out // 8, c_out), nn.Sigmoid())
        shortcut: list[nn.Module] = [nn.AvgPool1d(2, ceil_mode=True)] if stride == 2 else []
        if c_in != c_out:
            shortcut.append(_conv(c_in, c_out, 1))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        y = y * self.squeeze(y.mean(-1)).unsqueeze(-1)
        return torch.relu(y + self.shortcut(x))


class ResNet1d(nn.Module):
    """sig_BLT and lead mask_BL (and feat_BF) to `EncoderOutput`."""

    def __init__(self, config: ResNet1dConfig) -> None:
        super().__init__()
        self.config = c = config
        stem = c.stem
        self.stem = nn.Sequential(
            _conv(2 * c.n_leads, stem, c.kernel, 2), nn.ReLU(), _conv(stem, stem, c.kernel), nn.ReLU(),
            _conv(stem, c.widths[0], c.kernel), nn.ReLU(), nn.MaxPool1d(3, 2, 1),
        )
        layers: list[nn.Module] = []
        c_in = c.widths[0]
        for i, (width, depth) in enumerate(zip(c.widths, c.blocks, strict=True)):
            for j in range(depth):
                layers.append(_Block(c_in, width, c.kernel, 2 if j == 0 and i > 0 else 1))
                c_in = width
        self.layers = nn.Sequential(*layers)
        self.attend = nn.Linear(c_in, 4)
        pooled = c_in * 6
        if c.n_features:
            self.features = nn.Sequential(
                nn.LayerNorm(c.n_features), nn.Linear(c.n_features, c.feature_width), nn.ReLU(),
                nn.Dropout(c.dropout / 2), nn.Linear(c.feature_width, c.feature_width), nn.ReLU(),
            )
            pooled += c.feature_width
        self.embed = nn.Sequential(nn.BatchNorm1d(pooled), nn.Dropout(c.dropout), nn.Linear(pooled, 256), nn.ReLU(),
                                   nn.BatchNorm1d(256), nn.Dropout(c.dropout))
        self.head = nn.Linear(256, c.n_labels)

    def forward(self, sig_BLT: Tensor, mask_BL: Tensor, feat_BF: Tensor | None = None) -> EncoderOutput:
        presence = mask_BL.unsqueeze(-1).expand(-1, -1, sig_BLT.shape[-1]).to(sig_BLT.dtype)
        x = self.layers(self.stem(torch.cat([sig_BLT * presence, presence], dim=1)))
        weight = self.attend(x.transpose(1, 2)).softmax(1)
        pooled = [x.mean(-1), x.amax(-1), torch.einsum("bdn,bnh->bhd", x, weight).flatten(1)]
        if self.config.n_features:
            if feat_BF is None:
                raise ValueError("this encoder was built with rhythm features; pass feat_BF")
            pooled.append(self.features(feat_BF))
        emb = self.embed(torch.cat(pooled, dim=1))
        return EncoderOutput(x.transpose(1, 2), emb, self.head(emb))
