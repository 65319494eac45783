"""`averaged`: the method that ships. Gaussian processes on label-free sides of a recording, averaged by their evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.episodes import Episode
from ecglm.inference.adapt.kernels import KernelConfig, predict, similarities
from ecglm.training.fewshot.method import FewShotData, by_vectors


class Averaged:
    """`ecglm.inference.adapt.kernels` on the sides of `FewShotData`; nothing is meta-trained."""

    name = "averaged"
    generates = False

    def __init__(self, config: KernelConfig | None = None) -> None:
        self.config = config or KernelConfig()

    def meta_train(self, episodes: Iterable[Episode], data: FewShotData, tell: Callable[[int, float], None]) -> None:
        """Nothing to learn."""

    def answer(self, episode: Episode, data: FewShotData) -> list[str]:
        """The likeliest answer of every query."""
        def decide(support: list[int], numbers: NDArray[np.int64], asked: list[int]) -> NDArray[np.int64]:
            examples = {name: side[support] for name, side in data.sides.items()}
            others = {name: side[asked] for name, side in data.sides.items()}
            among = similarities(examples, examples, data.baseline_S, self.config)
            return predict(among, similarities(others, examples, data.baseline_S, self.config), numbers, self.config).best_Q

        return by_vectors(episode, decide)
