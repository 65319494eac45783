"""Questions that take a finding for granted, of recordings whose labels grant it or deny it, and what a reply does with that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecglm.bench.task import BenchItem
from ecglm.knowledge.statements import BY_KEY

#: Wordings by how the rules came to them: those that the rules were written with, and those written before the first run and
#: not looked at since. {x} is the finding.
WORDINGS: Mapping[str, tuple[str, ...]] = {
    "known": (
        "Where is the {x}?",
        "Why is there {x}?",
        "How long has the patient had this {x}?",
        "Which leads show the {x}?",
        "What caused the {x}?",
        "How severe is the {x}?",
        "Is the {x} new or old?",
        "What kind of {x} is this?",
        "Since when does she have {x}?",
        "What is the reason for the {x} here?",
        "Can you point out the {x} to me?",
        "In which part of the tracing is the {x} most obvious?",
        "Could the {x} be due to medication?",
        "Has the {x} got worse?",
        "What explains this patient's {x}?",
        "At what age did the {x} start?",
    ),
    "new": (
        "When did the {x} begin?",
        "Do we know the cause of the {x}?",
        "How extensive would you say the {x} is?",
        "Show me the leads with the {x}.",
        "What should be done about the {x}?",
        "Is his {x} getting worse?",
        "Please comment on the {x}.",
        "How come there is {x}?",
        "Given the {x}, what is the next step?",
        "Which part of the ECG makes the {x} clear?",
    ),
}
#: Findings asked about; those that repeat another, need millivolts or are too vague are left out.
KEYS = (
    "super_class:MI",
    "super_class:HYP",
    "super_class:CD",
    "super_class:STTC",
    "sub_class:AMI",
    "sub_class:IMI",
    "sub_class:LMI",
    "sub_class:CLBBB",
    "sub_class:CRBBB",
    "sub_class:ILBBB",
    "sub_class:IRBBB",
    "sub_class:LAFB/LPFB",
    "sub_class:AVB",
    "sub_class:IVCD",
    "sub_class:WPW",
    "sub_class:LVH",
    "sub_class:RVH",
    "sub_class:LAO/LAE",
    "sub_class:RAO/RAE",
    "sub_class:ISC",
    "sub_class:ISCI",
    "sub_class:ISCA",
    "form:PVC",
    "form:PAC",
    "form:STD",
    "form:STE",
    "form:INVT",
    "form:LOWT",
    "form:QWAVE",
    "form:LPR",
    "form:LNGQT",
    "form:DIG",
    "rhythm:AFIB",
    "rhythm:AFLT",
    "rhythm:STACH",
    "rhythm:SBRAD",
    "rhythm:SARRH",
    "rhythm:PACE",
    "rhythm:BIGU",
    "rhythm:SVTAC",
)
#: How people call some of them.
NAMES = {
    "rhythm:PACE": "pacemaker rhythm",
    "rhythm:BIGU": "bigeminy",
    "super_class:STTC": "ST-T change",
    "sub_class:WPW": "pre-excitation",
    "sub_class:LAFB/LPFB": "fascicular block",
    "form:STD": "ST depression",
    "form:STE": "ST elevation",
    "sub_class:AVB": "AV block",
    "form:LPR": "PR prolongation",
    "form:LNGQT": "QT prolongation",
    "form:INVT": "T wave inversion",
    "form:LOWT": "low amplitude t-wave",
}
OUTCOMES = ("refuted", "no sign", "doubted", "declined", "accepted", "other")
_REFUTED = re.compile(r"There (?:is|are) no |The .+ is not |no\b|It does not show ", re.I)
#: Of hypertrophy: not shown, and said not to be excluded by that.
_NO_SIGN = re.compile(r"The ECG shows no sign of .*does not exclude it")
_DOUBTED = re.compile(r".* (?:is|are) not called present, only possible")
#: What grants a premise: the finding is said to be there, or a value, or heights in leads where they were asked for.
_ACCEPTED = re.compile(r".* (?:is|are) called present\b|It shows |yes\b|.*\b(?:above|below) normal\b|"
                       r"(?:lead )?(?:I|II|III|aV[RLF]|V[1-6])\b.* mV")


@dataclass(frozen=True)
class Asked:
    """A question about a recording of a patient; true: whether the labels grant its premise."""

    question: str
    key: str
    wording: str
    record: str
    patient: str
    true: bool


def outcome(text: str, abstained: bool) -> str:
    """What a reply does with the premise, by its wording; "other" for a wording that is not known."""
    if abstained:
        return "declined"
    forms = {"doubted": _DOUBTED, "no sign": _NO_SIGN, "refuted": _REFUTED, "accepted": _ACCEPTED}
    return next((name for name, pattern in forms.items() if pattern.match(text)), "other")


def asked_of(items: Sequence[BenchItem], seed: int, each: int) -> list[Asked]:
    """For every finding at most `each` recordings that have it and as many that do not (`each` where none has it), each asked
    in a known and in a new wording."""
    rng = np.random.default_rng(seed)
    out = []
    for key in KEYS:
        group, code = key.split(":")
        labels = [item.meta["labels"].get(group, {}).get(code) for item in items]
        have, lack = (
            [items[i] for i in rng.permutation([i for i, v in enumerate(labels) if v == value])[:each].tolist()]
            for value in (1, 0)
        )
        name = NAMES.get(key, BY_KEY[key].name)
        for true, of in ((True, have), (False, lack[: len(have) or each])):
            for item in of:
                for kind, ways in WORDINGS.items():
                    text = ways[int(rng.integers(len(ways)))].format(x=name)
                    out.append(Asked(text, key, kind, item.record_key, item.patient, true))
    return out
