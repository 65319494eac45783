"""Passages for a question: the graph around the entities it names, BM25 and embeddings, each from 0 to 1, summed by weights.

Works without embeddings. Weights and limits were set on the development half of the question set (docs/knowledge.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.knowledge import embed
from ecglm.knowledge.base import Base, Entry
from ecglm.knowledge.query import Query, analyse, kinds_of
from ecglm.knowledge.words import content, words

Floats = NDArray[np.float64]
#: How many of the best passages are ranked by what they cover too.
RANKED = 30


@dataclass(frozen=True)
class Passage:
    """A piece of text with where it comes from: an entry of the base, or a part of a document that the user added."""

    id: str
    title: str
    text: str
    citations: tuple[str, ...]
    names: tuple[str, ...] = ()
    group: str = "base"

    @property
    def indexed(self) -> str:
        """What is searched."""
        return " ".join((self.title, self.text))


@dataclass(frozen=True)
class Hit:
    """A passage with its score, and the parts of it: graph, bm25, embedding, each from 0 to 1."""

    passage: Passage
    score: float
    parts: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        p = self.passage
        return {"id": p.id, "title": p.title, "text": p.text, "citations": list(p.citations), "score": round(self.score, 4),
                "parts": {name: round(value, 4) for name, value in self.parts.items()}}


@dataclass(frozen=True)
class Weights:
    """What each part counts; covered: that a passage speaks of what is asked, among the best `RANKED`. fits: factor for graph
    neighbours of a kind that the question asks for; step: what is left of an entity's score one link on."""

    graph: float = 0.6
    bm25: float = 1.0
    embedding: float = 1.5
    covered: float = 1.0
    fits: float = 2.0
    step: float = 0.7


def of_entry(entry: Entry) -> Passage:
    """An entry as a passage."""
    return Passage(entry.id, entry.title, entry.text, tuple(str(c) for c in entry.citations), entry.names[1:])


class Retriever:
    """Search over the entries of a base and further passages. embeddings: None uses them where they are installed; True raises
    UsageError where they are not."""

    def __init__(self, base: Base, more: Sequence[Passage] = (), weights: Weights | None = None,
                 embeddings: bool | None = None) -> None:
        import bm25s

        self.base, self.weights = base, weights or Weights()
        self.passages = [*map(of_entry, base.entries.values()), *more]
        self.embeddings = embed.available() if embeddings is None else embeddings
        if self.embeddings and not embed.available():
            raise UsageError("sentence embeddings are not installed; pip install 'ecglm[knowledge]', or search without them")
        rows = [content(passage.indexed) for passage in self.passages]
        self._bm25 = bm25s.BM25()
        self._bm25.index(rows, show_progress=False)
        n = len(self.passages)
        count = Counter(word for row in rows for word in set(row))
        self._idf = {word: float(np.log(1 + n / k)) for word, k in count.items()}
        self._rare = float(np.log(1 + n))
        own = enumerate(self.passages[len(base.entries):], len(base.entries))
        self._own = {i: f" {' '.join(words(passage.indexed))} " for i, passage in own}
        self._own_kinds = {i: kinds_of(self.passages[i].indexed) for i in self._own}

    def search(self, text: str, k: int = 5) -> list[Hit]:
        """The k passages that fit best, best first; none that fits in nothing."""
        query = analyse(text, self.base)
        by_words = self._bm25.get_scores(list(query.words)).astype(float) if query.words else np.zeros(len(self.passages))
        parts = {"graph": self._graph(query), "bm25": _scaled(by_words)}
        if self.embeddings:
            parts["embedding"] = np.clip(self._vectors() @ embed.vector(text), 0, 1).astype(float)
        total = np.sum([getattr(self.weights, name) * part for name, part in parts.items()], axis=0)
        first = np.argsort(-total, kind="stable")[: max(k, RANKED)]
        parts["covered"] = np.zeros(len(self.passages))
        parts["covered"][first] = [self._covered(query, self.passages[i]) if total[i] > 0 else 0.0 for i in first]
        total[first] += self.weights.covered * parts["covered"][first]
        order = first[np.argsort(-total[first], kind="stable")][:k]
        return [Hit(self.passages[i], float(total[i]), {name: float(part[i]) for name, part in parts.items()})
                for i in order if total[i] > 0]

    def covered(self, text: str, passage: Passage) -> float:
        """Share of a question's content, weighted by rarity, that a passage or the entities named speak of: 0 to 1."""
        return self._covered(analyse(text, self.base), passage)

    def _covered(self, query: Query, passage: Passage) -> float:
        if not query.needed:
            return float(bool(query.entities))
        known = set(content(passage.indexed)) | {w for e in query.entities for n in self.base.get(e).names for w in content(n)}
        weight = [self._idf.get(word, self._rare) for word in query.needed]
        return sum(w for word, w in zip(query.needed, weight, strict=True) if word in known) / sum(weight)

    def _graph(self, query: Query) -> Floats:
        """Per passage: how near it is to what is named, and whether it is of a kind that is asked for. A passage of a document is
        no part of the graph: it counts as
        what is named where it speaks of it in words of the kind that is asked for."""
        w, score = self.weights, dict.fromkeys(self.base.entries, 0.0)
        for entity in query.entities:
            for near in (self.base.get(entity), *self.base.neighbours(entity)):
                reach = 1.0 if near.id == entity else w.step
                # A question that wants no certain kind is answered by what it names.
                fits = near.kind in query.kinds or (near.id == entity and not query.kinds - {"definition"})
                score[near.id] += reach * (w.fits if fits else 1.0)
        out = np.zeros(len(self.passages))
        out[: len(score)] = list(score.values())
        for entity in query.entities:
            names = [f" {' '.join(words(name))} " for name in self.base.get(entity).names]
            for i, said in self._own.items():
                if any(name in said for name in names):
                    out[i] += 1.0 if not query.kinds else w.fits * bool(query.kinds & self._own_kinds[i])
        return _scaled(out)

    def _vectors(self) -> NDArray[np.float32]:
        """Of every passage; those of a group are kept together, so that a new document leaves the others' as they are."""
        groups = dict.fromkeys(passage.group for passage in self.passages)
        by_group = [embed.embedded([f"{p.title}. {p.text}" for p in self.passages if p.group == group]) for group in groups]
        return np.concatenate(by_group)


def _scaled(values: Floats) -> Floats:
    most = values.max(initial=0.0)
    return values / most if most > 0 else values
