"""PTB-XL's reports and statements as texts: of the recordings whose signals are here, and of those known by their labels only."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError
from ecglm.knowledge.report_text import clean_report, name_statements
from ecglm.knowledge.statements import keys


@dataclass(frozen=True)
class ReportRow:
    """A recording's report as PTB-XL has it ("" where there is none; German, English or Swedish) and its labels by key."""

    ecg_id: int
    patient: int
    fold: int
    text: str
    labels: Mapping[str, int]


@lru_cache(maxsize=1)
def report_rows() -> dict[int, ReportRow]:
    """All rows by ecg_id, once per process. Raises ReadError when the data set is absent or damaged."""
    path = data_folder("ptbxl") / "labels_all.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf8", newline="") as handle:
            return {int(row["ecg_id"]): ReportRow(int(row["ecg_id"]), int(row["patient_id"]), int(row["strat_fold"]),
                                                  row["report"].strip(), {key: int(row[key]) for key in keys()})
                    for row in csv.DictReader(handle)}
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise ReadError(path, f"not PTB-XL's table of labels ({error})", "fetch it again") from error


@dataclass(frozen=True)
class ReportTable:
    """Rows of ``labels_all.csv.gz``: text "" where there is no report, cleaned; label_NC in the order of `keys()`."""

    ecg_id: NDArray[np.int64]
    patient: NDArray[np.int64]
    fold: NDArray[np.int64]
    text: tuple[str, ...]
    label_NC: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.text)

    def rows(self, folds: tuple[int, ...], reported: bool = False) -> NDArray[np.int64]:
        """Row numbers of these folds; reported: only those with a report."""
        kept = np.isin(self.fold, folds)
        return np.flatnonzero(kept & np.array([bool(text) for text in self.text]) if reported else kept)


@lru_cache(maxsize=1)
def load() -> ReportTable:
    """All rows, once per process. Raises ReadError when the data set is absent or damaged."""
    rows = report_rows().values()
    ecg_id, patient, fold = (np.array([getattr(row, name) for row in rows], np.int64) for name in ("ecg_id", "patient", "fold"))
    return ReportTable(ecg_id, patient, fold, tuple(clean_report(row.text) for row in rows),
                       np.array([[row.labels[key] for key in keys()] for row in rows], np.uint8))


def statement_text(labels: Mapping[str, int]) -> str:
    """The labels as English sentences: rhythm, then diagnosis, then form, by our names; "No statement." without any."""
    return name_statements(key for key in keys() if labels[key]) or "No statement."
