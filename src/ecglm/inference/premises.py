"""Questions that take something for granted: "Where is the ST elevation?", "Why is the QRS wide?", "Since when is there AF?".

What is taken for granted is looked at before anything else (`ecglm.inference.established`). When it is not there the answer
says so, with the evidence; nothing that follows from a false premise is answered. What is there is said to be there, with what
one recording can tell of the rest. Without the language model.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ecglm.answers import Answer, percent
from ecglm.inference.caveats import WIDE_MS
from ecglm.inference.computed import rare
from ecglm.inference.established import excluded_verdict, finding_verdict, group_verdict
from ecglm.inference.evidence import evidence_for
from ecglm.inference.measured_leads import leads_evidence, measured_in_leads
from ecglm.inference.measured_verdicts import Verdict, axis_verdict, value_verdict
from ecglm.inference.presupposed import VALUE_NAMES, Premise, premise
from ecglm.inference.reading import Reading, lead_evidence, strongest_leads
from ecglm.inference.topics import SUPPORT, topics
from ecglm.inference.waves import wave_answer
from ecglm.models.elm import EcgLanguageModel
from ecglm.records.leads import of_leads
from ecglm.schema import Evidence

_PLURAL = re.compile(r"(?:waves|systoles|changes|abnormalities|complexes|criteria)$")
#: What one recording cannot tell, or what is not judged, of something that is there, by what is asked of it.
UNTOLD = {
    "since": "since when, one recording cannot tell",
    "cause": "what causes it, one recording cannot tell",
    "degree": "how marked it is, is not judged",
    "kind": "its kind is not judged",
    "change": "whether it is new or has changed, one recording cannot tell",
    "other": "more of it is not judged",
}


def established(model: EcgLanguageModel, asked: Premise, reading: Reading) -> Verdict:
    """Whether what a question takes for granted is there."""
    if asked.excluded:
        return excluded_verdict(reading, asked.name)
    if asked.measure == "axis" and asked.side is not None:
        return axis_verdict(reading, asked.side)
    if asked.measure is not None and asked.side is not None:
        return value_verdict(reading, asked.measure, asked.side)
    if asked.group is not None:
        return group_verdict(model, reading, asked.group)
    return finding_verdict(model, reading, asked.keys[0])


def premise_answer(model: EcgLanguageModel, question: str, reading: Reading) -> Answer | None:
    """The answer to a question with a premise; None for others, and where a true premise leaves it to others to answer."""
    asked = premise(question)
    if asked is None or reading.declined is not None or reading.encoded is None:
        return None
    found = established(model, asked, reading)
    if found.state == "unknown":
        wanted = f"whether there is {asked.name} cannot be told here: {found.why}"
        return None if asked.excluded or asked.form == "treat" else Answer("", 0.0, True, (), model.name, wanted)
    evidence = _evidence(model, question, asked, found, reading)
    if found.state == "absent":
        name = _bare(asked.name)
        said = (
            f"The {VALUE_NAMES[asked.measure]} is not {asked.name.split()[0]}"
            if asked.measure in VALUE_NAMES
            else f"There {'are' if _PLURAL.search(name) else 'is'} no {_written(name)}"
        )
        return Answer(f"{said}: {found.why}", found.confidence, False, evidence, model.name)
    if found.state == "unshown":
        said = f"The ECG shows no sign of {_written(_bare(asked.name))}: {found.why}"
        return Answer(said, found.confidence, False, evidence, model.name)
    if found.state == "possible":
        return Answer(
            f"{_first(asked.name)} {_is(asked.name)} not called present, only possible: {found.why}",
            found.confidence,
            False,
            evidence,
            model.name,
        )
    if asked.form == "treat":
        return None  # an ECG cannot tell; the usual reason is given
    if asked.form in ("degree", "where") and (waves := wave_answer(model, question, reading)) is not None and not waves.abstained:
        return waves
    judged = asked.measure is None and not _by_leads(asked, reading)
    there = f"{_first(asked.name)} {_is(asked.name)} called present: {found.why}" if judged else _first(found.why)
    if not (asked.form == "kind" and asked.group is not None):  # of a group its members are named
        there = f"{there}; {_rest(model, asked, found, reading)}"
    return Answer(there, found.confidence, False, evidence, model.name)


def _rest(model: EcgLanguageModel, asked: Premise, found: Verdict, reading: Reading) -> str:
    """What can be said of the thing asked of what is there."""
    if asked.form == "where":
        key = found.keys[0] if found.keys else None
        leads = strongest_leads(lead_evidence(model, reading, key)) if key is not None and reading.inputs is not None else ()
        return f"it rests most on {of_leads(leads)}" if leads else "it is judged on all leads together"
    if asked.side == "narrow":
        return f"below {WIDE_MS} ms the ventricles are activated in the normal way"
    if asked.form == "cause" and asked.measure is not None:
        named = [
            f
            for f in reading.findings
            if f.present and asked.measure in SUPPORT.get(f"{f.group}:{f.code}", ()) and f.code not in ("NORM", "SR", "CD")
        ]
        if named:
            return "called present besides: " + ", ".join(f"{f.name} {percent(f.probability)}" for f in named)
    return UNTOLD[asked.form]


def _evidence(model: EcgLanguageModel, question: str, asked: Premise, found: Verdict, reading: Reading) -> tuple[Evidence, ...]:
    """What the verdict rests on. The probability of a statement that training hardly showed is none of it."""
    about = topics(question)
    fields = (asked.measure,) if asked.measure else ("heart_rate", "pr", "qrs") if asked.excluded else about.measures
    keys = tuple(key for key in found.keys or asked.keys if key not in rare(model, [key]))
    if "form:STE" in asked.keys and reading.record.unit == "mV":
        return leads_evidence(reading, "form:STE")
    if _by_leads(asked, reading):
        return leads_evidence(reading, asked.keys[0])
    if not keys and "sub_class:WPW" in asked.keys:
        fields = ("pr", "qrs")
    return evidence_for(model, reading, replace(about, statements=keys[:4], anyof=(), groups=(), measures=tuple(fields)), "")


def _by_leads(asked: Premise, reading: Reading) -> bool:
    """Whether it is what neighbouring leads show, not the encoder, that makes a premise true."""
    return len(asked.keys) == 1 and measured_in_leads(reading, asked.keys[0]) is not None


def _bare(name: str) -> str:
    return re.sub(r"^an? ", "", name)


def _written(name: str) -> str:
    return re.sub(r"\b(?:st|av|pr|qt|qrs|ecg|t(?=[ -]wave)|q(?= wave))\b", lambda found: found[0].upper(), name)


def _first(text: str) -> str:
    text = _written(text)
    return text[0].upper() + text[1:]


def _is(name: str) -> str:
    return "are" if _PLURAL.search(name) else "is"
