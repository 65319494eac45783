"""Lead-second tokens: what each may see, that no token sees the future, that chunks and caches change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm import Record
from ecglm.errors import RecordError, UsageError
from ecglm.inference.engine import Engine, Prefix
from ecglm.models.seconds import Block, Plan, SecondsConfig, SecondsModel, lay_out, segments
from ecglm.models.seconds.layout import GLOBAL_END, LEAD_END, LEAD_START, SECOND, SPECIALS, TEXT, pooled
from ecglm.models.seconds.segments import Segments
from ecglm.signal.simulate import simulate
from tests.tiny import tiny_llama

PUBLISHED = SecondsConfig()
SMALL = SecondsConfig(hidden=32, positions="time", context=64)
LEADS = ("I", "II", "V1")


def made(leads: int = 3, seconds: int = 5, seed: int = 0, config: SecondsConfig = SMALL) -> Segments:
    rng = np.random.default_rng(seed)
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")[:leads]
    return Segments(names, rng.normal(size=(leads, seconds, config.samples)).astype(np.float32), np.ones((leads, seconds), bool),
                    np.zeros(leads, np.float32))


def where(plan: Plan, kind: int, lead: str | None = None, second: int | None = None) -> int:
    from ecglm.records.leads import STANDARD_12

    hit = (plan.kind == kind) & (lead is None or plan.lead == STANDARD_12.index(lead)) & (second is None or plan.second == second)
    assert hit.sum() == 1
    return int(hit.argmax())


def model_of(config: SecondsConfig) -> SecondsModel:
    torch.manual_seed(0)
    return SecondsModel(config).eval()


def test_the_published_architecture_has_its_published_sizes() -> None:
    model = model_of(PUBLISHED)
    assert sum(p.numel() for p in model.encoder.parameters()) == 43_364
    assert sum(p.numel() for p in model.project.parameters()) == 166_400
    assert PUBLISHED.width == 64
    assert len(SPECIALS) == 26
    twelve = lay_out([Block(made(12, 10).leads, 10)], PUBLISHED)
    assert len(twelve) == 146
    assert len(lay_out([Block(("II",), 600)], PUBLISHED)) == 604
    assert sorted(twelve.order) == sorted(twelve.position) == list(range(146))


def test_what_each_token_may_see() -> None:
    plan = lay_out([[5, 6], Block(LEADS, 3), [7]], PUBLISHED)
    see = plan.visible(slice(None))
    second = where(plan, SECOND, "II", 1)
    seen = {(int(plan.lead[i]), int(plan.second[i])) for i in np.flatnonzero(see[second] & (plan.kind == SECOND))}
    assert seen == {(lead, t) for lead in (0, 1, 6) for t in (0, 1)}
    assert see[second, where(plan, LEAD_START, "II")]
    assert not see[second, where(plan, LEAD_START, "V1")]
    assert not see[second, where(plan, LEAD_END, "I")]
    end = where(plan, LEAD_END, "II")
    assert {int(plan.lead[i]) for i in np.flatnonzero(see[end] & (plan.kind == SECOND))} == {1}
    assert see[where(plan, GLOBAL_END), plan.block >= 0].all()
    text = plan.kind == TEXT
    assert see[np.flatnonzero(text)[-1]].all()
    assert see[second, np.flatnonzero(text)[:2]].all()
    assert not see[:, np.flatnonzero(text)[-1]][:-1].any()


def test_two_blocks_see_what_stands_before_them() -> None:
    plan = lay_out([[1], Block(("II",), 2), [2], Block(("II",), 3), [3]], PUBLISHED)
    see = plan.visible(slice(None))
    first, later = (np.flatnonzero((plan.kind == SECOND) & (plan.block == number)) for number in (1, 3))
    assert see[np.ix_(later, first)].all()
    assert not see[np.ix_(first, later)].any()


def test_branches_see_the_prompt_and_not_each_other() -> None:
    plan = lay_out([[1], Block(("II",), 2), [2]], PUBLISHED, branches=[[3, 4], [5, 6]])
    see = plan.visible(slice(None))
    one, two = (np.flatnonzero(plan.branch == number) for number in (1, 2))
    assert not see[np.ix_(two, one)].any()
    assert see[np.ix_(two, plan.branch == 0)].all()
    assert list(plan.position[one]) == list(plan.position[two])


@settings(max_examples=25, deadline=None)
@given(leads=st.integers(1, 12), seconds=st.integers(1, 9), before=st.integers(0, 4),
       mask=st.sampled_from(["lead_aware", "causal"]), positions=st.sampled_from(["layout", "time"]))
def test_no_chunk_sees_what_is_run_after_it(leads: int, seconds: int, before: int, mask: str, positions: str) -> None:
    config = replace(SMALL, mask=mask, positions=positions)
    plan = lay_out([[1] * before, Block(made(leads).leads, seconds), [2, 3], Block(("V1",), 2), [4]], config, [[5], [6, 7]])
    see = plan.visible(slice(None))
    assert see.diagonal().all()
    together = (plan.kind[:, None] == SECOND) & (plan.kind == SECOND) & (plan.second[:, None] == plan.second)
    assert not (np.triu(see, 1) & ~together).any()
    if mask == "causal":
        assert not np.triu(see, 1).any()
    for size in (1, 3, 50):
        pieces = plan.chunks(size)
        assert [first for first, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
        assert pieces[-1][1] == len(plan)
        assert all(not see[first:end, end:].any() for first, end in pieces)
        assert all(end - first <= max(size, leads) for first, end in pieces)
    halves = np.concatenate([plan.visible(slice(0, 4), len(plan)), plan.visible(slice(4, None), len(plan))])
    assert (halves == see).all()


def hidden_of(config: SecondsConfig, ecg: Segments) -> tuple[Plan, torch.Tensor]:
    model, llm = model_of(config), tiny_llama(64)
    plan = model.plan([ecg], [[1, 2]], [3])
    with torch.inference_mode():
        return plan, model.run(llm, plan, model.embed(llm, plan, [ecg]))


@pytest.mark.parametrize("positions", ["layout", "time"])
def test_no_token_sees_the_future(positions: str) -> None:
    config, now = replace(SMALL, positions=positions), 2
    ecg = made()
    other = ecg._replace(seconds_LTS=ecg.seconds_LTS.copy())
    other.seconds_LTS[:, now + 1:] += 3.0
    (plan, before), (_, after) = hidden_of(config, ecg), hidden_of(config, other)
    past = (plan.kind == SECOND) & (plan.second <= now) | (plan.kind == LEAD_START)
    assert torch.equal(before[past], after[past])
    future = (plan.kind == SECOND) & (plan.second > now)
    assert (before[future] - after[future]).abs().amax(1).min() > 1e-4


def test_the_published_mask_lets_later_leads_see_the_future() -> None:
    config = replace(SMALL, mask="published")
    ecg = made()
    other = ecg._replace(seconds_LTS=ecg.seconds_LTS.copy())
    other.seconds_LTS[0, -1] += 3.0  # the last second of lead I
    (plan, before), (_, after) = hidden_of(config, ecg), hidden_of(config, other)
    first_of_ii = where(plan, SECOND, "II", 0)
    assert (before[first_of_ii] - after[first_of_ii]).abs().max() > 1e-4


@pytest.mark.parametrize("chunk", [1, 7, 16, 1000])
def test_chunks_with_a_cache_give_the_logits_of_the_whole(chunk: int) -> None:
    model, llm, ecg = model_of(SMALL), tiny_llama(64), made(4, 9)
    plan = model.plan([ecg], [[1, 2]], [3, 4])
    with torch.inference_mode():
        emb = model.embed(llm, plan, [ecg])
        whole = llm.lm_head(model.run(llm, plan, emb)[-1])
        cache, logits = model.prefill(llm, plan, emb, chunk)
    assert torch.allclose(whole, logits, atol=1e-4)
    assert cache.get_seq_length() == len(plan)


@pytest.mark.parametrize("positions", ["layout", "time"])
def test_generation_is_that_of_running_everything_again(positions: str) -> None:
    model, llm, ecg = model_of(replace(SMALL, positions=positions)), tiny_llama(64), made(2, 4)
    plan = model.plan([ecg], [[1, 2]], [3])
    with torch.inference_mode():
        cache, _ = model.prefill(llm, plan, model.embed(llm, plan, [ecg]))
        prefix = Prefix(cache, len(plan), int(plan.position.max()) + 1 - len(plan))
        fast = Engine(llm, [63]).generate(prefix, [[4], [5, 6]], max_tokens=6)
        for question, said in zip(([4], [5, 6]), fast, strict=True):
            slow: list[int] = []
            for _ in said.ids:
                again = model.plan([ecg], [[1, 2]], [3, *question, *slow])
                logits = llm.lm_head(model.run(llm, again, model.embed(llm, again, [ecg]))[-1])
                slow.append(int(logits.argmax()))
            assert list(said.ids) == slow


def test_long_ecgs_are_pooled_and_too_long_ones_refused() -> None:
    assert pooled(1, 10_000, 4096) == 3
    assert pooled(12, 10, 4096) == 1
    with pytest.raises(UsageError, match="max_tokens"):
        pooled(12, 10, 11)
    config = replace(SMALL, max_tokens=6)
    model, ecg = model_of(config), made(2, 7)
    assert model.blocks([ecg]) == [Block(ecg.leads, 3)]
    assert model.seconds(ecg).shape == (6, 32)
    llm = tiny_llama(64)
    for mask in ("lead_aware", "published"):
        big = model_of(replace(SMALL, mask=mask, max_tokens=9000))
        plan = big.plan([made(1, 5000)], [[1]], [2])
        with pytest.raises(UsageError, match="at once"):
            big.run(llm, plan, torch.zeros(len(plan), 32))
    with pytest.raises(UsageError, match="chunks"):
        big.prefill(llm, plan, torch.zeros(len(plan), 32))


#: Prints by how many MB a prompt of 10,000 seconds, none of them pooled, raises the peak of its process.
LONG = """
import resource, sys
from dataclasses import replace
import numpy as np, torch
from tests.models.test_seconds import SMALL, made, model_of, tiny_llama
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model, llm, before = model_of(replace(SMALL, max_tokens=16384, chunk=int(sys.argv[1]))), tiny_llama(64), 0.0
for seconds in (100, 10_000):
    before, ecg = peak(), made(1, seconds)
    plan = model.plan([ecg], [[1]], [2])
    with torch.inference_mode():
        _, logits = model.prefill(llm, plan, model.embed(llm, plan, [ecg]))
