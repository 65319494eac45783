"""`supervised`: no meta-learning."""

from __future__ import annotations

import torch

from ecglm.corpus.episodes import Episode
from ecglm.training.fewshot.gradient import GradientMethod
from ecglm.training.fewshot.method import FewShotData


class Supervised(GradientMethod):
    """The mapper learns support and query of meta-train episodes as ordinary examples, and is then tuned on a support."""

    name = "supervised"

    def outer(self, episode: Episode, data: FewShotData) -> float:
        loss = self.loss(dict(self.mapper.named_parameters()), (*episode.support, *episode.query), data)
        torch.autograd.backward(loss)
        return float(loss.detach())
