"""The engine: prefixes, key-value caches and greedy decoding over soft prompts.

It knows nothing about ECGs: a prefix is a list of embedding blocks, a question is token ids.
Shapes: B batch, P prefix length, S suffix length, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Prefix:
    """The key-value cache after a shared beginning of length tokens (batch 1). skip: by how much the position of what follows
    differs from that length, where several tokens share a position."""

    cache: Any
    length: int
    skip: int = 0


@dataclass(frozen=True)
class Generation:
    """Generated token ids without the stop token, and the log-probability of each generated token
    (the stop token included when it was reached)."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    stopped: bool


class Engine:
    """Greedy decoding with a causal language model; stop_ids end an answer."""

    def __init__(self, llm: Any, stop_ids: Sequence[int]) -> None:
        self.llm = llm
        self.stop = frozenset(stop_ids)
        self.device = next(llm.parameters()).device
        self.dtype = next(llm.parameters()).dtype

    @torch.inference_mode()
    def prefix(self, emb_PD: Tensor) -> Prefix:
        """Run a shared beginning once."""
        out = self.llm(inputs_embeds=emb_PD.to(self.dtype).unsqueeze(0), use_cache=True, logits_to_keep=1)
        return Prefix(out.past_key_values, emb_PD.shape[0])

    def _batch(self, prefix: Prefix, suffixes: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Any]:
        """Left-padded suffix ids_BS, mask_B(P+S) and the prefix cache repeated over the batch."""
        width = max(len(s) for s in suffixes)
        ids = torch.zeros(len(suffixes), width, dtype=torch.long, device=self.device)
        mask = torch.ones(len(suffixes), prefix.length + width, dtype=torch.long, device=self.device)
        for row, suffix in enumerate(suffixes):
            pad = width - len(suffix)
            ids[row, pad:] = torch.tensor(list(suffix), device=self.device)
            mask[row, prefix.length:prefix.length + pad] = 0
        cache = deepcopy(prefix.cache)
        if len(suffixes) > 1:
            cache.batch_repeat_interleave(len(suffixes))
        return ids, mask, cache

    @torch.inference_mode()
    def generate(self, prefix: Prefix, suffixes: Sequence[Sequence[int]], max_tokens: int = 64,
                 drafts: Sequence[Sequence[int]] = ()) -> list[Generation]:
        """Greedy continuations of several questions that share one prefix.

        drafts: a guess of each answer without its stop, empty for none. A guess that is what greedy decoding says is
        confirmed in one pass; the other questions are decoded.
        """
        out = self._confirm(drafts, lambda rows, tails: self._tails(
            *self._embedded(prefix, [[*suffixes[r], *tail] for r, tail in zip(rows, tails, strict=True)]), tails, prefix.skip))
        left = [row for row in range(len(suffixes)) if row not in out]
        if left:
            ids, mask, cache = self._batch(prefix, [suffixes[row] for row in left])
            out |= dict(zip(left, self._decode({"input_ids": ids}, mask, cache, max_tokens, prefix.skip), strict=True))
        return [out[row] for row in range(len(suffixes))]

    @torch.inference_mode()
    def generate_many(self, embeds: Sequence[Tensor], max_tokens: int = 64, drafts: Sequence[Sequence[int]] = (),
                      ) -> list[Generation]:
        """Greedy continuations of whole prompts emb_LD of different lengths, one batch, no shared prefix; drafts as above."""
        table = self.llm.get_input_embeddings()

        def tails_of(rows: list[int], tails: list[list[int]]) -> list[Tensor]:
            whole = [torch.cat([embeds[r].to(self.dtype), table(torch.tensor(tail, device=self.device))])
                     for r, tail in zip(rows, tails, strict=True)]
            return self._tails(*self._padded(whole), None, tails)

        out = self._confirm(drafts, tails_of)
        left = [row for row in range(len(embeds)) if row not in out]
        if left:
            batch, mask = self._padded([embeds[row] for row in left])
            out |= dict(zip(left, self._decode({"inputs_embeds": batch}, mask, None, max_tokens), strict=True))
        return [out[row] for row in range(len(embeds))]

    def _padded(self, embeds: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Left-padded emb_BLD and mask_BL."""
        width = max(e.shape[0] for e in embeds)
        batch = torch.zeros(len(embeds), width, embeds[0].shape[1], dtype=self.dtype, device=self.device)
        mask = torch.zeros(len(embeds), width, dtype=torch.long, device=self.device)
        for row, emb in enumerate(embeds):
            batch[row, width - emb.shape[0]:] = emb
            mask[row, width - emb.shape[0]:] = 1
        return batch, mask

    def _embedded(self, prefix: Prefix, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Any]:
        ids, mask, cache = self._batch(prefix, rows)
        return self.llm.get_input_embeddings()(ids), mask, cache

    def _confirm(self, drafts: Sequence[Sequence[int]], tails_of: Callable[[list[int], list[list[int]]], list[Tensor]],
                 ) -> dict[int, Generation]:
        """Those drafts, by row, that with their stop are what greedy decoding would say."""
        rows = [row for row, guess in enumerate(drafts) if guess]
        if not rows:
            return {}
        stop = min(self.stop)
        tails = [[*drafts[row], stop] for row in rows]
        out = {}
        for row, tail, logprob in zip(rows, tails, tails_of(rows, tails), strict=True):
            best, token = logprob.max(-1)
            if token.tolist() == tail:
                out[row] = Generation(tuple(tail[:-1]), tuple(best.tolist()), True)
        return out

    def _tails(self, emb_BSD: Tensor, mask: Tensor, cache: Any, tails: Sequence[Sequence[int]], skip: int = 0) -> list[Tensor]:
        """Log-probabilities [tail, V] of what follows each row's tokens before its tail, token by token of the tail."""
        step, longest = emb_BSD.shape[1], max(len(tail) for tail in tails)
        position = (mask.cumsum(1) - 1).clamp(min=0)[:, -step:] + skip
        out = self.llm(inputs_embeds=emb_BSD, attention_mask=mask, position_ids=position, past_key_values=cache,
                       use_cache=cache is not None, logits_to_keep=longest + 1)
        return [out.logits[row, -len(tail) - 1:-1].float().log_softmax(-1) for row, tail in enumerate(tails)]

    def _decode(self, first: dict[str, Tensor], mask: Tensor, cache: Any, max_tokens: int, skip: int = 0) -> list[Generation]:
        n, step = mask.shape[0], next(iter(first.values())).shape[1]
        ids: list[list[int]] = [[] for _ in range(n)]
        logs: list[list[float]] = [[] for _ in range(n)]
        done = [False] * n
        inputs = first
        for _ in range(max_tokens):
            position = (mask.cumsum(1) - 1).clamp(min=0)[:, -step:] + skip
            out = self.llm(**inputs, attention_mask=mask, position_ids=position, past_key_values=cache,
                           use_cache=True, logits_to_keep=1)
            cache = out.past_key_values
            logprob = out.logits[:, -1].float().log_softmax(-1)
            best, token = logprob.max(-1)
            for row in range(n):
                if not done[row]:
                    logs[row].append(float(best[row]))
                    done[row] = int(token[row]) in self.stop
                    if not done[row]:
                        ids[row].append(int(token[row]))
            if all(done):
                break
            inputs, step = {"input_ids": token.unsqueeze(1)}, 1
            mask = torch.cat([mask, mask.new_ones(n, 1)], dim=1)
        return [Generation(tuple(i), tuple(g), d) for i, g, d in zip(ids, logs, done, strict=True)]

    @torch.inference_mode()
    def score(self, prefix: Prefix, suffix: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """Log-probability of each option's tokens after prefix and suffix."""
        tails = self._tails(*self._embedded(prefix, [[*suffix, *option] for option in options]), options, prefix.skip)
        return [float(tail.gather(1, torch.tensor(list(option), device=self.device).unsqueeze(1)).sum())
                for tail, option in zip(tails, options, strict=True)]
