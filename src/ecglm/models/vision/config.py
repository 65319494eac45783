"""Architecture of a vision-language model; recipes/pulse-published.yaml has the published one, recipes/pulse.yaml the small
one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ecglm.errors import ConfigError

EncoderKind = Literal["clip", "siglip", "pagenet"]
#: Tilings of LLaVA-1.6 (height, width) in tiles of its 336 pixels: 1x2, 2x1, 2x2, 3x1, 1x3.
TILINGS = ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))


@dataclass(frozen=True)
class VisionConfig:
    """encoder: CLIP or SigLIP as transformers has them, from the folder or hub id `source`, or "pagenet", the small one of ecglm,
    from a folder that recipes/pulse.yaml made ("default": the one that ships). layer: whose hidden states are the tokens, -2 the
    last but one (LLaVA's; not for pagenet, which has one).

    tilings: (rows, columns) of tiles that a picture may be cut into, beside the whole picture; the one that wastes least is
    taken, and what was padded is left out again ("anyres" with "spatial unpad"). Empty: the whole picture alone. newline: a
    learnt vector ends every row of the tiles. hidden: width of the language model.
    """

    encoder: EncoderKind = "pagenet"
    source: str = "default"
    layer: int = -2
    tilings: tuple[tuple[int, int], ...] = ()
    newline: bool = True
    hidden: int = 576

    def __post_init__(self) -> None:
        if self.encoder not in ("clip", "siglip", "pagenet"):
            raise ConfigError(f"vision.encoder {self.encoder!r} is unknown; use clip, siglip or pagenet")
        if self.encoder == "pagenet" and self.tilings:
            raise ConfigError("vision.tilings: pagenet sees the whole page at once; leave them out")
        if any(min(tiling) < 1 for tiling in self.tilings):
            raise ConfigError(f"vision.tilings {self.tilings!r}: rows and columns of tiles are 1 or more")
