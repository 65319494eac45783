"""`AdaptedModel`: a language model with an adapter, and before it one part of ecglm's that reads signals or pages.

Its checkpoint folder is that of `ecglm.models.elm` without heads: ``config.json``, ``model.safetensors`` (the part), ``adapter/``
(peft), ``calibration.json``, ``run.json`` and the card. The language model is referenced by name.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import nn

from ecglm.config import load_config
from ecglm.errors import CheckpointError, UsageError
from ecglm.models import base as bases
from ecglm.models.device import best_device, best_dtype
from ecglm.models.folder import read_kind, write_folder
from ecglm.models.prompt import PromptFormat


def with_adapter(llm: Any, folder: Path | None, merge: bool = True) -> Any:
    """The language model with the adapter of a folder (None: as it is), merged into its weights, or else open to training. Raises
    CheckpointError where the adapter has no weights in safetensors: peft would unpickle others."""
    if folder is None:
        return llm
    if not (folder / "adapter_model.safetensors").is_file():
        raise CheckpointError(f"{folder}: holds no adapter_model.safetensors; fetch the checkpoint again")
    from peft import PeftModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft reads an attribute that transformers is renaming
        llm = PeftModel.from_pretrained(llm, folder, is_trainable=not merge)
        return llm.merge_and_unload() if merge else llm


def adapter_writer(llm: Any, base: str) -> Callable[[Path], None] | None:
    """What writes the adapter of a language model in training; None where it has none."""
    if not hasattr(llm, "peft_config"):
        return None
    for one in llm.peft_config.values():
        one.base_model_name_or_path = base  # not this machine's cache folder
    save: Callable[[Path], None] = llm.save_pretrained
    return save


class AdaptedModel(ABC):
    """What the children share. A child says what its ``config.json`` is (`Config`: with model_type, format and base), sets its
    `format`, calls `_adapt` once its language model is as it wants it, and makes its `part`.

    adapter: a folder of peft. llm, tokenizer: already loaded ones, instead of those of the base that the configuration names.
    """

    Config: ClassVar[type[Any]]
    format: PromptFormat

    def __init__(self, config: Any, adapter: Path | None = None, device: str | None = None, *, llm: Any = None,
                 tokenizer: Any = None) -> None:
        self.config, self.adapter = config, adapter
        self.device = best_device(device)
        if tokenizer is None:
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(bases.resolve(config.base))
        self.tokenizer: Any = tokenizer
        self.llm: Any = bases.language_model(config.base, best_dtype(self.device)) if llm is None else llm
        self.calibration: dict[str, Any] = {}
        self.name: str = config.base
        self.run: dict[str, Any] = {}

    @property
    @abstractmethod
    def part(self) -> nn.Module:
        """What ``model.safetensors`` holds."""

    def _adapt(self, hidden: int, setting: str) -> None:
        """Merge the adapter into a language model that must be this wide. setting: what the configuration calls the width."""
        width = self.llm.get_input_embeddings().weight.shape[1]
        if width != hidden:
            raise UsageError(f"{setting}={hidden}: {self.config.base} is {width} wide; set it to that")
        self.llm = with_adapter(self.llm, self.adapter).to(self.device).eval()

    @classmethod
    def _made(cls, folder: Path, config: Any, adapter: Path | None, device: str | None) -> Self:
        """The model of a checkpoint folder, before its part is loaded."""
        return cls(config, adapter, device)

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str | None = None) -> Self:
        """Load a checkpoint folder. Raises CheckpointError when it is damaged or of another kind."""
        kind = cls.Config()
        files = read_kind(Path(folder), kind.model_type, kind.format)
        model = cls._made(Path(folder), load_config(cls.Config, files.config), files.adapter, device)
        try:
            model.part.load_state_dict(files.tensors)
        except RuntimeError as error:
            raise CheckpointError(f"{folder}: model.safetensors does not fit config.json; fetch it again") from error
        model.calibration, model.run, model.name = files.calibration, files.run, files.name
        return model

    def save_pretrained(self, folder: str | Path, run: dict[str, Any], card: str) -> None:
        """Write the checkpoint folder; the adapter of a model in training goes with it."""
        self._write(folder, run, card, self.config, adapter_writer(self.llm, self.config.base))

    def _write(self, folder: str | Path, run: dict[str, Any], card: str, config: Any,
               save_adapter: Callable[[Path], None] | None) -> None:
        write_folder(Path(folder), config=asdict(config), processor={}, calibration=self.calibration,
                     tensors=self.part.state_dict(), run=run, card=card, save_adapter=save_adapter)

    def tokens(self, text: str) -> list[int]:
        """Token ids without special tokens added."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids
