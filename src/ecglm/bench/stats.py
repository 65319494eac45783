"""Patient-clustered bootstrap: patients, not items, are drawn with replacement.

Shapes: N items, P patients, B bootstrap draws. A draw is a vector of how often each patient
was taken, so every statistic here is a few matrix products over all draws at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecglm.bench.metrics import auroc, balanced_accuracy, bin_members, ece, f1, macro_f1, normalize

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % percentile interval (NaN bounds when it cannot be computed)."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        return {key: None if np.isnan(v) else round(float(v), 6) for key, v in vars(self).items()}


@dataclass(frozen=True)
class Difference:
    """A paired difference, its 95 % interval and two-sided bootstrap p value."""

    value: float
    low: float
    high: float
    p: float

    def to_dict(self) -> dict[str, float | None]:
        return {key: None if np.isnan(v) else round(float(v), 6) for key, v in vars(self).items()}


class Bootstrap:
    """Draws over the patients of N items; the same seed and patients give the same draws."""

    def __init__(self, patients: Sequence[str], draws: int = 1000, seed: int = 0) -> None:
        """patients: one id per item [N]. Raises ValueError when there is no item."""
        if not len(patients):
            raise ValueError("a bootstrap needs at least one item")
        names, self.patient_of = np.unique(np.asarray([str(p) for p in patients]), return_inverse=True)
        self.n_items, self.n_patients, self.draws = len(patients), len(names), draws
        rng = np.random.default_rng(seed)
        taken = rng.integers(0, self.n_patients, (draws, self.n_patients))
        taken += np.arange(draws)[:, None] * self.n_patients
        counts = np.bincount(taken.ravel(), minlength=draws * self.n_patients)
        #: how often each patient was drawn
        self.count_BP: NDArray[np.float32] = counts.reshape(draws, self.n_patients).astype(np.float32)

    def sums(self, columns: ArrayLike) -> Floats:
        """Sum of each column [N, K] over the items of every draw: [B, K]."""
        values = np.asarray(columns, dtype=np.float32).reshape(self.n_items, -1)
        per_patient = np.zeros((self.n_patients, values.shape[1]), dtype=np.float32)
        np.add.at(per_patient, self.patient_of, values)
        result: Floats = (self.count_BP @ per_patient).astype(np.float64)
        return result

    def mean_draws(self, values: ArrayLike) -> Floats:
        """The mean of `values` [N] in each draw: [B]."""
        array = np.asarray(values, dtype=np.float64)
        sums = self.sums(np.stack([array, np.ones_like(array)], axis=1))
        return _ratio(sums[:, 0], sums[:, 1])

    def balanced_accuracy_draws(self, answers: Sequence[str], correct: ArrayLike) -> Floats:
        """Balanced accuracy in each draw [B], over the answers that occur in the draw."""
        names, group = np.unique(np.asarray([normalize(a) for a in answers]), return_inverse=True)
        member = (group[:, None] == np.arange(len(names))).astype(np.float32)
        hits = member * np.asarray(correct, dtype=np.float32)[:, None]
        return _row_nanmean(_ratio(self.sums(hits), self.sums(member)))

    def auroc_draws(self, labels: ArrayLike, scores: ArrayLike) -> Floats:
        """AUROC in each draw [B], ties counted half; NaN where a draw lacks a class."""
        y, p = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
        order = np.argsort(p, kind="stable")
        weight = self.count_BP[:, self.patient_of[order]]
        positive = np.where(y[order], weight, 0)
        negative = weight - positive
        starts = np.flatnonzero(np.r_[True, np.diff(p[order]) > 0])
        pos_T = np.add.reduceat(positive, starts, axis=1, dtype=np.float64)
        neg_T = np.add.reduceat(negative, starts, axis=1, dtype=np.float64)
        below = np.cumsum(neg_T, axis=1) - neg_T / 2
        return _ratio((pos_T * below).sum(axis=1), pos_T.sum(axis=1) * neg_T.sum(axis=1))

    def f1_draws(self, labels: ArrayLike, decisions: ArrayLike) -> Floats:
        """F1 in each draw [B]; NaN where a draw has no positive label."""
        y, chosen = np.asarray(labels).astype(bool), np.asarray(decisions).astype(bool)
        sums = self.sums(np.stack([y & chosen, y, chosen], axis=1))
        return np.where(sums[:, 1] > 0, _ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2]), np.nan)

    def macro_f1_draws(self, labels: ArrayLike, decisions: ArrayLike) -> Floats:
        """Macro-F1 in each draw [B], over the classes of the draw's labels."""
        y, chosen = np.asarray(labels), np.asarray(decisions)
        return _row_nanmean(np.stack([self.f1_draws(y == name, chosen == name) for name in np.unique(y)], axis=1))

    def ece_draws(self, labels: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> Floats:
        """Equal-mass calibration error in each draw [B], with the bins of the whole sample."""
        y, p = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
        gaps = self.sums(bin_members(p, bins) * (p - y)[:, None])
        return _ratio(np.abs(gaps).sum(axis=1), self.sums(np.ones(self.n_items))[:, 0])

    def mean(self, values: ArrayLike) -> Interval:
        """Mean of `values` [N] with its interval; for accuracy pass 0/1."""
        return interval(float(np.mean(np.asarray(values, dtype=np.float64))), self.mean_draws(values))

    def balanced_accuracy(self, answers: Sequence[str], correct: ArrayLike) -> Interval:
        """Balanced accuracy over the distinct expected answers, with its interval."""
        return interval(balanced_accuracy(answers, correct), self.balanced_accuracy_draws(answers, correct))

    def auroc(self, labels: ArrayLike, scores: ArrayLike) -> Interval:
        """AUROC with its interval."""
        return interval(auroc(labels, scores), self.auroc_draws(labels, scores))

    def f1(self, labels: ArrayLike, decisions: ArrayLike) -> Interval:
        """F1 of boolean decisions with its interval."""
        return interval(f1(labels, decisions), self.f1_draws(labels, decisions))

    def macro_f1(self, labels: ArrayLike, decisions: ArrayLike) -> Interval:
        """Macro-F1 of decided classes with its interval."""
        return interval(macro_f1(labels, decisions), self.macro_f1_draws(labels, decisions))

    def ece(self, labels: ArrayLike, probabilities: ArrayLike) -> Interval:
        """Expected calibration error (15 equal-mass bins) with its interval."""
        return interval(ece(labels, probabilities), self.ece_draws(labels, probabilities))


def interval(value: float, draws: ArrayLike) -> Interval:
    """95 % percentile interval of the draws that are not NaN."""
    finite = _finite(draws)
    if np.isnan(value) or not len(finite):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(finite, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def difference(value: float, draws_a: ArrayLike, draws_b: ArrayLike) -> Difference:
    """Paired difference a - b of two statistics taken on the same draws.

    p is twice the smaller tail of the draws beyond zero, with the +1 of Davison & Hinkley
    (1997) so that it is never 0; equal systems give 1.
    """
    gaps = _finite(np.asarray(draws_a, dtype=np.float64) - np.asarray(draws_b, dtype=np.float64))
    if np.isnan(value) or not len(gaps):
        return Difference(value, float("nan"), float("nan"), float("nan"))
    tail = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
    low, high = np.percentile(gaps, [2.5, 97.5])
    return Difference(value, float(low), float(high), min(1.0, 2 * (tail + 1) / (len(gaps) + 1)))


def paired_difference(a: ArrayLike, b: ArrayLike, patients: Sequence[str],
                      draws: int = 1000, seed: int = 0) -> Difference:
    """Difference of the means of two paired score vectors [N], clustered by patient."""
    gap = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    draws_B = Bootstrap(patients, draws, seed).mean_draws(gap)
    return difference(float(gap.mean()), draws_B, np.zeros_like(draws_B))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)


def _row_nanmean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]
