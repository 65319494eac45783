"""What so many subjects can show: pairs decided, areas under ROC curves. Nothing here is about results."""

from __future__ import annotations

import math

import numpy as np


def pairs_needed(pairs: int, alpha: float = 0.05) -> int:
    """Least number of `pairs` decided rightly that chance (1/2) reaches with probability alpha at most (one-sided, binomial);
    pairs + 1 where not even all would do."""
    tail = 0.0
    for right in range(pairs, -1, -1):
        tail += math.comb(pairs, right) / 2**pairs
        if tail > alpha:
            return right + 1
    return 0


def pairs_power(pairs: int, share: float, alpha: float = 0.05) -> float:
    """Probability that whoever decides this share of all pairs rightly reaches `pairs_needed` in so many."""
    return sum(math.comb(pairs, right) * share**right * (1 - share) ** (pairs - right)
               for right in range(pairs_needed(pairs, alpha), pairs + 1))


def auroc_error(auroc: float, positives: int, negatives: int) -> float:
    """Standard error of an AUROC of so many subjects of each class (Hanley & McNeil 1982, 10.1148/radiology.143.1.7063747)."""
    twice_positive = auroc / (2 - auroc) - auroc**2
    twice_negative = 2 * auroc**2 / (1 + auroc) - auroc**2
    spread = auroc * (1 - auroc) + (positives - 1) * twice_positive + (negatives - 1) * twice_negative
    return math.sqrt(spread / (positives * negatives))


def auroc_needed(positives: int, negatives: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Least true AUROC that so many subjects tell from .5 (one-sided, normal approximation) with this power."""
    from scipy.stats import norm

    base = norm.ppf(1 - alpha) * auroc_error(0.5, positives, negatives)
    for auroc in np.arange(0.5, 1.0, 0.001):
        if auroc - norm.ppf(power) * auroc_error(float(auroc), positives, negatives) >= 0.5 + base:
            return float(auroc)
    return 1.0


def subjects_for(auroc: float, half_width: float) -> int:
    """Subjects of each class for a 95 % interval of ± half_width around an AUROC."""
    count = 2
    while 1.96 * auroc_error(auroc, count, count) > half_width:
        count += 1
    return count
