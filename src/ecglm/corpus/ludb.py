"""LUDB: recordings with P, QRS and T marked by cardiologists in every lead (Kalyakulina et al. 2020,
10.1109/ACCESS.2020.3029211)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.records import read
from ecglm.records.annotations import read_annotations
from ecglm.records.record import Record

FloatArray = NDArray[np.float64]
#: Symbol of a wave's peak in the annotation files.
PEAKS = {"p": "p", "qrs": "N", "t": "t"}


@dataclass(frozen=True)
class Marked:
    """A record and its marks: by wave ("p", "qrs", "t"), one array ``[wave, 3]`` per lead of onset, peak and offset (s).

    labels: the row of ludb.csv.
    """

    name: str
    record: Record
    marks: dict[str, tuple[FloatArray, ...]]
    labels: dict[str, str]


def marked_records() -> Iterator[Marked]:
    """Every record. The annotators often left out a lead's first and last beats. Raises EcglmError without the data."""
    folder = data_folder("ludb")
    with open(folder / "ludb.csv", newline="", encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        record = read(folder / "data" / f"{row['ID']}.hea")
        leads = [_waves(str(folder / "data" / f"{row['ID']}.{lead.lower()}"), record.fs) for lead in record.leads]
        yield Marked(row["ID"], record, {wave: tuple(found[wave] for found in leads) for wave in PEAKS}, row)


def _waves(path: str, fs: float) -> dict[str, FloatArray]:
    """Onset, peak, offset (s) of the waves of one lead that have all three."""
    at, symbols, _ = read_annotations(path)
    kind = np.array(symbols)
    whole = np.flatnonzero((kind[:-2] == "(") & (kind[2:] == ")")) + 1
    marks = at[whole[:, None] + (-1, 0, 1)] / fs
    return {wave: marks[kind[whole] == symbol] for wave, symbol in PEAKS.items()}
