"""MIT-BIH Arrhythmia Database: two leads for half an hour with every beat marked (Moody & Mark 2001, 10.1109/51.932724)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.records import read
from ecglm.records.annotations import BEATS, read_annotations
from ecglm.records.record import Record

#: Records that may train (the first half of de Chazal et al. 2004, 10.1109/TBME.2004.827359, and 202, who is 201).
TRAIN = ("101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "202", "203", "205", "207",
         "208", "209", "215", "220", "223", "230")
#: Their pacemakers leave them out of beat typing (ANSI/AAMI EC57).
PACED = ("102", "104", "107", "217")
#: Beat symbols by AAMI class: normal, supraventricular, ventricular, fusion, unclassifiable or paced.
CLASSES = {"N": "NLRejB", "S": "AaJS", "V": "VEr", "F": "Fn", "Q": "/fQ?"}


@dataclass(frozen=True, eq=False)
class Beats:
    """A record and its beats: times (s) and AAMI classes ``[beat]``; fibrillation: stretches ``[n, 2]`` (s) of
    ventricular flutter, which have no beats to find."""

    name: str
    record: Record
    times_s: NDArray[np.float64]
    classes: NDArray[np.str_]
    fibrillation: NDArray[np.float64]


def beat_records(train: bool) -> Iterator[Beats]:
    """The records that may train, or the others. Raises EcglmError without the data."""
    for path in sorted((data_folder("mitdb") / "records").glob("*.hea")):
        if (path.stem in TRAIN) == train:
            record = read(path)
            at, symbols, _ = read_annotations(path.with_suffix(".atr"))
            kind = np.array(symbols)
            beat = np.isin(kind, list(BEATS))
            names = {symbol: name for name, members in CLASSES.items() for symbol in members}
            ends = [at[kind == mark] / record.fs for mark in "[]"]
            yield Beats(path.stem, record, at[beat] / record.fs, np.array([names[symbol] for symbol in kind[beat]]),
                        np.stack(ends, axis=1))
