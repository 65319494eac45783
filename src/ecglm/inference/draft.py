"""A guess of what the language model will answer, read off findings and measurements.

The engine checks a guess in one pass instead of decoding token by token; the model's own answer
comes out either way (speculative decoding, Leviathan et al. 2023), so a bad guess costs time, never truth.
"""

from __future__ import annotations

import re

from ecglm.corpus.questions import INDEX, QUERY, choose_answer, query_answer
from ecglm.corpus.truth import heads_truth
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics
from ecglm.knowledge.ranges import flag
from ecglm.models.calibration import FindingCalibration
from ecglm.models.facts import axis_name

_YES_NO = re.compile(r"(is|are|does|do|can|has|have|would|was|were|any)\b", re.I)
_ECTOPY = re.compile(r"extra ?systole|ectop", re.I)


def draft(question: str, about: Topics, reading: Reading, calibration: FindingCalibration) -> str:
    """The likeliest answer in the words of the training, "" when there is no telling."""
    if reading.encoded is None:
        return ""
    angle = reading.measurements.axis.value
    truth = heads_truth(calibration, reading.encoded.prob_C[None], ["" if angle is None else axis_name(angle)])
    named = about.statements
    if len(named) >= 2 and re.search(r"\bor\b", question):
        return choose_answer(named[0], named[1], truth.pair(0, INDEX[named[0]], INDEX[named[1]]))
    if named and (_YES_NO.match(question) or len(question.split()) < 6):  # "Atrial fibrillation?"
        return "yes" if truth.has_NC[0, INDEX[named[0]]] else "no"
    if about.measures and not about.groups:
        return _measured(question, about.measures[0], reading)
    if _ECTOPY.search(question):
        return query_answer("extrasystole", truth.named_NC[0], "")
    kind = next((group for group in ("axis", "super_class", "rhythm", "form", "sub_class") if group in about.groups), None)
    return query_answer(kind, truth.named_NC[0], truth.axis_N[0]) if kind in QUERY else ""


def _measured(question: str, name: str, reading: Reading) -> str:
    """A value with its unit, or where it lies when that is asked."""
    value, unit = getattr(reading.measurements, name).value, getattr(reading.measurements, name).unit
    if value is None:
        return ""
    state = flag(name, value, reading.record.meta.sex)
    if not _YES_NO.match(question):
        return f"{round(value)} {unit}" if "range" not in question else \
            {"low": "below", "normal": "within", "high": "above"}[state or "normal"] + " the normal range"
    return "yes" if state == ("normal" if "normal" in question else "high") else "no"
