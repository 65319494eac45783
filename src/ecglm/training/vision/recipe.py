"""A recipe of kind vision (recipes/pulse.yaml, recipes/pulse-published.yaml)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ecglm.models.vision.config import VisionConfig
from ecglm.models.vision.pagenet import PageNetConfig
from ecglm.training.adapter import Lora
from ecglm.training.vision.fit import PageTraining
from ecglm.training.vision.pages import Drawing


@dataclass(frozen=True)
class Weighing:
    """Pages of the weigh fold that are drawn at full size and read back: recordings, each under one preset in turn."""

    pages: int = 160
    presets: tuple[str, ...] = ("none", "scan", "heavy", "photo")


@dataclass(frozen=True)
class LanguageStage:
    """The vision-language model. sequences: pages with their questions; 0 leaves it out. base: the language model, or the
    folder of a LLaVA checkpoint, whose tower and connector are then taken too. lora.rank 0 trains the connector alone, unless
    whole: then all of the language model is trained, as published. projector_lr: of the connector. questions: on one page.
    no_image: share of sequences without the page, so that the text-only control is the model's own guess. data, images: a
    file of conversations in LLaVA's form (ECGInstruct has it, and `ecglm data build instructions --llava --pages DIR`
    writes it) and the folder of its pictures (DIR); empty: questions on labels of drawn pages."""

    sequences: int = 0
    base: str = "smollm2-135m"
    template: Literal["chat", "llava_v1"] = "chat"
    vision: VisionConfig = field(default_factory=VisionConfig)
    lora: Lora = field(default_factory=lambda: Lora(16, 32))
    whole: bool = False
    lr: float = 2e-4
    projector_lr: float = 1e-3
    warmup: float = 0.03
    accumulate: int = 8
    epochs: int = 1
    questions: int = 6
    no_image: float = 0.05
    save_every: int = 20
    data: str = ""
    images: str = ""


@dataclass(frozen=True)
class VisionRecipe:
    """See recipes/pulse.yaml. teacher: the checkpoint that reads signals; taught: how many recordings it reads for
    the encoder, 0 all. Folds are PTB-XL's: the encoder learns on train_folds,
    the weights of looking are fitted on weigh_fold, and validation_fold gives the printed figures alone. recordings: at most so
    many of the training folds, 0 all; likewise validated: of the validation fold. encoder: whether the small encoder is
    trained, else the one that ships is used."""

    kind: str = "vision"
    name: str = "pulse"
    version: str = "0.1"
    run: str = "runs/pulse"
    output: str = ""  #: folder of the encoder; empty: "vision" inside the run folder
    teacher: str = "default"
    taught: int = 0
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    weigh_fold: int = 8
    validation_fold: int = 9
    recordings: int = 0
    validated: int = 0
    encoder: bool = True
    drawing: Drawing = field(default_factory=Drawing)
    net: PageNetConfig = field(default_factory=PageNetConfig)
    training: PageTraining = field(default_factory=PageTraining)
    weighing: Weighing = field(default_factory=Weighing)
    language: LanguageStage = field(default_factory=LanguageStage)
    seed: int = 0
