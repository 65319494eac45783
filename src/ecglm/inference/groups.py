"""Yes/no questions about a kind of finding, not about one: "Any arrhythmia?", "Is the ECG abnormal?". Answered from the
findings: yes where a member is called present, otherwise no with a note that names the possible ones. (A question about a
single finding gets its yes where that is possible: of four possible ones, one is possible too often to mean much.)"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecglm.inference.evidence import finding_evidence
from ecglm.inference.guard import unsupported
from ecglm.inference.reading import Reading
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import HIDDEN, percent
from ecglm.schema import Answer

_NORMAL = "super_class:NORM"
#: What people call a kind of finding, and its members. The first is the opposite of a normal ECG.
_GROUPS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(?<!no )\babnormal(it(y|ies))?\b|\b(any|some)thing (is )?(wrong|unusual)\b|\bpathological (ecg|tracing)\b"),
     (_NORMAL,)),
    (re.compile(r"\bbundle[ -]branch block\b"), ("sub_class:CLBBB", "sub_class:CRBBB", "sub_class:ILBBB", "sub_class:IRBBB")),
    (re.compile(r"\barr?h?ythmias?\b|\brhythm (problem|disorder|disturbance)s?\b"),
     ("rhythm:AFIB", "rhythm:AFLT", "rhythm:STACH", "rhythm:SBRAD", "rhythm:SARRH", "rhythm:SVARR", "rhythm:BIGU", "rhythm:TRIGU",
      "rhythm:SVTAC", "rhythm:PSVT", "form:PVC", "form:PAC")),
    (re.compile(r"\bextra[ -]?(systoles?|beats?)\b|\bectop(y|ic beats?|ics)\b|\bpremature (beats?|contractions?)\b"),
     ("form:PVC", "form:PAC")),
    (re.compile(r"\bventricular hypertrophy\b"), ("sub_class:LVH", "sub_class:RVH")),
    (re.compile(r"\batrial (enlargement|overload|abnormality)\b|\benlarged atri(um|a)\b"),
     ("sub_class:LAO/LAE", "sub_class:RAO/RAE")),
)
_YES_NO = re.compile(r"(is|are|does|do|can|could|has|have|would|any)\b", re.I)
_OTHERWISE = re.compile(r"\b(or|which|what|how|kind|many|where|why)\b")


@dataclass(frozen=True)
class Group:
    """The statement keys that a question asks for together; opposite: yes means that the first is not there."""

    keys: tuple[str, ...]
    opposite: bool


def asked_group(question: str) -> Group | None:
    """The group that a yes/no question is about, None where it names a single statement, or none."""
    low = " ".join(question.lower().split())
    if _OTHERWISE.search(low) or not (_YES_NO.match(low) or len(low.split()) < 4):
        return None
    for pattern, keys in _GROUPS:
        found = pattern.search(low)
        # "ventricular hypertrophy" names hypertrophy; "left ventricular hypertrophy" names more than that.
        if found and set(topics(question).statements) <= set(topics(found[0]).statements):
            return Group(keys, keys == (_NORMAL,))
    return None


def answer_group(model: EcgLanguageModel, reading: Reading, group: Group, judged: frozenset[str]) -> Answer:
    """Yes or no with the members that speak for it. judged: statements with enough training cases."""
    readable = [lead for lead in reading.record.leads if lead not in reading.unusable]
    reasons = {key: unsupported(key, readable) for key in group.keys if key in judged and key not in HIDDEN}
    members = [key for key, reason in reasons.items() if reason is None]
    if not members:
        why = next(iter(reasons.values()), None) or "too few training recordings showed it to judge it"
        return Answer("", 0.0, True, (), model.name, why)
    finding = {f"{f.group}:{f.code}": f for f in reading.findings}
    possible = dict(zip(model.config.labels, model.findings_calibration.possible, strict=True))
    ranked = sorted(members, key=lambda key: (not finding[key].present, -finding[key].probability))
    called = [key for key in ranked if finding[key].present]
    maybe = [key for key in ranked if not finding[key].present and finding[key].probability >= possible[key]]
    sure = finding[called[0]].probability if called else 1 - finding[ranked[0]].probability
    if group.opposite:
        others = [key for key, f in finding.items() if f.present and key != "rhythm:SR" and key not in HIDDEN
                  and unsupported(key, readable) is None]
        shown = [*members, *(others if not called else ())]
        return Answer("no" if called else "yes", sure, False, tuple(finding_evidence(model, reading, key) for key in shown[:4]),
                      model.name)
    evidence = tuple(finding_evidence(model, reading, key) for key in (*called, *maybe, ranked[0])[:4 if called or maybe else 1])
    note = "possible: " + ", ".join(f"{BY_KEY[key].name} {percent(finding[key].probability)}" for key in maybe)
    return Answer("yes" if called else "no", sure, False, tuple(dict.fromkeys(evidence)), model.name,
                  note=note if maybe and not called else None)
