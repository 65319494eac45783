"""Names that stand for several statements ("Is there bundle branch block?"), and which of them the findings call present.

Such a question is answered from the findings: yes if any member is called present. Names that are themselves a statement
("hypertrophy", "conduction disturbance") are none of these: the language model learned them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.facts import UNSPOKEN

if TYPE_CHECKING:
    from ecglm.inference.topics import Topics

NORMAL = "super_class:NORM"
#: Rhythms of a healthy heart: beside "normal ecg" they make no ECG abnormal.
MILD = frozenset({"rhythm:SARRH", "rhythm:SBRAD", "rhythm:STACH"})


class AnyOf(NamedTuple):
    """Words by which people name a group (lower case), and the statements that it stands for."""

    phrases: tuple[str, ...]
    members: tuple[str, ...]


_ECTOPY = ("form:PVC", "form:PAC")
#: Every group, by the name that answers give it.
ANY_OF: Mapping[str, AnyOf] = {
    "abnormality": AnyOf(
        ("abnormal", "abnormality", "abnormalities", "anything wrong", "something wrong", "pathology", "pathological"),
        tuple(s.key for s in STATEMENTS if s.key not in {NORMAL, "rhythm:SR"} | UNSPOKEN)),
    "arrhythmia": AnyOf(
        ("arrhythmia", "arrythmia", "dysrhythmia", "abnormal rhythm", "abnormal heart rhythm", "rhythm abnormal",
         "rhythm abnormality", "rhythm abnormalities", "rhythm disorder", "rhythm disturbance", "rhythm problem"),
        (*(s.key for s in STATEMENTS if s.group == "rhythm" and s.code not in ("SR", "PACE")), *_ECTOPY)),
    "extrasystoles": AnyOf(
        ("extrasystole", "extra systole", "extra-systole", "ectopic beat", "ectopic", "ectopy", "extra beat", "premature beat",
         "premature contraction", "skipped beat"), _ECTOPY),
    "bundle branch block": AnyOf(
        ("bundle branch block", "bundle-branch block", "bbb"),
        ("sub_class:CLBBB", "sub_class:CRBBB", "sub_class:ILBBB", "sub_class:IRBBB")),
    "complete bundle branch block": AnyOf(("complete bundle branch block",), ("sub_class:CLBBB", "sub_class:CRBBB")),
    "incomplete bundle branch block": AnyOf(("incomplete bundle branch block",), ("sub_class:ILBBB", "sub_class:IRBBB")),
    "ventricular hypertrophy": AnyOf(
        ("ventricular hypertrophy", "hypertrophy of the ventricle", "enlarged ventricle"), ("sub_class:LVH", "sub_class:RVH")),
    "atrial enlargement": AnyOf(
        ("atrial enlargement", "atrial overload", "atrial hypertrophy", "atrial dilatation", "enlarged atrium", "enlarged atria"),
        ("sub_class:LAO/LAE", "sub_class:RAO/RAE")),
    "ischaemia": AnyOf(("ischemia", "ischaemia", "ischemic", "ischaemic"), ("sub_class:ISC", "sub_class:ISCI", "sub_class:ISCA")),
    "ST changes": AnyOf(("st change", "st segment change", "st abnormality", "st abnormalities", "st deviation"),
                        ("form:STD", "form:STE", "form:NST")),
    "T wave changes": AnyOf(("t wave change", "t-wave change", "t wave abnormality", "t wave abnormalities", "abnormal t wave",
                              "t wave abnormal", "t waves abnormal"),
                            ("form:INVT", "form:LOWT", "form:NT", "form:NDT")),
}
#: Questions that ask for more than yes or no, or whose yes and no would be turned round.
_OTHER = re.compile(r"\b(what|which|why|how|where|when|name|list|describe|kinds?|types?|explain|interpret|no|not)\b|n't\b")


def asked_group(question: str, about: Topics) -> str | None:
    """The group that a yes/no question is about, or None. "Abnormal" alone means the whole ECG: beside a value, a statement or
    a part of the ECG ("is the axis abnormal?") it does not."""
    named = about.anyof if len(about.anyof) == 1 else tuple(name for name in about.anyof if name != "abnormality")
    narrower = about.measures or about.leads or set(about.groups) - {"sub_class"}
    if len(named) != 1 or about.statements or _OTHER.search(question.lower()) or (named[0] == "abnormality" and narrower):
        return None
    return named[0]


def mixed(question: str, about: Topics) -> str | None:
    """Why a yes/no question that names a group beside something else is not answered, or None."""
    named = [name for name in about.anyof if name != "abnormality"]
    if not named or len(named) + len(about.statements) < 2 or _OTHER.search(question.lower()):
        return None
    return f'"{named[0]}" stands for several findings; ask about it alone'


def called(group: str, present: Collection[str]) -> tuple[str, ...]:
    """The members of a group that are called present. An ECG that is called normal is not abnormal for a sinus rhythm that is
    slow, fast or irregular."""
    tolerated = MILD if group == "abnormality" and NORMAL in present else frozenset()
    return tuple(key for key in ANY_OF[group].members if key in present and key not in tolerated)
