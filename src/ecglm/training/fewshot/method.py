"""What every few-shot method is: it may learn from meta-train episodes, and answers the queries of an episode from its support.

A method sees recordings by row through `FewShotData`; row -1 is a recording without any signal, which the controls use.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.episodes import Episode, EpisodeItem
from ecglm.inference.adapt.space import ALL

FloatArray = NDArray[np.float32]
Condition = Literal["full", "text-only", "no-signal", "shuffled-support"]
CONDITIONS: tuple[Condition, ...] = ("full", "text-only", "no-signal", "shuffled-support")


@dataclass(frozen=True)
class FewShotData:
    """side_ND by name and their mean similarity (`FewShotSpace`), emb_NE of an encoder that was taught no test attribute, both
    standardised, and the measurements as text. The last row of each is the recording without signal."""

    sides: dict[str, FloatArray]
    baseline_S: FloatArray
    emb_NE: FloatArray
    facts: tuple[str, ...]

    @cached_property
    def label_free_NE(self) -> FloatArray:
        """All label-free values at the size of standardised ones (a side is of unit length)."""
        everything = self.sides[ALL]
        return np.asarray(everything * everything.shape[1] ** 0.5, np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """Changes with anything that a method sees."""
        found = hashlib.sha256("\n".join([*self.sides, *self.facts]).encode())
        for array in (*self.sides.values(), self.baseline_S, self.emb_NE):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:16]

    def with_blank(self) -> FewShotData:
        """The same with a last row of zeros: nothing is known of it."""
        def longer(x: FloatArray) -> FloatArray:
            return np.concatenate([x, np.zeros_like(x[:1])])

        return FewShotData({name: longer(side) for name, side in self.sides.items()}, self.baseline_S, longer(self.emb_NE),
                           (*self.facts, ""))


class Method(Protocol):
    """name: in tables. generates: answers are written freely by a language model."""

    name: str
    generates: bool

    def meta_train(self, episodes: Iterable[Episode], data: FewShotData, tell: Callable[[int, float], None]) -> None:
        """Learn what episodes of other attributes have in common; tell(number, loss) after each."""
        ...

    def answer(self, episode: Episode, data: FewShotData) -> list[str]:
        """An answer to every query, in order."""
        ...


def under(episode: Episode, condition: Condition) -> Episode:
    """The episode as a control shows it: text-only learns and answers from questions alone, no-signal learns from the recordings
    and is asked without one, shuffled-support learns from exchanged answers."""
    def blank(items: Sequence[EpisodeItem]) -> tuple[EpisodeItem, ...]:
        return tuple(replace(item, row=-1) for item in items)

    if condition == "text-only":
        return replace(episode, support=blank(episode.support), query=blank(episode.query))
    if condition == "no-signal":
        return replace(episode, query=blank(episode.query))
    if condition == "shuffled-support":
        order = np.random.default_rng([item.row for item in episode.support]).permutation(len(episode.support))
        return replace(episode, support=tuple(replace(item, answer=episode.support[i].answer)
                                              for item, i in zip(episode.support, order, strict=True)))
    return episode


_EMPTY = frozenset({"a", "an", "the", "is", "are", "does", "do", "this", "that", "ecg", "of", "on", "in", "any", "there", "show",
                    "have", "has", "be"})


def _content(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9/]+", text.lower())) - _EMPTY


def about_the_same(episode: Episode, question: str) -> list[int]:
    """Support items whose question is most like this one, by shared words: those that are about the same thing."""
    asked = _content(question)
    alike = [len(asked & words) / max(len(asked | words), 1) for words in (_content(item.question) for item in episode.support)]
    best = max(alike)
    return [number for number, value in enumerate(alike) if value >= best - 1e-9]


def by_vectors(episode: Episode, decide: Callable[[list[int], NDArray[np.int64], list[int]], NDArray[np.int64]]) -> list[str]:
    """Answers of a method that reads no text: every question is decided among the support that is about the same.

    decide(rows of the support, number of the answer of each, rows asked about) gives answer numbers.
    """
    out = [""] * len(episode.query)
    together: dict[tuple[int, ...], list[int]] = {}
    for number, item in enumerate(episode.query):
        together.setdefault(tuple(about_the_same(episode, item.question)), []).append(number)
    for support, asked in together.items():
        items = [episode.support[i] for i in support]
        answers = list(dict.fromkeys(item.answer for item in items))
        if len(answers) == 1:
            chosen = np.zeros(len(asked), np.int64)
        else:
            numbers = np.array([answers.index(item.answer) for item in items])
            chosen = decide([item.row for item in items], numbers, [episode.query[i].row for i in asked])
        for i, answer in zip(asked, chosen, strict=True):
            out[i] = answers[int(answer)]
    return out
