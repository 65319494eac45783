"""What limits everything that is said about a recording: a pacemaker, a child, a part that was not read."""

from __future__ import annotations

from collections.abc import Iterable

from ecglm.inference.reading import Reading
from ecglm.knowledge.ranges import ADULT_YEARS

#: Statements on shape that a paced ventricle imitates or hides.
_SHAPE_GROUPS = ("sub_class", "form", "super_class")
_NOT_SHAPE = frozenset({"form:PVC", "form:PAC", "form:PRC(S)", "form:LPR"})


def paced(reading: Reading, keys: Iterable[str]) -> str | None:
    """A caveat where a pacemaker rhythm is called present and one of these statements rests on the shape of QRS, ST or T."""
    if not any(f.code == "PACE" and f.present for f in reading.findings):
        return None
    if all(key.split(":")[0] not in _SHAPE_GROUPS or key in _NOT_SHAPE for key in keys):
        return None
    return "a pacemaker rhythm is called present: infarction, ST-T and hypertrophy cannot be judged from paced beats"


def young(reading: Reading) -> str | None:
    """A caveat for patients below the age of the normal ranges and of the training recordings."""
    age = reading.record.meta.age
    return None if age is None or age >= ADULT_YEARS else \
        f"the patient is {age} years old: normal ranges and findings here are those of adults"


def partial(reading: Reading) -> str | None:
    """A caveat for recordings of which only the beginning was read."""
    whole = reading.record.duration_s
    return f"judged on the first {reading.seconds:g} s of {whole:.0f} s" if 0 < reading.seconds < whole else None


def caveats(reading: Reading) -> tuple[str, ...]:
    """All of them, for a report."""
    keys = [f"{f.group}:{f.code}" for f in reading.findings]
    return tuple(text for text in (partial(reading), young(reading), paced(reading, keys)) if text)
