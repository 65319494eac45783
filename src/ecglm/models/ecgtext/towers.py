"""The towers. Shapes: B batch, L leads, T samples, N tokens, D width, E width of the space, F values of a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from ecglm.models.ecgtext.config import DecoderConfig, TextConfig, VectorConfig, VitConfig
from ecglm.models.ecgtext.layers import Block, embedding

PAD, START, END = 0, 1, 2
#: Texts read together.
LIKE = 48


class EcgVit(nn.Module):
    """sig_BLT at `input_fs` to tokens_BND (class token first) and emb_BE, as ECG-Chat's tower: patches mix all leads."""

    def __init__(self, config: VitConfig, embed: int, input_fs: float) -> None:
        super().__init__()
        self.config, self.factor = config, config.fs / input_fs
        self.patches = nn.Conv1d(config.leads, config.width, config.patch, config.patch, bias=False)
        self.first = embedding(1, config.width)
        self.position = embedding(config.samples // config.patch + 1, config.width)
        self.norm_in = nn.LayerNorm(config.width)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm_out = nn.LayerNorm(config.width)
        self.project = nn.Linear(config.width, embed, bias=False)

    def forward(self, sig_BLT: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        """Signals shorter than the context are read as they are; absent leads are zero. Raises ValueError when longer."""
        sig = sig_BLT * mask_BL[:, :, None]
        if self.factor != 1:
            sig = interpolate(sig, scale_factor=self.factor, mode="linear", align_corners=False)
        tokens = self.patches(sig).transpose(1, 2)
        if tokens.shape[1] >= len(self.position):
            raise ValueError(f"{sig.shape[2]} samples are more than the {self.config.samples} this tower reads")
        x = torch.cat([self.first.expand(len(tokens), 1, -1), tokens], dim=1) + self.position[: tokens.shape[1] + 1]
        x = self.norm_in(x)
        for block in self.blocks:
            x = block(x)
        x = self.norm_out(x)
        return x, normalize(self.project(x[:, 0]), dim=-1)


class VectorTower(nn.Module):
    """vector_BF to tokens_BND and emb_BE."""

    def __init__(self, config: VectorConfig, embed: int) -> None:
        super().__init__()
        self.config = config
        self.read = nn.Sequential(nn.Dropout(config.dropout / 3), nn.Linear(config.inputs, config.hidden), nn.GELU(),
                                  nn.Dropout(config.dropout))
        self.deepen = nn.Sequential(nn.LayerNorm(config.hidden), nn.Linear(config.hidden, config.hidden), nn.GELU(),
                                    nn.Dropout(config.dropout))
        self.tokens = nn.Linear(config.hidden, config.tokens * config.width)
        self.project = nn.Linear(config.hidden, embed, bias=False)

    def forward(self, vector_BF: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.read(vector_BF)
        hidden = hidden + self.deepen(hidden)
        return self.tokens(hidden).unflatten(-1, (self.config.tokens, -1)), normalize(self.project(hidden), dim=-1)


class TextTower(nn.Module):
    """ids_BN (PAD after the end) to emb_BE: the mean over the tokens of the last layer."""

    def __init__(self, config: TextConfig, embed: int) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.position = embedding(config.context, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.project = nn.Linear(config.width, embed, bias=False)

    def forward(self, ids_BN: Tensor) -> Tensor:
        """Texts of like length are read together, without each other's padding: the same, faster."""
        length_B = (ids_BN != PAD).sum(1)
        order = length_B.argsort(stable=True)
        parts = [self._read(ids_BN[rows, : int(length_B[rows].max())]) for rows in torch.split(order, LIKE)]
        return torch.cat(parts)[order.argsort()]

    def _read(self, ids_BN: Tensor) -> Tensor:
        keep = ids_BN != PAD
        x = self.drop(self.words(ids_BN) + self.position[: ids_BN.shape[1]])
        for block in self.blocks:
            x = block(x, keep)
        weight = keep[:, :, None].to(x.dtype)
        return normalize(self.project((self.norm(x) * weight).sum(1) / weight.sum(1)), dim=-1)


class CaptionDecoder(nn.Module):
    """ids_BN and the ECG tower's tokens to the logits of each next token. Sees no later token, unlike the text tower, whose
    states would give the answer away."""

    def __init__(self, config: DecoderConfig, text: TextConfig, width_ecg: int) -> None:
        super().__init__()
        self.words = nn.Embedding(text.vocabulary, config.width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.position = embedding(text.context, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout, width_ecg) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, ids_BN: Tensor, tokens_BMD: Tensor) -> Tensor:
        x = self.drop(self.words(ids_BN) + self.position[: ids_BN.shape[1]])
        for block in self.blocks:
            x = block(x, y_BMD=tokens_BMD, causal=True)
        logits: Tensor = self.norm(x) @ self.words.weight.T
        return logits
