"""What may be printed above the traces: typed facts, never free text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ecglm.errors import UsageError
from ecglm.records.record import Record
from ecglm.schema import Measurement, Measurements


@dataclass(frozen=True)
class PageHeader:
    """Typed header fields; those that are None are not printed. Raises UsageError for values that are not numbers.

    age in years, heart_rate in beats/min, pr, qrs, qt, qtc in ms, axis in degrees.
    """

    age: int | None = None
    sex: Literal["female", "male"] | None = None
    heart_rate: float | None = None
    pr: float | None = None
    qrs: float | None = None
    qt: float | None = None
    qtc: float | None = None
    axis: float | None = None

    def __post_init__(self) -> None:
        if self.sex not in (None, "female", "male"):
            raise UsageError(f"header sex {self.sex!r} is not printable; use 'female', 'male' or None")
        for name in ("age", "heart_rate", "pr", "qrs", "qt", "qtc", "axis"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e4):
                raise UsageError(f"header {name} {value!r} is not a plausible number; pass a number or None")

    @staticmethod
    def of(record: Record, measurements: Measurements | None = None) -> PageHeader:
        """Age and sex of the record, and the measured values that exist (QTc by Bazett, as in answers)."""
        def value(m: Measurement) -> float | None:
            return None if m.value is None else m.value

        if measurements is None:
            return PageHeader(age=record.meta.age, sex=record.meta.sex)
        m = measurements
        return PageHeader(record.meta.age, record.meta.sex, value(m.heart_rate), value(m.pr), value(m.qrs),
                          value(m.qt), value(m.qtc_bazett), value(m.axis))

    def columns(self) -> list[list[tuple[str, str]]]:
        """(label, value) pairs in two printed columns: patient and rate, then intervals and axis."""
        def number(label: str, value: float | None, unit: str) -> list[tuple[str, str]]:
            return [] if value is None else [(label, f"{value:.0f} {unit}")]

        patient = number("Age", self.age, "years") + ([("Sex", self.sex)] if self.sex else [])
        patient += number("Rate", self.heart_rate, "/min") + number("Axis", self.axis, "deg")
        intervals = (number("PR", self.pr, "ms") + number("QRS", self.qrs, "ms")
                     + number("QT", self.qt, "ms") + number("QTc", self.qtc, "ms"))
        return [column for column in (patient, intervals) if column]
