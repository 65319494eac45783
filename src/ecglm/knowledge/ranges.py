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


_ANY = ""


@lru_cache(maxsize=1)
def ranges() -> Mapping[tuple[str, str], NormalRange]:
    """Every range of the base by field of `Measurements` (``qtc`` too) and sex, which is "" where the range is for all."""
    found: dict[tuple[str, str], NormalRange] = {}
    for entry in load().entries.values():
        if entry.range is not None:
            limits = {"low": None, "high": None, **entry.range}
            sex = limits.pop("sex", _ANY)
            made = NormalRange(**limits, source=str(entry.citations[0]), note=entry.note)
            found |= {(name, sex): made for name in entry.measures}
    return MappingProxyType(found)


def normal_range(name: str, sex: str | None = None) -> NormalRange | None:
    """The adult range of a measurement, or None when there is none.

    name: field of `Measurements` (``qtc`` too). sex: "female" or "male"; without it QTc and Cornell voltage are held
    against the wider range, so that nobody normal is called long or high.
    """
    return ranges().get((name, sex or _ANY)) or ranges().get((name, _ANY))


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


_SURAWICZ = "Surawicz et al., AHA/ACCF/HRS part III, 2009, 10.1161/CIRCULATIONAHA.108.191095"
_RAUTAHARJU = "Rautaharju et al., AHA/ACCF/HRS part IV, 2009, 10.1161/CIRCULATIONAHA.108.191096"
_MASON = "Mason et al., AHA/ACC/HRS part II (statement list), 2007, 10.1161/CIRCULATIONAHA.106.180201"
_RATE_NOTE = ("60 to 100 is the convention; 50 to 90 fits resting adults better (Spodick 1993), and the 2018 "
              "ACC/AHA/HRS guideline calls sinus rhythm slow below 50 (10.1161/CIR.0000000000000628)")
_QTC_NOTE = ("upper limit by sex from the source; 350 ms is the customary lower limit, while the source already calls "
             "390 ms and less short")
_QTC = {sex: NormalRange(350, high, "ms", _RAUTAHARJU, below=True, note=_QTC_NOTE)
        for sex, high in (("male", 450), ("female", 460))}

#: Ranges by field name of `Measurements`; those of QTc and of the Cornell voltage depend on sex, see `normal_range`.
RANGES = MappingProxyType({
    "heart_rate": NormalRange(60, 100, "/min", _MASON, note=_RATE_NOTE),
    "rr": NormalRange(600, 1000, "ms", _MASON, note="60 000 divided by the limits of the heart rate"),
    "p_duration": NormalRange(None, 120, "ms", "Bayés de Luna et al., interatrial block consensus, 2012, "
                     "10.1016/j.jelectrocard.2012.06.029", below=True),
    "pr": NormalRange(120, 200, "ms", _MASON),
    "qrs": NormalRange(None, 110, "ms", _SURAWICZ, note="110 to 119 ms is incomplete, 120 ms and more complete block"),
    "axis": NormalRange(-30, 90, "deg", _SURAWICZ, note="low: left axis deviation; high: right axis deviation"),
    "sokolow_lyon": NormalRange(None, 3.5, "mV", "Sokolow and Lyon, Am Heart J 1949;37:161, 10.1016/0002-8703(49)90562-1",
                                below=True, note="made for adults of more than 35 years; the young often lie above"),
})
_QTC_NAMES = ("qtc", "qtc_bazett", "qtc_fridericia", "qtc_framingham", "qtc_hodges")
_CORNELL = {sex: NormalRange(None, high, "mV", "Casale et al., Circulation 1987;75:565, 10.1161/01.CIR.75.3.565",
                             note="upper limit by sex") for sex, high in (("male", 2.8), ("female", 2.0))}


def normal_range(name: str, sex: str | None = None) -> NormalRange | None:
    """The adult range of a measurement, or None when there is none.

    name: field of `Measurements` (``qtc`` too). sex: "female" or "male"; without it QTc and Cornell voltage are held
    against the wider range, so that nobody normal is called long or high.
    """
    if name in _QTC_NAMES:
        return _QTC["male" if sex == "male" else "female"]
    if name == "cornell":
        return _CORNELL["female" if sex == "female" else "male"]
    return RANGES.get(name)


def flag(name: str, value: float | None, sex: str | None = None, age: int | None = None) -> Flag | None:
    """ "low", "normal" or "high" for an adult; None when the value or a range is missing, or the age is a child's."""
    if age is not None and age < ADULT_YEARS:
        return None
    found = normal_range(name, sex)
    if found is None or value is None or value != value:
        return None
    return found.flag(round(value, DECIMALS.get(found.unit, 0)))  # as it is shown: 59.97 bpm is 60
