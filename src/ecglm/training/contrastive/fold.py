"""What the studies of retrieval and zero-shot read: one fold's reports and recordings as vectors, and all recordings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.corpus import ptbxl, reports
from ecglm.errors import UsageError
from ecglm.inference.retrieval.retriever import Retriever
from ecglm.knowledge.report_text import distinct
from ecglm.models.ecgtext import EcgTextModel
from ecglm.training.contrastive.data import Vectors
from ecglm.training.fewshot.descriptions import descriptions

FloatArray = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass
class Fold:
    """A fold of PTB-XL: report_R rows of the table of reports; query_Q recordings that have one of them, own_Q which."""

    fold: int
    run: Path
    progress: bool = True

    def __post_init__(self) -> None:
        self.data, self.table = ptbxl.load(), reports.load()
        self.report_R = self.table.rows((self.fold,), reported=True)
        self.texts = [self.table.text[row] for row in self.report_R]
        self.group_R = np.array(distinct(self.texts), np.int64)
        place = {int(self.table.ecg_id[row]): i for i, row in enumerate(self.report_R)}
        rows = self.data.rows((self.fold,))
        self.query_Q = np.array([row for row in rows if int(self.data.ecg_id[row]) in place], np.int64)
        self.own_Q = np.array([place[int(self.data.ecg_id[row])] for row in self.query_Q], np.int64)

    @cached_property
    def ecg(self) -> Vectors:
        """All recordings as the shipped ECG tower reads them; about 0.1 s each the first time."""
        return Vectors(descriptions([str(i) for i in self.data.ecg_id], "12 leads", self.run, self.progress))

    def check(self, retriever: Retriever) -> str:
        """What was compared. Raises UsageError when a patient of this fold took part in training."""
        trained = set(retriever.model.run.get("train_patients", ()))
        tested = {*map(str, self.table.patient[self.report_R]), *map(str, self.data.patient[self.data.rows((self.fold,))])}
        if not trained:
            return "the model does not list its training patients: not checked"
        if trained & tested:
            raise UsageError(f"{len(trained & tested)} patients of fold {self.fold} took part in training {retriever.name}")
        return f"none of {len(tested)} patients of this fold took part in training"

    def recordings(self, model: EcgTextModel, rows: Ints) -> FloatArray:
        """emb_NE."""
        parts = np.array_split(rows, len(rows) // 400 + 1)
        return np.concatenate([model.encode_ecg(*self.ecg.whole(part)).numpy() for part in parts])


def untrained(model: EcgTextModel, seed: int = 0) -> EcgTextModel:
    """The same architecture with random weights: what the shape of the towers gives by itself."""
    torch.manual_seed(seed)
    return EcgTextModel(model.config, model.tokens).eval()
