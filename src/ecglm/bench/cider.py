"""CIDEr-D (Vedantam et al. 2015, 10.1109/CVPR.2015.7299087), for one reference per text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

#: Longest n-gram, deviation of the length penalty, factor of the published metric.
MAX_N, SIGMA, SCALE = 4, 6.0, 10.0


def cider_d(texts: Sequence[Sequence[str]], references: Sequence[Sequence[str]],
            corpus: Sequence[Sequence[str]] | None = None) -> NDArray[np.float64]:
    """Score of every text [N], from 0 to 10, against its reference; both as words.

    An n-gram weighs its count times log(documents / documents that hold it), documents being `corpus`, the references unless
    given. For each n: clipped dot product of the two vectors over their norms, times exp(-(difference of lengths)² / 2·6²); their
    mean over n = 1..4, times 10. An n-gram that no document holds counts as held by one. Raises ValueError for unequal numbers.
    """
    if len(texts) != len(references) or not texts:
        raise ValueError(f"{len(texts)} texts for {len(references)} references; give one reference for each")
    documents = references if corpus is None else corpus
    gap = np.array([len(a) - len(b) for a, b in zip(texts, references, strict=True)], dtype=np.float64)
    penalty = np.exp(-gap ** 2 / (2 * SIGMA ** 2))
    score = np.zeros(len(texts))
    for n in range(1, MAX_N + 1):
        held = Counter(gram for document in documents for gram in set(_grams(document, n)))
        column: dict[tuple[str, ...], int] = {}
        made, wanted = ([Counter(_grams(words, n)) for words in side] for side in (texts, references))
        for counts in (*made, *wanted):
            for gram in counts:
                column.setdefault(gram, len(column))
        if not column:
            continue
        idf = np.log(len(documents)) - np.log([max(1, held[gram]) for gram in column])
        text_NG, ref_NG = _matrix(made, column, idf), _matrix(wanted, column, idf)
        dot = np.asarray(text_NG.minimum(ref_NG).multiply(ref_NG).sum(axis=1)).ravel()
        norm = np.sqrt(np.asarray(text_NG.multiply(text_NG).sum(axis=1)).ravel()
                       * np.asarray(ref_NG.multiply(ref_NG).sum(axis=1)).ravel())
        score += penalty * np.divide(dot, norm, out=np.zeros_like(dot), where=norm > 0)
    return np.asarray(SCALE * score / MAX_N)


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i:i + n]) for i in range(len(words) - n + 1)]


def _matrix(counts: Sequence[Counter[tuple[str, ...]]], column: dict[tuple[str, ...], int],
            idf: NDArray[np.float64]) -> csr_array:
    row = [i for i, counter in enumerate(counts) for _ in counter]
    col = [column[gram] for counter in counts for gram in counter]
    value = np.array([number for counter in counts for number in counter.values()], dtype=np.float64)
    return csr_array((value * idf[col] if col else value, (row, col)), shape=(len(counts), len(column)))
