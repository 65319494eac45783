"""Architecture of a lead-second model; recipes/camel-published.yaml has the published one, recipes/camel.yaml what ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MaskKind = Literal["lead_aware", "published", "causal", "full"]


@dataclass(frozen=True)
class SecondsConfig:
    """fs: samples of one second. context: samples before it that its token sees as well, so that a QRS cut by the grid is
    whole in one token. scale: "none" keeps the record's unit, "robust" divides each lead by its spread. channels: of the
    convolutions, each of kernel 4 and stride 2. hidden: width of the language model. projector: one linear map, or two
    with GELU between.

    mask: what the tokens of an ECG may see (`layout`). positions: "layout" counts tokens lead after lead, as published;
    "time" gives all leads of a second the same position and tells them apart by a vector of their lead. max_tokens: seconds
    of a longer ECG are pooled so that it has no more. chunk: tokens that are run at once when a prompt is read.
    """

    fs: int = 256
    context: int = 0
    scale: Literal["none", "robust"] = "none"
    channels: tuple[int, ...] = (32, 64, 128, 4)
    hidden: int = 2560
    projector: Literal["linear", "mlp"] = "linear"
    mask: MaskKind = "lead_aware"
    positions: Literal["layout", "time"] = "layout"
    max_tokens: int = 4096
    chunk: int = 512

    @property
    def samples(self) -> int:
        """Samples that one token sees."""
        return self.context + self.fs

    @property
    def steps(self) -> int:
        """Time steps that are left of them."""
        return self.samples >> len(self.channels)

    @property
    def width(self) -> int:
        """Features of one second: 64 in the published encoder."""
        return self.steps * self.channels[-1]
