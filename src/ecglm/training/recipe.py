"""A recipe: which encoder, connector, language model and data, and how each stage trains."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecglm.models.connectors import ConnectorConfig
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.training.encoder import EncoderTraining
from ecglm.training.instruct import InstructTraining


@dataclass(frozen=True)
class Recipe:
    """See recipes/default.yaml. Folds are PTB-XL's; calibrate_folds are kept from the language model's training. adapter_from:
    a checkpoint folder whose connector and adapter are taken as they are, instead of being trained; encoder_from: one whose
    encoder is, with its calibration."""

    name: str = "default"
    version: str = "0.1"
    base: str = "smollm2-135m"
    output: str = ""  #: checkpoint folder; empty: "checkpoint" inside the run folder
    run: str = "runs/default"
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    validation_fold: int = 9
    calibrate_folds: tuple[int, ...] = (8,)
    adapter_from: str = ""
    encoder_from: str = ""
    encoder: FindingsEncoderConfig = field(default_factory=FindingsEncoderConfig)
    connector: ConnectorConfig = field(default_factory=ConnectorConfig)
    encoder_training: EncoderTraining = field(default_factory=EncoderTraining)
    instruct: InstructTraining = field(default_factory=InstructTraining)
