"""`linear-probe`: logistic regression per episode on the encoder's embedding."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.episodes import Episode
from ecglm.training.fewshot.method import FewShotData, by_vectors


class LinearProbe:
    """Nothing is meta-trained. everything: on all label-free values instead of the encoder's embedding."""

    generates = False

    def __init__(self, everything: bool = False, c: float = 0.01) -> None:
        self.everything, self.c = everything, c
        self.name = "linear-probe, label-free" if everything else "linear-probe"

    def meta_train(self, episodes: Iterable[Episode], data: FewShotData, tell: Callable[[int, float], None]) -> None:
        """Nothing to learn."""

    def answer(self, episode: Episode, data: FewShotData) -> list[str]:
        """The answer on whose side of the planes a query lies."""
        from sklearn.linear_model import LogisticRegression

        x_ND = data.label_free_NE if self.everything else data.emb_NE

        def decide(support: list[int], numbers: NDArray[np.int64], asked: list[int]) -> NDArray[np.int64]:
            fit = LogisticRegression(C=self.c, max_iter=200).fit(x_ND[support], numbers)
            return np.asarray(fit.predict(x_ND[asked]), np.int64)

        return by_vectors(episode, decide)