assert len(plan) == 10_006 and torch.isfinite(logits).all()
print(peak() - before)
"""


def test_ten_thousand_seconds_need_no_mask_of_all_by_all() -> None:
    """With one, the peak rises by 890 MB."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", LONG, str(SMALL.chunk)], capture_output=True, text=True, timeout=600, check=True,
                          env=os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"})
    assert float(done.stdout.split()[-1]) < 450


def test_pooling_starts_as_the_mean_of_what_is_known() -> None:
    config = replace(SMALL, max_tokens=1, positions="layout")
    model, ecg = model_of(config), made(1, 3)
    ecg.known_LT[0, 1] = False
    with torch.inference_mode():
        features = model.features(ecg)[0, [0, 2]].mean(0)
        assert torch.allclose(model.seconds(ecg)[0], model.project(features), atol=1e-5)
        ecg.known_LT[:] = False
        assert torch.equal(model.seconds(ecg)[0], model.special.weight[-1])


def test_segments_of_any_rate_and_length() -> None:
    wave = simulate("normal", 1, seed=1, duration_s=6.6, fs=500.0)[0].record
    cut = segments(wave, SMALL)
    assert cut.leads == wave.leads
    assert cut.seconds_LTS.shape == (12, 7, 320)
    assert cut.known_LT.all()
    assert segments(wave.crop(0.0, 6.4), SMALL).seconds_LTS.shape[1] == 6
    assert np.array_equal(cut.seconds_LTS[:, 1, :64], cut.seconds_LTS[:, 0, -64:])
    slow = segments(Record(wave.signal[:, ::2], 250.0, wave.leads, unit="mV"), SMALL)
    assert np.abs(slow.seconds_LTS - cut.seconds_LTS)[:, 1:5].max() < 0.2
    gap = np.array(wave.signal)
    gap[1, 1000:2500] = np.nan
    holed = segments(Record(gap, 500.0, wave.leads, unit="mV"), SMALL)
    assert holed.known_LT[1].tolist() == [True, True, False, False, False, True, True]
    assert not holed.seconds_LTS[1, 2:5].any()
    with pytest.raises(RecordError, match="half a second"):
        segments(wave.crop(0.0, 0.4), SMALL)
    with pytest.raises(RecordError, match="standard leads"):
        segments(Record(wave.signal[:1], 500.0, ("X",), unit="mV"), SMALL)


