"""A recipe of kind curriculum (recipes/camel.yaml)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecglm.models.seconds.config import SecondsConfig
from ecglm.training.adapter import Lora


@dataclass(frozen=True)
class Autoencoding:
    """Stage 1: steps of so many seconds of signal. steps 0 leaves it out: the encoder starts at random."""

    steps: int = 1500
    batch: int = 512
    lr: float = 2e-3


@dataclass(frozen=True)
class Alignment:
    """Between stages 1 and 2 (`align`). epochs 0 leaves it out, as published."""

    epochs: int = 8
    batch: int = 8
    lr: float = 4e-4


@dataclass(frozen=True)
class Stage:
    """A language stage. sequences: ECGs (or pairs of them) with their questions; mix: share of sequences that repeat earlier
    stages, so that they are not forgotten. sequences 0 leaves it out."""

    sequences: int
    mix: float = 0.0
    lr: float = 4e-4


@dataclass(frozen=True)
class CurriculumRecipe:
    """See recipes/camel.yaml. base: the language model; layers: how many of its layers are kept (0: all; half of them from its
    beginning, half from its end), which makes a small model of a large one. Folds are PTB-XL's: of train_folds so many
    `recordings` are read; validation_fold gives the marks after every stage, by `marked` lessons of each stage so far.
    questions: most on one ECG; accumulate: sequences of an optimiser step; no_ecg: share of sequences without the ECG, so that
    the text-only control is the model's own guess; parts: learning rate of encoder, projector and special tokens, as a multiple
    of the stage's; read: weight of the head of `align` during the lessons (0: it is not kept)."""

    kind: str = "curriculum"
    name: str = "camel"
    version: str = "0.1"
    run: str = "runs/camel"
    output: str = ""  #: folder of the model; empty: "model" inside the run folder
    base: str = "smollm2-135m"
    layers: int = 8
    seconds: SecondsConfig = field(default_factory=SecondsConfig)
    lora: Lora = field(default_factory=Lora)
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    validation_fold: int = 8
    marked: int = 40
    recordings: int = 1250
    autoencoder: Autoencoding = field(default_factory=Autoencoding)
    align: Alignment = field(default_factory=Alignment)
    labels: Stage = field(default_factory=lambda: Stage(2400))
    statistics: Stage = field(default_factory=lambda: Stage(800, 0.25))
    dialogue: Stage = field(default_factory=lambda: Stage(400, 0.25))
    forecast: Stage = field(default_factory=lambda: Stage(400, 0.25))
    questions: int = 16
    accumulate: int = 4
    no_ecg: float = 0.06
    parts: float = 2.5
    read: float = 0.3
    save_every: int = 50
    seed: int = 0

    @property
    def stages(self) -> dict[str, Stage]:
        """The language stages in their order."""
        return {"labels": self.labels, "statistics": self.statistics, "dialogue": self.dialogue, "forecast": self.forecast}
