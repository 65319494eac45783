"""A simulated heart that fibrillates for two minutes, watched."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np

from ecglm.answers import Forecast
from ecglm.inference.monitor import Step, from_windows, watch
from ecglm.records.record import Record
from ecglm.records.windows import open_windows
from ecglm.signal.holter import BeatSeries
from ecglm.signal.simulate import simulate_one

FS, LEADS = 125.0, ("II", "V1")
#: Seconds of sinus rhythm before fibrillation begins.
ONSET_S = 150.0


@lru_cache(maxsize=1)
def paroxysm() -> Record:
    """One heart: sinus rhythm, fibrillation, sinus rhythm."""
    parts = [simulate_one(name, fs=FS, duration_s=long_s, leads=LEADS, seed=3).record.signal
             for name, long_s in (("normal", ONSET_S), ("atrial_fibrillation", 120.0), ("normal", 120.0))]
    return Record(np.concatenate(parts, axis=1), FS, LEADS)


def steps(record: Record, **given: object) -> list[Step]:
    return list(watch(from_windows(open_windows(record), 30.0), **given))  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def told() -> tuple[Step, ...]:
    return tuple(steps(paroxysm(), forecasts=by_irregularity))


def by_irregularity(series: BeatSeries) -> Forecast:
    """A forecast that any change of a beat would change."""
    value = float(np.clip(np.std(np.diff(series.times_B)) + np.nanmean(series.p_B) / 10, 0, 1))
    return Forecast(value, (value / 2, min(1.0, 2 * value)), (), "", "af", 300.0, 600.0, series.stop_s, False, None, (), "test")


def quiet(series: BeatSeries) -> Forecast:
    return Forecast(0.1, (0.0, 0.2), (), "", "af", 300.0, 600.0, series.stop_s, False, None, (), "test")


class Dripping(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def read(self, size: int = -1) -> bytes:
        given, self.rest = self.rest[:min(size, 777)], self.rest[min(size, 777):]
        return given


def a_step(at_s: float, rhythm: str | None = "sinus", alarm: bool = False, events: tuple[str, ...] = (),
           probability: float | None = 0.2) -> Step:
    return Step(at_s, "", rhythm, None if rhythm != "af" else at_s - 30, None, 0.9, LEADS, 0.0, 70.0, 0.0, 0.0, probability,
                None if probability is None else (0.1, 0.4), None, alarm, events, None)
