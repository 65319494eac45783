"""Answers to background questions: sentences of passages, word for word, each with its citation. Nothing is generated.

A question whose words no passage speaks of is declined. What passages say is data: nothing in them is obeyed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ecglm.errors import UsageError
from ecglm.knowledge.query import analyse
from ecglm.knowledge.retrieve import Hit, Passage, Retriever
from ecglm.knowledge.words import content, numbers, sentences

MAX_QUESTION = 2_000
#: Least share of a question's content (`Retriever.covered`) that one of the passages found must speak of; set on the development
#: half of the question set, where quoting a second passage that scores nearly as well brought nothing. Sentences quoted at most.
COVERED, MOST = 0.5, 3
#: What a supported sentence shares with its passage at least, of its content words.
OVERLAP = 0.8
#: Kinds of entries that a question may ask of a finding in so many words.
_SO_MANY_WORDS = {"cause": re.compile(r"\bcauses?\b"), "criterion": re.compile(r"\bcriteri(?:a|on)\b"),
                  "action": re.compile(r"\bnext steps?\b")}
DECLINED = "the knowledge base has no passage on this"
_NEGATION = re.compile(r"\b(?:not|no|never|without|neither|nor|cannot|none)\b|n't\b", re.I)


@dataclass(frozen=True)
class Quote:
    """A sentence of a passage."""

    text: str
    passage: Passage

    @property
    def citation(self) -> str:
        """Where the sentence comes from."""
        return "; ".join(self.passage.citations)


@dataclass(frozen=True)
class Background:
    """The answer to a background question: quotes of the best passage, or none with the reason; hits: what was retrieved."""

    question: str
    quotes: tuple[Quote, ...]
    hits: tuple[Hit, ...]
    reason: str | None = None

    @property
    def text(self) -> str:
        """The quoted sentences."""
        return " ".join(quote.text for quote in self.quotes)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages quoted."""
        return tuple(dict.fromkeys(quote.passage for quote in self.quotes))

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm knowledge ask --json`` prints."""
        return {"question": self.question, "answer": self.text or None, "declined": not self.quotes, "reason": self.reason,
                "quotes": [{"text": q.text, "passage": q.passage.id, "citation": q.citation} for q in self.quotes],
                "hits": [hit.to_dict() for hit in self.hits]}


def answer(question: str, retriever: Retriever, k: int = 5) -> Background:
    """Quote what answers a question. Raises UsageError when it is empty or too long."""
    text = " ".join(question.split())
    if not any(c.isalnum() for c in text) or len(text) > MAX_QUESTION:
        raise UsageError(f"the question is empty or longer than {MAX_QUESTION:,} characters; ask one question in words")
    hits = tuple(retriever.search(text, k))
    if not hits or max(retriever.covered(text, hit.passage) for hit in hits) < COVERED:
        return Background(text, (), hits, DECLINED)
    return Background(text, tuple(_quotes(text, _best(text, hits, retriever))), hits)


def _best(question: str, hits: tuple[Hit, ...], retriever: Retriever) -> Passage:
    """The passage to quote: the best that is linked to what a question names first as what it asks for in so many words ("What
    causes LBBB?"), where one is among those found; else the best."""
    entities = analyse(question, retriever.base).entities
    kinds = [kind for kind, asked in _SO_MANY_WORDS.items() if asked.search(question.lower())]
    if entities and len(kinds) == 1:
        asked_for = {entry.id for entry in retriever.base.neighbours(entities[0], *kinds)}
        return next((hit.passage for hit in hits if hit.passage.id in asked_for), hits[0].passage)
    return hits[0].passage


def _quotes(question: str, passage: Passage) -> list[Quote]:
    """The sentences of a passage that say most of what is asked, in their order; short passages whole."""
    every = sentences(passage.text)
    if len(every) > MOST:
        asked = set(content(question))
        best = sorted(range(len(every)), key=lambda i: (-len(asked & set(content(every[i]))), i))[:MOST]
        every = [every[i] for i in sorted(best)]
    return [Quote(sentence, passage) for sentence in every]


def supported(sentence: str, passage: str) -> bool:
    """Whether a passage bears a sentence out, by rule: one of its sentences holds every number of it and `OVERLAP` of its
    content words, and denies as often."""
    wanted, found = set(content(sentence)), numbers(sentence)
    denied = len(_NEGATION.findall(sentence))
    return any(found <= numbers(said) and len(wanted & set(content(said))) >= OVERLAP * len(wanted)
               and len(_NEGATION.findall(said)) == denied for said in sentences(passage))


def faithfulness(text: str, passages: tuple[Passage, ...]) -> float:
    """Share of the sentences of an answer, from anywhere, that one of the passages bears out; 1 for an empty answer."""
    said = sentences(text)
    return sum(any(supported(s, p.text) for p in passages) for s in said) / len(said) if said else 1.0
