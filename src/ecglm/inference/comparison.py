"""Questions that hold a measured value against numbers: "Is the PR interval above 200 ms?".

They are computed, not generated: small language models do not learn arithmetic. The confidence is the probability
that the true value lies on the answered side, given the spread of our measurements around annotators' values.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from ecglm.inference.topics import Topics
from ecglm.schema import Measurements

#: Standard deviation of measured minus true value: intervals as on LUDB (docs/measure.md); rate, RR and axis assumed.
ERROR_SD = {"heart_rate": 1.0, "rr": 10.0, "pr": 14.0, "qrs": 12.0, "qt": 11.0, "qtc_bazett": 12.0, "axis": 10.0}
_NUMBER = r"(-?\d+(?:\.\d+)?)\s*(seconds?|secs?|s\b|milliseconds?)?"
ABOVE = ("above", "over", "greater than", "more than", "higher than", "longer than", "faster than", "wider than", "larger than",
         "at least", "exceeding", "exceed", "exceeds", ">=", "≥", ">")
BELOW = ("below", "under", "less than", "lower than", "shorter than", "slower than", "narrower than", "smaller than", "at most",
         "<=", "≤", "<")
#: Limits that the value may equal.
_INCLUSIVE = ("at least", "at most", ">=", "≥", "<=", "≤")
_LIMIT = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, (*ABOVE, *BELOW)))})\s*{_NUMBER}")
_BETWEEN = re.compile(rf"\bbetween {_NUMBER}(?: ?bpm| ?ms| degrees)? and {_NUMBER}")
_EQUAL = re.compile(rf"^(?:is|was|does|the)\b.*?(?<![\w.-]){_NUMBER} ?(?:bpm|ms|beats per minute|degrees|°)?\W*$")


class Comparison(NamedTuple):
    """Whether what was asked holds, and the probability that this is right."""

    holds: bool
    confidence: float


def compare(question: str, about: Topics, measurements: Measurements) -> Comparison | None:
    """The answer to a question that holds one measured value against numbers, or None when this is not one."""
    low = question.lower()
    known = [name for name in about.measures if name in ERROR_SD]
    if len(known) != 1 or set(about.statements) - {"super_class:NORM"}:
        return None
    name = known[0]
    value, sd = getattr(measurements, name).value, ERROR_SD[name]
    if value is None:
        return None
    inclusive, bounds = False, None
    if between := _BETWEEN.search(low):
        ends = [_in_unit(between[i], between[i + 1], name) for i in (1, 3)]
        bounds, inclusive = (min(ends), max(ends)), True
    elif limit := _LIMIT.search(low):
        number, inclusive = _in_unit(limit[2], limit[3], name), limit[1] in _INCLUSIVE
        bounds = (number, math.inf) if limit[1] in ABOVE else (-math.inf, number)
    elif equal := _EQUAL.search(low):  # the same, as far as it can be measured
        number = _in_unit(equal[1], equal[2], name)
        bounds = (number - sd, number + sd)
    if bounds is None:
        return None
    shown = round(value)  # what the evidence below the answer says
    inside = _normal_cdf((bounds[1] - shown) / sd) - _normal_cdf((bounds[0] - shown) / sd)
    holds = bounds[0] <= shown <= bounds[1] if inclusive else bounds[0] < shown < bounds[1]
    return Comparison(holds, inside if holds else 1.0 - inside)


def too_much_at_once(question: str, about: Topics) -> bool:
    """Whether a question holds numbers against several values."""
    return len(set(about.measures) & ERROR_SD.keys()) > 1 and _LIMIT.search(question.lower()) is not None


def _in_unit(number: str, unit: str | None, name: str) -> float:
    """A number of the question in the unit of the measurement: seconds of an interval in milliseconds."""
    seconds = unit is not None and unit.startswith("s") and name not in ("heart_rate", "axis")
    return float(number) * (1000.0 if seconds else 1.0)


def _normal_cdf(z: float) -> float:
    return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))
