"""What is known of a recording that questions are made from, and which statements may be denied of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecglm.knowledge.statements import BY_KEY, STATEMENTS
from ecglm.models.facts import UNSPOKEN

#: Statement -> statements that may hold as well where it does, said or not: none of them may be offered as false.
_ALSO: dict[str, tuple[str, ...]] = {
    "rhythm:AFIB": ("rhythm:AFLT", "rhythm:SVARR", "rhythm:SVTAC"),
    "rhythm:AFLT": ("rhythm:AFIB", "rhythm:SVARR", "rhythm:SVTAC"),
    "rhythm:SVTAC": ("rhythm:PSVT", "rhythm:SVARR", "rhythm:AFLT", "rhythm:AFIB", "rhythm:STACH"),
    "rhythm:PSVT": ("rhythm:SVTAC", "rhythm:SVARR"),
    "rhythm:SVARR": ("rhythm:SVTAC", "rhythm:PSVT", "rhythm:AFIB", "rhythm:AFLT", "form:PAC", "rhythm:SARRH"),
    "rhythm:STACH": ("rhythm:SR", "rhythm:SVTAC"),
    "rhythm:SBRAD": ("rhythm:SR", "rhythm:SARRH"),
    "rhythm:SARRH": ("rhythm:SR", "rhythm:SBRAD", "form:PAC", "rhythm:SVARR"),
    "rhythm:SR": ("rhythm:SARRH",),
    "rhythm:BIGU": ("form:PVC", "form:PAC", "rhythm:TRIGU", "rhythm:SVARR"),
    "rhythm:TRIGU": ("form:PVC", "form:PAC", "rhythm:BIGU", "rhythm:SVARR"),
    "rhythm:PACE": ("sub_class:CLBBB", "sub_class:IVCD", "form:ABQRS", "rhythm:SR", "rhythm:AFIB", "sub_class:ILBBB"),
    "form:PAC": ("rhythm:SVARR", "rhythm:BIGU", "rhythm:TRIGU", "form:PVC", "rhythm:SARRH"),
    "form:PVC": ("rhythm:BIGU", "rhythm:TRIGU", "form:PAC"),
    "form:LPR": ("sub_class:AVB",),
    "sub_class:AVB": ("form:LPR",),
    "sub_class:CRBBB": ("sub_class:IRBBB", "sub_class:IVCD", "form:ABQRS"),
    "sub_class:IRBBB": ("sub_class:CRBBB", "form:ABQRS"),
    "sub_class:CLBBB": ("sub_class:ILBBB", "sub_class:IVCD", "form:ABQRS", "sub_class:LAFB/LPFB"),
    "sub_class:ILBBB": ("sub_class:CLBBB", "sub_class:IVCD", "form:ABQRS"),
    "sub_class:IVCD": ("sub_class:CLBBB", "sub_class:CRBBB", "sub_class:ILBBB", "sub_class:IRBBB", "form:ABQRS"),
    "sub_class:WPW": ("form:ABQRS", "sub_class:IVCD"),
    "sub_class:LVH": ("sub_class:SEHYP", "form:STD", "form:INVT"),
    "sub_class:SEHYP": ("sub_class:LVH",),
    **{
        f"sub_class:{mi}": (
            "form:QWAVE",
            "form:ABQRS",
            "form:STE",
            "form:INVT",
            "sub_class:ISC",
            "sub_class:ISCI",
            "sub_class:ISCA",
            *(f"sub_class:{other}" for other in ("AMI", "IMI", "LMI", "PMI") if other != mi),
        )
        for mi in ("AMI", "IMI", "LMI", "PMI")
    },
    "form:QWAVE": ("form:ABQRS", "sub_class:AMI", "sub_class:IMI", "sub_class:LMI", "sub_class:PMI"),
    "form:ABQRS": (*tuple(s.key for s in STATEMENTS if s.group == "sub_class"), "form:QWAVE", "form:PVC", "rhythm:PACE"),
    "form:DIG": ("form:STD", "form:NST", "form:LOWT"),
    "form:LNGQT": ("form:NT", "form:NDT"),
}
#: Statements on the ST segment and the T wave shade into one another: where one is said, none is denied.
_REPOLARISATION = (
    "form:STD",
    "form:STE",
    "form:NST",
    "form:INVT",
    "form:LOWT",
    "form:NT",
    "form:NDT",
    "form:DIG",
    "sub_class:ISC",
    "sub_class:ISCI",
    "sub_class:ISCA",
    "sub_class:STTC",
    "form:TAB",
    "sub_class:NST",
)
_WRITTEN = {
    "ecg": "ECG",
    "qrs": "QRS",
    "qt": "QT",
    "pr": "PR",
    "av": "AV",
    "st-t": "ST-T",
    "st": "ST",
    "st/t": "ST/T",
    "t": "T",
    "q": "Q",
    "t-wave": "T-wave",
    "t-waves": "T-waves",
    "wolff-parkinson-white": "Wolff-Parkinson-White",
}
SPOKEN = tuple(s.key for s in STATEMENTS if s.key not in UNSPOKEN and s.group != "super_class")


@dataclass(frozen=True)
class Seed:
    """One recording. id: "ptbxl:123"; image: its picture in the LLaVA form, a page or a name alone; fold: of PTB-XL, None
    elsewhere; present: statements made of it; absent: statements that are really false of it; values: measurements by field of
    `Measurements`, in its units; asked: finished questions (family, question, answer, options) of the data set itself."""

    id: str
    patient: str
    source: str
    image: str
    present: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    values: Mapping[str, float] = field(default_factory=dict)
    fold: int | None = None
    sex: str | None = None
    age: int | None = None
    report: str = ""
    asked: tuple[tuple[str, str, str, tuple[str, ...]], ...] = ()


def also(present: Iterable[str]) -> frozenset[str]:
    """What may hold besides these statements."""
    out: set[str] = set()
    for key in present:
        out |= {key, *_ALSO.get(key, ())}
        if key in _REPOLARISATION:
            out |= set(_REPOLARISATION)
        if key.startswith("sub_class:"):
            out |= {f"super_class:{BROAD[key]}"} if key in BROAD else set()
    return frozenset(out)


def deniable(present: frozenset[str], values: Mapping[str, float], known: Iterable[str] = SPOKEN) -> frozenset[str]:
    """Statements of `known` that are really false: not made, not kin to one that is made, and not what the measurements say."""
    out = set(known) - also(present)
    rate = values.get("heart_rate")
    if rate is not None and rate < 62:
        out.discard("rhythm:SBRAD")
    if rate is not None and rate > 95:
        out -= {"rhythm:STACH", "rhythm:SVTAC"}
    if values.get("pr", 0) > 190:
        out -= {"form:LPR", "sub_class:AVB"}
    if values.get("qrs", 0) >= 110:
        out -= {"sub_class:IVCD", "sub_class:CLBBB", "sub_class:CRBBB", "sub_class:ILBBB", "sub_class:IRBBB", "form:ABQRS"}
    if values.get("qtc_bazett", 0) > 440:
        out.discard("form:LNGQT")
    return frozenset(out)


#: Subclass -> superclass, as PTB-XL has them.
BROAD = {
    f"sub_class:{code}": broad
    for broad, codes in {
        "MI": ("AMI", "IMI", "LMI", "PMI"),
        "HYP": ("LVH", "RVH", "LAO/LAE", "RAO/RAE", "SEHYP"),
        "STTC": ("STTC", "ISC", "ISCI", "ISCA", "NST"),
        "NORM": ("NORM",),
        "CD": ("LAFB/LPFB", "CRBBB", "WPW", "AVB", "CLBBB", "ILBBB", "IRBBB", "IVCD"),
    }.items()
    for code in codes
}


#: Names in the number in which they are spoken of, where the statement's own is the code's.
_SAID = {
    "form:PAC": "atrial premature complexes",
    "form:PVC": "ventricular premature complexes",
    "form:LOWT": "low amplitude T waves",
    "form:ABQRS": "abnormal QRS complex",
}
PLURAL = frozenset(f"form:{code}" for code in ("PAC", "PVC", "LOWT", "QWAVE", "INVT", "NDT", "NT", "NST", "VCLVH"))
_COUNTED = frozenset(
    ("form:LPR", "form:LNGQT", "form:ABQRS", "sub_class:IVCD", "rhythm:BIGU", "rhythm:TRIGU", "rhythm:PACE", "rhythm:SVARR")
)


def name(key: str) -> str:
    """A statement's name as it is written: "ST depression"."""
    return _SAID.get(key) or re.sub(r"[\w/-]+", lambda w: _WRITTEN.get(w[0], w[0]), BY_KEY[key].name)


def shown(key: str) -> str:
    """The name in a sentence about an ECG: "a long QT interval", "Q waves"."""
    words = name(key)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}" if key in _COUNTED else words


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def listed(names: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    parts = list(names)
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""
