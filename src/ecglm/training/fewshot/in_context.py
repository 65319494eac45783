"""`in-context`: the support stands in the prompt, as measured values, and the language model goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ecglm.corpus.episodes import Episode, EpisodeItem
from ecglm.training.fewshot.method import FewShotData
from ecglm.training.fewshot.reader import ANSWER, QUESTION, PrefixReader


class InContext:
    """Nothing is trained. The examples come in a random order of their own in every episode, so that no answer is always the
    last."""

    name = "in-context"
    generates = True

    def __init__(self, reader: PrefixReader, seed: int = 222) -> None:
        self.reader, self.seed = reader, seed

    def meta_train(self, episodes: Iterable[Episode], data: FewShotData, tell: Callable[[int, float], None]) -> None:
        """Nothing to learn."""

    def answer(self, episode: Episode, data: FewShotData) -> list[str]:
        """What the model writes after the examples and a query."""
        rows = [item.row + 1 for item in episode.support]  # a recording without signal is row -1
        order = np.random.default_rng([self.seed, *rows]).permutation(len(rows))
        shown = "".join(f"{_text(item, data)} {item.answer}\n\n" for item in (episode.support[i] for i in order))
        return self.reader.complete(shown, [_text(item, data) for item in episode.query])


def _text(item: EpisodeItem, data: FewShotData) -> str:
    facts = data.facts[item.row]
    seen = f"ECG: {facts}\n" if facts else ""
    return seen + QUESTION.format(item.question) + ANSWER

