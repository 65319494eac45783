"""`KernelAverage`: answers from a few examples by Gaussian processes, one for every side of a recording.

Five examples cannot tell which of hundreds of values matter, but they can tell which side explains them: every side gets a
Gaussian process regression on the answers, and the sides are averaged by their marginal likelihood (Bayesian model averaging;
Rasmussen & Williams 2006, ch. 5). Shapes: S sides, K examples, Q recordings asked about, C answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.inference.adapt.space import ALL, NAMES, gram

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class KernelConfig:
    """noise: variance of the examples' answers; shared: what of "everything" is mixed into every side; sharpness: of the
    averaging; prior: log-odds given to "everything"; slope, and slope_each per answer: of the probabilities. Chosen on PTB-XL
    patients of meta-train, the slopes by likelihood on questions of 2, 3 and 5 answers (docs/log.md)."""

    noise: float = 0.5
    shared: float = 0.3
    sharpness: float = 2.0
    prior: float = 1.5
    slope: float = 1.9
    slope_each: float = 0.27


@dataclass(frozen=True)
class Prediction:
    """prob_QC of the answers; side_S how much each side (NAMES) was heard."""

    prob_QC: FloatArray
    side_S: FloatArray

    @property
    def best_Q(self) -> NDArray[np.int64]:
        """Number of the most probable answer."""
        best: NDArray[np.int64] = self.prob_QC.argmax(axis=1)
        return best


def similarities(a: Mapping[str, FloatArray], b: Mapping[str, FloatArray], baseline_S: FloatArray,
                 config: KernelConfig | None = None) -> FloatArray:
    """Similarity_SNM of recordings from every side, less the mean similarity."""
    c = config or KernelConfig()
    plain = {name: gram(a[name], b[name]) - baseline_S[NAMES.index(name)] for name in NAMES}
    return np.stack([side if name == ALL else (1 - c.shared) * side + c.shared * plain[ALL]
                     for name, side in plain.items()])


def predict(kernel_SKK: FloatArray, kernel_SQK: FloatArray, answer_K: Sequence[int] | NDArray[np.int64],
            config: KernelConfig | None = None) -> Prediction:
    """Answers from similarities of the examples among each other and of the recordings asked about to them."""
    c = config or KernelConfig()
    answer = np.asarray(answer_K)
    count = int(answer.max()) + 1
    target_KC = (answer[:, None] == np.arange(count)).astype(np.float64)
    target_KC -= target_KC.mean(0)
    target_KC /= max(np.sqrt((target_KC ** 2).mean()), 1e-9)
    among = kernel_SKK.astype(np.float64) + 1.0 + c.noise * np.eye(len(answer))  # 1: a constant of unknown height
    weight_SKC = np.linalg.solve(among, np.broadcast_to(target_KC, (len(among), *target_KC.shape)))
    fit_S = -0.5 * (weight_SKC * target_KC).sum((1, 2)) - 0.5 * count * np.linalg.slogdet(among)[1]
    evidence_S = c.sharpness * fit_S / max(count, 2) + c.prior * (np.array(NAMES) == ALL)
    side_S = np.exp(evidence_S - evidence_S.max())
    side_S /= side_S.sum()
    score_QC = np.einsum("s,sqc->qc", side_S, (kernel_SQK + 1.0) @ weight_SKC)
    score_QC = (c.slope + c.slope_each * count) * (score_QC - score_QC.max(1, keepdims=True))
    prob_QC = np.exp(score_QC) / np.exp(score_QC).sum(1, keepdims=True)
    return Prediction(np.asarray(prob_QC, np.float32), np.asarray(side_S, np.float32))
