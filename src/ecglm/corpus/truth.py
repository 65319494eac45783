"""Where the answers of questions come from: the labels of recordings, or what an encoder's heads say about them.

Both answer through the same questions, so that the heads can be scored as a reference and a language model can
be taught first to read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.models.calibration import FindingCalibration


@dataclass(frozen=True)
class Truth:
    """Shapes [N records, C labels]. has_NC answers questions about single statements, named_NC open ones, axis_N those
    about the heart axis ("" unknown). With lift_NC two statements are granted together only
    when open questions name both; else the one that they name, or the one with more lift."""

    has_NC: NDArray[np.uint8]
    named_NC: NDArray[np.uint8]
    axis_N: Sequence[str]
    lift_NC: NDArray[np.float32] | None = None

    def pair(self, row: int, a: int, b: int) -> tuple[bool, bool]:
        """Which of two statements (columns) a record has."""
        has = (bool(self.has_NC[row, a]), bool(self.has_NC[row, b]))
        if all(has) and self.lift_NC is not None and not (self.named_NC[row, a] and self.named_NC[row, b]):
            rank = [(self.named_NC[row, c], self.lift_NC[row, c]) for c in (a, b)]
            first = rank[0] >= rank[1]
            return first, not first
        return has


def heads_truth(calibration: FindingCalibration, prob_NC: NDArray[np.float32], axis_N: Sequence[str]) -> Truth:
    """What the heads say: "possible" for single statements (the questions are balanced), "present" for open questions."""
    return Truth(calibration.possible_C(prob_NC).astype(np.uint8),
                 np.stack([calibration.present_C(prob) for prob in prob_NC]).astype(np.uint8), axis_N,
                 np.asarray(calibration.lift(prob_NC), np.float32))
