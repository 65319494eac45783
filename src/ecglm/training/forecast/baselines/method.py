"""`Method`: anything that forecasts, trained here or not; `Example`: a window as it is shown to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.windows import CLASSES, ForecastItem
from ecglm.records.record import Record
from ecglm.signal.holter import BeatSeries

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Example:
    """beats: those of the item's window, on a clock that ends at 0 (`BeatSeries.cut`). signal: reads the window itself."""

    item: ForecastItem
    beats: BeatSeries
    signal: Callable[[], Record]


class Method(Protocol):
    """name is that of its row in tables. One with an attribute `trained` that is true learns nothing in `fit` and is asked about
    everybody at once; one with a method `sets(examples, probability_NC)` has conformal sets, booleans ``[N, 3]``."""

    name: str

    def fit(self, examples: Sequence[Example], labels: Ints) -> None:
        """Learn from windows and columns of CLASSES ``[N]``, not all of which need occur. What is trained does nothing."""
        ...

    def predict_proba(self, examples: Sequence[Example]) -> Floats:
        """Probabilities of CLASSES ``[N, 3]``."""
        ...


def spread(probability_NK: Floats, columns: Sequence[int]) -> Floats:
    """Probabilities of the columns that occurred in training as those of all CLASSES."""
    out = np.zeros((len(probability_NK), len(CLASSES)))
    out[:, list(columns)] = probability_NK
    return out


def balanced(labels: Ints) -> Floats:
    """Weights ``[N]`` under which every class that occurs counts the same: leaving some subjects out must not move the prior,
    which would rank them the wrong way round."""
    count = np.bincount(labels, minlength=len(CLASSES))
    result: Floats = len(labels) / (np.count_nonzero(count) * count[labels])
    return result
