"""What may be printed above the traces: typed facts, and text only where a caller gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import Literal, get_args

from ecglm.errors import UsageError
from ecglm.paper.raster import printable
from ecglm.records.record import Record
from ecglm.schema import Measurement, Measurements

#: How headers are arranged, after the ways carts do it: two columns; a list of measurements with patient and date on top; one or
#: two lines across; a row of framed fields.
Arrangement = Literal["columns", "ledger", "banner", "card"]
ARRANGEMENTS: tuple[Arrangement, ...] = get_args(Arrangement)
MAX_TEXT_LINES = 3


@dataclass(frozen=True)
class PageHeader:
    """Header fields; those that are None are not printed. Raises UsageError for values that are not numbers.

    age in years, heart_rate in beats/min, pr, qrs, qt, qtc in ms, axis in degrees. date: of the recording. text: up to
    three lines of the caller's own, which `of` never fills.
    """

    age: int | None = None
    sex: Literal["female", "male"] | None = None
    heart_rate: float | None = None
    pr: float | None = None
    qrs: float | None = None
    qt: float | None = None
    qtc: float | None = None
    axis: float | None = None
    date: Date | datetime | None = None
    text: tuple[str, ...] = ()
    arrangement: Arrangement = "columns"

    def __post_init__(self) -> None:
        if self.sex not in (None, "female", "male"):
            raise UsageError(f"header sex {self.sex!r} is not printable; use 'female', 'male' or None")
        for name in ("age", "heart_rate", "pr", "qrs", "qt", "qtc", "axis"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e4):
                raise UsageError(f"header {name} {value!r} is not a plausible number; pass a number or None")
        if self.date is not None and not isinstance(self.date, Date):
            raise UsageError(f"header date {self.date!r} is no date; pass datetime.date or datetime.datetime")
        if isinstance(self.text, str) or len(self.text) > MAX_TEXT_LINES or not all(isinstance(line, str) for line in self.text):
            raise UsageError(f"header text is up to {MAX_TEXT_LINES} lines, a tuple of str")
        if self.arrangement not in ARRANGEMENTS:
            raise UsageError(f"header arrangement {self.arrangement!r} is unknown; use one of {', '.join(ARRANGEMENTS)}")

    @staticmethod
    def of(record: Record, measurements: Measurements | None = None, arrangement: Arrangement = "columns") -> PageHeader:
        """Age and sex of the record, and the measured values that exist (QTc by Bazett, as in answers)."""
        def value(m: Measurement) -> float | None:
            return None if m.value is None else m.value

        if measurements is None:
            return PageHeader(age=record.meta.age, sex=record.meta.sex, arrangement=arrangement)
        m = measurements
        return PageHeader(record.meta.age, record.meta.sex, value(m.heart_rate), value(m.pr), value(m.qrs),
                          value(m.qt), value(m.qtc_bazett), value(m.axis), arrangement=arrangement)

    @property
    def patient(self) -> list[tuple[str, str]]:
        """(label, value) of age and sex."""
        return _number("Age", self.age, "years") + ([("Sex", self.sex)] if self.sex else [])

    @property
    def rate(self) -> list[tuple[str, str]]:
        """(label, value) of rate and axis."""
        return _number("Rate", self.heart_rate, "/min") + _number("Axis", self.axis, "deg")

    @property
    def intervals(self) -> list[tuple[str, str]]:
        """(label, value) of the intervals."""
        return (_number("PR", self.pr, "ms") + _number("QRS", self.qrs, "ms") + _number("QT", self.qt, "ms")
                + _number("QTc", self.qtc, "ms"))

    @property
    def when(self) -> str | None:
        """The date as it is printed, with the time where it has one."""
        if self.date is None:
            return None
        return self.date.strftime("%Y-%m-%d %H:%M" if isinstance(self.date, datetime) else "%Y-%m-%d")

    @property
    def lines(self) -> list[str]:
        """The caller's text in letters that can be printed."""
        return [printable(line, 60) for line in self.text]


def _number(label: str, value: float | None, unit: str) -> list[tuple[str, str]]:
    return [] if value is None else [(label, f"{value:.0f} {unit}")]
