"""What the forecaster's probabilities are worth: intervals and sets from people that taught it nothing.

Venn-Abers predictors (Vovk, Petej & Fedorova 2015, arXiv:1511.00213) give an interval that holds a calibrated probability;
split conformal sets (Sadinle, Lei & Wasserman 2019, 10.1080/01621459.2017.1395341) hold what comes with the nominal frequency.
Each cell, a length of window and a horizon, has one window of each person. Shapes: W windows, H horizons, G grid points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.models.forecast import CLASSES
from ecglm.signal.missing import FloatArray

#: What may be asked for, and the classes that it is.
EVENTS: dict[str, tuple[str, ...]] = {"af": ("af",), "aflutter": ("aflutter",), "any": ("af", "aflutter")}
#: How often a set holds what comes.
NOMINAL = 0.9
#: Scores at which intervals are kept.
GRID = np.linspace(0, 1, 201)


@dataclass(frozen=True, eq=False)
class Calibration:
    """bounds: by event ``[W, H, 2, G]``, low and high ends of the interval at each score of GRID. least: by cell ``[W, H]``, the
    probability from which a class belongs to the set. rates: share of each class in the people of the cells."""

    windows_s: tuple[float, ...]
    horizons_s: tuple[float, ...]
    bounds: Mapping[str, NDArray[np.float32]]
    least: NDArray[np.float32]
    rates: tuple[float, ...]

    def cell(self, window_s: float, horizon_s: float) -> tuple[int, int]:
        """The nearest cell, by ratio."""
        def near(values: Sequence[float], value: float) -> int:
            return int(np.abs(np.log(np.array(values) / value)).argmin())

        return near(self.windows_s, window_s), near(self.horizons_s, horizon_s)

    def interval(self, event: str, score: float, window_s: float, horizon_s: float) -> tuple[float, float, float]:
        """Calibrated probability of an event, and the interval that holds it, by the score that the network gives it."""
        bounds = self.bounds[event][self.cell(window_s, horizon_s)]
        low, high = (float(np.interp(score, GRID, bound)) for bound in bounds)
        return high / (1 - low + high), low, high

    def calibrated(self, prob_C: FloatArray, window_s: float, horizon_s: float) -> FloatArray:
        """Calibrated probabilities of CLASSES ``[3]`` that sum to 1: whether anything begins, and which of the two it is."""
        anything, af, flutter = (self.interval(event, float(score(event, prob_C)), window_s, horizon_s)[0]
                                 for event in ("any", "af", "aflutter"))
        share = af / (af + flutter) if af + flutter > 0 else 0.5
        return np.array([1 - anything, anything * share, anything * (1 - share)])

    def classes(self, prob: Sequence[float], window_s: float, horizon_s: float) -> tuple[str, ...]:
        """The set of what may come; never empty."""
        least = self.least[self.cell(window_s, horizon_s)]
        inside = tuple(name for name, p in zip(CLASSES, prob, strict=True) if p >= least)
        return inside or (CLASSES[int(np.argmax(prob))],)

    def to_dict(self) -> dict[str, Any]:
        """For calibration.json; bounds go with the weights."""
        return {"windows_s": list(self.windows_s), "horizons_s": list(self.horizons_s), "rates": list(self.rates),
                "nominal": NOMINAL}


def score(event: str, prob_C: FloatArray) -> FloatArray:
    """What the network gives an event: ``[..., class]`` summed over its classes."""
    out: FloatArray = sum((prob_C[..., CLASSES.index(name)] for name in EVENTS[event]), np.zeros(prob_C.shape[:-1]))
    return out


def rebased(probability: float, rate: float, asked: float) -> float:
    """The probability where an event is as common as `asked`, given one where it is as common as `rate` (Bayes)."""
    odds = probability / max(1e-9, 1 - probability) * (asked / (1 - asked)) / (rate / (1 - rate))
    return odds / (1 + odds)


def venn_abers(scores_N: FloatArray, happened_N: NDArray[np.bool_]) -> FloatArray:
    """Ends of the interval ``[2, G]`` at each score of GRID: isotonic fits with it added as a miss, and as a hit."""
    from sklearn.isotonic import IsotonicRegression

    out = np.empty((2, len(GRID)))
    for column, at in enumerate(GRID):
        for row, outcome in enumerate((0.0, 1.0)):
            fit = IsotonicRegression(out_of_bounds="clip").fit(np.r_[scores_N, at], np.r_[happened_N.astype(float), outcome])
            out[row, column] = fit.predict([at])[0]
    return out


def least_probability(prob_NC: FloatArray, truth_N: NDArray[np.int64], nominal: float = NOMINAL) -> float:
    """The probability that the true class exceeds in a share `nominal` of new people (finite-sample corrected)."""
    true = np.sort(prob_NC[np.arange(len(truth_N)), truth_N])
    place = int(np.floor((1 - nominal) * (len(true) + 1))) - 1
    return float(true[place]) if place >= 0 else 0.0
