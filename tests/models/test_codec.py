"""The codec branch: openecg's tokens lead by lead, whatever the rate, the length and the leads that are there."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.signal import resample_poly
from scipy.stats import rankdata

from ecglm.errors import ConfigError
from ecglm.inference.model import DEFAULT
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.encoders.codec import CodecBranch, ranked, upsampled
from tests.tiny_checkpoint import TINY_CODEC


@pytest.fixture
def branch() -> CodecBranch:
    torch.manual_seed(0)
    return CodecBranch(TINY_CODEC, 125.0, 12, 3, 5).eval()


def signal(seconds: float = 4.0, leads: int = 12) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(1, leads, int(125 * seconds))).cumsum(-1).astype(np.float32))


def test_ranks_are_those_of_scipy_with_ties_shared() -> None:
    x = np.random.default_rng(0).integers(0, 9, (3, 50)).astype(np.float32)
    x[1] = 4.0
    expected = (rankdata(x, axis=1) - 1) / 49 * 2 - 1
    np.testing.assert_allclose(ranked(torch.from_numpy(x)).numpy(), expected, atol=1e-6)


def test_interpolation_keeps_the_samples_and_follows_what_lies_between() -> None:
    t = np.arange(500) / 125
    x = (np.sin(2 * np.pi * 7 * t) + 0.3 * np.sin(2 * np.pi * 31 * t + 1)).astype(np.float32)
    finer = upsampled(torch.from_numpy(x)[None], 4)[0].numpy()
    assert finer.shape == (2000,)
    np.testing.assert_allclose(finer[::4], x, atol=1e-5)
    fine = np.arange(2000) / 500
    truth = np.sin(2 * np.pi * 7 * fine) + 0.3 * np.sin(2 * np.pi * 31 * fine + 1)
    inner = slice(100, 1900)
    worst = np.abs(finer - truth)[inner].max()
    assert worst < 0.01
    assert worst < np.abs(resample_poly(x, 4, 1) - truth)[inner].max()


def test_a_lead_is_read_by_itself(branch: CodecBranch) -> None:
    x = signal()
    pooled = branch.pool(x)
    assert pooled.shape == (1, 12, 2 * 2 * 8)
    alone = torch.zeros_like(x)
    alone[:, 4] = x[:, 4] * 3  # its size does not count
    only = branch.pool(alone)
    torch.testing.assert_close(only[:, 4], pooled[:, 4], rtol=1e-3, atol=1e-4)
    assert not only[:, [0, 11]].any()


def test_absent_leads_count_as_average_ones(branch: CodecBranch) -> None:
    branch.mean_LP.normal_()
    mask = torch.ones(1, 12)
    mask[:, 3:] = 0
    pooled = branch.pool(signal())
    changed = pooled.clone()
    changed[:, 3:] += 7
    feat = torch.zeros(1, 3)
    torch.testing.assert_close(branch(pooled, mask, feat), branch(changed, mask, feat))
    torch.testing.assert_close(branch(pooled, torch.zeros(1, 12), feat)[0], branch.head.bias)
    assert not torch.equal(branch(pooled, mask, feat), branch(pooled, torch.ones(1, 12), feat))
    assert not torch.equal(branch(pooled, mask, feat), branch(pooled, mask, feat + 1))


@pytest.mark.parametrize("seconds", [2.0, 3.3, 12.0])
def test_other_lengths_are_heard_as_ten_seconds(branch: CodecBranch, seconds: float) -> None:
    """Ranks and places of tokens are those of a window."""
    beat = torch.sin(torch.arange(125 * 13) * 2 * torch.pi / 125).repeat(1, 2, 1)  # a wave a second
    ten, other = branch.pool(beat[..., :1250]), branch.pool(beat[..., :int(125 * seconds)])
    torch.testing.assert_close(other, ten, rtol=0.05, atol=0.05)


def test_a_lead_that_is_silent_for_a_window_counts_as_an_average_one(branch: CodecBranch) -> None:
    branch.mean_LP.normal_()
    x, feat = signal(), torch.zeros(1, 3)
    x[:, 5] = 0.0
    mask = torch.ones(1, 12)
    without = mask.clone()
    without[:, 5] = 0
    torch.testing.assert_close(branch(branch.pool(x), mask, feat), branch(branch.pool(x), without, feat))


def test_silence_everywhere_is_no_warning(branch: CodecBranch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not branch.pool(torch.zeros(2, 12, 500)).any()


def test_a_rate_that_does_not_divide_the_codecs_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"rate \(500 Hz\) is no multiple of the encoder's \(200 Hz\)"):
        CodecBranch(TINY_CODEC, 200.0, 12, 3, 5)


def test_only_the_layers_that_are_pooled_are_computed() -> None:
    first = CodecBranch(replace(TINY_CODEC, taps=(0,)), 125.0, 12, 3, 5).eval()
    first.codec.upper_transformer = torch.nn.Identity()  # would fail: has no layers to take
    first.codec.upper_transformer.layers = []
    assert first.pool(signal(2.0, 1)).shape == (1, 1, 16)


def test_the_shipped_weights_give_openecgs_tokens() -> None:
    """Written down from openecg 0.11.0 itself: a few numbers of three tokens of two leads."""
    t = np.arange(5000) / 500
    beats = np.exp(-((t % 0.8 - 0.3) / 0.012) ** 2) + 0.2 * np.exp(-((t % 0.8 - 0.55) / 0.05) ** 2)
    x = torch.from_numpy(np.stack([beats, np.sin(2 * np.pi * 1.3 * t)]).astype(np.float32))
    with torch.inference_mode():
        tokens = EcgLanguageModel.from_pretrained(DEFAULT).encoder.codec.codec(ranked(x))[-1]
    theirs = [[[-1.846, 3.171, 6.317, 0.889], [0.449, 1.326, 1.383, -0.310], [2.036, -1.252, 2.791, -0.264]],
              [[-3.590, -1.011, 4.993, -2.800], [-0.005, -2.596, 0.705, -0.106], [-5.004, -4.449, 3.215, -1.445]]]
    torch.testing.assert_close(tokens[:, [0, 123, 499]][..., [0, 17, 64, 127]], torch.tensor(theirs), rtol=0, atol=5e-3)
    assert tokens.std().item() == pytest.approx(3.1677, abs=1e-3)


def test_the_shipped_weights_are_openecgs() -> None:
    layered = pytest.importorskip("openecg.layered", reason="openecg is not installed; pip install --no-deps openecg opendsp")
    theirs = layered.load_codec()
    ours = EcgLanguageModel.from_pretrained(DEFAULT).encoder.codec
    seen: list[torch.Tensor] = []
    theirs.upper_transformer.register_forward_hook(lambda *call: seen.append(call[-1]))
    x = ranked(torch.from_numpy(np.random.default_rng(0).normal(size=(2, 5000)).cumsum(1).astype(np.float32)))
    with torch.inference_mode():
        theirs(x, torch.zeros(2, dtype=torch.long))
        torch.testing.assert_close(ours.codec(x)[-1], seen[0], rtol=1e-3, atol=1e-3)
