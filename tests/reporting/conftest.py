"""A small recording and everything a report can say about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from ecglm.answers import Answer, Finding
from ecglm.paper import render
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record, RecordMeta
from ecglm.reporting import Report
from ecglm.schema import Evidence, Measurement, Measurements


def measurements(**changes: Measurement) -> Measurements:
    leads = ("II", "V5")
    values = {
        "heart_rate": Measurement(112.3, "bpm", leads, 18, 2.0), "rr": Measurement(534.0, "ms", leads, 17, 9.0),
        "rr_sd": Measurement(9.0, "ms", leads, 17), "rmssd": Measurement(7.0, "ms", leads, 17),
        "pr": Measurement(None, "ms", reason="no P wave was found"),
        "qrs": Measurement(96.0, "ms", STANDARD_12, 18, 4.0),
        "qt": Measurement(360.0, "ms", leads, 18, 6.0), "qtc_bazett": Measurement(492.0, "ms", leads, 18),
        "qtc_fridericia": Measurement(443.0, "ms", leads, 18), "qtc_framingham": Measurement(432.0, "ms", leads, 18),
        "axis": Measurement(-41.0, "deg", ("I", "aVF"), 18)}
    return Measurements(**(values | changes), rhythm="irregular, 112/min", r_peaks_s=(0.4, 0.93), quality={"II": 0.9})


def build(text: str = "plain", age: int | None = 63, **changes: Any) -> Report:
    """A full report whose every free string contains `text`."""
    t = np.arange(5000) / 500
    signal = np.tile(np.exp(-(((t % 0.55) - 0.3) / 0.01) ** 2), (12, 1)).astype(np.float32)
    record = Record(signal, 500.0, STANDARD_12, source=f"/data/{text}.dcm", notes=(text,),
                    meta=RecordMeta(age, "male", text), start=datetime(2024, 5, 6, 7, 8, 9))
    seen = (Evidence(f"irregular RR {text}", ("II",), 112.0, "bpm", (1.0, 3.0)),)
    given: dict[str, Any] = {
        "measurements": measurements(),
        "findings": (Finding("NORM", "normal ecg", "super_class", 0.03, False),
                     Finding("STD", f"st depression {text}", "form", 0.42, False),
                     Finding("AFIB", f"atrial fibrillation {text}", "rhythm", 0.91, True, seen)),
        "answers": ((f"Is there atrial fibrillation? {text}", Answer(f"yes {text}", 0.88, False, seen, f"m {text}")),
                    (f"Is LVH present? {text}", Answer("", 0.3, True, (), "m", f"amplitude is unknown {text}"))),
        "page": render(record, dpi=60), "model": f"default {text}", "created": datetime(2024, 5, 6, tzinfo=UTC)}
    return Report.of(record, **(given | changes))


@pytest.fixture
def make() -> Callable[..., Report]:
    return build
