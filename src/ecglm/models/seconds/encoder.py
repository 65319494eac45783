"""The encoder of one second of one lead, and the decoder that teaches it to keep what is there (curriculum stage 1)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ecglm.models.seconds.config import SecondsConfig


class SecondEncoder(nn.Module):
    """seconds_NS to features_NF: convolutions of kernel 4, stride 2, padding 1 with ReLU, flattened. The published one
    (256 samples, channels 32, 64, 128, 4) has 43,364 parameters and F = 64."""

    def __init__(self, config: SecondsConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *config.channels[:-1]), config.channels, strict=True):
            layers += [nn.Conv1d(before, after, 4, 2, 1), nn.ReLU()]
        self.net = nn.Sequential(*layers)

    def forward(self, seconds_NS: Tensor) -> Tensor:
        out: Tensor = self.net(seconds_NS.unsqueeze(1)).flatten(1)
        return out


class SecondDecoder(nn.Module):
    """features_NF to seconds_NS: the encoder's mirror, used in training only."""

    def __init__(self, config: SecondsConfig) -> None:
        super().__init__()
        self.shape = (config.channels[-1], config.steps)
        channels = (*config.channels[::-1], 1)
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose1d(before, after, 4, 2, 1), nn.ReLU()]
        self.net = nn.Sequential(*layers[:-1])

    def forward(self, features_NF: Tensor) -> Tensor:
        out: Tensor = self.net(features_NF.view(-1, *self.shape)).squeeze(1)
        return out
