"""Hypertrophy on an ECG: signs of it are specific rather than sensitive, so that what is not shown is not excluded.

Sources: Hancock et al. 2009, 10.1161/CIRCULATIONAHA.108.191097; limits of the voltages as in `ecglm.knowledge.ranges`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ecglm.inference.coherence import MEMBERS
from ecglm.inference.reading import Reading
from ecglm.knowledge.ranges import ADULT_YEARS, flag, normal_range

#: Statements that no ECG excludes.
UNEXCLUDED = frozenset({"super_class:HYP", *MEMBERS["super_class:HYP"]})
_LEFT = frozenset({"super_class:HYP", "sub_class:LVH"})
_NAMES = {"sokolow_lyon": "Sokolow-Lyon", "cornell": "Cornell"}


class Voltages(NamedTuple):
    """What the criteria of voltage say: whether one is met, None where none could be measured; the values with their limits."""

    met: bool | None
    text: str


def voltages(reading: Reading, key: str) -> Voltages:
    """Of left ventricular hypertrophy, and of hypertrophy as a whole; nothing of others and of children."""
    meta = reading.record.meta
    if key not in _LEFT or (meta.age is not None and meta.age < ADULT_YEARS):
        return Voltages(None, "")
    held: list[tuple[bool, str]] = []
    for name, title in _NAMES.items():
        value, limits = getattr(reading.measurements, name).value, normal_range(name, meta.sex)
        if value is not None and limits is not None and limits.high is not None:
            shown = f"{title} {value:.2f} mV ({'from' if limits.below else 'above'} {limits.high:g} mV)"
            held.append((flag(name, round(value, 2), meta.sex, meta.age) == "high", shown))
    met = [text for there, text in held if there]
    if met:
        return Voltages(True, f"a voltage criterion is met: {', '.join(met)}")
    if held:
        return Voltages(False, f"voltage criteria not met: {', '.join(text for _, text in held)}")
    return Voltages(None, "voltage criteria could not be measured")


def not_excluded(reading: Reading, keys: Iterable[str]) -> str:
    """What must be read with a "no" to hypertrophy."""
    seen = next((found for key in keys if (found := voltages(reading, key)).text), Voltages(None, ""))
    if seen.met:
        return f"though {seen.text}"
    return f"{seen.text}; this does not exclude it" if seen.text else "that the ECG shows no sign of it does not exclude it"
