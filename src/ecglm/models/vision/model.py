"""`VisionModel`: what LLaVA adds to a language model, a connector of two layers and the vector that ends a row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecglm.models.vision.config import VisionConfig
from ecglm.models.vision.towers import Image, Tower


class VisionModel(nn.Module):
    """Connector and newline; the frozen tower is at hand and is not part of the state that is saved."""

    def __init__(self, config: VisionConfig, tower: Tower) -> None:
        super().__init__()
        self.config = config
        self._tower = [tower]  # hidden from parameters(): it is frozen, and found again by its name
        self.project = nn.Sequential(nn.Linear(tower.width, config.hidden), nn.GELU(), nn.Linear(config.hidden, config.hidden))
        self.newline = nn.Parameter(torch.randn(config.hidden) / config.hidden ** 0.5) if config.newline else None

    @property
    def tower(self) -> Tower:
        """The encoder."""
        return self._tower[0]

    def tokens(self, image: Image, features_TND: Tensor | None = None) -> Tensor:
        """Tokens of a picture as the language model reads them, tok_MD. features_TND: of the tower, where they are at hand."""
        features = self.tower.features(image) if features_TND is None else features_TND
        weight = next(self.project.parameters())
        connected: Tensor = self.project(features.to(weight.device, weight.dtype))
        return self.tower.arranged(connected, image, self.newline)
