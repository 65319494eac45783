"""What limits everything that is said about a recording: a pacemaker or block, a child, a part that was not read."""

from __future__ import annotations

from collections.abc import Iterable

from ecglm.inference.reading import Reading
from ecglm.knowledge.ranges import ADULT_YEARS

#: Codes that rest on the way in which the ventricles are activated: a paced or blocked beat imitates or hides them.
_BY_SHAPE = frozenset({"MI", "AMI", "IMI", "LMI", "PMI", "STTC", "ISC", "ISCI", "ISCA", "HYP", "LVH", "RVH", "SEHYP",
                       "QWAVE", "STD", "STE", "NST", "NDT", "NT", "INVT", "LOWT"})
#: From this QRS duration on the ventricles are activated abnormally (Surawicz et al. 2009, 10.1161/CIRCULATIONAHA.108.191095).
WIDE_MS = 120


def distorted(reading: Reading, keys: Iterable[str]) -> str | None:
    """A caveat where one of these statements rests on the shape of beats that are paced or wide. The networks hardly ever saw
    a pacemaker and do not call it (docs/log.md), so a wide QRS must do."""
    if not any(key.split(":")[1] in _BY_SHAPE for key in keys):
        return None
    if any(f.code == "PACE" and f.present for f in reading.findings):
        return "a pacemaker rhythm is called present: infarction, ST-T and hypertrophy cannot be judged from paced beats"
    qrs = reading.measurements.qrs.value
    if qrs is None or round(qrs) < WIDE_MS:
        return None
    return (f"QRS of {qrs:.0f} ms: bundle branch block, or a pacemaker, which is hardly ever recognised here, gives such "
            "Q waves, ST, T and voltages too")


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
    present = [f"{f.group}:{f.code}" for f in reading.findings if f.present]
    return tuple(text for text in (partial(reading), young(reading), distorted(reading, present)) if text)
