"""Simulated people → `Person`s: their recordings are made and read once, their beats kept on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np

from ecglm.atomic import replacing
from ecglm.corpus.onsets import OnsetSubject, simulated
from ecglm.corpus.windows import CLASSES
from ecglm.signal.holter import BeatSeries, beat_series
from ecglm.signal.simulate.onset import MECHANISMS
from ecglm.training.forecast.fit import Person


def people_of(subjects: Sequence[OnsetSubject], folder: Path, workers: int, progress: bool) -> list[Person]:
    """In order. Those whose beats lie in the folder are not simulated again."""
    from rich.progress import track

    folder.mkdir(parents=True, exist_ok=True)
    missing = [(subject, folder) for subject in subjects if not _file(subject, folder).exists()]
    if missing and workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            for _ in track(pool.map(_keep, missing, chunksize=4), "Simulating people", total=len(missing), disable=not progress):
                pass
    else:
        for one in track(missing, "Simulating people", disable=not progress):
            _keep(one)
    return [Person(one.key, read_series(_file(one, folder)), one.moment_s, CLASSES.index(one.label),
                   MECHANISMS.index(one.mechanism)) for one in subjects]


def _file(subject: OnsetSubject, folder: Path) -> Path:
    return folder / f"{subject.key.replace('/', '-')}.npz"


def _keep(one: tuple[OnsetSubject, Path]) -> None:
    subject, folder = one
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    write_series(beat_series(simulated(subject).record), _file(subject, folder))


def write_series(series: BeatSeries, path: Path) -> None:
    """Keep the beats of a recording."""
    with replacing(path) as temporary:
        known = {f.name: getattr(series, f.name) for f in fields(series)}
        np.savez_compressed(temporary, **{name: value for name, value in known.items() if value is not None})


def read_series(path: Path) -> BeatSeries:
    """What `write_series` kept."""
    with np.load(path) as file:
        known = {name: file[name] for name in file.files}
    return BeatSeries(float(known.pop("start_s")), float(known.pop("stop_s")), **known)
