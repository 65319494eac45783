"""Readings whose findings are given, on a signal whose measurements are known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from ecglm.answers import Finding
from ecglm.inference.reading import Encoded, Reading
from ecglm.knowledge.statements import STATEMENTS, keys
from ecglm.models.calibration import FindingCalibration
from ecglm.records.record import Record
from ecglm.schema import Measurements
from ecglm.signal import measure
from tests.signal.synthetic import synthetic_ecg

N = len(STATEMENTS)
CALIBRATION = FindingCalibration((1.0,) * N, (0.0,) * N, (0.1,) * N, (0.1,) * N, {}, ((0.0,) * N,) * 4)
#: What the rules ask of a model: names, labels and the calibration of its findings.
MODEL: Any = SimpleNamespace(name="made", config=SimpleNamespace(labels=keys()), findings_calibration=CALIBRATION)


@lru_cache(maxsize=1)
def measured() -> tuple[Record, Measurements]:
    record = synthetic_ecg()[0]
    return record, measure(record)


def made(sure: dict[str, float], *, leads: tuple[str, ...] | None = None, age: int | None = None,
         **values: float | None) -> Reading:
    """A reading of these probabilities (others .002; above .5 is called present), "possible" from .1 on. leads, age: of the
    record; values: measured values by field name, None for one that is missing."""
    record, measurements = measured()
    record = replace(record.select(leads) if leads else record, meta=replace(record.meta, age=age))
    changed = {name: replace(getattr(measurements, name), value=value, reason="not seen" if value is None else None)
               for name, value in values.items()}
    prob = np.array([sure.get(s.key, 0.002) for s in STATEMENTS], np.float32)
    findings = tuple(Finding(s.code, s.name, s.group, float(p), bool(p > 0.5)) for s, p in zip(STATEMENTS, prob, strict=True))
    encoded = Encoded(np.zeros(N, np.float32), prob, np.zeros(1, np.float32), np.zeros(1, np.float32))
    return Reading(record, replace(measurements, **changed), None, None, encoded, findings, seconds=record.duration_s)
