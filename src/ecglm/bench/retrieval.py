"""Ranks in retrieval, with identical texts counted three ways, and what chance gives. No torch.

Shapes: Q queries, N entries of the gallery. own_Q: the entry that belongs to a query; group_N: equal numbers are equal texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: hits: every entry that is equal to the own one is right; once: of equal entries one is in the gallery; own: the own one only.
COUNTINGS = ("hits", "once", "own")
KS = (1, 5, 10)


@dataclass(frozen=True)
class Ranks:
    """Per query: found_QK the probability that the right entry is among the first k (KS) where scores tie, rank_Q its expected
    place, chance_QK and chance_rank_Q the same of a random order; gallery: entries on average."""

    found_QK: Floats
    rank_Q: Floats
    chance_QK: Floats
    chance_rank_Q: Floats
    gallery: float


def ranks(score_QN: Floats, own_Q: Ints, group_N: Ints, counting: str) -> Ranks:
    """Rank each query's right entry. Raises ValueError for an unknown counting."""
    if counting not in COUNTINGS:
        raise ValueError(f"counting {counting!r} is unknown; use {', '.join(COUNTINGS)}")
    rows = [_one(score, int(own), group_N, counting) for score, own in zip(score_QN, own_Q, strict=True)]
    found, rank, chance, chance_rank, gallery = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return Ranks(found, rank, chance, chance_rank, float(gallery.mean()))


def _one(score_N: Floats, own: int, group_N: Ints, counting: str) -> tuple[Floats, float, Floats, float, int]:
    equal = group_N == group_N[own]
    if counting == "own":
        right = np.arange(len(group_N)) == own
        others = score_N[~right]
    elif counting == "hits":
        right, others = equal, score_N[~equal]
    else:  # once: of every group the entry that comes first, of the own one the own entry
        first = np.zeros(len(group_N), bool)
        first[np.unique(group_N, return_index=True)[1]] = True
        first[equal] = False
        right, others = np.arange(len(group_N)) == own, score_N[first]
    best = score_N[right].max()
    above, ties = int((others > best).sum()), int((others == best).sum())
    hits = int((score_N[right] == best).sum())  # among the ties, so many are right
    total, count = len(others) + int(right.sum()), int(right.sum())
    found = np.array([1 - _none(ties + hits, hits, k - above) for k in KS])
    chance = np.array([1 - _none(total, count, k) for k in KS])
    return found, above + (ties + hits + 1) / (hits + 1), chance, (total + 1) / (count + 1), total


def _none(total: int, right: int, drawn: int) -> float:
    """Probability that none of `right` among `total` is among the first `drawn` of a random order."""
    if drawn <= 0:
        return 1.0
    if drawn > total - right:
        return 0.0
    return float(np.prod([(total - right - i) / (total - i) for i in range(drawn)]))
