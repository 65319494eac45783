"""Methods that teach a mapper between ECG vectors and a frozen language model by gradient steps on the support.

fomaml is the published one (Tang et al. 2025; first-order MAML, Nichol et al. 2018, with the query loss after every inner step
from the second on); maml keeps second derivatives (Finn et al. 2017); anil adapts the output layers alone (Raghu et al. 2020);
supervised learns the meta-train questions one by one, without episodes. All adapt to the support of an episode in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from ecglm.corpus.episodes import Episode, EpisodeItem
from ecglm.models.attention_mapper import AttentionMapper, AttentionMapperConfig
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.fewshot.method import FewShotData
from ecglm.training.fewshot.reader import PrefixReader

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class GradientConfig:
    """inner_*: gradient steps on a support; meta_*: AdamW over episodes. outer: after which inner steps the query loss counts.
    Defaults are the published ones."""

    inner_steps: int = 15
    inner_lr: float = 0.05
    meta_lr: float = 5e-4
    clip: float = 1.0
    n_tokens: int = 4
    dropout: float = 0.5
    heads: int = 8
    outer: Literal["all", "last"] = "all"
    save_every: int = 20
    seed: int = 222

    def __post_init__(self) -> None:
        if min(self.inner_steps, self.n_tokens, self.heads, self.save_every) < 1:
            raise ValueError("inner_steps, n_tokens, heads and save_every must be 1 or more")
        if not 0 <= self.dropout < 1:
            raise ValueError("dropout must be at least 0 and less than 1")


class GradientMethod:
    """A mapper, and how it adapts. Subclasses choose what adapts and how the start is learnt."""

    name = ""
    generates = True
    second_order = False

    def __init__(self, reader: PrefixReader, width_in: int, config: GradientConfig | None = None,
                 run: Path | None = None) -> None:
        self.reader, self.config, self.run = reader, config or GradientConfig(), run
        torch.manual_seed(self.config.seed)
        c = self.config
        shape = AttentionMapperConfig(width_in, reader.width, c.n_tokens, c.heads, c.dropout, reader.spread)
        self.mapper = AttentionMapper(shape).to(reader.device)

    def adapts(self, name: str) -> bool:
        """Whether a parameter is changed by the support."""
        return True

    def loss(self, parameters: Parameters, items: Sequence[EpisodeItem], data: FewShotData) -> Tensor:
        """Mean loss of these items' answers."""
        ecg = torch.from_numpy(data.emb_NE[[item.row for item in items]]).to(self.reader.device)
        soft = functional_call(self.mapper, parameters, (ecg,))
        return self.reader.loss(soft, [item.question for item in items], [item.answer for item in items])

    def steps(self, support: Sequence[EpisodeItem], data: FewShotData, graph: bool = False) -> Iterable[Parameters]:
        """The parameters after every inner step: plain gradient descent on the whole support."""
        start: Parameters = dict(self.mapper.named_parameters())
        moving = [name for name in start if self.adapts(name)]
        now = start if graph else {name: value.detach().clone() for name, value in start.items()}
        for _ in range(self.config.inner_steps):
            leaves = now if graph else {name: value.detach().requires_grad_(name in moving) for name, value in now.items()}
            loss = self.loss(leaves, support, data)
            slopes = torch.autograd.grad(loss, [leaves[name] for name in moving], create_graph=graph)
            change = dict(zip(moving, slopes, strict=True))
            now = {name: value - self.config.inner_lr * change[name] if name in change else value
                   for name, value in leaves.items()}
            yield now

    def meta_train(self, episodes: Iterable[Episode], data: FewShotData, tell: Callable[[int, float], None]) -> None:
        """One optimiser step per episode; resumes after the last save in `run`."""
        parameters = dict(self.mapper.named_parameters())
        optimizer = torch.optim.AdamW(parameters.values(), self.config.meta_lr)
        state = None if self.run is None else self.run / f"{self.name}.resume.safetensors"
        first = 0
        if state is not None and state.is_file():
            saved = load_state(state)
            self.mapper.load_state_dict(saved["mapper"])
            optimizer.load_state_dict(saved["optimizer"])
            torch.set_rng_state(saved["rng"])
            first = saved["episode"]
        self.mapper.train()
        for number, episode in enumerate(islice(iter(episodes), first, None), first + 1):
            optimizer.zero_grad()
            loss = self.outer(episode, data)
            torch.nn.utils.clip_grad_norm_(parameters.values(), self.config.clip)
            optimizer.step()
            tell(number, loss)
            if state is not None and number % self.config.save_every == 0:
                save_state(state, {"mapper": self.mapper.state_dict(), "optimizer": optimizer.state_dict(),
                                   "rng": torch.get_rng_state(), "episode": number})
        self.mapper.eval()

    def outer(self, episode: Episode, data: FewShotData) -> float:
        """Put the gradient of one episode into the mapper; its query loss."""
        parameters = dict(self.mapper.named_parameters())
        count = self.config.inner_steps
        counted = range(2, count + 1) if self.config.outer == "all" and count > 1 else [count]
        total = 0.0
        if self.second_order:
            with sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no second derivative
                *_, last = self.steps(episode.support, data, graph=True)
                loss = self.loss(last, episode.query, data)
                torch.autograd.backward(loss, inputs=list(parameters.values()))
            return float(loss.detach())
        for number, now in enumerate(self.steps(episode.support, data), 1):
            if number in counted:
                leaves = {name: value.detach().requires_grad_() for name, value in now.items()}
                loss = self.loss(leaves, episode.query, data) / len(counted)
                slopes = torch.autograd.grad(loss, list(leaves.values()))
                for parameter, slope in zip(parameters.values(), slopes, strict=True):
                    parameter.grad = slope if parameter.grad is None else parameter.grad + slope
                total += float(loss.detach())
        return total

    def answer(self, episode: Episode, data: FewShotData) -> list[str]:
        """Adapt, then write freely."""
        self.mapper.eval()
        *_, last = self.steps(episode.support, data)
        ecg = torch.from_numpy(data.emb_NE[[item.row for item in episode.query]]).to(self.reader.device)
        with torch.no_grad():
            soft = functional_call(self.mapper, last, (ecg,))
        return self.reader.answer(soft, [item.question for item in episode.query])
