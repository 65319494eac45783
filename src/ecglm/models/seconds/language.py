"""`SecondsLanguageModel`: a language model that reads lead-second tokens, in one checkpoint folder.

The folder is that of `ecglm.models.elm` without heads: ``config.json`` (model_type "ecglm-seconds"), ``model.safetensors``,
``adapter/`` (peft), ``calibration.json``, ``run.json`` and the card. The language model is referenced by name.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ecglm.config import load_config
from ecglm.errors import CheckpointError, UsageError
from ecglm.models import base as bases
from ecglm.models.elm import best_dtype
from ecglm.models.prompt import NO_SIGNAL, PromptFormat, conversation
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


class SecondsLanguageModel:
    """See `from_pretrained`. llm is the base, cut to `layers`; an adapter may be put on it."""

    def __init__(self, config: SecondsLanguageConfig, adapter: Path | None = None, device: str | None = None) -> None:
        self.config = config
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        path = bases.resolve(config.base)
        from transformers import AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(path)
        self.format = PromptFormat.of(self.tokenizer)
        self.llm: Any = bases.language_model(config.base, best_dtype(self.device))
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
        width = text.config.hidden_size
        if width != config.seconds.hidden:
            raise UsageError(f"seconds.hidden={config.seconds.hidden}: {config.base} is {width} wide; set it to that")
        if adapter is not None:
            from peft import PeftModel

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                self.llm = PeftModel.from_pretrained(self.llm, adapter).merge_and_unload()
        self.llm.to(self.device).eval()
        self.seconds = SecondsModel(config.seconds).to(self.device).eval()
        self.calibration: dict[str, Any] = {}
        self.name = config.base
        self.run: dict[str, Any] = {}

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str | None = None) -> SecondsLanguageModel:
        """Load a checkpoint folder. Raises CheckpointError when it is damaged or of another kind."""
        from ecglm.models.folder import read_folder

        files = read_folder(Path(folder))
        if files.config.get("model_type") != MODEL_TYPE or files.config.get("format") != FORMAT:
            raise CheckpointError(f"{folder}: model_type {files.config.get('model_type')!r} format "
                                  f"{files.config.get('format')!r}; {MODEL_TYPE!r} format {FORMAT} is read here")
        model = cls(load_config(SecondsLanguageConfig, files.config), files.adapter, device)
        try:
            model.seconds.load_state_dict(files.tensors)
        except RuntimeError as error:
            raise CheckpointError(f"{folder}: model.safetensors does not fit config.json; fetch it again") from error
        model.calibration, model.run = files.calibration, files.run
        model.name = f"{Path(folder).name}@{files.run.get('version', '?')}"
        return model

    def save_pretrained(self, folder: str | Path, run: dict[str, Any], card: str) -> None:
        """Write the checkpoint folder; the adapter of a model in training goes with it."""
        from ecglm.models.folder import write_folder

        adapter = None
        if hasattr(self.llm, "peft_config"):
            for one in self.llm.peft_config.values():
                one.base_model_name_or_path = self.config.base
            adapter = self.llm.save_pretrained
        tensors = {name: value.detach().cpu().contiguous() for name, value in self.seconds.state_dict().items()}
        write_folder(Path(folder), config=json.loads(json.dumps(asdict(self.config))), processor={}, calibration=self.calibration,
                     tensors=tensors, run=run, card=card, save_adapter=adapter)

    # -- prompts ------------------------------------------------------------------------------

    def tokens(self, text: str) -> list[int]:
        """Token ids without special tokens added."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

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
        said = "".join(text for text, _ in conversation(turns, form))
        return self.tokens((said + form.between_turns.removeprefix(form.stop) if said else "") + question + form.before_answer)

    @torch.inference_mode()
    def prefill(self, ecgs: Sequence[Segments]) -> tuple[Any, Plan]:
        """Run what all questions about these ECGs (none: the text-only control) begin with: its key-value cache and plan."""
        plan = self.seconds.plan(ecgs, self.before(ecgs), self.opening(ecgs))
        return self.seconds.prefill(self.llm, plan, self.seconds.embed(self.llm, plan, ecgs))[0], plan
