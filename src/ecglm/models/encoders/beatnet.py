"""A small convolutional network on the median beat of every lead.

The median beat is free of noise and always lies the same way, so a network may look at fixed places of
it (the flattened end does) and learns wave shapes from few recordings; docs/log.md compares it with the
network on the whole strip, beside which it stands.
Shapes: B batch, L leads (12), K samples of a beat, D width, F rhythm features, C labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecglm.models.encoders.output import EncoderOutput


@dataclass(frozen=True)
class BeatNetConfig:
    """Architecture of `BeatNet`; length in samples of the median beat."""

    length: int = 140
    n_leads: int = 12
    n_features: int = 0
    n_labels: int = 59
    width: int = 96
    kernel: int = 7
    hidden: int = 256
    dropout: float = 0.4
    feature_width: int = 64


class BeatNet(nn.Module):
    """beat_BLK, lead mask_BL and rhythm features feat_BF to `EncoderOutput`."""

    def __init__(self, config: BeatNetConfig) -> None:
        super().__init__()
        self.config = c = config

        def conv(c_in: int, c_out: int, stride: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv1d(c_in, c_out, c.kernel, stride, c.kernel // 2, bias=False),
                                 nn.BatchNorm1d(c_out), nn.ReLU())

        w = c.width
        self.layers = nn.Sequential(conv(c.n_leads, w, 1), conv(w, w, 2), conv(w, w, 1), conv(w, 2 * w, 2), conv(2 * w, 2 * w, 2))
        steps = len(range(0, len(range(0, len(range(0, c.length, 2)), 2)), 2))
        self.features = nn.Sequential(nn.Linear(c.n_features, c.feature_width), nn.ReLU(), nn.Dropout(c.dropout / 2))
        self.embed = nn.Sequential(nn.Dropout(c.dropout), nn.Linear(2 * w * steps + c.feature_width + c.n_leads, c.hidden),
                                   nn.BatchNorm1d(c.hidden), nn.ReLU(), nn.Dropout(c.dropout))
        self.head = nn.Linear(c.hidden, c.n_labels)

    def forward(self, beat_BLK: Tensor, mask_BL: Tensor, feat_BF: Tensor) -> EncoderOutput:
        x = self.layers(beat_BLK * mask_BL.unsqueeze(-1))
        emb = self.embed(torch.cat([x.flatten(1), self.features(feat_BF), mask_BL], dim=1))
        return EncoderOutput(x.transpose(1, 2), emb, self.head(emb))
