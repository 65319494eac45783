"""Numbers and values that an answer may rest on: those that were measured."""

from __future__ import annotations

import re

from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics

_NUMBER = re.compile(r"(-?\d+)\s*(bpm|ms|degrees|%)?")


def ungrounded_numbers(text: str, about: Topics, reading: Reading) -> list[str]:
    """Numbers of an answer that were not measured: a number needs its own quantity's value, or at least its unit's."""
    asked = [getattr(reading.measurements, name).value for name in about.measures]
    if len(asked) == 1 and asked[0] is not None:
        return [n for n in re.findall(r"-?\d+", text) if int(n) != round(asked[0])]
    known = set(_NUMBER.findall(reading.facts))
    plain = {number for number, _ in known}
    return [number for number, unit in _NUMBER.findall(text)
            if (number, unit) not in known and (unit or number not in plain)]


def unmeasured(about: Topics, reading: Reading) -> str | None:
    """Why a question about measured values alone has no answer here; None when one of them was measured."""
    if set(about.statements) - {"super_class:NORM"} or not about.measures or "rhythm" in about.groups:
        return None
    if any(getattr(reading.measurements, name).value is not None for name in about.measures):
        return None
    return why_unknown(about, reading)


def why_unknown(about: Topics, reading: Reading) -> str:
    """Why a value that was asked for is missing."""
    for name in about.measures:
        reason = getattr(reading.measurements, name).reason
        if reason:
            return str(reason)
    return "this could not be measured on this recording"
