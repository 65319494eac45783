"""`PrefixReader`: a frozen causal language model that reads question, soft tokens and answer, in this order.

The question comes first: it is the same for many recordings and for every gradient step, so its keys and values are computed
once and kept, and a step passes only the soft tokens and the answer through the model. The answer is conditioned on both.
Shapes: B items, P soft tokens, D width, T tokens of the tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import cross_entropy

from ecglm.errors import CheckpointError
from ecglm.models import base as bases
from ecglm.models.device import best_device, best_dtype

QUESTION, ANSWER = "Question: {}\n", "Answer:"
MAX_ANSWER_TOKENS = 24


@dataclass
class _Questions:
    """Keys and values of distinct questions, left-padded: mask_UL of their tokens."""

    cache: Any
    mask_UL: Tensor
    number: dict[str, int]


class PrefixReader:
    """Any Hugging Face causal language model with its tokenizer; its weights get no gradient."""

    def __init__(self, llm: Any, tokenizer: Any) -> None:
        self.llm = llm.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        table = llm.get_input_embeddings()
        self.table, self.width, self.device, self.dtype = table, table.weight.shape[1], table.weight.device, table.weight.dtype
        self.stop = tokenizer.eos_token_id
        self.ask = self._ids(ANSWER)
        self._questions: dict[tuple[str, ...], _Questions] = {}

    @classmethod
    def load(cls, base: str, device: str | None = None) -> PrefixReader:
        """A model that ecglm fetches, a folder, or one of the Hugging Face cache. Raises CheckpointError when it is none."""
        from transformers import AutoTokenizer

        where = best_device(device)
        folder = bases.resolve(base)
        try:
            llm = bases.language_model(str(folder), best_dtype(where)).to(where)
            tokenizer = AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:  # as transformers says it
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(f"{folder}: not a causal language model with its tokenizer and safetensors ({reason}); "
                                  "give the folder of one") from None
        if tokenizer.eos_token_id is None:
            raise CheckpointError(f"{folder}: the tokenizer has no end token; set eos_token in tokenizer_config.json")
        return cls(llm, tokenizer)

    @property
    def spread(self) -> float:
        """Standard deviation of token embeddings as the layers get them (some Gemma tables multiply by a scale)."""
        return float(self.table.weight.float().std()) * float(getattr(self.table, "embed_scale", 1.0))

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def answer_ids(self, answer: str) -> list[int]:
        """Tokens of an answer as the model writes it, with its stop."""
        return [*self.words(answer), self.stop]

    def words(self, answer: str) -> list[int]:
        """The same without the stop, which every answer has."""
        return self._ids(" " + answer)

    def _start(self, text: str) -> list[int]:
        begin = self.tokenizer.bos_token_id
        return [*([] if begin is None else [begin]), *self._ids(text)]

    def _past(self, texts: Sequence[str]) -> tuple[Any, Tensor]:
        """Cache and mask_BL of these beginnings, one row each."""
        distinct = tuple(sorted(set(texts)))
        known = self._questions.get(distinct)
        if known is None:
            ids = [self._start(text) for text in distinct]
            width = max(map(len, ids))
            batch = torch.tensor([[0] * (width - len(row)) + row for row in ids], device=self.device)
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids], device=self.device)
            with torch.no_grad():
                out = self.llm.base_model(input_ids=batch, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0),
                                          use_cache=True)
            known = _Questions(out.past_key_values, mask, {text: i for i, text in enumerate(distinct)})
            self._questions = {distinct: known}  # of the episode at hand
        chosen = torch.tensor([known.number[text] for text in texts], device=self.device)
        cache = deepcopy(known.cache)
        cache.batch_select_indices(chosen)
        return cache, known.mask_UL[chosen]

    def _hidden(self, past: Any, mask_BL: Tensor, emb_BTD: Tensor, new_BT: Tensor) -> tuple[Tensor, Any, Tensor]:
        """Hidden states of new embeddings after the past; new_BT marks those that are no padding."""
        mask = torch.cat([mask_BL, new_BT], dim=1)
        position = (mask.cumsum(1) - 1).clamp(min=0)[:, -emb_BTD.shape[1]:]
        out = self.llm.base_model(inputs_embeds=emb_BTD.to(self.dtype), attention_mask=mask, position_ids=position,
                                  past_key_values=past, use_cache=True)
        return out.last_hidden_state, out.past_key_values, mask

    def _logits(self, hidden: Tensor) -> Tensor:
        config = self.llm.config
        logits: Tensor = self.llm.get_output_embeddings()(hidden).float()
        logits = logits * getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)  # Cohere, Granite
        cap = getattr(config, "final_logit_softcapping", None)
        return logits if cap is None else cap * torch.tanh(logits / cap)

    def loss(self, soft_BPD: Tensor, questions: Sequence[str], answers: Sequence[str]) -> Tensor:
        """Mean over items of the cross-entropy of the answer's tokens; only their logits are computed."""
        past, mask = self._past([QUESTION.format(text) for text in questions])
        ids = [self.answer_ids(answer) for answer in answers]
        width = max(map(len, ids))
        tail = torch.tensor([[*self.ask, *row, *[0] * (width - len(row))] for row in ids], device=self.device)
        there = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids], device=self.device)
        before = soft_BPD.shape[1] + len(self.ask)
        emb = torch.cat([soft_BPD.to(self.dtype), self.table(tail[:, :-1])], dim=1)
        new = torch.cat([there.new_ones(len(ids), before), there[:, :-1]], dim=1)
        hidden, _, _ = self._hidden(past, mask, emb, new)
        where = there.bool()
        logits = self._logits(hidden[:, before - 1:][where])
        each = cross_entropy(logits, tail[:, len(self.ask):][where], reduction="none")
        share = (1.0 / there.sum(1).float())[where.nonzero()[:, 0]]
        return (each * share).sum() / len(ids)

    @torch.no_grad()
    def answer(self, soft_BPD: Tensor, questions: Sequence[str], max_tokens: int = MAX_ANSWER_TOKENS) -> list[str]:
        """Free greedy answers."""
        past, mask = self._past([QUESTION.format(text) for text in questions])
        asked = self.table(torch.tensor([self.ask] * len(questions), device=self.device))
        emb = torch.cat([soft_BPD.to(self.dtype), asked], dim=1)
        return self._greedy(past, mask, emb, mask.new_ones(emb.shape[:2]), max_tokens)

    @torch.no_grad()
    def complete(self, shown: str, texts: Sequence[str], max_tokens: int = MAX_ANSWER_TOKENS) -> list[str]:
        """What the model writes after `shown` and each text, up to the end of the line."""
        past, mask = self._past([shown] * len(texts))
        ids = [self._ids(text) for text in texts]
        width = max(map(len, ids))
        emb = self.table(torch.tensor([[0] * (width - len(row)) + row for row in ids], device=self.device))
        there = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids], device=self.device)
        return [text.split("\n")[0].strip() for text in self._greedy(past, mask, emb, there, max_tokens)]

    def _greedy(self, past: Any, mask: Tensor, emb: Tensor, there: Tensor, max_tokens: int) -> list[str]:
        """Texts up to the stop, or the end of the line, of every row."""
        count = len(emb)
        line = self._ids("\n")[-1]
        out: list[list[int]] = [[] for _ in range(count)]
        done = [False] * count
        for _ in range(max_tokens):
            hidden, past, mask = self._hidden(past, mask, emb, there)
            token = self._logits(hidden[:, -1]).argmax(-1)
            for row in range(count):
                done[row] = done[row] or int(token[row]) in (self.stop, line)
                if not done[row]:
                    out[row].append(int(token[row]))
            if all(done):
                break
            emb = self.table(token).unsqueeze(1)
            there = mask.new_ones(count, 1)
        return [self.tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in out]
