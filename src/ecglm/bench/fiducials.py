"""Scores of detected waves against annotators': sensitivity, positive predictive value, timing.

A detection within `tolerance_s` of a mark is right, each is used once, nearest pairs first (ANSI/AAMI EC57 for beats).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOLERANCE_S = 0.15


@dataclass(frozen=True)
class Matched:
    """errors: found minus marked (s) of the pairs; missed and false: how many marks and detections have no partner."""

    errors: Floats
    missed: int
    false: int


def match(marked_s: Floats, found_s: Floats, stretch_s: tuple[float, float] | None = None,
          tolerance_s: float = TOLERANCE_S) -> Matched:
    """Pair two sorted series of times; detections outside the annotated stretch are neither right by chance nor false."""
    first = np.searchsorted(found_s, marked_s - tolerance_s)
    last = np.searchsorted(found_s, marked_s + tolerance_s, side="right")
    near = [(abs(found_s[j] - marked_s[i]), i, j) for i in range(len(marked_s)) for j in range(first[i], last[i])]
    partner_of: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(near):
        if i not in partner_of and j not in taken:
            partner_of[i] = j
            taken.add(j)
    errors = np.array([found_s[j] - marked_s[i] for i, j in sorted(partner_of.items())])
    inside = found_s if stretch_s is None else found_s[(found_s >= stretch_s[0]) & (found_s <= stretch_s[1])]
    used = found_s[sorted(taken)]
    return Matched(errors, len(marked_s) - len(errors), len(np.setdiff1d(inside, used)))


def pooled(parts: list[Matched]) -> dict[str, float]:
    """Sensitivity, PPV, F1, mean and standard deviation of the timing error (ms) over recordings or leads."""
    errors = np.concatenate([part.errors for part in parts]) if parts else np.empty(0)
    right, missed, false = len(errors), sum(part.missed for part in parts), sum(part.false for part in parts)
    nan = float("nan")
    return {
        "sensitivity": right / (right + missed) if right + missed else nan,
        "ppv": right / (right + false) if right + false else nan,
        "f1": 2 * right / (2 * right + missed + false) if right + missed + false else nan,
        "mean_ms": 1000 * float(errors.mean()) if right else nan,
        "sd_ms": 1000 * float(errors.std()) if right else nan,
    }
