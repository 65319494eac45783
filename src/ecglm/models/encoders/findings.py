"""The shipped encoder: five branches whose logits are weighted per group of statements.

strip: a residual network on the whole strip; beat: a network on the median beats; linear and forest: models of the rhythm
features, which convolutions read poorly; codec: a linear reading of what a codec taught elsewhere makes of every
lead, beside the rhythm features.
Calibration turns the fused logits into probabilities (`ecglm.models.calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecglm.models.encoders.beatnet import BeatNet, BeatNetConfig
from ecglm.models.encoders.codec import CodecBranch, CodecConfig
from ecglm.models.encoders.forest import Forest, ForestConfig
from ecglm.models.encoders.output import EncoderOutput
from ecglm.models.encoders.resnet1d import ResNet1d, ResNet1dConfig

FloatArray = NDArray[np.float32]
#: Standardised rhythm features are clipped here, so that one odd value cannot dominate.
FEATURE_CLIP = 5.0
BRANCHES = ("strip", "beat", "linear", "forest", "codec")


@dataclass(frozen=True)
class FindingsEncoderConfig:
    """Architecture of the encoder: one entry per branch that has sizes to choose."""

    strip: ResNet1dConfig = field(default_factory=ResNet1dConfig)
    beat: BeatNetConfig = field(default_factory=BeatNetConfig)
    forest: ForestConfig = field(default_factory=ForestConfig)
    codec: CodecConfig = field(default_factory=CodecConfig)

    def with_features(self, count: int) -> FindingsEncoderConfig:
        """The same for this many rhythm features."""
        return replace(self, strip=replace(self.strip, n_features=count), beat=replace(self.beat, n_features=count))


class FindingsEncoder(nn.Module):
    """Signals, masks, median beats and rhythm features to `EncoderOutput` whose logits_BC are fused, not yet calibrated.

    fuse_KC weighs the branches, in the order of BRANCHES, for each label. tok_BND are the strip's, emb_BD both networks'.
    """

    mean_F: Tensor
    std_F: Tensor
    fuse_KC: Tensor

    def __init__(self, config: FindingsEncoderConfig) -> None:
        super().__init__()
        self.config = config
        n_features, n_labels = config.strip.n_features, config.strip.n_labels
        self.strip = ResNet1d(config.strip)
        self.beat = BeatNet(config.beat)
        self.linear = nn.Linear(n_features, n_labels)
        self.forest = Forest(config.forest)
        self.codec = CodecBranch(config.codec, config.strip.fs, config.strip.n_leads, n_features, n_labels)
        self.register_buffer("mean_F", torch.zeros(n_features))
        self.register_buffer("std_F", torch.ones(n_features))
        self.register_buffer("fuse_KC", torch.eye(len(BRANCHES))[:, :1].repeat(1, n_labels))

    def standardise(self, feat_BF: Tensor) -> Tensor:
        """Rhythm features in standard deviations, clipped."""
        return ((feat_BF - self.mean_F) / self.std_F).clamp(-FEATURE_CLIP, FEATURE_CLIP)

    def forward(self, sig_BLT: Tensor, mask_BL: Tensor, beat_BLK: Tensor, feat_BF: Tensor, pooled_BLP: Tensor | None = None,
                ) -> EncoderOutput:
        """pooled_BLP: `codec.pool` of these signals where it is known, since that is most of the work."""
        feat = self.standardise(feat_BF)
        strip: EncoderOutput = self.strip(sig_BLT, mask_BL, feat)
        beat: EncoderOutput = self.beat(beat_BLK, mask_BL, feat)
        linear = self.linear(feat)
        forest = torch.zeros_like(linear)
        forest[:, list(self.config.forest.labels)] = self.forest(feat)
        codec = self.codec(self.codec.pool(sig_BLT) if pooled_BLP is None else pooled_BLP, mask_BL, feat)
        logits = (self.fuse_KC * torch.stack([strip.logits_BC, beat.logits_BC, linear, forest, codec], dim=1)).sum(1)
        return EncoderOutput(strip.tok_BND, torch.cat([strip.emb_BD, beat.emb_BD], dim=1), logits)


def connector_input(calibrated_BC: FloatArray, standardised_BF: FloatArray) -> FloatArray:
    """What the "findings" connector reads: calibrated logits and standardised rhythm features, both near unit scale."""
    return np.concatenate([np.clip(calibrated_BC, -8, 8) / 3.0, np.clip(standardised_BF, -3, 3)], axis=1).astype(np.float32)
