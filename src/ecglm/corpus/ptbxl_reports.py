"""PTB-XL's report texts and statements, also of the recordings whose signals are not here (``labels_all.csv.gz``)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError
from ecglm.knowledge.statements import BY_KEY, keys


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


def statement_text(labels: Mapping[str, int]) -> str:
    """The labels as English sentences: rhythm, then diagnosis, then form, by our names; "No statement." without any."""
    said = [BY_KEY["super_class:NORM" if key == "sub_class:NORM" else key].name
            for group in ("rhythm", "sub_class", "form") for key in keys()
            if labels[key] and key.startswith(group + ":") and key != "sub_class:NST"]
    return " ".join(f"{name[0].upper()}{name[1:]}." for name in said) or "No statement."
