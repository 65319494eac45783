"""Questions that hold a measured value against numbers or another value: "Is the PR interval above 200 ms?".

They are computed, not generated: a small language model does not learn arithmetic. Only questions of exactly this form
are: what says more than one value, one comparison and one or two numbers or another value is not understood here, and
`unclear` tells.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from ecglm.inference.topics import Topics
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE, below
from ecglm.schema import Measurement, Measurements

#: An answer that annotators would share more rarely is not given; values at the end of a wide range lie just below one half.
EVEN = 0.45
SIMPLE = ('values are compared only in plain questions, such as "Is the PR interval above 200 ms?" or '
          '"Is the PR interval shorter than the QT interval?"')

_VALUE = {
    "heart_rate": r"(?:heart |ventricular |pulse )?rate|pulse|hr", "rr": r"r-?r(?: interval)?", "pr": r"p-?r(?: interval)?",
    "qrs": r"qrs(?: duration| width| complex)?", "qt": r"qt(?: interval)?",
    "qtc_bazett": r"qtc(?: interval)?|corrected qt(?: interval)?",
    "axis": r"(?:heart |cardiac |electrical |frontal |qrs )*axis",
}
#: Comparisons by what they ask: more than, at least, less than, at most, about.
_WORDS = {
    ">": "above|over|greater than|more than|higher than|longer than|faster than|wider than|larger than|exceeding|exceeds?|>",
    ">=": "at least|no less than|not less than|not below|not under|(?:greater|more|higher|longer) than or equal to|>=|≥",
    "<": "below|under|less than|lower than|shorter than|slower than|narrower than|smaller than|<",
    "<=": "at most|no more than|not more than|not above|not over|up to|(?:less|lower|shorter) than or equal to|<=|≤",
    "=": "exactly|about|around|equal to|=|",
}
_NUMBER = r"-?\d+(?:\.\d+)?"
_UNIT = r"bpm|ms|s|deg"
_UNITS = ((r"beats (?:per|a) minute|beats/min|/ ?min", "bpm"), (r"milliseconds?|msecs?", "ms"), (r"seconds?|secs?", "s"),
          (r"degrees?|°", "deg"))
_UNIT_OF = {"heart_rate": ("bpm",), "axis": ("deg",)}
_SUBJECT = "|".join(f"(?P<{name}>{words})" for name, words in _VALUE.items())
_SIGN = "|".join(f"(?P<s{i}>{words})" for i, words in enumerate(_WORDS.values()))
_BEGIN = (r"(?:(?:is|was|does|has) )?(?:(?:the|this|a|his|her|my) )?(?:patient's |mean |average |measured )*"
          rf"(?:{_SUBJECT})(?: value)? ?")
_ONE = re.compile(rf"{_BEGIN}(?:{_SIGN}) ?(?P<a>{_NUMBER}) ?(?P<ua>{_UNIT})?")
_TWO = re.compile(rf"{_BEGIN}(?:between|from|within|in the range(?: of)?|)(?: the range(?: of)?)? ?"
                  rf"(?P<a>{_NUMBER}) ?(?P<ua>{_UNIT})? ?(?:and|to|-) ?(?P<b>{_NUMBER}) ?(?P<ub>{_UNIT})?")
_OTHER = re.compile(rf"{_BEGIN}(?:{_SIGN}) ?(?:the |a |his |her )?(?:{_SUBJECT.replace('(?P<', '(?P<other_')})")
_OPEN = re.compile(r"(?:what|how|which|why|describe|give|name|list|when)\b")
_YES_NO = re.compile(r"(?:is|was|does|has|are|do|can|could)\b")
_COMPARING = "|".join(words for sign, words in _WORDS.items() if sign != "=")
_COMPARES = re.compile(rf"(?<!\w)(?:{_COMPARING}|between|outside) ?{_NUMBER}")
#: Words that hold one value against another.
_RELATES = re.compile(r"\bthan\b|\bexceeds?\b|\bequal\b|\b(?:long|short|wid|narrow|larg|small|great|high|low|fast|slow)e?r\b")
#: Numbers that are names: of a lead, a recording, a degree of block.
_NAMES = re.compile(r"\bv[1-9]\b|\becg \d+|\b\d+-lead|\b(?:1st|2nd|3rd)\b")


class Comparison(NamedTuple):
    """Whether what was asked holds, and how probable it is that annotators agree; or why that cannot be told."""

    holds: bool
    confidence: float
    reason: str | None = None


def compare(question: str, measurements: Measurements) -> Comparison | None:
    """The answer to a question that holds one measured value against one or two numbers or another value, or None when it is
    not one."""
    asked = _plain(question)
    if (two_values := _OTHER.fullmatch(asked)) is not None:
        return _compare_two(two_values, measurements)
    found = _TWO.fullmatch(asked) or _ONE.fullmatch(asked)
    if found is None:
        return None
    name = next(name for name in _VALUE if found[name])
    measured: Measurement = getattr(measurements, name)
    two = found.re is _TWO
    units = (found["ua"] or found["ub"], found["ub"]) if two else (found["ua"],)
    limits = [_in_unit(found[number], unit, name) for number, unit in zip("ab", units, strict=False)]
    if measured.value is None or None in limits:
        return None
    numbers = sorted(limit for limit in limits if limit is not None)
    value, sd = round(measured.value), ERROR_SD[name]  # as the evidence below the answer shows it
    sign = "between" if two else _sign(found)
    low, high = (numbers[0], numbers[-1]) if two else _limits(sign, numbers[0], sd)
    holds = low < value < high if sign in (">", "<") else low <= value <= high
    inside = share_inside(value, low, high, sd)
    if holds and inside < EVEN:
        return Comparison(False, 0.0, f"it is measured to about ± {sd:g} {measured.unit}, too coarse for so narrow a range; "
                                      f"measured: {value} {measured.unit}")
    return Comparison(holds, min(MOST_SURE, max(0.5, inside if holds else 1.0 - inside)))


def _compare_two(found: re.Match[str], measurements: Measurements) -> Comparison | None:
    """One measured value against another of the same unit; None when their units differ. The errors of both add up."""
    first, second = (next(name for name in _VALUE if found[prefix + name]) for prefix in ("", "other_"))
    a, b = (getattr(measurements, name) for name in (first, second))
    if a.unit != b.unit:
        return None
    missing = a if a.value is None else b
    if missing.value is None:
        return Comparison(False, 0.0, missing.reason)
    sign, sd = _sign(found), math.hypot(ERROR_SD[first], ERROR_SD[second])
    value, limit = round(a.value), round(b.value)
    low, high = _limits(sign, limit, sd)
    holds = low < value < high if sign in (">", "<") else low <= value <= high
    inside = share_inside(value, low, high, sd)
    return Comparison(holds, min(MOST_SURE, max(0.5, inside if holds else 1.0 - inside)))


def _sign(found: re.Match[str]) -> str:
    return next(sign for i, sign in enumerate(_WORDS) if found[f"s{i}"] is not None)


def _limits(sign: str, number: float, sd: float) -> tuple[float, float]:
    """Between which values a comparison with one number holds."""
    return (number - sd, number + sd) if sign == "=" else (number, math.inf) if ">" in sign else (-math.inf, number)


def share_inside(value: float, low: float, high: float, sd: float) -> float:
    """Probability that annotators' value lies between the limits."""
    return below((high - value) / sd) - below((low - value) / sd)


