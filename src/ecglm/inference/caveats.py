"""What limits everything that is said about a recording: a pacemaker or block, a child, a part that was not read."""

from __future__ import annotations

from collections.abc import Iterable

from ecglm.inference.groups import NORMAL
from ecglm.inference.reading import Reading
from ecglm.knowledge.precision import ERROR_SD
from ecglm.knowledge.ranges import ADULT_YEARS, flag
from ecglm.models.facts import HIDDEN, UNSPOKEN

#: Codes that rest on the way in which the ventricles are activated: a paced or blocked beat imitates or hides them.
_BY_SHAPE = frozenset({"MI", "AMI", "IMI", "LMI", "PMI", "STTC", "ISC", "ISCI", "ISCA", "HYP", "LVH", "RVH", "SEHYP",
                       "QWAVE", "STD", "STE", "NST", "NDT", "NT", "INVT", "LOWT"})
#: Codes that rest on how long or in which way the ventricles are activated: pacing does that by itself.
_BY_WIDTH = frozenset({"CD", "CLBBB", "CRBBB", "ILBBB", "IRBBB", "IVCD", "ABQRS"})
#: From this QRS duration on the ventricles are activated abnormally (Surawicz et al. 2009, 10.1161/CIRCULATIONAHA.108.191095).
WIDE_MS = 120
_NO_P = ("P waves can be marked before only", "the same atrial wave comes", "no consistent P wave")
#: What answers to "but the ... is": measurements that define a finding.
_WORDS = {"heart_rate": "heart rate", "pr": "PR interval", "qrs": "QRS duration"}
_SINUS = frozenset({"rhythm:SR", "rhythm:SBRAD", "rhythm:STACH", "rhythm:SARRH"})


def distorted(reading: Reading, keys: Iterable[str]) -> str | None:
    """A caveat where one of these statements rests on the shape of beats that are paced or wide. The networks hardly ever saw
    a pacemaker and do not call it (docs/log.md), so a wide QRS must do."""
    if not any(key.split(":")[1] in _BY_SHAPE for key in keys):
        return None
    if _paced(reading):
        return "a pacemaker rhythm is called present: infarction, ST-T and hypertrophy cannot be judged from paced beats"
    if (wide := _wide(reading)) is None:
        return None
    return (f"QRS of {wide} ms: bundle branch block, or a pacemaker, which is hardly ever recognised here, gives such "
            "Q waves, ST, T and voltages too")


def widened(reading: Reading, keys: Iterable[str], fields: Iterable[str] = ()) -> str | None:
    """A caveat where one of these statements rests on the width of beats that are paced, or wide and perhaps paced, or where the
    QRS duration of paced beats is among these measurements."""
    named = any(key.split(":")[1] in _BY_WIDTH for key in keys)
    if not named and "qrs" not in fields:
        return None
    if _paced(reading):
        return "a pacemaker rhythm is called present: pacing itself widens the QRS, which then says nothing of conduction"
    wide = _wide(reading) if named else None
    return None if wide is None else \
        f"QRS of {wide} ms: a pacemaker, which is hardly ever recognised here, widens it as bundle branch block does"


def _paced(reading: Reading) -> bool:
    return any(f.code == "PACE" and f.present for f in reading.findings)


def _wide(reading: Reading) -> int | None:
    """The QRS duration in ms where it is that of abnormal activation."""
    qrs = reading.measurements.qrs.value
    return None if qrs is None or round(qrs) < WIDE_MS else round(qrs)


def formula(reading: Reading) -> str | None:
    """A caveat where QTc is normal or not depending on the formula: Bazett's overcorrects fast and undercorrects slow rates
    (Rautaharju et al. 2009, 10.1161/CIRCULATIONAHA.108.191096)."""
    meta, of = reading.record.meta, reading.measurements
    first, second = (flag("qtc", m.value, meta.sex, meta.age) for m in (of.qtc_bazett, of.qtc_fridericia))
    if first is None or second is None or first == second or of.heart_rate.value is None:
        return None
    words = {"low": "below normal", "normal": "normal", "high": "above normal"}
    return (f"QTc depends on the formula at {of.heart_rate.value:.0f} bpm: Bazett {of.qtc_bazett.value:.0f} ms, {words[first]}; "
            f"Fridericia {of.qtc_fridericia.value:.0f} ms, {words[second]}")


def wide_qt(reading: Reading) -> str | None:
    """A caveat where QTc is long and the QRS wide, which lengthens QT without slow repolarisation (Rautaharju et al. 2009)."""
    meta, wide = reading.record.meta, _wide(reading)
    long = flag("qtc", reading.measurements.qtc_bazett.value, meta.sex, meta.age) == "high"
    return None if wide is None or not long else \
        f"QRS of {wide} ms: it lengthens QT by itself, so a long QTc need not mean slow repolarisation"


def against_criterion(reading: Reading) -> tuple[str, ...]:
    """A caveat for each finding that is called present though the rate, PR interval or QRS duration lies on the wrong side of
    the limit that guidelines set it, beyond the error of measuring. The findings are the encoder's, and it does not measure."""
    from ecglm.reporting.criteria import criteria
    from ecglm.reporting.language import language

    found = []
    for finding in (f for f in reading.findings if f.present and f"{f.group}:{f.code}" not in HIDDEN):
        for c in criteria(finding, reading) if young(reading) is None else ():
            if c.what in _WORDS and c.value is not None and c.met is False and abs(c.value - c.limit) > 1.96 * ERROR_SD[c.what]:
                shown = f"{_WORDS[c.what]} is {c.value:.0f} {c.unit}, not {c.relation} {c.limit:g} {c.unit}"
                found.append(f"{language('en').finding(finding)} is called present, but the {shown}: look at it")
    return tuple(found)


def young(reading: Reading) -> str | None:
    """A caveat for patients below the age of the normal ranges and of the training recordings."""
    age = reading.record.meta.age
    return None if age is None or age >= ADULT_YEARS else \
        f"the patient is {age} years old: normal ranges and findings here are those of adults"


def partial(reading: Reading) -> str | None:
    """A caveat for recordings of which only the beginning was read."""
    whole = reading.record.duration_s
    return f"judged on the first {reading.seconds:g} s of {whole:.0f} s" if 0 < reading.seconds < whole else None


def without_p(reading: Reading, present: Iterable[str]) -> str | None:
    """A caveat where a sinus rhythm is called and P waves could be marked before few QRS complexes, or belong to none alone."""
    reason = reading.measurements.pr.reason or ""
    if not _SINUS & set(present) or not reason.startswith(_NO_P):
        return None
    return "the rhythm that is called present has P waves, but before most QRS complexes none could be marked: look at the rhythm"


def both_normal_and_not(present: Iterable[str]) -> str | None:
    """A caveat where a diagnosis stands beside a normal ECG."""
    keys = set(present)
    if NORMAL not in keys or not any(key.startswith("sub_class:") and key not in UNSPOKEN for key in keys):
        return None
    return "the ECG is called normal and a diagnosis is called present as well: unless that is a normal variant, one is wrong"


def caveats(reading: Reading) -> tuple[str, ...]:
    """All of them, for a report."""
    present = [f"{f.group}:{f.code}" for f in reading.findings if f.present]
    shape, width = distorted(reading, present), widened(reading, present)
    if shape and width and not _paced(reading):
        width = None  # the first says of the wide QRS what the second does
    found = (partial(reading), young(reading), shape, width, formula(reading), wide_qt(reading), without_p(reading, present),
             both_normal_and_not(present), *against_criterion(reading))
    return tuple(text for text in found if text)
