"""Questions made from labels, in ECG-QA's forms: verify, choose, query.

Forms, attribute types and answer sets follow ECG-QA (Oh et al. 2023, NeurIPS D&B), whose
wording is only partly available here, so the wordings are our own. The last wording of
each list is never used in training: the benchmark asks in seen and unseen words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.knowledge.statements import BY_KEY, STATEMENTS, keys, of_group
from ecglm.models.facts import UNSPOKEN

#: Everyday and abbreviated names, used in some training questions.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "rhythm:AFIB": ("AF", "AFib", "atrial fib", "irregularly irregular atrial fibrillation"),
    "rhythm:AFLT": ("flutter",), "rhythm:STACH": ("a fast sinus rhythm", "tachycardia"),
    "rhythm:SBRAD": ("a slow sinus rhythm", "bradycardia"), "rhythm:SR": ("a normal sinus rhythm", "sinus"),
    "rhythm:PACE": ("a pacemaker",), "rhythm:SARRH": ("respiratory sinus arrhythmia",),
    "sub_class:CLBBB": ("LBBB", "left bundle branch block", "CLBBB"),
    "sub_class:CRBBB": ("RBBB", "right bundle branch block", "CRBBB"),
    "sub_class:IRBBB": ("incomplete RBBB", "IRBBB"), "sub_class:ILBBB": ("incomplete LBBB",),
    "sub_class:LAFB/LPFB": ("a fascicular block", "left anterior fascicular block", "LAFB"),
    "sub_class:AVB": ("first degree AV block", "atrioventricular block", "heart block"),
    "sub_class:LVH": ("LVH", "an enlarged left ventricle"), "sub_class:RVH": ("RVH",),
    "sub_class:WPW": ("WPW", "preexcitation"), "sub_class:IVCD": ("intraventricular conduction delay", "IVCD"),
    "sub_class:AMI": ("an anterior infarct", "anterior MI"), "sub_class:IMI": ("an inferior infarct", "inferior MI"),
    "super_class:MI": ("a heart attack", "MI", "an infarct"), "super_class:HYP": ("hypertrophy of the heart",),
    "super_class:CD": ("a conduction problem", "a conduction abnormality"),
    "super_class:STTC": ("ST-T changes", "repolarisation changes"),
    "form:PVC": ("PVCs", "ventricular extrasystoles", "VPC", "ventricular ectopy"),
    "form:PAC": ("PACs", "supraventricular extrasystoles", "atrial ectopy"),
    "form:STD": ("ST segment depression", "non-specific ST depression"), "form:QWAVE": ("pathological Q waves",),
    "form:INVT": ("T wave inversion",), "form:LVOLT": ("low voltage",), "form:LNGQT": ("QT prolongation",),
    "form:LPR": ("a long PR interval", "PR prolongation"),
}

VERIFY = (
    "Does this ECG show symptoms of {x}?", "Does this ECG show {x}?", "Is there {x}?", "Is {x} present on this ECG?",
    "Is there any sign of {x} in this recording?", "Can you see {x} on this ECG?", "Does the patient have {x}?",
    "Is there evidence of {x}?", "{x}?", "Would you say this is {x}?", "Does this tracing demonstrate {x}?",
)
#: Spoken and leading forms, for training only: the benchmark's questions stay as they are.
SPOKEN = ("The patient has {x}, right?", "This is {x}, isn't it?", "It shows {x}, correct?", "So there is {x}?",
          "I think this is {x}. Do you agree?", "Is this {x}?", "Any {x}?", "Could this be {x}?")
SPOKEN_NORMAL = ("The ECG is normal, right?", "Is the ECG normal?", "Is this a healthy ECG?", "This is normal, isn't it?",
                 "Normal ECG?", "Is the tracing normal?")
VERIFY_NORMAL = (
    "Is this ECG normal?", "Does this ECG show no abnormality?", "Is this a normal ECG?", "Is the ECG within normal limits?",
    "Is everything normal here?", "Would you call this ECG normal?",
)
CHOOSE = (
    "Which {noun} does this ECG show, {a} or {b}?", "Is it {a} or {b}?", "Does this ECG show {a} or {b}?",
    "Which one is present, {a} or {b}?", "{a} or {b}?", "Which {noun} can be identified, {a} or {b}?",
)
QUERY: dict[str, tuple[str, ...]] = {
    "super_class": (
        "What diagnostic superclasses does this ECG show?", "Which diagnostic superclass applies to this ECG?",
        "What general class of disease does this ECG show?", "Name the diagnostic superclasses.",
        "To which diagnostic superclasses does this recording belong?",
    ),
    "sub_class": (
        "What diagnostic symptoms does this ECG show?", "Which diagnoses does this ECG show?", "What diagnoses apply?",
        "List the diagnostic findings.", "What diagnostic findings can be identified on this tracing?",
    ),
    "form": (
        "What form-related symptoms does this ECG show?", "Which form statements apply to this ECG?",
        "What abnormalities of the wave forms are there?", "List the form-related findings.",
        "Which morphological findings does this tracing have?",
    ),
    "rhythm": (
        "What rhythm-related symptoms does this ECG show?", "What is the rhythm?", "Which rhythm does this ECG show?",
        "Name the heart rhythm.", "What is the cardiac rhythm?", "Which rhythm can be identified on this tracing?",
    ),
    "axis": (
        "What direction is the heart axis deviated to?", "What is the heart axis?", "Is there an axis deviation, and which?",
        "How is the electrical axis?", "In which direction does the cardiac axis point?",
    ),
    "extrasystole": (
        "What kind of extra systoles does this ECG show?", "Which extrasystoles are there?",
        "What ectopic beats does this ECG have?", "Which kinds of extra systoles can be identified?",
    ),
}
#: More ways to ask the open questions, for training only.
SPOKEN_QUERY: dict[str, tuple[str, ...]] = {
    "super_class": ("Which broad diagnostic category is this?", "What kind of disease is this, in general?",
                    "Which superclass?", "Give the diagnostic category."),
    "sub_class": ("What are the diagnoses?", "Which diagnosis fits this tracing?", "Diagnoses?", "Name every diagnosis.",
                  "Which diagnostic statements apply?"),
    "form": ("How is the morphology?", "What changes of shape do the waves have?", "Which waveform findings are there?",
             "Describe the form of P, QRS and T.", "Is anything unusual about the shape of the complexes, and what?",
             "Which morphology statements apply?", "What is seen in the waveforms of this tracing?"),
    "rhythm": ("Rhythm?", "What rhythm is this?", "Which rhythm statements apply?", "In what rhythm is the heart?"),
    "axis": ("Heart axis?", "Which way does the electrical axis point?", "What is the QRS axis like?"),
    "extrasystole": ("Which premature beats are there?", "What type of ectopic beats do you see?", "Extra beats: which kind?"),
}
NOUN = {"super_class": "diagnostic superclass", "sub_class": "diagnosis", "form": "form-related finding",
        "rhythm": "rhythm", "axis": "axis", "extrasystole": "extra systole"}
#: ECG-QA template ids whose form each of our questions takes (single-ECG templates 1-47).
TEMPLATE = {("verify", "scp"): 1, ("choose", "super_class"): 3, ("choose", "sub_class"): 5, ("choose", "form"): 6,
            ("choose", "rhythm"): 7, ("query", "super_class"): 3, ("query", "sub_class"): 9, ("query", "form"): 11,
            ("query", "rhythm"): 10, ("query", "axis"): 22, ("verify", "axis"): 20, ("query", "extrasystole"): 38}
AXIS_ANSWERS = ("normal heart axis", "left axis deviation", "right axis deviation")
EXTRASYSTOLES = {"form:PVC": "ventricular extrasystoles", "form:PAC": "supraventricular extrasystoles"}
#: Column of each statement.
INDEX = {key: i for i, key in enumerate(keys())}


@dataclass(frozen=True)
class Question:
    """A question with its answer. attribute is what is asked about; valid the possible answers."""

    text: str
    answer: str
    qtype: str
    template: int
    attribute: str
    valid: tuple[str, ...]


def asked_statements(labels_NC: NDArray[np.uint8], minimum: int = 20) -> tuple[str, ...]:
    """Keys that questions may be about: at least `minimum` positives and negatives in these labels."""
    counts = labels_NC.sum(0)
    return tuple(s.key for s, n in zip(STATEMENTS, counts, strict=True)
                 if s.key not in UNSPOKEN and minimum <= n <= len(labels_NC) - minimum)


def _words(options: Sequence[str], rng: np.random.Generator, unseen: bool) -> str:
    """A training wording, or the held-out one."""
    return options[-1] if unseen else options[int(rng.integers(len(options) - 1))]


def names_present(labels_C: NDArray[np.uint8], group: str) -> tuple[str, ...]:
    """Names of the asked statements of a group that are labelled present."""
    return tuple(s.name for s in of_group(group) if s.key not in UNSPOKEN and labels_C[INDEX[s.key]])


def joined(names: Sequence[str]) -> str:
    """The answer text of a set of names."""
    return ", ".join(names) if names else "none"


def _spoken(key: str, rng: np.random.Generator) -> str:
    """The name of a statement, or now and then one that people use."""
    known = SYNONYMS.get(key, ())
    return known[int(rng.integers(len(known)))] if known and rng.random() < 0.4 else BY_KEY[key].name


def verify(key: str, present: bool, rng: np.random.Generator, unseen: bool = False, varied: bool = False) -> Question:
    """Does it show X? yes / no. varied: with other names and spoken wordings, for training."""
    normal = key == "super_class:NORM"
    if varied and rng.random() < 0.35:
        forms = SPOKEN_NORMAL if normal else SPOKEN
        text = forms[int(rng.integers(len(forms)))]
    else:
        text = _words(VERIFY_NORMAL if normal else VERIFY, rng, unseen)
    text = text.format(x=_spoken(key, rng) if varied else BY_KEY[key].name)
    text = text[0].upper() + text[1:]
    return Question(text, "yes" if present else "no", "verify", TEMPLATE["verify", "scp"], key, ("yes", "no"))


def choose_answer(key_a: str, key_b: str, has: tuple[bool, bool]) -> str:
    """The name of what is there, both, or none."""
    return "both" if all(has) else BY_KEY[key_a].name if has[0] else BY_KEY[key_b].name if has[1] else "none"


def choose(key_a: str, key_b: str, has: tuple[bool, bool], rng: np.random.Generator, unseen: bool = False,
           varied: bool = False) -> Question:
    """A or B? has: which of them the record has. varied: with other names, for training."""
    a, b = BY_KEY[key_a], BY_KEY[key_b]
    names = [_spoken(key, rng) if varied else BY_KEY[key].name for key in (key_a, key_b)]
    text = _words(CHOOSE, rng, unseen).format(a=names[0], b=names[1], noun=NOUN[a.group])
    text = text[0].upper() + text[1:]
    return Question(text, choose_answer(key_a, key_b, has), "choose", TEMPLATE["choose", a.group], f"{key_a}|{key_b}",
                    (a.name, b.name, "both", "none"))


def query_answer(kind: str, labels_C: NDArray[np.uint8], axis: str) -> str:
    """The answer of an open question from labels: a comma list or "none"."""
    if kind == "axis":
        return axis
    if kind == "extrasystole":
        return joined([name for key, name in EXTRASYSTOLES.items() if labels_C[INDEX[key]]])
    names = names_present(labels_C, kind)
    return joined(("normal ecg",) if kind == "super_class" and "normal ecg" in names else names)


def query(kind: str, labels_C: NDArray[np.uint8], axis: str, rng: np.random.Generator, unseen: bool = False,
          varied: bool = False) -> Question:
    """Open question on a group, the axis or extrasystoles. varied: with spoken wordings, for training."""
    valid: tuple[str, ...]
    if kind == "axis":
        valid = AXIS_ANSWERS
    elif kind == "extrasystole":
        valid = (*EXTRASYSTOLES.values(), "none")
    else:
        valid = (*(s.name for s in of_group(kind) if s.key not in UNSPOKEN), "none")
    spoken = SPOKEN_QUERY[kind] if varied and rng.random() < 0.5 else ()
    text = spoken[int(rng.integers(len(spoken)))] if spoken else _words(QUERY[kind], rng, unseen)
    return Question(text, query_answer(kind, labels_C, axis), "query", TEMPLATE["query", kind], kind,
                    valid)
