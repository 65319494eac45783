"""Train connector and LoRA adapter on packed question-answer sequences; the language model stays frozen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InstructTraining:
    """Optimisation of stage 2. One sequence is one recording with `questions` question-answer pairs."""

    steps: int = 1000
    batch: int = 2
    questions: int = 12
    lr: float = 6e-4
    connector_lr: float = 1e-3
    warmup: int = 40
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    no_ecg: float = 0.06
    dialogue: float = 0.12
    save_every: int = 100
    seed: int = 0
