"""Does an answer contradict what was measured or found? Then it is withheld with both sides named.

The language model words the answers; it must not say the opposite of the evidence that stands below them.
"""

from __future__ import annotations

import re

import numpy as np

from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics, topics
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.calibration import FindingCalibration, log_odds
from ecglm.models.facts import HIDDEN, axis_name
from ecglm.schema import Measurements

#: How far, in log-odds, a probability must lie on the other side of "possible" before an answer is withheld.
MARGIN = 1.0
_ABOVE, _BELOW = "above|over|greater than|more than|higher than|longer than|faster than|at least", \
    "below|under|less than|lower than|shorter than|slower than|at most"
_LIMIT = re.compile(rf"\b(?:(?P<above>{_ABOVE})|(?P<below>{_BELOW}))\s+(?P<limit>\d+)")
_EQUAL = re.compile(r"^(?:is|was|does|the)\b.*?\b(\d+) ?(?:bpm|ms|beats per minute|milliseconds|degrees)?\W*$")
_BETWEEN = re.compile(r"\bbetween (\d+) and (\d+)")


def contradiction(question: str, answer: str, reading: Reading, calibration: FindingCalibration) -> str | None:
    """Why this answer to this question cannot stand, or None."""
    if reading.encoded is None:
        return None
    about, said = topics(question), topics(answer)
    compared = _limits(question, about, reading.measurements)
    if compared is not None and answer in ("yes", "no"):
        holds, shown = compared
        return None if holds == (answer == "yes") else f"the model said {answer}, but {shown} was measured"
    if "axis" in said.groups or ("axis" in about.groups and answer not in ("yes", "no")):
        return _axis(answer, reading.measurements)
    beyond_C = log_odds(reading.encoded.prob_C) - log_odds(np.array(calibration.possible, np.float32))
    beyond = {f"{f.group}:{f.code}": float(b) for f, b in zip(reading.findings, beyond_C, strict=True)}
    probability = {f"{f.group}:{f.code}": f.probability for f in reading.findings}
    if answer in ("yes", "no"):
        named = about.statements
        if about.measures or len(named) > 1:  # "is the PR interval normal?", "a normal sinus rhythm"
            named = tuple(k for k in named if k != "super_class:NORM")
        against = [k for k in named if (beyond[k] < -MARGIN if answer == "yes" else beyond[k] > MARGIN)]
        either = len(named) > 1 and (answer == "no" or re.search(r"\bor\b", question) is not None)
        wrong = against if not either or len(against) == len(named) else []
    elif answer == "none":
        wrong = [k for k in about.statements if beyond[k] > MARGIN]
    elif answer.lower().startswith("it does not show"):
        wrong = [k for k in said.statements if beyond[k] > MARGIN]
    else:
        wrong = [k for k in said.statements if beyond[k] < -MARGIN]
    shown = ", ".join(f"{BY_KEY[k].name} {100 * probability[k]:.0f} %" for k in wrong if k not in HIDDEN)
    return f'the model said "{answer}", but the findings give {shown}' if shown else None


def _limits(question: str, about: Topics, measurements: Measurements) -> tuple[bool, str] | None:
    """Whether the one measured value that a question holds against numbers lies within them, and that value."""
    low = question.lower()
    between, limit, equal = _BETWEEN.search(low), _LIMIT.search(low), _EQUAL.search(low)
    if len(about.measures) != 1 or not (between or limit or equal):
        return None
    found = getattr(measurements, about.measures[0])
    if found.value is None:
        return None
    value, shown = round(found.value), f"{round(found.value)} {found.unit}"
    if between:
        return int(between[1]) <= value <= int(between[2]), shown
    if limit is None:
        assert equal is not None
        return value == int(equal[1]), shown
    number = int(limit["limit"])
    if value == number:
        return None
    return (value > number) == bool(limit["above"]), shown


def _axis(answer: str, measurements: Measurements) -> str | None:
    """An axis other than the measured one."""
    angle = measurements.axis.value
    word = next((word for word in ("normal", "left", "right", "extreme") if re.search(rf"\b{word}\b", answer)), None)
    if angle is None or word is None:
        return None
    true = axis_name(angle)
    return None if true.startswith(word) else f'the model said "{answer}", but the measured axis is {angle:.0f}°, {true}'
