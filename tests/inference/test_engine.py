"""The engine says the same whatever is shared, batched or guessed."""

from __future__ import annotations

import pytest
import torch

from ecglm.inference.engine import Engine
from tests.tiny import tiny_llama

VOCAB, STOP = 40, 7


@pytest.fixture(scope="module")
def engine():
    return Engine(tiny_llama(VOCAB, seed=3), [STOP])


@pytest.fixture(scope="module")
def prefix_emb(engine):
    return engine.llm.get_input_embeddings()(torch.tensor([1, 2, 3, 4, 5])).detach()


SUFFIXES = [[10, 11], [12], [13, 14, 15, 16], [17, 18], [19]]


def whole(engine, prefix_emb):
    table = engine.llm.get_input_embeddings()
    return [torch.cat([prefix_emb, table(torch.tensor(s)).detach()]) for s in SUFFIXES]


def test_sharing_and_batching_change_nothing(engine, prefix_emb):
    alone = [engine.generate(engine.prefix(prefix_emb), [s], 12)[0] for s in SUFFIXES]
    together = engine.generate(engine.prefix(prefix_emb), SUFFIXES, 12)
    apart = engine.generate_many(whole(engine, prefix_emb), 12)
    for a, b, c in zip(alone, together, apart, strict=True):
        assert a.ids == b.ids == c.ids
        assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)
        assert a.logprobs == pytest.approx(c.logprobs, abs=1e-4)


@pytest.mark.parametrize("whole_prompts", [False, True])
def test_a_guess_changes_time_only(engine, prefix_emb, whole_prompts, monkeypatch):
    def ask(drafts):
        if whole_prompts:
            return engine.generate_many(whole(engine, prefix_emb), 12, drafts)
        return engine.generate(engine.prefix(prefix_emb), SUFFIXES, 12, drafts)

    plain = ask(())
    # The random model never says the stop by itself: whatever it says third ends the answer.
    stop = plain[0].ids[2]
    monkeypatch.setattr(engine, "stop", frozenset([stop]))
    plain = ask(())
    assert plain[0].stopped
    right = list(plain[0].ids)
    for drafts in ([right, [], [], [], []], [[*right, 1], [9], [], [9, 9, 9], []], [[*right[:1], 39], [], [], [], []]):
        guessed = ask(drafts)
        assert [g.ids for g in guessed] == [g.ids for g in plain]
        for g, p in zip(guessed, plain, strict=True):
            assert g.logprobs == pytest.approx(p.logprobs, abs=1e-4)
    decoded = []
    monkeypatch.setattr(engine, "_decode", lambda first, mask, *_: decoded.append(len(mask)) or
                        [plain[0]] * len(mask))
    ask([right, [], [], [], []])
    assert decoded == [4]  # the confirmed one is not decoded again


def test_scores_are_the_log_probabilities_of_the_options(engine, prefix_emb):
    prefix = engine.prefix(prefix_emb)
    scores = engine.score(prefix, SUFFIXES[0], [[5], [6, 8], [9, 10, 11]])
    table = engine.llm.get_input_embeddings()
    for option, score in zip([[5], [6, 8], [9, 10, 11]], scores, strict=True):
        ids = torch.tensor([*SUFFIXES[0], *option])
        logits = engine.llm(inputs_embeds=torch.cat([prefix_emb, table(ids).detach()]).unsqueeze(0)).logits[0]
        expected = sum(float(logits[-len(option) - 1 + i].detach().log_softmax(-1)[t]) for i, t in enumerate(option))
        assert score == pytest.approx(expected, abs=1e-3)
