"""The delineation network in torch, for training; `ecglm.signal.wave_network` runs the same weights without torch.

Shapes: B records, L leads, T samples at 250 Hz, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool1d, relu

from ecglm.signal.wave_network import CLASSES


@dataclass(frozen=True)
class DelineatorConfig:
    """Channels at 125, 62.5, 31.25 and 15.6 Hz; kernel: taps of the convolutions on the way down."""

    widths: tuple[int, int, int, int] = (16, 24, 32, 48)
    kernel: int = 5


class _Conv(nn.Module):
    """Convolution, batch norm, rectifier (the last two unless it is `plain`)."""

    def __init__(self, width_in: int, width_out: int, taps: int, dilation: int = 1, plain: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width_in, width_out, taps, padding=dilation * (taps // 2), dilation=dilation, bias=plain)
        self.norm = None if plain else nn.BatchNorm1d(width_out)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y if self.norm is None else relu(self.norm(y))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Kernel ``[tap, in, out]`` and bias with the norm multiplied in."""
        kernel = self.conv.weight.detach().permute(2, 1, 0)
        if self.norm is None:
            assert self.conv.bias is not None
            return kernel, self.conv.bias.detach()
        assert self.norm.running_var is not None
        assert self.norm.running_mean is not None
        scale = self.norm.weight.detach() / torch.sqrt(self.norm.running_var + self.norm.eps)
        return kernel * scale, self.norm.bias.detach() - self.norm.running_mean * scale


class Delineator(nn.Module):
    """Logits ``[B, L, class, T]`` of `CLASSES` for leads ``[B, L, T]``, of which those with mask ``[B, L]`` 1 are real."""

    def __init__(self, config: DelineatorConfig) -> None:
        super().__init__()
        a, b, c, d = config.widths
        k = config.kernel
        self.stem, self.down0 = _Conv(2, a, 7), _Conv(a, a, k)
        self.down1, self.down2, self.down3 = _Conv(2 * a, b, k), _Conv(2 * b, c, k), _Conv(2 * c, d, k)
        self.wide1, self.wide2 = _Conv(2 * d, d, k, 2), _Conv(d, d, k, 4)
        self.thin2, self.thin1, self.thin0 = (_Conv(i, o, 1, plain=True) for i, o in ((d, c), (c, b), (b, a)))
        self.up2, self.up1, self.up0 = _Conv(c, c, 3), _Conv(b, b, 3), _Conv(a, a, k)
        self.head = _Conv(a, 2 * len(CLASSES), 3, plain=True)

    def forward(self, x_BLT: Tensor, mask_BL: Tensor) -> Tensor:
        batch, leads, total = x_BLT.shape
        share = (mask_BL / mask_BL.sum(1, keepdim=True)).reshape(batch, leads, 1, 1)

        def mixed(x: Tensor) -> Tensor:
            apart = x.reshape(batch, leads, *x.shape[1:])
            mean = (apart * share).sum(1, keepdim=True).expand_as(apart)
            return torch.cat([apart, mean], 2).flatten(0, 1)

        def doubled(x: Tensor) -> Tensor:
            y: Tensor = interpolate(x, scale_factor=2, mode="linear", align_corners=False)
            return y

        x0 = self.down0(self.stem(x_BLT.reshape(batch * leads, total // 2, 2).transpose(1, 2)))
        x1 = self.down1(mixed(max_pool1d(x0, 2)))
        x2 = self.down2(mixed(max_pool1d(x1, 2)))
        x3 = self.down3(mixed(max_pool1d(x2, 2)))
        x3 = self.wide2(self.wide1(mixed(x3)))
        up = self.up2(doubled(self.thin2(x3)) + x2)
        up = self.up1(doubled(self.thin1(up)) + x1)
        up = self.up0(doubled(self.thin0(up)) + x0)
        logits = self.head(up).reshape(batch, leads, 2, len(CLASSES), total // 2)
        out: Tensor = logits.permute(0, 1, 3, 4, 2).reshape(batch, leads, len(CLASSES), total)
        return out

    def exported(self) -> dict[str, NDArray[np.float32]]:
        """The weights as `wave_network` takes them."""
        out = {}
        for name, module in self.named_children():
            assert isinstance(module, _Conv)
            kernel, bias = module.folded()
            out[f"{name}.weight"], out[f"{name}.bias"] = kernel.contiguous().numpy(), bias.numpy()
        return out
