"""Which of some options a measured value calls for: words ("tachycardia", "left axis deviation") or numbers ("150 ms").

Also of questions that name two words themselves: "Is the QRS wide or narrow?".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from ecglm.answers import Answer
from ecglm.inference.caveats import WIDE_MS
from ecglm.inference.comparison import EVEN, number_in_unit, share_inside
from ecglm.inference.evidence import evidence_for
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE, SAME_WITHIN
from ecglm.knowledge.ranges import ADULT_YEARS, flag, normal_range
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import axis_name

#: Where a value lies, in words; each option must say exactly one.
_STATES = {"low": r"bradycardi\w*|slow|low|below|short(?:ened)?|narrow(?:ed)?|too (?:slow|low|short)", "normal": r"normal|within",
           "high": r"tachycardi\w*|fast|high|above|long|prolonged|lengthened|wide|widened|broad|broadened"}
_AXES = {"normal": r"normal", "left": r"left", "right": r"right", "extreme": r"extreme|north-?west"}
#: Limits of the frontal axis by name, degrees (`axis_name`).
_SECTORS = {"normal": (-30.0, 90.0), "left": (-90.0, -30.0), "right": (90.0, 180.0), "extreme": (-180.0, -90.0)}
#: What is said of a value that is neither of two words of a question.
_NEITHER = {"low": "below normal", "normal": "normal", "high": "above normal"}
_THEM = r"(?:(?:is|are) (?:it|they|the complex(?:es)?) )?(?:too )?"
_EITHER = re.compile(rf"(?:is|are|was|were)\b.*?\b(?:too )?(?P<a>[a-z]+)(?: complex(?:es)?)?,? or {_THEM}(?P<b>[a-z]+)"
                     r"(?: complex(?:es)?)?\W*")


def measured_option(model: EcgLanguageModel, reading: Reading, about: Topics, options: Sequence[str]) -> Answer | None:
    """The option that the one measured value asked for calls for, or why none fits; None when they are no words or numbers
    of it."""
    fields = _values(about)
    if len(fields) != 1:
        return None
    return _of_words(model, reading, about, fields[0], options) or _of_numbers(model, reading, about, fields[0], options)


def either(model: EcgLanguageModel, question: str, reading: Reading, about: Topics) -> Answer | None:
    """The answer to "Is the QRS wide or narrow?": one of the two words, or where the value lies if it is neither; None for
    other questions."""
    found = _EITHER.fullmatch(" ".join(question.lower().split()))
    fields = _values(about)
    more = "axis" in fields or about.leads or set(about.statements) - {"super_class:NORM"}
    if found is None or len(fields) != 1 or more:
        return None
    return _of_words(model, reading, about, fields[0], (found["a"], found["b"]), free=True)


def _values(about: Topics) -> list[str]:
    """Measured values that a question asks for; none of a question for the rhythm, which may name the rate."""
    return [] if "rhythm" in about.groups else [name for name in about.measures if name in ERROR_SD]


def _of_words(model: EcgLanguageModel, reading: Reading, about: Topics, name: str, options: Sequence[str],
              free: bool = False) -> Answer | None:
    """free: a value that is none of the options is told in other words."""
    words = _AXES if name == "axis" else _STATES
    states = {state: option for option in options if (state := _state(option.lower(), words)) is not None}
    if len(states) != len(options):
        return None
    measured = getattr(reading.measurements, name)
    meta = reading.record.meta
    if name != "axis" and normal_range(name, meta.sex) is None:
        return None
    if measured.value is None:
        return _declined(model, str(measured.reason))
    if name == "axis":
        state = axis_name(measured.value).split()[0]
        low, high = _SECTORS[state]
    elif name == "qrs" and "normal" not in states and "narrow" in states.get("low", "").lower():
        state = "low" if round(measured.value) < WIDE_MS else "high"  # narrow is what is not wide, as in "Is the QRS narrow?"
        low, high = (-math.inf, WIDE_MS - 0.5) if state == "low" else (WIDE_MS - 0.5, math.inf)
    else:
        flagged = flag(name, measured.value, meta.sex, meta.age)
        if flagged is None:
            return _declined(model, f"normal ranges are for adults from {ADULT_YEARS} years on; the patient is {meta.age}")
        state, limits = flagged, normal_range(name, meta.sex)
        assert limits is not None
        below, above = (-math.inf if limits.low is None else limits.low), (math.inf if limits.high is None else limits.high)
        low, high = {"low": (-math.inf, below), "normal": (below, above), "high": (above, math.inf)}[state]
    evidence = evidence_for(model, reading, replace(about, statements=()), "")
    if state not in states and not free:
        return _declined(model, f"none of the options ({', '.join(options)}) fits; measured: {evidence[0].text}")
    inside = share_inside(measured.value, low, high, ERROR_SD[name])
    return Answer(states.get(state, _NEITHER.get(state, state)), min(MOST_SURE, max(0.5, inside)), False, evidence, model.name)


def _declined(model: EcgLanguageModel, reason: str) -> Answer:
    return Answer("", 0.0, True, (), model.name, reason)


def _state(option: str, words: dict[str, str]) -> str | None:
    """Which one of the states an option says; "above normal" is high, "not normal" could be two."""
    found = [state for state, pattern in words.items() if re.search(rf"\b(?:{pattern})\b", option)]
    found = [state for state in found if state != "normal"] or found
    return found[0] if len(found) == 1 and not re.search(r"\bnot\b", option) else None


def _of_numbers(model: EcgLanguageModel, reading: Reading, about: Topics, name: str, options: Sequence[str]) -> Answer | None:
    """The nearest of some numbers. Its confidence is the probability that it is the nearest to cardiologists' value as well,
    and as close to it as two of them are to each other."""
    numbers = [number for option in options if (number := number_in_unit(option, name)) is not None]
    if len(numbers) != len(options):
        return None
    measured = getattr(reading.measurements, name)
    if measured.value is None:
        return _declined(model, str(measured.reason))
    best = min(range(len(numbers)), key=lambda i: abs(numbers[i] - measured.value))
    number, near = numbers[best], SAME_WITHIN[name]
    low = max([number - near, *((number + other) / 2 for other in numbers if other < number)])
    high = min([number + near, *((number + other) / 2 for other in numbers if other > number)])
    inside = share_inside(measured.value, low, high, ERROR_SD[name])
    evidence = evidence_for(model, reading, replace(about, statements=()), "")
    if inside < EVEN or numbers.count(number) > 1:
        return _declined(model, f"none of the options ({', '.join(options)}) fits; measured: {evidence[0].text}")
    return Answer(options[best], min(MOST_SURE, inside), False, evidence, model.name)