def test_the_scale_is_set_by_the_beginning() -> None:
    wave = simulate("normal", 1, seed=1, duration_s=20.0, fs=256.0)[0].record
    config = replace(SMALL, scale="robust")
    louder = np.array(wave.signal)
    louder[:, 15 * 256:] *= 2
    one, two = (segments(Record(signal, 256.0, wave.leads, unit="mV"), config) for signal in (wave.signal, louder))
    assert np.array_equal(one.seconds_LTS[:, :14], two.seconds_LTS[:, :14])
    scaled = segments(Record(np.asarray(wave.signal) * 7, 256.0, wave.leads, unit="normalized"), config)
    assert np.allclose(scaled.seconds_LTS, one.seconds_LTS, atol=1e-3)
    assert np.isnan(scaled.size_L).all()
    millivolts = segments(Record(np.asarray(wave.signal) * 10, 256.0, wave.leads, unit="mV"), config)
    assert np.allclose(millivolts.size_L - one.size_L, 1.0, atol=1e-4)


def test_how_large_a_lead_is_reaches_its_start_and_nothing_else() -> None:
    model, llm, ecg = model_of(SMALL), tiny_llama(64), made(2, 3)
    torch.nn.init.normal_(model.size.weight)
    plan = model.plan([ecg], [[1]], [2])
    unknown = ecg._replace(size_L=np.array([np.nan, 0.0], np.float32))
    with torch.inference_mode():
        change = (model.embed(llm, plan, [ecg]) - model.embed(llm, plan, [unknown])).abs().amax(1)
    assert np.flatnonzero(change.numpy()).tolist() == [where(plan, LEAD_START, "I")]
