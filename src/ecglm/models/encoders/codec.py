"""The single-lead codec of openecg (codec_v6, Apache-2.0) as a branch of the encoder: its tokens of every lead, pooled over time,
and one linear layer on them and on the rhythm features.

openecg taught it waves, beats and rhythms lead by lead on many data sets, so it knows shapes that a network trained on some
thousand recordings has not met. Its weights stay as they are (`ecglm.training.codec` fetches them); how its tokens are pooled and
read is ours, and docs/log.md has what that is worth and what is known of whom it heard.
Shapes: B batch, L leads (12), M any number of leads, T samples at the encoder's rate, S samples at the codec's, N tokens,
D width, P pooled numbers of a lead, F rhythm features, C labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, gelu, pad

from ecglm.errors import ConfigError

#: Standardised pooled tokens are clipped here, so that one odd lead cannot dominate.
POOLED_CLIP = 5.0
#: Standardised rhythm features are so many times as large as pooled tokens, of which there are a hundred times as many: a penalty
#: on weights would leave them unheard. Chosen on out-of-fold predictions.
FEATURE_GAIN = 5.0
#: Leads that go through the codec together: what attention needs grows with them.
_TOGETHER = 24
#: Samples either way that interpolation looks at.
_REACH = 8


@dataclass(frozen=True)
class CodecConfig:
    """Architecture of `LeadCodec`: sizes of openecg's codec_v6; rate in Hz, seconds that it hears at a time. taps: after how many
    transformer layers (0: after the convolutions) tokens are pooled."""

    fs: float = 500.0
    seconds: float = 10.0
    patch: int = 10
    width: int = 128
    heads: int = 4
    convolutions: int = 4
    kernel: int = 7
    layers: int = 4
    ffn: int = 256
    taps: tuple[int, ...] = (0, 2, 4)


def ranked(x_LS: Tensor) -> Tensor:
    """Each sample's rank within its row, -1 to 1; equal samples share the mean of their ranks."""
    ordered = x_LS.sort(-1).values
    below = torch.searchsorted(ordered, x_LS)
    upto = torch.searchsorted(ordered, x_LS, right=True)
    return (below + upto - 1) / max(x_LS.shape[-1] - 1, 1) - 1.0


def upsampled(x_LT: Tensor, factor: int) -> Tensor:
    """Band-limited interpolation: `factor` samples for each, by a windowed sinc."""
    if factor == 1:
        return x_LT
    t = torch.arange(-_REACH * factor, _REACH * factor + 1, dtype=x_LT.dtype, device=x_LT.device) / factor
    kernel = torch.sinc(t) * torch.cos(t * math.pi / (2 * _REACH)) ** 2
    spread = torch.zeros(*x_LT.shape, factor, dtype=x_LT.dtype, device=x_LT.device)
    spread[..., 0] = x_LT
    ends = pad(spread.flatten(-2).unsqueeze(1), (_REACH * factor, _REACH * factor))
    return conv1d(ends, kernel[None, None]).squeeze(1)


