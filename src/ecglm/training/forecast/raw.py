"""The raw signal of simulated people for networks that look at it: each is made once, ends before the nearest horizon, and is
kept at the rate that `baselines.cnn` sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.onsets import simulated, subject
from ecglm.corpus.windows import HORIZONS, ForecastItem
from ecglm.records.record import Record
from ecglm.signal.resample import resample
from ecglm.training.forecast.baselines.cnn import FS


class Signals:
    """Windows of the first lead; a person takes 180 kB."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[np.float16]] = {}

    def window(self, item: ForecastItem) -> Record:
        """A window of a person of `corpus.onsets`. Nothing later than the nearest published horizon is ever kept."""
        if item.record not in self._kept:
            who = subject(item.record)
            record = simulated(who).record
            stop = round((who.moment_s - min(HORIZONS)) * record.fs)
            wave = resample(record.signal[:1, :stop], record.fs, FS)[0]
            self._kept[item.record] = wave.astype(np.float16)
        whole = self._kept[item.record]
        low = round(item.start_s * FS)
        part = whole[low:low + round(item.window_s * FS)].astype(np.float32)
        return Record(part[None], FS, ("II",), source=item.record)
