"""Does an answer contradict what was found, or the measured axis? Then it is withheld with both sides named.

The language model words the answers; it must not say the opposite of the evidence that stands below them.
"""

from __future__ import annotations

import re

import numpy as np

from ecglm.inference.reading import Reading
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.calibration import FindingCalibration, log_odds
from ecglm.models.facts import HIDDEN, axis_name
from ecglm.schema import Measurements

#: How far, in log-odds, a probability must lie on the other side of "possible" before an answer is withheld.
MARGIN = 1.0


def contradiction(question: str, answer: str, reading: Reading, calibration: FindingCalibration) -> str | None:
    """Why this answer to this question cannot stand, or None."""
    if reading.encoded is None:
        return None
    about, said = topics(question), topics(answer)
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


def _axis(answer: str, measurements: Measurements) -> str | None:
    """An axis other than the measured one."""
    angle = measurements.axis.value
    word = next((word for word in ("normal", "left", "right", "extreme") if re.search(rf"\b{word}\b", answer)), None)
    if angle is None or word is None:
        return None
    true = axis_name(angle)
    return None if true.startswith(word) else f'the model said "{answer}", but the measured axis is {angle:.0f}°, {true}'
