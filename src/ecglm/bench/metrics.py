"""Scores of answers and probabilities. numpy only.

Shapes: N items, C label columns. Arrays of labels are 0/1, probabilities in 0..1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
#: Everything but signs that carry meaning: decimal points, + and %, the slash of st/t, the minus of a number.
_PUNCTUATION = re.compile(r"[^\w\s.+/%-]|(?<!\d)\.|\.(?!\d)|-(?!\d)|(?<=[^\W\d])-")
_COMMA = re.compile(r"[,;](?![^()]*\))\s*(?:and\s+)?")
_DASHES = str.maketrans("‐‑‒–—−", "------")


def normalize(text: str) -> str:
    """Lower case, single blanks, no articles or punctuation (a number's point and minus, +, / and % stay)."""
    lowered = text.translate(_DASHES).casefold()
    return " ".join(_ARTICLES.sub(" ", _PUNCTUATION.sub(" ", lowered)).split())


def answer_set(text: str) -> frozenset[str]:
    """The parts of a comma list (also ``;`` and a final "and"), each normalised, order-free.

    "and" separates only where a comma does too, so "left and right" stays one answer; a comma
    inside brackets does not separate.
    """
    return frozenset(part for part in map(normalize, _COMMA.split(text)) if part)


def exact_match(answer: str, reply: str) -> bool:
    """True when the reply is the answer after normalisation; comma lists compare as sets."""
    return answer_set(answer) == answer_set(reply)


def strict_match(answer: str, reply: str, valid: Sequence[str] = ()) -> bool:
    """The `strict` scorer: the whole reply must be the answer. `valid` is not consulted."""
    return exact_match(answer, reply)


def paper_match(answer: str, reply: str, valid: Sequence[str] = ()) -> bool:
    """The published ECG-QA protocol (Oh et al. 2023): exact match over the template's valid classes.

    The predicted set is every valid class that occurs in the reply as whole words, longest
    first so that a class inside another is not counted; "none" means the empty set.
    """
    expected = answer_set(answer)
    classes = sorted({normalize(v) for v in valid} | expected, key=len, reverse=True)
    pattern = "|".join(re.escape(c) for c in classes if c)
    found = re.findall(rf"(?<!\w)(?:{pattern})(?!\w)", normalize(reply)) if pattern else []
    return frozenset(found) - {"none"} == expected - {"none"} and bool(found or answer_set(reply) == expected)


def balanced_accuracy(answers: Sequence[str], correct: ArrayLike) -> float:
    """Mean over the distinct expected answers of the share answered correctly. NaN when empty."""
    hits = np.asarray(correct, dtype=np.float64)
    _, group = np.unique(np.asarray([normalize(a) for a in answers]), return_inverse=True)
    if not len(hits):
        return float("nan")
    return float(np.mean(np.bincount(group, hits) / np.bincount(group)))


def _pair(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    y, p = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1:
        raise ValueError(f"labels {y.shape} and probabilities {p.shape} must be two vectors of one length")
    if not np.isfinite(p).all():
        raise ValueError("probabilities must be finite")
    return y, p


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve by mid-ranks (Mann-Whitney), ties count half. NaN when one class is absent."""
    y, p = _pair(labels, scores)
    positives = int(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    mid_ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = mid_ranks[inverse][y].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def macro_auroc(labels_NC: ArrayLike, scores_NC: ArrayLike) -> float:
    """Mean AUROC over the columns that have both classes. NaN when there is none."""
    y, p = np.asarray(labels_NC), np.asarray(scores_NC)
    return nanmean(auroc(y[:, c], p[:, c]) for c in range(y.shape[1]))


def f1(labels: ArrayLike, decisions: ArrayLike) -> float:
    """F1 of decisions (booleans, or probabilities cut at 0.5). NaN when no label is positive."""
    y, p = _pair(labels, np.asarray(decisions, dtype=np.float64))
    chosen = p >= 0.5
    if not y.any():
        return float("nan")
    return float(2 * (y & chosen).sum() / (y.sum() + chosen.sum()))


def macro_f1(labels: ArrayLike, decisions: ArrayLike) -> float:
    """Mean F1 over the classes (numbers or names, ``[N]``) that occur among the labels; a class never decided for has 0."""
    y, chosen = np.asarray(labels), np.asarray(decisions)
    if y.shape != chosen.shape or y.ndim != 1:
        raise ValueError(f"labels {y.shape} and decisions {chosen.shape} must be two vectors of one length")
    return nanmean(f1(y == name, chosen == name) for name in np.unique(y))


def coverage(labels: ArrayLike, inside_NC: ArrayLike) -> float:
    """Share of items whose class (its column, ``[N]``) is in the predicted set, ``[N, C]`` of booleans. NaN when empty."""
    y, inside = np.asarray(labels, dtype=np.intp), np.asarray(inside_NC).astype(bool)
    return float(inside[np.arange(len(y)), y].mean()) if len(y) else float("nan")


def ece_of_classes(labels: ArrayLike, probability_NC: ArrayLike, bins: int = 15) -> float:
    """Mean over classes of `ece` of the class (its column) against the others: classwise calibration (Kull et al. 2019)."""
    y, p = np.asarray(labels, dtype=np.intp), np.asarray(probability_NC, dtype=np.float64)
    return nanmean(ece(y == column, p[:, column], bins) for column in range(p.shape[1]))


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared difference between probability and outcome (Brier 1950)."""
    y, p = _pair(labels, probabilities)
    return float(np.mean((p - y) ** 2)) if len(y) else float("nan")


def equal_mass_bins(probabilities: ArrayLike, bins: int = 15) -> NDArray[np.intp]:
    """Bin number [N] so that bins hold equally many items; equal probabilities share a bin."""
    p = np.asarray(probabilities, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    by_rank = np.empty(len(p), dtype=np.intp)
    by_rank[order] = np.arange(len(p)) * bins // max(len(p), 1)
    _, first, inverse = np.unique(p, return_index=True, return_inverse=True)
    lowest = np.full(len(first), bins, dtype=np.intp)
    np.minimum.at(lowest, inverse, by_rank)
    result: NDArray[np.intp] = lowest[inverse]
    return result


def bin_members(probabilities: ArrayLike, bins: int = 15) -> NDArray[np.bool_]:
    """Which equal-mass bin each item is in: [N, bins]."""
    return np.asarray(equal_mass_bins(probabilities, bins)[:, None] == np.arange(bins), np.bool_)


def equal_width_bins(probabilities: ArrayLike, bins: int = 15) -> NDArray[np.intp]:
    """Bin number [N] of equal-width bins over 0..1."""
    p = np.asarray(probabilities, dtype=np.float64)
    return np.clip((p * bins).astype(np.intp), 0, bins - 1)


def _calibration_gap(y: NDArray[np.bool_], p: Floats, bin_of: NDArray[np.intp]) -> float:
    return float(np.abs(np.bincount(bin_of, p - y)).sum() / len(y)) if len(y) else float("nan")


def ece(labels: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error over equal-mass bins (Nixon et al. 2019): sum |mean p - mean y| n/N."""
    y, p = _pair(labels, probabilities)
    return _calibration_gap(y, p, equal_mass_bins(p, bins))


def ece_when_calibrated(probabilities: ArrayLike, draws: int, seed: int = 0, bins: int = 15) -> Floats:
    """Calibration error [draws] of labels drawn from the probabilities themselves: few items have an error even when every
    probability is right, and an `ece` within these draws shows no miscalibration (Widmann et al. 2019)."""
    p = np.asarray(probabilities, dtype=np.float64)
    truth = np.random.default_rng(seed).random((draws, len(p))) < p
    member = bin_members(p, bins)
    gaps: Floats = np.abs((truth - p) @ member).sum(axis=1) / max(len(p), 1)
    return gaps


def ece_equal_width(labels: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017)."""
    y, p = _pair(labels, probabilities)
    return _calibration_gap(y, p, equal_width_bins(p, bins))


def nanmean(values: Iterable[float]) -> float:
    """Mean of the values that are not NaN; NaN (without a warning) when there is none."""
    array = np.asarray(list(values), dtype=np.float64)
    array = array[~np.isnan(array)]
    return float(array.mean()) if len(array) else float("nan")
