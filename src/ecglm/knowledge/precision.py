"""How far our measurements lie from cardiologists': errors on annotated data, and the confidence that follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

#: Standard deviation of measured minus annotated value: intervals as on LUDB, against the median of the annotated leads
#: (docs/measure.md; QTc as QT); rate, RR and axis assumed.
ERROR_SD = {"heart_rate": 1.0, "rr": 10.0, "pr": 14.0, "qrs": 12.0, "qt": 11.0, "qtc_bazett": 12.0, "axis": 10.0}
#: How far two cardiologists' values may lie apart and still be the same answer: ms, bpm, degrees.
SAME_WITHIN = {"heart_rate": 5.0, "rr": 25.0, "pr": 20.0, "qrs": 20.0, "qt": 30.0, "qtc_bazett": 30.0, "axis": 15.0}
MOST_SURE = 0.99


def below(z: float) -> float:
    """Logistic distribution of unit variance: the errors have heavier tails than a normal one."""
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, z * math.pi / math.sqrt(3.0)))))


def sure_of_value(name: str) -> float:
    """Probability that the annotators' value lies within SAME_WITHIN of a measured one."""
    return min(MOST_SURE, 2 * below(SAME_WITHIN[name] / ERROR_SD[name]) - 1)


def with_confidence(values: Mapping[str, Any]) -> dict[str, Any]:
    """Measurements by field name, those with an annotated reference with their confidence."""
    return {name: replace(m, confidence=sure_of_value(name)) if name in SAME_WITHIN and m.value is not None else m
            for name, m in values.items()}
