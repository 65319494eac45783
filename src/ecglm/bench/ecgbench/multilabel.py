"""AUC, F1 and Hamming loss of label sets. Shapes: N items, C classes.

paper: classes are the labels that occur in the gold sets (scikit-learn's binariser fitted on them); what else is predicted is
dropped; AUC is that of 0/1 decisions, (sensitivity + specificity) / 2; means over classes are plain, so that one constant class
makes the mean AUC NaN. strict: classes are the label space; those without both values are named and left out; AUC ranks
probabilities where there are any.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.metrics import auroc, nanmean
from ecglm.bench.stats import Bootstrap, Interval, interval

Floats = NDArray[np.float64]
Sets = Sequence[frozenset[str]]


@dataclass(frozen=True)
class Scores:
    """In 0..1. ranked: whether AUC is that of probabilities. left_out: classes without both values (strict); dropped: labels
    predicted that no gold set has (paper)."""

    auc: Interval
    f1: Interval
    hl: Interval
    classes: tuple[str, ...]
    ranked: bool = False
    left_out: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "AUC": self.auc.to_dict(),
            "F1": self.f1.to_dict(),
            "HL": self.hl.to_dict(),
            "classes": list(self.classes),
            "ranked": self.ranked,
            "left_out": list(self.left_out),
            "dropped": list(self.dropped),
        }


def paper_scores(gold: Sets, predicted: Sets, boot: Bootstrap) -> Scores:
    """By the released rules, with scikit-learn as there; intervals over `boot`'s draws."""
    from sklearn.metrics import f1_score, hamming_loss
    from sklearn.preprocessing import MultiLabelBinarizer

    binarizer = MultiLabelBinarizer().fit([sorted(g) for g in gold])
    known = frozenset(binarizer.classes_)
    dropped = tuple(sorted(frozenset().union(*predicted) - known))
    y = np.asarray(binarizer.transform([sorted(g) for g in gold]))
    d = np.asarray(binarizer.transform([sorted(p & known) for p in predicted]))
    if not y.shape[1]:
        nan = Interval(math.nan, math.nan, math.nan)
        return Scores(nan, nan, nan, (), dropped=dropped)
    auc = float(np.mean([auroc(y[:, c], d[:, c]) for c in range(y.shape[1])]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class never predicted counts 0, as there
        f1 = float(np.mean(f1_score(y, d, average=None, zero_division=0)))
    return Scores(*_with_draws(y, d, d, (auc, f1, float(hamming_loss(y, d))), boot), tuple(binarizer.classes_), dropped=dropped)


def strict_scores(
    gold: Sets, predicted: Sets, boot: Bootstrap, space: Sequence[str], probability_NC: Floats | None = None
) -> Scores:
    """Over the label space. probability_NC: in its order; NaN where the subject gives none."""
    y, d = (
        np.array([[label in one for label in space] for one in sets], int).reshape(-1, len(space)) for sets in (gold, predicted)
    )
    kept = [c for c in range(len(space)) if 0 < y[:, c].sum() < len(y)]
    p = d.astype(np.float64)
    ranked = probability_NC is not None and bool(np.isfinite(probability_NC[:, kept]).all()) and bool(kept)
    if ranked:
        p = np.asarray(probability_NC, np.float64)
    y, d, p = y[:, kept], d[:, kept], p[:, kept]
    f1 = [2 * (y[:, c] & d[:, c]).sum() / (y[:, c].sum() + d[:, c].sum()) for c in range(len(kept))]
    value = (
        nanmean(auroc(y[:, c], p[:, c]) for c in range(len(kept))),
        nanmean(f1),
        float((y != d).mean()) if y.size else math.nan,
    )
    return Scores(
        *_with_draws(y, d, p, value, boot),
        tuple(space[c] for c in kept),
        ranked,
        tuple(label for c, label in enumerate(space) if c not in kept),
    )


def _with_draws(
    y: NDArray[Any],
    d: NDArray[Any],
    p: NDArray[Any],
    value: tuple[float, float, float],
    boot: Bootstrap,
) -> tuple[Interval, Interval, Interval]:
    classes = range(y.shape[1])
    if not y.size:
        return interval(value[0], []), interval(value[1], []), interval(value[2], [])
    auc = np.array([boot.auroc_draws(y[:, c], p[:, c]) for c in classes])
    f1 = np.array([boot.f1_draws(y[:, c], d[:, c]) for c in classes])
    return (
        interval(value[0], [nanmean(row) for row in auc.T]),
        interval(value[1], [nanmean(row) for row in f1.T]),
        interval(value[2], boot.mean_draws((y != d).mean(axis=1))),
    )
