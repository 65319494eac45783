"""PTB-XL (Wagner et al. 2020, 10.1038/s41597-020-0495-6): records, labels, folds.

Reads the amplitude-normalised 250-Hz subset (docs/data.md). Millivolts are gone there, so
its records are `unit="normalized"`; the six limb leads get their common scale back, which
makes the frontal axis valid.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError
from ecglm.knowledge.statements import keys
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record, RecordMeta

FS = 250.0
#: Limb leads whose recovered scale leaves a larger Einthoven residual are not trusted for the axis.
MAX_LIMB_RESIDUAL = 0.01
#: PTB-XL `heart_axis` codes as ECG-QA's axis answers.
AXIS_NAMES = {
    "MID": "normal heart axis", "LAD": "left axis deviation", "ALAD": "left axis deviation",
    "AXL": "left axis deviation", "RAD": "right axis deviation", "ARAD": "right axis deviation",
    "AXR": "right axis deviation",
}


@dataclass(frozen=True)
class PtbXl:
    """The data set in memory. Row order is that of ``labels.csv``.

    counts_NLT int16, thousandths of a lead's standard deviation; labels_NC uint8 in the
    order of `ecglm.knowledge.statements.keys()`; axis: ECG-QA axis answer or "".
    """

    counts_NLT: NDArray[np.int16]
    labels_NC: NDArray[np.uint8]
    ecg_id: NDArray[np.int64]
    patient: NDArray[np.int64]
    fold: NDArray[np.int64]
    limb_gain_N6: NDArray[np.float32]
    limb_residual: NDArray[np.float32]
    axis: tuple[str, ...]
    age: tuple[int | None, ...]
    sex: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.ecg_id)

    def rows(self, folds: tuple[int, ...]) -> NDArray[np.int64]:
        """Row numbers of these folds."""
        return np.flatnonzero(np.isin(self.fold, folds))

    def record(self, row: int) -> Record:
        """Row as a `Record`: normalized, limb leads on their common scale when it is trustworthy."""
        signal = self.counts_NLT[row].astype(np.float32) / 1000.0
        shared = bool(self.limb_residual[row] <= MAX_LIMB_RESIDUAL)
        if shared:
            signal[:6] *= self.limb_gain_N6[row][:, None] * np.float32(np.sqrt(3.0))  # mean gain about 1
        sex = self.sex[row]
        return Record(
            signal=signal, fs=FS, leads=STANDARD_12, unit="normalized", limb_scale_shared=shared,
            meta=RecordMeta(age=self.age[row], sex="female" if sex == "female" else "male" if sex == "male" else None),
            source=f"ptbxl:{self.ecg_id[row]}", format="ptbxl",
        )


def _counts(folder: Path) -> tuple[NDArray[np.int16], dict[str, NDArray[np.float64]]]:
    try:
        packed = np.load(folder / "signals_250hz.npz")
        counts = packed["hi"].astype(np.int16)
        counts <<= 8
        counts += packed["lo"]
        counts -= 128
        rest = {key: packed[key] for key in packed.files if key not in ("hi", "lo")}
    except (OSError, KeyError, ValueError) as error:
        raise ReadError(folder / "signals_250hz.npz", "not the packed PTB-XL subset", "fetch it again") from error
    for _ in range(2):  # stored as second differences
        np.cumsum(counts, axis=2, dtype=np.int16, out=counts)
    return counts, rest


@lru_cache(maxsize=1)
def load() -> PtbXl:
    """Read the subset once per process (about a second). Raises ReadError when absent."""
    folder = data_folder("ptbxl")
    counts, rest = _counts(folder)
    with open(folder / "labels.csv", encoding="utf8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if len(rows) != len(counts):
        raise ReadError(folder / "labels.csv", f"{len(rows)} rows for {len(counts)} signals", "fetch it again")
    labels = np.array([[int(row[key]) for key in keys()] for row in rows], dtype=np.uint8)

    def age(text: str) -> int | None:
        return int(float(text)) if text and float(text) <= 120 else None  # PTB-XL writes 300 for "over 89"

    return PtbXl(
        counts_NLT=counts, labels_NC=labels,
        ecg_id=rest["ecg_id"].astype(np.int64), patient=rest["patient_id"].astype(np.int64),
        fold=rest["strat_fold"].astype(np.int64),
        limb_gain_N6=rest["limb_rel_gain"].astype(np.float32), limb_residual=rest["limb_residual"].astype(np.float32),
        axis=tuple(AXIS_NAMES.get(row["heart_axis"], "") for row in rows),
        age=tuple(age(row["age"]) for row in rows),
        sex=tuple({"0.0": "male", "1.0": "female"}.get(row["sex"]) for row in rows),
    )
