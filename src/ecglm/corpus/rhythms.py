"""Rhythms that experts marked in long recordings: MIT-BIH, and the AF episodes of CPSC2021."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.folder import data_folder
from ecglm.records.annotations import ARRHYTHMIAS, read_annotations, rhythm_marks
from ecglm.records.windows import open_windows

#: Classes of rhythm, in the order of all forecasts; "sinus" is whatever is neither of the others.
CLASSES = ("sinus", "af", "aflutter")
#: MIT-BIH records of one person: the later one by the earlier.
SAME_SUBJECT = {"202": "201"}


@dataclass(frozen=True, eq=False)
class Rhythms:
    """A recording: its header file, subject, length (s); rhythms ``[n, 2]`` from when to when (s), their codes in the
    annotations ("" where none is named), and the class of each as a number of CLASSES."""

    name: str
    subject: str
    path: Path
    duration_s: float
    spans: NDArray[np.float64]
    codes: tuple[str, ...]
    classes: NDArray[np.int64]

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The class at some times; 0 before the first mark."""
        place = np.searchsorted(self.spans[:, 0], times_s, side="right") - 1
        out = np.zeros(len(times_s), np.int64)
        out[place >= 0] = self.classes[place[place >= 0]]
        return out

    def doubtful(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where a short other rhythm (bigeminy, a ventricular run) is marked between two stretches of fibrillation or flutter:
        what the atria do there the marks do not say."""
        out = np.zeros(len(times_s), bool)
        for k in range(1, len(self.classes) - 1):
            if self.classes[k] == 0 and self.classes[k - 1] and self.classes[k + 1] and self.codes[k] != "N":
                out |= (times_s >= self.spans[k, 0]) & (times_s < self.spans[k, 1])
        return out


def mitdb_rhythms() -> Iterator[Rhythms]:
    """MIT-BIH, by record. Raises EcglmError without the data."""
    for path in sorted((data_folder("mitdb") / "records").glob("*.hea")):
        yield _rhythms(path, SAME_SUBJECT.get(path.stem, path.stem))


def cpsc2021_rhythms() -> Iterator[Rhythms]:
    """CPSC2021, by record; subject: the patient. Raises EcglmError without the data."""
    for path in sorted(data_folder("cpsc2021").glob("*.hea")):
        yield _rhythms(path, "_".join(path.stem.split("_")[:2]))


def _rhythms(path: Path, subject: str) -> Rhythms:
    windows = open_windows(path)
    marks = rhythm_marks(read_annotations(path.with_suffix(".atr")))
    edges = [*(sample / windows.first.fs for sample, _ in marks), windows.duration_s]
    spans = np.array(list(pairwise(edges)), float).reshape(-1, 2)
    return Rhythms(path.stem, subject, path, windows.duration_s, spans, tuple(code for _, code in marks),
                   np.array([CLASSES.index(ARRHYTHMIAS.get(code, "sinus")) for _, code in marks], np.int64))
