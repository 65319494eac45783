"""How far our measurements lie from cardiologists': errors on annotated data, and the confidence that follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

#: Root mean square of measured minus annotated value: intervals as on LUDB by networks that had not seen the record, against
#: the median of the annotated leads (docs/measure.md; QTc as QT); rate, RR and axis assumed (rate and RR are off by 0.07 bpm
#: and 0.9 ms there).
ERROR_SD = {"heart_rate": 1.0, "rr": 10.0, "p_duration": 11.0, "pr": 8.0, "qrs": 8.0, "qt": 11.0, "qtc_bazett": 12.0,
            "qtc_fridericia": 12.0, "qtc_framingham": 12.0, "qtc_hodges": 12.0, "axis": 10.0}
#: How far two cardiologists' values may lie apart and still be the same answer: ms, bpm, degrees.
SAME_WITHIN = {"heart_rate": 5.0, "rr": 25.0, "p_duration": 20.0, "pr": 20.0, "qrs": 20.0, "qt": 30.0, "qtc_bazett": 30.0,
               "qtc_fridericia": 30.0, "qtc_framingham": 30.0, "qtc_hodges": 30.0, "axis": 15.0}
#: Where the spread over beats is known, the error has the deviation sqrt(a² + (b spread)²): (a, b) of most likelihood on
#: LUDB, cross-validated. Quality and number of beats add next to nothing there (docs/log.md).
_BY_SPREAD = {"p_duration": (5.3, 2.0), "pr": (4.0, 1.2), "qrs": (5.2, 1.6)} | dict.fromkeys(
    ("qt", "qtc_bazett", "qtc_fridericia", "qtc_framingham", "qtc_hodges"), (6.5, 1.1))
#: No annotated axis tells how far ours is off: its error is assumed, which will do to compare it but not to call it sure.
_ASSUMED = ("axis",)
MOST_SURE = 0.99


def below(z: float) -> float:
    """Logistic distribution of unit variance: the errors have heavier tails than a normal one."""
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, z * math.pi / math.sqrt(3.0)))))


def sure_of_value(name: str, spread: float | None = None) -> float:
    """Probability that the annotators' value lies within SAME_WITHIN of a measured one, whose beats vary by spread."""
    sd = ERROR_SD[name]
    if spread is not None and name in _BY_SPREAD:
        least, slope = _BY_SPREAD[name]
        sd = math.hypot(least, slope * spread)
    return min(MOST_SURE, 2 * below(SAME_WITHIN[name] / sd) - 1)


def with_confidence(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Measurements`: those with an annotated reference with their confidence, the others as they are."""
    return {name: replace(m, confidence=sure_of_value(name, m.spread))
            if name in SAME_WITHIN and name not in _ASSUMED and m.value is not None else m for name, m in values.items()}
