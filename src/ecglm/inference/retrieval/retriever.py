"""`Retriever`: recordings and texts to vectors of one space, searches and zero-shot probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.errors import CheckpointError, RecordError, UsageError
from ecglm.inference.adapt.space import ALL, FewShotSpace, describe
from ecglm.inference.reading import Reading
from ecglm.inference.retrieval.index import Index
from ecglm.inference.retrieval.wording import Wording, wording
from ecglm.knowledge.report_text import clean_report, said
from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.ecgtext import EcgTextModel
from ecglm.models.ecgtext.model import INPUT_FS

FloatArray = NDArray[np.float32]
#: The towers that ship with the package.
SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints" / "retrieval"


class Retriever:
    """An ECG-text model with what its ECG tower reads of a `Reading`. model: a folder of `ecglm train recipes/ecg_chat.yaml`."""

    def __init__(self, model: EcgTextModel, name: str) -> None:
        self.model, self.name = model, name

    @classmethod
    def load(cls, folder: str | Path = SHIPPED) -> Retriever:
        """Raises CheckpointError."""
        model = EcgTextModel.from_pretrained(folder)
        name, weights = model.run.get("recipe", {}).get("name", Path(folder).name), model.run["sha256"]["model.safetensors"]
        return cls(model, f"{name}@{model.run.get('version', '?')}:{weights[:16]}")

    @cached_property
    def _space(self) -> FewShotSpace:
        return FewShotSpace.load()

    def embed_ecg(self, reading: Reading) -> FloatArray:
        """emb_E of a recording. Raises RecordError where its signal cannot be read, as of a page that was only looked at."""
        if reading.declined or reading.inputs is None:
            why = reading.declined or "it was only looked at"
            raise RecordError(f"{reading.record.source or 'record'}: {why}; nothing can be searched for it")
        if self.model.config.vector is not None:
            vector = self._space(describe(reading.record.crop(0.0, reading.seconds), reading.inputs))[ALL]
            if vector.shape[1] != self.model.config.vector.inputs:
                raise CheckpointError(f"{self.name}: reads {self.model.config.vector.inputs} values, this version of ecglm "
                                      f"measures {vector.shape[1]}; train it again with recipes/ecg_chat.yaml")
            ecg: tuple[torch.Tensor, ...] = (torch.from_numpy(vector),)
        else:
            vit = self.model.config.vit
            assert vit is not None
            sig = torch.from_numpy(reading.inputs.sig_WLT)[:, :, :int(vit.samples / vit.fs * INPUT_FS)]
            ecg = (sig, torch.from_numpy(reading.inputs.mask_L).expand(len(sig), -1))
        emb = self.model.encode_ecg(*ecg).mean(0).numpy()
        return np.asarray(emb / np.linalg.norm(emb), np.float32)

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """emb_NE; texts are read as reports are: abbreviations written out. Raises UsageError for an empty one."""
        cleaned = [clean_report(text) for text in texts]
        for text, read in zip(texts, cleaned, strict=True):
            if not read:
                raise UsageError(f"the text {text!r} says nothing of an ECG; describe a finding")
        return np.asarray(self.model.encode_text(cleaned).numpy(), np.float32)

    def wording(self, text: str) -> Wording:
        """A text to search for, as it is read. Raises UsageError for one without words."""
        return wording(text, self.model.tokens)

    def prompted(self, labels: Sequence[Sequence[str]]) -> FloatArray:
        """emb_NE of classes, each of several wordings: the mean of its prompts, of unit length."""
        flat = self.embed_texts([prompt for prompts in labels for prompt in prompts])
        mean = np.stack([part.mean(0) for part in np.split(flat, np.cumsum([len(prompts) for prompts in labels])[:-1])])
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)

    def shares(self, ecg_E: FloatArray, labels_NE: FloatArray) -> FloatArray:
        """How the model shares out certainty among these texts; sums to 1."""
        logits = np.exp(float(self.model.log_scale.detach())) * labels_NE @ ecg_E
        share = np.exp(logits - logits.max())
        return np.asarray(share / share.sum(), np.float32)

    @cached_property
    def statements(self) -> Index:
        """An index of the statements that ecglm knows, in its own words, for searches without an index."""
        told = [s for s in STATEMENTS if s.group != "super_class" or s.key == "super_class:NORM"]
        kept = {said(s.key): s.key for s in reversed(told)}  # one entry per wording
        names, texts = list(kept.values())[::-1], list(kept)[::-1]
        return Index.build(names, texts, self.name, reports=self.embed_texts(texts))

    def open(self, index: Index | str | Path | None) -> Index:
        """An index made by these towers; None: the statements. Raises CheckpointError for another's."""
        if index is None:
            return self.statements
        found = index if isinstance(index, Index) else Index.load(index)
        if found.model != self.name:
            raise CheckpointError(f"this index was made by {found.model or 'another model'}, not by {self.name}; "
                                  f"build it again with `ecglm index`")
        return found
