"""Connectors: from the encoder's output to soft-prompt tokens of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn


@dataclass(frozen=True)
class ConnectorConfig:
    """source: what of the encoder is read. "findings", the only one so far, is the calibrated finding logits with the
    rhythm features: it can be cross-fitted, so that training sees what an unseen recording gives."""

    source: Literal["findings"] = "findings"
    width_in: int = 103
    width_out: int = 576
    hidden: int = 256
    n_tokens: int = 8


class MlpConnector(nn.Module):
    """in_BF to soft tokens soft_BND through one hidden layer, scaled like token embeddings."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__()
        self.config = config
        self.net = nn.Sequential(
            nn.Linear(config.width_in, config.hidden), nn.GELU(), nn.Dropout(0.1),
            nn.Linear(config.hidden, config.n_tokens * config.width_out),
        )
        self.norm = nn.LayerNorm(config.width_out)
        nn.init.constant_(self.norm.weight, 0.1)  # near the spread of SmolLM2's token embeddings

    def forward(self, in_BF: Tensor) -> Tensor:
        soft = self.net(in_BF).view(-1, self.config.n_tokens, self.config.width_out)
        out: Tensor = self.norm(soft)
        return out
