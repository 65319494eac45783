"""How sure answers to "A or B?" are: by how often they are right on out-of-fold predictions.

The product of what two findings are worth, as if neither bore on the other, ranks these answers well but is too modest: who shows
one of two findings of a group seldom shows the other.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ecglm.corpus.questions import INDEX, asked_statements
from ecglm.corpus.truth import heads_truth
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.calibration import FindingCalibration
from ecglm.training.platt import platt_by_kind

#: Recordings of each answer to a pair; a benchmark draws them as evenly.
_EACH = 6


def fit_either(calibration: FindingCalibration, logits_NC: NDArray[np.float32], label_NC: NDArray[np.uint8], seed: int = 0,
               ) -> tuple[float, float]:
    """The `either` of a `FindingCalibration` from calibrated out-of-fold logits and labels of N recordings."""
    prob_NC, rng = np.asarray(expit(logits_NC), np.float32), np.random.default_rng(seed)
    heads, even_NC = heads_truth(calibration, prob_NC, [""] * len(prob_NC)), calibration.even(prob_NC)
    seen: list[tuple[float, bool]] = []
    for a, b in combinations(asked_statements(label_NC), 2):
        if BY_KEY[a].group != BY_KEY[b].group:
            continue
        pair = [INDEX[a], INDEX[b]]
        rows: dict[tuple[bool, bool], list[int]] = defaultdict(list)
        for row in rng.permutation(len(label_NC)).tolist():
            rows[bool(label_NC[row, pair[0]]), bool(label_NC[row, pair[1]])].append(row)
        for has, of_answer in rows.items():
            for row in of_answer[:_EACH]:
                said = heads.pair(row, *pair)
                likely = np.where(said, even_NC[row, pair], 1 - even_NC[row, pair])
                seen.append((float(likely.prod()), said == has))
    fits, _ = platt_by_kind({"either": seen})
    return fits.get("either", (1.0, 0.0))
