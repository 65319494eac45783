"""Yes or no to what one measured value says: "Is the QRS wide?", "Is there tachycardia?", "Is the QTc longer than normal?".

A small language model words what it read; where a limit decides, the measurement does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ecglm.answers import Answer
from ecglm.inference.evidence import evidence_for
from ecglm.inference.measured_verdicts import Side, value_verdict
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics
from ecglm.models.elm import EcgLanguageModel

#: Measured values by the words that name them. Of the QT interval it is the corrected one that can be long or short.
_VALUES = {"heart_rate": r"(?:(?:heart|ventricular|pulse) ?)?rate|pulse|heart ?beat", "pr": "pr(?: interval)?",
           "qrs": r"qrs(?:[ -]complex(?:es)?)?(?: duration| width)?", "qtc_bazett": r"(?:corrected )?qtc?(?: interval)?"}
#: Sides of the limits by the words that say them.
_SIDES: dict[Side, str] = {
    "narrow": "narrow", "wide": "wide|widened|broad|broadened",
    "low": r"slow|low|short|shortened|decreased|(?:slower|lower|shorter) than (?:normal|usual)|below normal",
    "high": r"fast|rapid|quick|high|elevated|increased|raised|long|prolonged|lengthened|"
            r"(?:faster|higher|longer|wider|broader) than (?:normal|usual)|above normal",
    "normal": r"(?:within |in )?(?:the )?normal(?: limits| range)?|as (?:fast|long|wide) as (?:normal|usual)"}
#: A rate by its own name; "sinus tachycardia" is a rhythm and no such name.
_RATES: dict[Side, str] = {"low": r"bradycardi(?:a|c)", "high": r"tachycardi(?:a|c)"}
#: "long QT interval" and "prolonged PR interval" are statements by these very names.
_STATEMENTS = frozenset({"form:LNGQT", "form:LPR"})
_OF = r"(?:the |this |his |her |my |their |a |an )?(?:patient's |patient |heart |measured |mean )*"
_VALUE = "|".join(f"(?P<{name}>{words})" for name, words in _VALUES.items())
_SIDE = "|".join(f"(?P<{side}>{words})" for side, words in _SIDES.items())
_RATE = "|".join(f"(?P<rate_{side}>{words})" for side, words in _RATES.items())
_HOW = r"(?:too |very |abnormally |pathologically |clearly |significantly |still )*"
_THERE = (r"(?:(?:is|are|was) there|(?:do|can) you see|(?:does|do|has|have) (?:(?:the|this) (?:patient|ecg)|he|she|it)"
          r"(?: have| show)?)(?: any| an?| the)? ")
_ASKED = (re.compile(rf"(?:is|are|was|were) {_OF}(?:{_VALUE}) {_HOW}(?:{_SIDE})"),
          re.compile(rf"{_THERE}{_HOW}(?:{_SIDE}) (?:{_VALUE})"),
          re.compile(rf"(?:is|was) {_OF}(?:he |she |it )?(?:{_RATE})"), re.compile(rf"{_THERE}(?:{_RATE})"))


def asked_state(question: str) -> tuple[str, Side] | None:
    """The measured value that a question is about and the side of its limits, or None when it asks for something else."""
    low = " ".join(question.lower().split()).rstrip("?!. ")
    found = next((match for pattern in _ASKED if (match := pattern.fullmatch(low)) is not None), None)
    if found is None:
        return None
    said = {name for name, words in found.groupdict().items() if words is not None}
    rate = next((side for side in _RATES if f"rate_{side}" in said), None)
    if rate is not None:
        return "heart_rate", rate
    name, side = next(name for name in _VALUES if name in said), next(side for side in _SIDES if side in said)
    return None if side in ("narrow", "wide") and name != "qrs" else (name, side)


def state_answer(model: EcgLanguageModel, question: str, reading: Reading, about: Topics,
                 said: Mapping[str, str]) -> Answer | None:
    """Yes or no by the measured value; said: how these are worded. None for other questions."""
    asked = None if _STATEMENTS & set(about.statements) else asked_state(question)
    if asked is None:
        return None
    name, side = asked
    verdict = value_verdict(reading, name, side)
    if verdict.state == "unknown":
        return Answer("", 0.0, True, (), model.name, verdict.why)
    text = said["yes" if verdict.state == "present" else "no"]
    evidence = evidence_for(model, reading, replace(about, statements=(), groups=(), measures=(name,)), text)
    return Answer(text, verdict.confidence, False, evidence, model.name)
