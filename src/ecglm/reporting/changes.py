"""What differs between a recording and a previous one, and whether that is more than the error of measuring."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ecglm.answers import Finding
from ecglm.knowledge.precision import ERROR_SD
from ecglm.schema import DECIMALS, Measurements


@dataclass(frozen=True)
class Change:
    """One measurement in both recordings. limit: what two measurements of the same value differ by in 19 of 20 cases."""

    name: str
    before: float
    now: float
    unit: str
    limit: float

    @property
    def difference(self) -> float:
        """Now minus before, of the values as they are shown; of angles the shorter way round."""
        digits = DECIMALS.get(self.unit, 0)
        step = round(self.now, digits) - round(self.before, digits)
        return (step + 180.0) % 360.0 - 180.0 if self.unit == "deg" else step

    @property
    def beyond(self) -> bool:
        """Whether the difference exceeds the measurement error of both."""
        return abs(self.difference) > self.limit


def changes(before: Measurements, now: Measurements) -> tuple[Change, ...]:
    """Of every value that is measured in both and whose error is known (`knowledge.precision.ERROR_SD`)."""
    old, out = before.named(), []
    for name, m in now.named().items():
        first = old[name].value
        if name in ERROR_SD and m.value is not None and first is not None:
            out.append(Change(name, first, m.value, m.unit, float(round(1.96 * math.sqrt(2.0) * ERROR_SD[name]))))
    return tuple(out)


def appeared(before: tuple[Finding, ...], now: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings present now and not before."""
    known = {(f.group, f.code) for f in before if f.present}
    return tuple(f for f in now if f.present and (f.group, f.code) not in known)
