"""`SecondsLanguageModel`: a language model that reads lead-second tokens, in one checkpoint folder.

The folder is that of `ecglm.models.adapted`, with the encoder and the special tokens of `SecondsModel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ecglm.errors import UsageError
from ecglm.models.adapted import AdaptedModel
from ecglm.models.prompt import NO_SIGNAL, PromptFormat, conversation, plain
from ecglm.models.seconds.config import SecondsConfig
from ecglm.models.seconds.layout import Plan
from ecglm.models.seconds.model import SecondsModel, text_model
from ecglm.models.seconds.segments import Segments

MODEL_TYPE, FORMAT = "ecglm-seconds", 1


@dataclass(frozen=True)
class SecondsLanguageConfig:
    """``config.json``. layers: how many of the base's layers are kept, 0 for all: the first half and the last half of them,
    since what is left speaks better than with only the first."""

    model_type: str = MODEL_TYPE
    format: int = FORMAT
    base: str = "smollm2-135m"
    layers: int = 0
    seconds: SecondsConfig = field(default_factory=SecondsConfig)


class SecondsLanguageModel(AdaptedModel):
    """See `from_pretrained`. llm is the base, cut to `layers`; an adapter may be put on it."""

    Config = SecondsLanguageConfig
    config: SecondsLanguageConfig

    def __init__(self, config: SecondsLanguageConfig, adapter: Path | None = None, device: str | None = None) -> None:
        super().__init__(config, adapter, device)
        self.format = PromptFormat.of(self.tokenizer)
        text = text_model(self.llm)
        depth = len(text.layers)
        if config.layers > depth:
            raise UsageError(f"layers={config.layers}: {config.base} has {depth}; keep fewer")
        if config.layers:
            first, last = config.layers - config.layers // 2, config.layers // 2
            kept = [*range(first), *range(depth - last, depth)]
            text.layers = torch.nn.ModuleList([text.layers[number] for number in kept])
            for number, layer in enumerate(text.layers):
                layer.self_attn.layer_idx = number  # its place in the key-value cache
            text.config.num_hidden_layers = config.layers
            if getattr(text.config, "layer_types", None):
                text.config.layer_types = [text.config.layer_types[number] for number in kept]
        self._adapt(config.seconds.hidden, "seconds.hidden")
        self.seconds = SecondsModel(config.seconds).to(self.device).eval()

    @property
    def part(self) -> SecondsModel:
        """What ``model.safetensors`` holds."""
        return self.seconds

    # -- prompts ------------------------------------------------------------------------------

    def before(self, ecgs: Sequence[Segments]) -> list[list[int]]:
        """Text before each ECG."""
        return [self.tokens(f"{'' if i else self.format.before_ecg}ECG{f' {i + 1}' if len(ecgs) > 1 else ''}: ")
                for i in range(len(ecgs))]

    def opening(self, ecgs: Sequence[Segments]) -> list[int]:
        """Text between the last ECG and the first question."""
        return self.tokens(("" if ecgs else self.format.before_ecg + NO_SIGNAL) + self.format.before_question)

    def between(self, turns: Sequence[tuple[str, str]], question: str) -> list[int]:
        """Earlier turns and the question, up to its answer."""
        form = self.format
        question, *earlier = (plain(text, self.tokenizer) for text in (question, *(text for turn in turns for text in turn)))
        said = "".join(text for text, _ in conversation(list(zip(earlier[::2], earlier[1::2], strict=True)), form))
        return self.tokens((said + form.between_turns.removeprefix(form.stop) if said else "") + question + form.before_answer)

    @torch.inference_mode()
    def prefill(self, ecgs: Sequence[Segments]) -> tuple[Any, Plan]:
        """Run what all questions about these ECGs (none: the text-only control) begin with: its key-value cache and plan."""
        plan = self.seconds.plan(ecgs, self.before(ecgs), self.opening(ecgs))
        return self.seconds.prefill(self.llm, plan, self.seconds.embed(self.llm, plan, ecgs))[0], plan
