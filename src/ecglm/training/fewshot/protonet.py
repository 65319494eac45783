"""`protonet`: prototypical networks (Snell et al. 2017) on the encoder's embedding."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ecglm.corpus.episodes import Episode
from ecglm.training.fewshot.method import FewShotData, by_vectors


def _scores(support_KD: Tensor, number_K: Tensor, asked_QD: Tensor) -> Tensor:
    """Negative squared distances_QC to the mean of each answer, over the width."""
    means = torch.stack([support_KD[number_K == c].mean(0) for c in range(int(number_K.max()) + 1)])
    return -torch.cdist(asked_QD, means) ** 2 / support_KD.shape[1]


class ProtoNet:
    """A linear map that meta-training makes tell answers apart; each answer is the mean of its examples."""

    name = "protonet"
    generates = False

    def __init__(self, width_in: int, width: int = 128, lr: float = 1e-3, seed: int = 222) -> None:
        torch.manual_seed(seed)
        self.map = nn.Sequential(nn.Dropout(0.3), nn.Linear(width_in, width))
        self.lr = lr

    def meta_train(self, episodes: Iterable[Episode], data: FewShotData, tell: Callable[[int, float], None]) -> None:
        """One optimiser step per episode."""
        optimizer = torch.optim.AdamW(self.map.parameters(), self.lr, weight_decay=0.01)
        self.map.train()
        for number, episode in enumerate(episodes, 1):
            losses: list[Tensor] = []

            def learn(support: list[int], numbers: NDArray[np.int64], asked: list[int], episode: Episode = episode,
                      losses: list[Tensor] = losses) -> NDArray[np.int64]:
                names = list(dict.fromkeys(item.answer for item in episode.support if item.row in support))
                wanted = {item.row: item.answer for item in episode.query}
                truth = torch.tensor([names.index(wanted[row]) if wanted[row] in names else -1 for row in asked])
                scores = self._of(data, support, numbers, asked)
                if (truth >= 0).any():
                    losses.append(cross_entropy(scores[truth >= 0], truth[truth >= 0]))
                return scores.detach().argmax(1).numpy()

            by_vectors(episode, learn)
            if losses:
                loss = torch.stack(losses).mean()
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                tell(number, float(loss.detach()))
        self.map.eval()

    def _of(self, data: FewShotData, support: list[int], numbers: NDArray[np.int64], asked: list[int]) -> Tensor:
        both = self.map(torch.from_numpy(data.emb_NE[[*support, *asked]]))
        return _scores(both[:len(support)], torch.from_numpy(numbers), both[len(support):])

    def answer(self, episode: Episode, data: FewShotData) -> list[str]:
        """The nearest answer of every query."""
        with torch.no_grad():
            return by_vectors(episode, lambda support, numbers, asked: self._of(data, support, numbers, asked).argmax(1).numpy())
