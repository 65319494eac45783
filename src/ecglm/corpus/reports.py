"""PTB-XL's reports and statements as texts: of the recordings whose signals are here, and of those known by their labels only."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError
from ecglm.knowledge.report_text import clean_report
from ecglm.knowledge.statements import keys


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
    path = data_folder("ptbxl") / "labels_all.csv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        ecg_id, patient, fold = (np.array([int(row[name]) for row in rows], np.int64)
                                 for name in ("ecg_id", "patient_id", "strat_fold"))
        return ReportTable(
            ecg_id, patient, fold, tuple(clean_report(row["report"]) for row in rows),
            np.array([[int(row[key]) for key in keys()] for row in rows], np.uint8))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise ReadError(path, f"not PTB-XL's table of labels ({error})", "fetch it again") from error
