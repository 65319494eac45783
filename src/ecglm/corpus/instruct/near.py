"""Near-duplicates of question and answer, by MinHash (Broder 1997) in datasketch's banded index.

Within a recording the same thing is asked once. Across recordings the same words are right many times, for recordings are alike,
but not without end: at most `most` items that are nearly equal are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ecglm.errors import UsageError

THRESHOLD = 0.8
PERMUTATIONS = 64


class Near:
    """Remembers items in the order in which they come."""

    def __init__(self, most: int) -> None:
        try:
            from datasketch import MinHash, MinHashLSH
        except ImportError:
            raise UsageError("near-duplicates are found with datasketch; run `pip install 'ecglm[instruct]'`") from None
        self.most, self._minhash = most, MinHash
        self._index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
        self._hashes: dict[str, Any] = {}
        self._copies: Counter[str] = Counter()  # of the first item of its kind
        self._records: dict[str, set[str]] = {}

    def seen(self, record: str, text: str) -> bool:
        """Whether this is one too many; remembers it if not."""
        made = self._minhash(num_perm=PERMUTATIONS)
        for piece in pieces(text):
            made.update(piece.encode())
        alike = [key for key in self._index.query(made) if made.jaccard(self._hashes[key]) >= THRESHOLD]
        if any(record in self._records[key] for key in alike):
            return True
        kind = min(alike, default="")
        if kind and self._copies[kind] >= self.most:
            return True
        if kind:
            self._copies[kind] += 1
            self._records[kind].add(record)
            return False
        key = f"{len(self._hashes):08d}"
        self._index.insert(key, made)
        self._hashes[key], self._copies[key] = made, 1
        self._records[key] = {record}
        return False


def pieces(text: str) -> set[str]:
    """Pairs of neighbouring words."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + 2]) for i in range(max(1, len(words) - 1))}
