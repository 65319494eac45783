"""A new LoRA adapter on a language model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lora:
    """The adapter. rank 0: none, the language model stays as it is."""

    rank: int = 32
    alpha: int = 64
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def new_adapter(llm: Any, lora: Lora) -> Any:
    """The language model with a new adapter, and with everything else of it frozen."""
    from peft import LoraConfig, get_peft_model

    llm.requires_grad_(False)
    if not lora.rank:
        return llm
    targets: str | list[str] = list(lora.targets)
    if hasattr(llm.model, "language_model"):  # a multimodal model's images have layers of the same names
        targets = rf".*language_model.*\.({'|'.join(lora.targets)})"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft reads an attribute that transformers is renaming
        return get_peft_model(llm, LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=targets,
                                              task_type="CAUSAL_LM"))
