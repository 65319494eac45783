"""A recipe of kind contrastive: towers, pairs, losses (recipes/ecg_chat.yaml)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ecglm.training.augment import AugmentConfig
from ecglm.training.objectives.contrastive import Same


@dataclass(frozen=True)
class ContrastiveTraining:
    """Optimisation. batch: pairs of all processes together. Losses: contrast 1, and these weights of the others; statements:
    of the label of each text. report: how often a record's own report is its text where there is one, else its statements;
    waveform: how often its own numbers follow (ECG-Chat's waveform data enhancement). hard: texts like a pair's own but of
    other statements, added to each batch as negatives. first_epochs: of the text tower alone, on all reports with labels."""

    epochs: int = 30
    first_epochs: int = 5
    batch: int = 128
    lr: float = 2e-3
    weight_decay: float = 0.1
    clip: float = 0.5
    loss: Literal["info_nce", "sig_lip"] = "info_nce"
    same: Same = "positive"
    caption: float = 0.5
    statements: float = 0.5
    report: float = 0.75
    waveform: float = 0.0
    hard: int = 16
    leads: float = 0.3  #: share of recordings whose leads `augment` may take away (vector tower)
    noise: float = 0.3  #: standard deviations added to the values of a vector
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)


@dataclass(frozen=True)
class ContrastiveRecipe:
    """See recipes/ecg_chat.yaml. architecture: a name of ecglm/models/configs or a JSON file. Folds are PTB-XL's."""

    kind: str = "contrastive"
    name: str = "ecg_chat"
    version: str = "0.1"
    run: str = "runs/ecg_chat"
    output: str = ""  #: folder of the model; empty: "model" inside the run folder
    architecture: str = "ecg_text_small"
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    training: ContrastiveTraining = field(default_factory=ContrastiveTraining)
