"""Packing many questions behind one prefix must not change what any of them computes."""

from __future__ import annotations

import pytest
import torch

from ecglm.models.prompt import PromptFormat, prefix_ids
from ecglm.training.instruct import block_mask, pack, sequence_loss
from tests.tiny import tiny_llama, tiny_tokenizer

PAIRS = [("Is it sinus rhythm?", "yes"), ("What is the rate?", "72 bpm"), ("PR?", "160 ms")]


@pytest.fixture(scope="module")
def parts():
    tokenizer = tiny_tokenizer()
    form = PromptFormat.of(tokenizer)

    def tokens(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False)

    return tokens, form, prefix_ids(tokens, form, "Rhythm: sinus rhythm 97%.", 3), tiny_llama(len(tokenizer)), tokenizer


def test_packed_loss_is_the_weighted_mean_of_separate_losses(parts):
    tokens, form, prefix, llm, _ = parts
    soft = torch.randn(3, 32)
    together = sequence_loss(llm, pack(tokens, form, prefix, PAIRS), soft)
    separate, weights = [], []
    for pair in PAIRS:
        packed = pack(tokens, form, prefix, [pair])
        separate.append(sequence_loss(llm, packed, soft))
        weights.append(float((packed.target_L != -100).sum()) ** 0.5)  # n tokens of weight 1/sqrt(n)
    expected = sum(w * s for w, s in zip(weights, separate, strict=True)) / sum(weights)
    torch.testing.assert_close(together, expected, atol=1e-5, rtol=1e-5)


def test_only_answers_and_their_stop_are_targets(parts):
    tokens, form, prefix, _, tokenizer = parts
    packed = pack(tokens, form, prefix, PAIRS)
    learned = tokenizer.decode(packed.target_L[packed.target_L != -100].tolist())
    assert learned == "".join(answer + form.stop for _, answer in PAIRS)


def test_a_pair_does_not_see_another_but_a_dialogue_does(parts):
    tokens, form, prefix, _, _ = parts
    apart = pack(tokens, form, prefix, PAIRS)
    mask = block_mask(apart.block_L)
    second = (apart.block_L == 2).nonzero().flatten()
    first = (apart.block_L == 1).nonzero().flatten()
    assert not mask[second][:, first].any()
    assert mask[second][:, : len(prefix)].all()
    chained = pack(tokens, form, prefix, PAIRS, as_dialogue=True)
    assert torch.equal(block_mask(chained.block_L), torch.ones(len(chained.ids_L), len(chained.ids_L)).tril().bool())
    assert torch.equal(chained.position_L, torch.arange(len(chained.ids_L)))


def test_gradients_reach_the_soft_prompt(parts):
    tokens, form, prefix, llm, _ = parts
    soft = torch.randn(3, 32, requires_grad=True)
    sequence_loss(llm, pack(tokens, form, prefix, PAIRS), soft).backward()
    assert soft.grad is not None
    assert float(soft.grad.abs().min(1).values.max()) > 0
