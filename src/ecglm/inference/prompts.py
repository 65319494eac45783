"""Prompts about recordings: what is derived from the last recordings, their cached prefixes, and the tokens of questions."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from ecglm.inference.draft import draft
from ecglm.inference.engine import Engine, Prefix
from ecglm.inference.reading import Reading, read_recording
from ecglm.inference.topics import spelled_out, topics
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.prompt import prefix_ids
from ecglm.records.record import Record

#: Recordings whose findings and cached prefix are kept.
KEPT = 8


class Prompts:
    """Prompts for one model; keeps what it derived from the last recordings, so that further questions are cheap."""

    def __init__(self, model: EcgLanguageModel) -> None:
        self.model = model
        self._engine: Engine | None = None
        self._kept: OrderedDict[int, tuple[Reading, list[Prefix]]] = OrderedDict()

    @property
    def engine(self) -> Engine:
        """Loaded on first use, with the language model."""
        if self._engine is None:
            stop = self.model.tokens(self.model.format.stop)[:1]
            self._engine = Engine(self.model.llm, stop)
        return self._engine

    def reading(self, record: Record) -> Reading:
        """Findings, measurements and facts of a recording, from the cache when it was seen lately."""
        return self._entry(record)[0]

    def _entry(self, record: Record) -> tuple[Reading, list[Prefix]]:
        entry = self._kept.get(id(record))
        if entry is None or entry[0].record is not record:
            entry = (read_recording(self.model, record), [])
        self._kept[id(record)] = entry
        self._kept.move_to_end(id(record))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return entry

    def prefix(self, record: Record) -> Prefix:
        """The cached beginning of every prompt about this recording."""
        reading, prefixes = self._entry(record)
        if not prefixes:
            prefixes.append(self.engine.prefix(self.prefix_embeddings(reading.facts, reading)))
        return prefixes[0]

    @torch.no_grad()
    def prefix_embeddings(self, facts: str | None, reading: Reading | None) -> Tensor:
        """emb_PD of the prompt up to the question; facts None shows no ECG at all."""
        n_soft = self.model.config.connector.n_tokens
        ids = prefix_ids(self.model.tokens, self.model.format, facts, n_soft)
        emb = self.model.embed_tokens([max(i, 0) for i in ids]).clone()
        if facts is not None and reading is not None and reading.encoded is not None:
            soft = self.model.soft_prompt(reading.encoded.connector_F[None])[0]
            emb[[i for i, token in enumerate(ids) if token == -1]] = soft.to(emb.dtype)
        return emb

    def suffix(self, question: str) -> list[int]:
        """Token ids of a question and what follows it. Control tokens that a user types are dropped."""
        return self.model.tokens(self.model.plain(spelled_out(question)) + self.model.format.before_answer)

    def draft(self, reading: Reading, question: str) -> list[int]:
        """Token ids of a guessed answer, for the engine to confirm."""
        return self.model.tokens(draft(question, topics(question), reading, self.model.findings_calibration))