def fitted(x_LT: Tensor, length: int) -> Tensor:
    """So many samples of each row: a shorter one is repeated, the middle of a longer one taken. Ranks and places of tokens are
    those of a window, so that a shorter window would be read as another ECG."""
    spare = x_LT.shape[-1] - length
    if spare >= 0:
        return x_LT[..., spare // 2:spare // 2 + length]
    return x_LT.repeat(*(1,) * (x_LT.dim() - 1), -(-length // x_LT.shape[-1]))[..., :length]


class LeadCodec(nn.Module):
    """Ranked x_MS of M leads to tokens [M, N, D] at each tap, a token for `patch` samples. Parameter names are openecg's."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = c = config
        self.conv_tok = nn.Conv1d(1, c.width, 2 * c.patch, c.patch, c.patch // 2)
        self.lower_convs = nn.ModuleList(nn.Conv1d(c.width, c.width, c.kernel, padding=c.kernel // 2)
                                         for _ in range(c.convolutions))
        self.lower_norms = nn.ModuleList(nn.LayerNorm(c.width) for _ in range(c.convolutions))
        layer = nn.TransformerEncoderLayer(c.width, c.heads, c.ffn, 0.0, "gelu", batch_first=True, norm_first=True)
        self.upper_transformer = nn.TransformerEncoder(layer, c.layers, enable_nested_tensor=False)

    def forward(self, x_MS: Tensor) -> list[Tensor]:
        c = self.config
        h = self.conv_tok(x_MS.unsqueeze(1))[..., :x_MS.shape[-1] // c.patch].transpose(1, 2)
        h = h + _places(h.shape[1], c.width, h)
        for conv, norm in zip(self.lower_convs, self.lower_norms, strict=True):
            h = norm(gelu(conv(h.transpose(1, 2)).transpose(1, 2)) + h)
        tokens = [h]
        for layer in self.upper_transformer.layers[:max(c.taps)]:
            tokens.append(layer(tokens[-1]))
        return [tokens[tap] for tap in c.taps]


class CodecBranch(nn.Module):
    """Finding logits from the codec's tokens: mean and spread over time of each, standardised, and a linear layer over all leads
    and the rhythm features. A lead that is not there is taken for an average one."""

    mean_LP: Tensor
    std_LP: Tensor

    def __init__(self, config: CodecConfig, fs: float, n_leads: int, n_features: int, n_labels: int) -> None:
        super().__init__()
        if config.fs % fs:
            raise ConfigError(f"the codec's rate ({config.fs:g} Hz) is no multiple of the encoder's ({fs:g} Hz)")
        self.factor, self.length = round(config.fs / fs), round(config.seconds * fs)
        self.codec = LeadCodec(config).requires_grad_(False)
        self.pooled_size = 2 * len(config.taps) * config.width
        self.register_buffer("mean_LP", torch.zeros(n_leads, self.pooled_size))
        self.register_buffer("std_LP", torch.ones(n_leads, self.pooled_size))
        self.head = nn.Linear(n_leads * self.pooled_size + n_features, n_labels)

    @torch.no_grad()
    def pool(self, sig_BLT: Tensor) -> Tensor:
        """pooled_BLP of leads at the encoder's rate; zeros for a lead without signal."""
        flat = fitted(sig_BLT.flatten(0, 1), self.length)
        there = (flat != flat[:, :1]).any(1).nonzero().squeeze(1)
        pooled = flat.new_zeros(len(flat), self.pooled_size)
        for some in torch.split(there, _TOGETHER) if len(there) else ():
            tokens = self.codec(ranked(upsampled(flat[some], self.factor)))
            pooled[some] = torch.cat([part for h in tokens for part in (h.mean(1), h.std(1))], dim=1)
        return pooled.view(*sig_BLT.shape[:2], self.pooled_size)

    def reads(self, pooled_BLP: Tensor, mask_BL: Tensor, feat_BF: Tensor) -> Tensor:
        """What the linear layer gets [B, L * P + F]: zeros, which are averages, for leads that are absent or silent. feat_BF
        standardised."""
        standard = ((pooled_BLP - self.mean_LP) / self.std_LP).clamp(-POOLED_CLIP, POOLED_CLIP)
        heard = mask_BL * pooled_BLP.any(-1)
        return torch.cat([(standard * heard.unsqueeze(-1)).flatten(1), FEATURE_GAIN * feat_BF], dim=1)

    def forward(self, pooled_BLP: Tensor, mask_BL: Tensor, feat_BF: Tensor) -> Tensor:
        logits: Tensor = self.head(self.reads(pooled_BLP, mask_BL, feat_BF))
        return logits


def _places(count: int, width: int, like: Tensor) -> Tensor:
    """Sines and cosines of the places of `count` tokens (Vaswani et al. 2017)."""
    rate = torch.exp(torch.arange(0, width, 2, device=like.device) * (-math.log(10000.0) / width))
    angle = torch.arange(count, device=like.device)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).to(like.dtype)
