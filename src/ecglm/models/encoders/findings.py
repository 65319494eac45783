"""The shipped encoder: a deep branch on waves, a wide branch on rhythm features, fused per group.

Calibration turns the fused logits into probabilities; it lives in ``calibration.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecglm.models.encoders.resnet1d import EncoderOutput, ResNet1d, ResNet1dConfig

FloatArray = NDArray[np.float32]
#: Standardised rhythm features are clipped here, so that one odd value cannot dominate.
FEATURE_CLIP = 5.0


class FindingsEncoder(nn.Module):
    """sig_BLT, mask_BL, feat_BF to `EncoderOutput` whose logits_BC are fused, not yet calibrated.

    wide is a linear model on the standardised rhythm features; deep_C and wide_C weight the
    two branches for each label.
    """

    mean_F: Tensor
    std_F: Tensor
    deep_C: Tensor
    wide_C: Tensor

    def __init__(self, config: ResNet1dConfig) -> None:
        super().__init__()
        self.config = config
        self.net = ResNet1d(config)
        self.wide = nn.Linear(config.n_features, config.n_labels)
        self.register_buffer("mean_F", torch.zeros(config.n_features))
        self.register_buffer("std_F", torch.ones(config.n_features))
        self.register_buffer("deep_C", torch.ones(config.n_labels))
        self.register_buffer("wide_C", torch.zeros(config.n_labels))

    def standardise(self, feat_BF: Tensor) -> Tensor:
        """Rhythm features in standard deviations, clipped."""
        return ((feat_BF - self.mean_F) / self.std_F).clamp(-FEATURE_CLIP, FEATURE_CLIP)

    def forward(self, sig_BLT: Tensor, mask_BL: Tensor, feat_BF: Tensor) -> EncoderOutput:
        feat = self.standardise(feat_BF)
        deep: EncoderOutput = self.net(sig_BLT, mask_BL, feat)
        return deep._replace(logits_BC=self.deep_C * deep.logits_BC + self.wide_C * self.wide(feat))


@dataclass(frozen=True)
class FindingCalibration:
    """Per label: probability = sigmoid(slope * logit + bias); thresholds of "present" and
    "possible"; prevalence in the training data. All fitted on out-of-fold predictions."""

    slope: tuple[float, ...]
    bias: tuple[float, ...]
    present: tuple[float, ...]
    possible: tuple[float, ...]
    prevalence: tuple[float, ...]

    def calibrated(self, logits_BC: FloatArray) -> FloatArray:
        """Calibrated logits, same shape."""
        return np.asarray(logits_BC * np.array(self.slope, np.float32) + np.array(self.bias, np.float32), np.float32)

    def probability(self, logits_BC: FloatArray) -> FloatArray:
        """Calibrated probabilities, same shape."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.calibrated(logits_BC))), np.float32)

    @staticmethod
    def of(data: Mapping[str, Sequence[float]]) -> FindingCalibration:
        """From the lists of calibration.json."""
        return FindingCalibration(**{key: tuple(float(v) for v in data[key])
                                     for key in ("slope", "bias", "present", "possible", "prevalence")})


def connector_input(calibrated_BC: FloatArray, standardised_BF: FloatArray) -> FloatArray:
    """What the "findings" connector reads: calibrated logits and standardised rhythm features, both near unit scale."""
    return np.concatenate([np.clip(calibrated_BC, -8, 8) / 3.0, np.clip(standardised_BF, -3, 3)], axis=1).astype(np.float32)
