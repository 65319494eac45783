"""Normal ranges of ECG measurements in resting adults: the range entries of the knowledge base, each with its source.

They are for adults (18 years and more) at rest. The QT interval has no range of its own:
it follows the heart rate, and is judged by QTc.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from ecglm.knowledge.base import load
from ecglm.schema import DECIMALS

Flag = Literal["low", "normal", "high"]
ADULT_YEARS = 18


@dataclass(frozen=True)
class NormalRange:
    """Values from low to high are normal; ``high`` itself is too high when ``below`` is set.

    low or high None: not bounded on that side. unit: as in `Measurement`.
    """

    low: float | None
    high: float | None
    unit: str
    source: str
    below: bool = False
    note: str = ""

    def flag(self, value: float) -> Flag:
        """Where the value lies."""
        if self.low is not None and value < self.low:
            return "low"
        if self.high is not None and (value > self.high or (self.below and value >= self.high)):
            return "high"
        return "normal"

    def __str__(self) -> str:
        if self.low is None:
            return f"{'<' if self.below else '≤'} {self.high:g}"
        if self.high is None:
            return f"≥ {self.low:g}"
        low = f"{self.low:g}".replace("-", "−")
        return f"{low} to {'<' if self.below else ''}{'+' if self.low < 0 else ''}{self.high:g}"


@lru_cache(maxsize=1)
def ranges() -> Mapping[tuple[str, str], NormalRange]:
    """Every range of the base by field of `Measurements` (``qtc`` too) and sex, which is "" where the range is for all."""
    found: dict[tuple[str, str], NormalRange] = {}
    for entry in load().entries.values():
        if entry.range is not None:
            limits = {"low": None, "high": None, **entry.range}
            sex = limits.pop("sex", "")
            made = NormalRange(**limits, source=str(entry.citations[0]), note=entry.note)
            found |= {(name, sex): made for name in entry.measures}
    return MappingProxyType(found)


def normal_range(name: str, sex: str | None = None) -> NormalRange | None:
    """The adult range of a measurement, or None when there is none.

    name: field of `Measurements` (``qtc`` too). sex: "female" or "male"; without it QTc and Cornell voltage are held
    against the wider range, so that nobody normal is called long or high.
    """
    return ranges().get((name, sex or "")) or ranges().get((name, ""))


def flag(name: str, value: float | None, sex: str | None = None, age: int | None = None) -> Flag | None:
    """ "low", "normal" or "high" for an adult; None when the value or a range is missing, or the age is a child's."""
    if age is not None and age < ADULT_YEARS:
        return None
    found = normal_range(name, sex)
    if found is None or value is None or value != value:
        return None
    return found.flag(round(value, DECIMALS.get(found.unit, 0)))  # as it is shown: 59.97 bpm is 60


def axis_side(axis_deg: float) -> Literal["normal", "left", "right", "extreme"]:
    """Where a frontal axis points: normal -30..90 degrees, left -90..-30, right 90..180, else extreme."""
    angle = (axis_deg + 180.0) % 360.0 - 180.0
    if -30.0 <= angle <= 90.0:
        return "normal"
    if -90.0 <= angle < -30.0:
        return "left"
    return "right" if angle > 90.0 else "extreme"
