"""What a curriculum reads: PTB-XL recordings with labels and measurements, and windows of long recordings; cut into seconds.

A key names an ECG: "ptbxl:ROW", "ludb:NAME" or "afpdb:RECORD:START:DURATION" (s). Nothing is kept but what training looks up:
seconds as float16 by key, measurements by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus import ptbxl
from ecglm.corpus.folder import data_folder
from ecglm.models.seconds.config import SecondsConfig
from ecglm.models.seconds.segments import Segments, segments
from ecglm.records import read
from ecglm.records.record import Record
from ecglm.schema import Measurements
from ecglm.signal import measure

#: AFPDB does not say which leads it has (ECG0, ECG1); these stand in, as the model needs names.
UNNAMED = {"ECG0": "II", "ECG1": "V1"}


def record_of(key: str) -> Record:
    """The recording behind a key."""
    source, _, rest = key.partition(":")
    if source == "ptbxl":
        return ptbxl.load().record(int(rest))
    if source == "ludb":
        return read(data_folder(source) / "data" / f"{rest}.hea")
    name, start, duration = rest.rsplit(":", 2)
    long = read(data_folder(source) / "records" / f"{name}.hea", start_s=float(start), duration_s=float(duration))
    return replace(long, leads=tuple(UNNAMED.get(lead, lead) for lead in long.leads))


@dataclass
class Recordings:
    """Seconds of every key that was asked for, cut once."""

    config: SecondsConfig
    cut: dict[str, Segments] = field(default_factory=dict)

    def prepare(self, keys: Sequence[str], progress: bool = True) -> None:
        """Cut what is not cut yet."""
        from rich.progress import track

        new = sorted(set(keys) - set(self.cut))
        if not new:
            return
        ptbxl.load()  # once, before the workers are forked
        with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
            jobs = pool.map(partial(_cut, config=self.config), new, chunksize=16)
            self.cut |= dict(zip(new, track(jobs, "Cutting recordings", total=len(new), disable=not progress), strict=True))

    def __getitem__(self, key: str) -> Segments:
        ecg = self.cut[key]
        return ecg._replace(seconds_LTS=ecg.seconds_LTS.astype(np.float32))

    def seconds(self, keys: Iterable[str]) -> NDArray[np.float16]:
        """All seconds of these ECGs that are known and not flat, ``[N, samples]``, for the autoencoder."""
        rows = [self.cut[key].seconds_LTS[self.cut[key].known_LT] for key in sorted(keys)]
        every = np.concatenate(rows)
        return np.asarray(every[every.astype(np.float32).std(1) > 1e-3])


def _cut(key: str, config: SecondsConfig) -> Segments:
    ecg = segments(record_of(key), config)
    return ecg._replace(seconds_LTS=ecg.seconds_LTS.astype(np.float16))


def _measured(row: int) -> Measurements:
    return measure(ptbxl.load().record(row))


#: What was measured in this process, by row: trainings one after another share it.
_KNOWN: dict[int, Measurements] = {}


def measurements(rows: NDArray[np.int64], progress: bool = True) -> dict[int, Measurements]:
    """Measured values of PTB-XL rows."""
    from rich.progress import track

    ptbxl.load()
    if new := [row for row in rows.tolist() if row not in _KNOWN]:
        with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
            jobs = pool.map(_measured, new, chunksize=16)
            _KNOWN.update(zip(new, track(jobs, "Measuring recordings", total=len(new), disable=not progress), strict=True))
    return {row: _KNOWN[row] for row in rows.tolist()}
