"""A forecaster that was trained before, as a row beside those that are trained here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.windows import CLASSES, WINDOWS
from ecglm.models.forecast.forecaster import SHIPPED, Forecaster
from ecglm.training.forecast.baselines.method import Example, Floats, Ints

#: It has not learnt from longer windows (s) than those of the grid.
LONGEST_S = float(max(WINDOWS))


class Trained:
    """The network of a checkpoint folder. `sets` are its conformal sets."""

    trained = True

    def __init__(self, folder: str = "") -> None:
        """folder: empty for the shipped one. Raises CheckpointError."""
        self.model = Forecaster.load(folder or SHIPPED)
        self.name = self.model.id

    def fit(self, examples: Sequence[Example], labels: Ints) -> None:
        """Nothing is learnt here."""

    def predict_proba(self, examples: Sequence[Example]) -> Floats:
        """Calibrated ``[N, 3]``; of a longer window its last LONGEST_S."""
        return np.stack([self.model.calibration.calibrated(raw, one.item.window_s, one.item.horizon_s)
                         for raw, one in zip(self._raw(examples), examples, strict=True)])

    def _raw(self, examples: Sequence[Example]) -> list[Floats]:
        """What the network says, before calibration."""
        seen = [one.beats.cut(max(one.beats.start_s, -LONGEST_S), 0.0) for one in examples]
        return [self.model.probabilities(beats, one.item.horizon_s) for beats, one in zip(seen, examples, strict=True)]

    def sets(self, examples: Sequence[Example], probability_NC: Floats) -> NDArray[np.bool_]:
        """Which classes the set of each window holds ``[N, 3]``."""
        found = [self.model.calibration.classes(p.tolist(), one.item.window_s, one.item.horizon_s)
                 for one, p in zip(examples, self._raw(examples), strict=True)]
        return np.array([[name in one for name in CLASSES] for one in found])
