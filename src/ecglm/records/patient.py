"""Age, sex and times as the formats of ECG devices write them. Nothing else about a patient is read."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from typing import Literal

from ecglm.records.channels import clean
from ecglm.records.record import RecordMeta

_PER_YEAR = {"y": 1.0, "a": 1.0, "m": 12.0, "w": 52.18, "d": 365.25, "h": 8766.0}
_DATE_FORMATS = ("%Y%m%d", "%Y-%m-%d", "%m-%d-%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y")


def patient(
    *,
    age: float | None = None,
    age_unit: str = "years",
    born: date | None = None,
    seen: date | None = None,
    sex: str = "",
    device: str = "",
) -> RecordMeta:
    """The typed facts. A stated age goes before one computed from the dates of birth and recording.

    age_unit counts by its first letter: years (or UCUM's ``a``), months, weeks, days, hours.
    """
    years: int | None = None
    if age is not None:
        years = int(age / _PER_YEAR.get(age_unit.strip().lower()[:1], 1.0))
    elif born is not None and seen is not None:
        years = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    return RecordMeta(
        age=years if years is not None and 0 <= years <= 120 else None, sex=sex_of(sex), device=clean(device) or None
    )


def sex_of(text: str) -> Literal["female", "male"] | None:
    """Sex of ``F``, ``Female``, ``M``, ``MALE``; None for everything else."""
    sexes: dict[str, Literal["female", "male"]] = {"f": "female", "female": "female", "m": "male", "male": "male"}
    return sexes.get(text.strip().lower())


def day(text: str) -> date | None:
    """A date in one of the spellings that the formats use, or None."""
    for spelling in _DATE_FORMATS:
        with contextlib.suppress(ValueError):
            return datetime.strptime(text.strip()[:11], spelling).date()
    return None


def moment(day_text: str, time_text: str) -> datetime | None:
    """Date and time of day (``HH:MM:SS`` or ``HHMMSS``; fractions are dropped), or None without a date."""
    when = day(day_text)
    if when is None:
        return None
    clock = time_text.strip().split(".")[0].replace(":", "")
    with contextlib.suppress(ValueError):
        return datetime.combine(when, datetime.strptime(clock[:6].ljust(6, "0"), "%H%M%S").time())
    return datetime.combine(when, datetime.min.time())
