"""How sure an answer is that names findings: by their calibrated probabilities, as if no finding bore on another; one of two of a
kind by a calibration of its own.

How probable its words were to the language model says little: it reads the findings and repeats them without doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod

from ecglm.inference.confidence import log_odds, sigmoid
from ecglm.inference.groups import ANY_OF
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics, topics
from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.calibration import FindingCalibration
from ecglm.models.facts import UNSPOKEN


def support(about: Topics, answer: str, reading: Reading, calibration: FindingCalibration) -> float | None:
    """Probability that exactly what the answer names is there, of what is asked about: of one statement or another as if each
    were as common as its absence, as such questions take it; of a group as common as they are. None for other questions and
    answers."""
    low = answer.lower()
    measured = "axis" in about.groups or (about.measures and not about.statements)
    if reading.encoded is None or measured or low in ("yes", "no") or low.startswith("it "):
        return None
    named = set(topics(answer).statements)
    if not named and low not in ("none", "both"):
        return None
    if len(about.statements) == 2:
        named = set(about.statements) if low.startswith("both") else named
        likely = _exactly(named, {*about.statements, *named}, _even(reading, calibration))
        rivals = len({key.split(":")[0] for key in about.statements}) == 1 and named <= set(about.statements)
        slope, bias = calibration.either if rivals else (1.0, 0.0)
        return sigmoid(slope * log_odds(likely) + bias)
    asked = () if about.statements or low == "both" else _members(about, named)
    probability = {f"{f.group}:{f.code}": f.probability for f in reading.findings}
    return _exactly(named, asked, probability) if asked and named <= set(asked) else None


def shares(options: Sequence[str], reading: Reading, calibration: FindingCalibration) -> tuple[float, ...] | None:
    """Of options of which each names one finding, the probability of each if one of them is there and all were equally common;
    None for others."""
    named = [topics(option).statements for option in options]
    if reading.encoded is None or any(len(one) != 1 for one in named) or len(set(named)) < len(named):
        return None
    even = _even(reading, calibration)
    odds = [even[key] / (1 - even[key]) for (key,) in named]
    return tuple(one / sum(odds) for one in odds)


def _members(about: Topics, named: Collection[str]) -> tuple[str, ...]:
    """The statements of the group that a question asks about. Words such as "findings" stand for diagnoses only where nothing
    narrower is asked."""
    several = [name for name in about.anyof if name != "abnormality"]
    if several:
        return tuple(key for name in several for key in ANY_OF[name].members)
    groups = {key.split(":")[0] for key in named} or set(about.groups) - {"sub_class"} or set(about.groups)
    return tuple(s.key for s in STATEMENTS if s.group in groups and s.key not in UNSPOKEN)


def _even(reading: Reading, calibration: FindingCalibration) -> dict[str, float]:
    """What the probabilities would be if half of all recordings had each finding."""
    assert reading.encoded is not None
    even_C = calibration.even(reading.encoded.prob_C)
    return {f"{f.group}:{f.code}": float(p) for f, p in zip(reading.findings, even_C, strict=True)}


def _exactly(named: Collection[str], asked: Collection[str], probability: Mapping[str, float]) -> float:
    return prod(probability[key] if key in named else 1 - probability[key] for key in asked)
