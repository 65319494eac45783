"""A small random checkpoint folder, written by the real code, for tests of everything after training."""

from __future__ import annotations

from pathlib import Path

import torch

from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.connectors import ConnectorConfig
from ecglm.models.elm import EcgLanguageModel, ElmConfig
from ecglm.models.encoders.beatnet import BeatNetConfig
from ecglm.models.encoders.codec import CodecConfig
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.models.encoders.resnet1d import ResNet1dConfig
from ecglm.signal import FEATURE_NAMES
from tests.tiny import save_tiny_base

TINY_CODEC = CodecConfig(width=8, heads=2, convolutions=1, layers=2, ffn=16, taps=(0, 2))


def tiny_model(folder: Path, seed: int = 0) -> EcgLanguageModel:
    """Random weights, a tiny base in folder/base, calibration that leaves logits as they are."""
    n, features = len(STATEMENTS), len(FEATURE_NAMES) + 3
    torch.manual_seed(seed)
    config = ElmConfig(
        base=str(save_tiny_base(folder / "base", seed)),
        encoder=FindingsEncoderConfig(
            ResNet1dConfig(n_labels=n, stem=8, widths=(8, 8, 16, 16), feature_width=8),
            BeatNetConfig(n_labels=n, width=8, hidden=16, feature_width=8), codec=TINY_CODEC).with_features(features),
        connector=ConnectorConfig(width_in=n + features, width_out=32, hidden=16, n_tokens=3))
    calibration = {"findings": {"slope": [1.0] * n, "bias": [0.0] * n, "possible": [0.3] * n, "prevalence": [0.1] * n,
                                "combinations": {}, "missing": [[0.0] * n] * 4},
                   "answers": {"verify": [1.0, 0.0]}}
    return EcgLanguageModel(config, calibration)


def save_tiny(folder: Path, seed: int = 0) -> Path:
    """The folder of a saved tiny checkpoint."""
    tiny_model(folder, seed).save_pretrained(folder / "checkpoint", {"version": "test"}, "# test card\n")
    return folder / "checkpoint"
