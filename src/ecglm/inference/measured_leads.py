"""ST elevation, ST depression, inverted T waves and Q waves by what is measured in neighbouring leads.

Measured heights decide on ST elevation, which training hardly showed. Of the others what two neighbouring leads show is not
denied because the encoder does not call it: both are said.
"""

from __future__ import annotations

import re

from ecglm.answers import Answer, percent
from ecglm.inference.caveats import distorted
from ecglm.inference.guard import negated
from ecglm.inference.measured_verdicts import Verdict, measured_elevation
from ecglm.inference.reading import Reading
from ecglm.inference.topics import topics
from ecglm.inference.waves import height_evidence
from ecglm.knowledge.st_elevation import ELEVATED_MV, st_limit
from ecglm.models.elm import EcgLanguageModel
from ecglm.schema import Evidence

#: Statements that a criterion of neighbouring leads decides, what it shows, and the wave of `LeadValues` behind it.
_SHOWN = {"form:QWAVE": ("Q waves or QS complexes are", "q"), "form:STD": ("ST depression is", "st_j"),
          "form:INVT": ("inverted T waves are", "t")}
_IS_THERE = re.compile(r"(?:is|are) there\b|(?:does|do|can|could) .*\b(?:show|see|have)\b|(?:is|are) (?:the )?st\b|any\b")
#: What makes it another question: kinds of elevation, places, time, more than one thing.
_MORE = re.compile(r"\b(?:or|and|new|old|concave|convex|reciprocal|acute|when|why|how|walls?|wall|infarct\w*|myocardial|than)\b")


def measured_in_leads(reading: Reading, key: str) -> Verdict | None:
    """What two neighbouring leads show of a statement that the encoder does not call present; None where they show nothing, or
    without millivolts. No key: it rests on no finding."""
    from ecglm.reporting.criteria import criteria

    finding = next((f for f in reading.findings if f"{f.group}:{f.code}" == key), None)
    if key not in _SHOWN or finding is None or finding.present or reading.record.unit != "mV":
        return None
    made = criteria(finding, reading)[0]
    if not made.met:
        return None
    listed = ", ".join(f"{lead} {height:.2f}" for lead, height in made.leads)
    why = f"{_SHOWN[key][0]} measured in {listed} mV, though the model gives a probability of {percent(finding.probability)}"
    return Verdict("present", why, 0.5)


def leads_evidence(reading: Reading, key: str) -> tuple[Evidence, ...]:
    """The heights behind `measured_in_leads`, or ST at the J point where it is highest."""
    from ecglm.reporting.criteria import criteria

    of = reading.measurements.by_lead
    if key == "form:STE":
        by_lead = {lead: values.st_j for lead, values in of.items() if values.st_j.value is not None}
        highest = sorted(by_lead, key=lambda lead: -(by_lead[lead].value or 0.0))[:4]
        return tuple(height_evidence("st_j", lead, by_lead[lead]) for lead in highest)
    finding = next(f for f in reading.findings if f"{f.group}:{f.code}" == key)
    wave = _SHOWN[key][1]
    return tuple(height_evidence(wave, lead, of[lead].named()[wave]) for lead, _ in criteria(finding, reading)[0].leads)


def leads_answer(model: EcgLanguageModel, question: str, reading: Reading) -> Answer | None:
    """Yes or no to whether there is ST elevation, and yes to the others where neighbouring leads show them; None for other
    questions and where the leads do not tell."""
    about, low = topics(question), " ".join(question.lower().split())
    if len(about.statements) != 1 or set(about.anyof) - {"abnormality"} or about.measures or about.leads:
        return None
    if not _IS_THERE.match(low) or negated(question) or _MORE.search(low):
        return None
    if reading.encoded is None or reading.record.unit != "mV":
        return None
    (key,) = about.statements
    if key != "form:STE":
        found = measured_in_leads(reading, key)
        if found is None:
            return None
        caveat = distorted(reading, (key,))
        evidence = (*leads_evidence(reading, key), *([] if caveat is None else [Evidence(caveat)]))
        return Answer("yes", found.confidence, False, evidence, model.name, note=found.why)
    if not re.search(r"\bst\b", low):
        return None  # an infarct is asked for by other names as well, and is more than what the ST segment tells
    if (seen := measured_elevation(reading)) is None:
        return None
    evidence = (Evidence(seen.why), *leads_evidence(reading, key))
    meta = reading.record.meta
    v2 = st_limit("V2", meta.sex, meta.age)
    limit = f"counts in two neighbouring leads from {ELEVATED_MV:g} mV on, in V2 and V3 from {v2:g} mV"
    return Answer("yes" if seen.state == "present" else "no", seen.confidence, False, evidence, model.name, note=limit)
