"""The encoder of FSL-ECG-QA: fairseq-signals' `ecg_transformer_classifier` (W2V+CMSC+RLM), by the names of its checkpoint.

A strided convolution (a sixteenth of the rate), a convolution over time as position, twelve post-norm transformer layers, and
the mean over time. Parameter names are those of fairseq-signals (MIT licence), so its weights load as they are; they come as
`model.safetensors`, since reading a fairseq checkpoint runs code that is in it. docs/fewshot.md tells how to convert one.
Shapes: B recordings, L leads, T samples, S steps, E width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from ecglm.config import load_config
from ecglm.errors import CheckpointError

#: What the published system reads: 5 s at 500 Hz, mV.
FS, SECONDS = 500.0, 5.0
WEIGHTS = "model.safetensors"
#: Of pre-training and of the classifier, not of the encoder.
_LEFT_OUT = ("proj.", "mask_emb", "quantizer.", "project_q.", "final_proj.")


@dataclass(frozen=True)
class FairseqEcgConfig:
    """Defaults are the published ones. strides: of the convolutions, which are as long."""

    leads: int = 12
    conv_width: int = 256
    strides: tuple[int, ...] = (2, 2, 2, 2)
    width: int = 768
    layers: int = 12
    heads: int = 12
    ffn: int = 3072
    pos_kernel: int = 128
    pos_groups: int = 16

    def __post_init__(self) -> None:
        sizes = (self.leads, self.conv_width, *self.strides, self.width, self.layers, self.heads, self.ffn, self.pos_kernel,
                 self.pos_groups)
        if min(sizes) < 1 or not self.strides or self.width % self.heads or self.width % self.pos_groups:
            raise ValueError("sizes must be 1 or more, and heads and pos_groups divide width")


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x_BSE: Tensor) -> Tensor:
        q, k, v = (layer(x_BSE).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for layer in (self.q_proj, self.k_proj, self.v_proj))
        out: Tensor = self.out_proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))
        return out


class _Layer(nn.Module):
    def __init__(self, c: FairseqEcgConfig) -> None:
        super().__init__()
        self.self_attn = _Attention(c.width, c.heads)
        self.self_attn_layer_norm, self.final_layer_norm = nn.LayerNorm(c.width), nn.LayerNorm(c.width)
        self.fc1, self.fc2 = nn.Linear(c.width, c.ffn), nn.Linear(c.ffn, c.width)

    def forward(self, x_BSE: Tensor) -> Tensor:
        x = self.self_attn_layer_norm(x_BSE + self.self_attn(x_BSE))
        out: Tensor = self.final_layer_norm(x + self.fc2(gelu(self.fc1(x))))
        return out


class _Holder(nn.Module):
    """Modules under a common name."""

    conv_layers: nn.Sequential
    pos_conv: nn.Sequential
    layers: nn.Sequential
    layer_norm: nn.LayerNorm

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


def check_folder(folder: Path) -> None:
    """Raises CheckpointError when no weights are here."""
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(f"{folder / WEIGHTS}: no such file; convert the checkpoint as docs/fewshot.md says")


class FairseqEcgEncoder(nn.Module):
    """wave_BLT (mV, 500 Hz, standard lead order) to emb_BE."""

    def __init__(self, config: FairseqEcgConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or FairseqEcgConfig()
        blocks, width = [], c.leads
        for number, stride in enumerate(c.strides):
            conv = nn.Conv1d(width, c.conv_width, stride, stride, bias=False)
            norm = [nn.GroupNorm(c.conv_width, c.conv_width)] if number == 0 else []
            blocks.append(nn.Sequential(conv, nn.Dropout(0.0), *norm, nn.GELU()))
            width = c.conv_width
        self.feature_extractor = _Holder(conv_layers=nn.Sequential(*blocks))
        self.layer_norm = nn.LayerNorm(c.conv_width)
        self.post_extract_proj = nn.Linear(c.conv_width, c.width)
        pos = nn.Conv1d(c.width, c.width, c.pos_kernel, padding=c.pos_kernel // 2, groups=c.pos_groups)
        self.conv_pos = _Holder(pos_conv=nn.Sequential(nn.utils.parametrizations.weight_norm(pos, dim=2)))
        self.encoder = _Holder(layers=nn.Sequential(*(_Layer(c) for _ in range(c.layers))), layer_norm=nn.LayerNorm(c.width))

    def forward(self, wave_BLT: Tensor) -> Tensor:
        x: Tensor = self.post_extract_proj(self.layer_norm(self.feature_extractor.conv_layers(wave_BLT).transpose(1, 2)))
        place = self.conv_pos.pos_conv(x.transpose(1, 2))[..., :x.shape[1]]  # an even kernel gives one step too many
        x = self.encoder.layers(self.encoder.layer_norm(x + gelu(place).transpose(1, 2)))
        return x.mean(1)

    @classmethod
    def from_folder(cls, folder: Path) -> FairseqEcgEncoder:
        """Weights of `model.safetensors`, sizes of `config.json` if there is one. Raises CheckpointError when they do not
        fit, ConfigError for sizes that are none."""
        sizes = folder / "config.json"
        config = load_config(FairseqEcgConfig, sizes) if sizes.is_file() else None  # JSON is YAML
        check_folder(folder)
        path = folder / WEIGHTS
        try:
            found = load_file(path)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: cannot be read ({error}); convert the checkpoint as docs/fewshot.md says") from None
        with torch.device("meta"):  # no memory before its size is known to be that of the file
            made = cls(config)
        inside = any(name.startswith("encoder.feature_extractor.") for name in found)  # of the classifier
        own = {name.removeprefix("encoder.") if inside else name: value for name, value in found.items()}
        try:
            made.load_state_dict({name: value for name, value in own.items() if not name.startswith(_LEFT_OUT)},
                                 assign=True)
        except RuntimeError as error:
            reason = " ".join(str(error).split("\n\t")[-1].split())
            raise CheckpointError(f"{path}: not a fairseq-signals ecg_transformer_classifier ({reason}); "
                                  "convert it as docs/fewshot.md says") from None
        return made.float().eval().requires_grad_(False)
