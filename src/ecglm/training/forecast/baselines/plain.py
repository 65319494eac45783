"""What needs no learning: the rhythm stays as it is; nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecglm.corpus.windows import CLASSES
from ecglm.training.forecast.baselines.method import Example, Floats, Ints

#: The end of a window (s) whose rhythm is expected to go on.
LAST_S = 30.0


class Persistence:
    """What is there at the end of a window goes on: fibrillation where the beats show it, sinus rhythm otherwise."""

    name = "last rhythm persists"
    trained = True

    def fit(self, examples: Sequence[Example], labels: Ints) -> None:
        """Nothing is learnt."""

    def predict_proba(self, examples: Sequence[Example]) -> Floats:
        """Share of the last half minute that fibrillates."""
        out = np.zeros((len(examples), len(CLASSES)))
        for row, one in zip(out, examples, strict=True):
            length = min(LAST_S, one.beats.duration_s)
            af = one.beats.af
            row[1] = np.maximum(0, np.minimum(af[:, 1], 0) - np.maximum(af[:, 0], -length)).sum() / length
            row[0] = 1 - row[1]
        return out


class Chance:
    """Random numbers: every class as likely as any other."""

    name = "chance"
    trained = True

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng((seed, 77))

    def fit(self, examples: Sequence[Example], labels: Ints) -> None:
        """Nothing is learnt."""

    def predict_proba(self, examples: Sequence[Example]) -> Floats:
        """Uniform on the simplex."""
        return self._rng.dirichlet(np.ones(len(CLASSES)), len(examples))
