"""CPSC2019: ten seconds of one noisy or arrhythmic lead with its R peaks (Gao et al. 2019, 10.1166/jmihi.2019.2800)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from ecglm.corpus.folder import data_folder
from ecglm.records.record import Record

#: Hz; the files do not state it.
FS = 500.0


def peak_records() -> Iterator[tuple[Record, NDArray[np.float64]]]:
    """Records (their amplitude unit is not stated) and R peaks in seconds. Raises EcglmError without the data."""
    folder = data_folder("challenge2021") / "cpsc2019"
    for path in sorted((folder / "data").glob("data_*.mat")):
        wave = loadmat(path)["ecg"].astype(np.float32).reshape(1, -1)
        marks = loadmat(folder / "ref" / path.name.replace("data", "R"))["R_peak"]
        yield Record(wave, FS, ("ECG",), unit="normalized"), np.sort(marks.ravel()) / FS