def unclear(question: str, about: Topics) -> bool:
    """Whether a question holds measured values against numbers or one another in a way that `compare` does not read."""
    asked = _NAMES.sub(" ", _plain(question))
    if len(set(about.measures) & ERROR_SD.keys()) > 1 and not about.statements and _RELATES.search(asked):
        return True
    if _OPEN.match(asked) or not set(about.measures) & ERROR_SD.keys() or not re.search(r"\d", asked):
        return False
    alone = not set(about.statements) - {"super_class:NORM"}
    return _COMPARES.search(asked) is not None or (_YES_NO.match(asked) is not None and alone)


def _plain(question: str) -> str:
    """Lower case, one spelling of units, minus signs and thousands, no end mark."""
    text = " ".join(question.lower().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-").split()).rstrip("?!. ")
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", re.sub(r"(?<![\w.])\+(?=\d)", "", text))
    for words, unit in _UNITS:
        text = re.sub(rf"(?<=[\d\s])(?:{words})(?!\w)", unit, text)
    return text


def number_in_unit(text: str, name: str) -> float | None:
    """What "150 ms" or "0.15 s" says of a measured value, in the unit of its measurement; None when it is no such number."""
    found = re.fullmatch(rf"(?P<a>{_NUMBER}) ?(?P<ua>{_UNIT})?", _plain(text))
    return None if found is None else _in_unit(found["a"], found["ua"], name)


def _in_unit(number: str, unit: str | None, name: str) -> float | None:
    """A number of the question in the unit of the measurement, None for a unit that it is not measured in. Nobody asks about an
    interval of less than 5 ms: such a number is in seconds."""
    value = float(number)
    if name in _UNIT_OF:
        return value if unit in (None, *_UNIT_OF[name]) else None
    if unit in ("bpm", "deg"):
        return None
    return value * 1000.0 if unit == "s" or (unit is None and 0 < value < 5) else value
