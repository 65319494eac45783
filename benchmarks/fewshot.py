"""Cost of a meta-training episode (5 ways, 5 shots, 5 queries), beside the published loop done as published.

    python benchmarks/fewshot.py [--steps 15] [--llm smollm2-135m]

Same frozen language model, same arithmetic, same machine, one process. The published loop (FSL-ECG-QA, Tang et al. 2025) is
written anew from its description: the encoder reads the ECGs of the episode, every pass takes the four soft tokens and thirty
of the question through the whole model with its logits at all places, the query is passed after every inner step from the
second on. Its encoder has the published size and random weights, which cost the same. `time` of a part is what it adds.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from ecglm.corpus.episodes import Episode, EpisodeItem
from ecglm.models.attention_mapper import AttentionMapper, AttentionMapperConfig
from ecglm.models.encoders.fairseq_ecg import FairseqEcgEncoder
from ecglm.training.fewshot.fomaml import Fomaml
from ecglm.training.fewshot.gradient import GradientConfig
from ecglm.training.fewshot.method import FewShotData
from ecglm.training.fewshot.reader import PrefixReader

WAYS, SHOTS, LENGTH, WIDTH = 5, 5, 30, 768
NAMES = ("atrial fibrillation", "left bundle branch block", "a long qt interval", "sinus tachycardia", "inverted t waves")


def episode() -> Episode:
    """Five questions, each with its own recordings."""
    def items(first: int) -> tuple[EpisodeItem, ...]:
        asked = [f"Does this ECG show {name}?" for name in NAMES]
        return tuple(EpisodeItem(first + WAYS * shot + way, asked[way], ("no", "yes")[way % 2], NAMES[way])
                     for shot in range(SHOTS) for way in range(WAYS))

    return Episode(("no", "yes"), items(0), items(WAYS * SHOTS))


class Published:
    """One outer step as published."""

    def __init__(self, reader: PrefixReader, steps: int) -> None:
        self.reader, self.steps = reader, steps
        self.encoder = FairseqEcgEncoder().eval().requires_grad_(False)
        self.mapper = AttentionMapper(AttentionMapperConfig(WIDTH, reader.width, scale=reader.spread, heads=8))
        self.rate = 0.05

    def _padded(self, text: str) -> list[int]:
        ids = self.reader.tokenizer.encode(text, add_special_tokens=False)[:LENGTH]
        return [*ids, *[self.reader.stop] * (LENGTH - len(ids))]

    def loss(self, parameters: dict[str, Tensor], ecg: Tensor, items: Sequence[EpisodeItem]) -> Tensor:
        """The answer is read from the places of the soft tokens and the question, as published."""
        soft = functional_call(self.mapper, parameters, (ecg,))
        ask = self.reader.table(torch.tensor([self._padded(f"Question: {item.question.lower()}Answer: ") for item in items]))
        logits = self.reader.llm(inputs_embeds=torch.cat([soft.to(ask.dtype), ask], 1)).logits.float()
        answer = torch.tensor([self._padded(item.answer) for item in items])
        found = logits[:, soft.shape[1] - 1: soft.shape[1] - 1 + LENGTH]
        return cross_entropy(found.reshape(-1, found.shape[-1]), answer.reshape(-1), ignore_index=self.reader.stop)

    def episode(self, shown: Episode, wave_NLT: Tensor) -> None:
        with torch.no_grad():
            support, query = (self.encoder(wave_NLT[[item.row for item in items]]) for items in (shown.support, shown.query))
        start = dict(self.mapper.named_parameters())
        now = {name: value.detach().requires_grad_() for name, value in start.items()}
        total: dict[str, Tensor] = {name: torch.zeros_like(value) for name, value in start.items()}
        for step in range(1, self.steps + 1):
            slopes = torch.autograd.grad(self.loss(now, support, shown.support), list(now.values()))
            now = {name: (value.detach() - self.rate * slope).requires_grad_()
                   for (name, value), slope in zip(now.items(), slopes, strict=True)}
            if step > 1:
                outer = torch.autograd.grad(self.loss(now, query, shown.query), list(now.values()))
                for name, slope in zip(now, outer, strict=True):
                    total[name] += slope


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=15, help="inner steps of the published loop")
    parser.add_argument("--llm", default="smollm2-135m")
    options = parser.parse_args()
    reader = PrefixReader.load(options.llm)
    rng = np.random.default_rng(0)
    shown, count = episode(), 2 * WAYS * SHOTS
    data = FewShotData({}, np.zeros(1, np.float32), rng.normal(size=(count, WIDTH)).astype(np.float32), ("",) * count)
    wave = torch.from_numpy(rng.normal(size=(count, 12, 2500)).astype(np.float32))

    published = Published(reader, options.steps)
    slow = seconds(lambda: published.episode(shown, wave))
    print(f"{'an episode':<66}{'s':>8}{'ratio':>8}")
    print(f"{f'published loop, {options.steps} steps, as published':<66}{slow:>8.1f}{1:>8.1f}")
    for name, config in {
        f"ours, {options.steps} steps, query loss after each: the same algorithm": GradientConfig(options.steps, outer="all"),
        f"ours, {options.steps} steps, query loss after the last": GradientConfig(options.steps, outer="last"),
        "ours, 5 steps, query loss after the last (recipes/fewshot.yaml)": GradientConfig(5, outer="last"),
    }.items():
        method = Fomaml(reader, WIDTH, config)
        took = seconds(lambda method=method: method.outer(shown, data))  # type: ignore[misc]
        print(f"{name:<66}{took:>8.1f}{slow / took:>8.1f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
