"""Vision encoders, frozen: a picture in, tokens of it (and of its tiles) out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecglm.errors import CheckpointError
from ecglm.models import base as bases
from ecglm.models.vision.anyres import packed, tiles
from ecglm.models.vision.config import VisionConfig

#: CLIP's and SigLIP's mean and spread of colours, where a folder has no preprocessor_config.json.
_COLOURS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "siglip": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
Image = NDArray[np.uint8]


class Tower(nn.Module, ABC):
    """An encoder whose weights never change. width: of its tokens."""

    width: int

    @abstractmethod
    def features(self, image: Image) -> Tensor:
        """Tokens of the whole picture and of its tiles, tok_TND, before any connector."""

    @abstractmethod
    def arranged(self, tok_TND: Tensor, image: Image, newline_D: Tensor | None) -> Tensor:
        """Connected tokens in the order in which they are read, tok_MD."""


class PatchTower(Tower):
    """CLIP or SigLIP: hidden states of one layer, without CLIP's class token."""

    def __init__(self, config: VisionConfig, model: Any, mean: tuple[float, ...], std: tuple[float, ...],
                 resample: int = 3) -> None:
        super().__init__()
        self.config, self.model = config, model
        self.mean, self.std, self.resample = mean, std, resample
        self.width, self.side = int(model.config.hidden_size), int(model.config.image_size)
        self.skipped = 1 if config.encoder == "clip" else 0
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def features(self, image: Image) -> Tensor:
        pixels = tiles(image, self.side, self.config.tilings, self.mean, self.std, self.resample)
        weight = next(self.model.parameters())
        out = self.model(pixel_values=pixels.to(weight.device, weight.dtype), output_hidden_states=True)
        states: Tensor = out.hidden_states[self.config.layer][:, self.skipped:]
        return states

    def arranged(self, tok_TND: Tensor, image: Image, newline_D: Tensor | None) -> Tensor:
        return packed(tok_TND, (image.shape[0], image.shape[1]), self.side, self.config.tilings, newline_D)


class PageTower(Tower):
    """ecglm's own: the tokens of `PageNet`, six rows of sixteen."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net, self.width = net, int(net.config.widths[-1])
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def features(self, image: Image) -> Tensor:
        from ecglm.paper.look import picture_of

        picture = torch.from_numpy(picture_of(image))[None].to(next(self.net.parameters()).device)
        tok: Tensor = self.net(picture).tok_BND
        return tok

    def arranged(self, tok_TND: Tensor, image: Image, newline_D: Tensor | None) -> Tensor:
        rows, columns = self.net.config.grid
        grid = tok_TND[0].view(rows, columns, -1)
        if newline_D is not None:
            grid = torch.cat([grid, newline_D.to(grid.dtype).expand(rows, 1, -1)], dim=1)
        return grid.flatten(0, 1)

    def train(self, mode: bool = True) -> PageTower:
        """Stays as it is: its batch statistics are part of what is frozen."""
        super().train(False)
        return self


def load_tower(config: VisionConfig) -> Tower:
    """The encoder of a configuration. Raises CheckpointError where its weights are not to be had."""
    if config.encoder == "pagenet":
        from ecglm.models.vision.judge import PageJudge

        return PageTower(PageJudge.load(None if config.source == "default" else config.source).net)
    folder = bases.resolve(config.source)
    from ecglm.models.vision.llava import is_llava, tower_of

    if is_llava(folder):
        return tower_of(folder, config)
    model = patch_model(config.encoder, folder)
    return PatchTower(config, model, *colours(config.encoder, folder))


def patch_model(kind: str, folder: Path) -> Any:
    """CLIP's or SigLIP's vision half from a folder in transformers' layout, of both halves or of this one."""
    from transformers import CLIPVisionModel, SiglipVisionModel

    kinds: dict[str, Any] = {"clip": CLIPVisionModel, "siglip": SiglipVisionModel}
    try:
        return kinds[kind].from_pretrained(folder, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder}: holds no {kind} vision model ({error}); give one in transformers' layout") from error


def colours(kind: str, folder: Path) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Mean, spread and resampling of a folder's preprocessor, or those that its kind was published with."""
    import json

    mean, std = _COLOURS[kind]
    try:
        said = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf8"))
    except (OSError, ValueError):
        said = {}
    return tuple(said.get("image_mean", mean)), tuple(said.get("image_std", std)), int(said.get("resample", 3))
