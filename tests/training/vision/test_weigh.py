"""What looking is worth is fitted only where it helps people who were left out."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.errors import CheckpointError
from ecglm.knowledge.statements import BY_KEY, GROUPS, keys
from ecglm.models.calibration import log_odds
from ecglm.models.vision.judge import JudgeConfig, PageJudge, Shares, Weights
from ecglm.models.vision.pagenet import PageNet, PageNetConfig
from ecglm.training.vision.weigh import Pages, columns_of, weigh

N = 240
PREVALENCE = np.full(len(keys()), 0.25, np.float32)


def pages(read: float, seen: float, doubt: bool = False) -> Pages:
    """Both ways say the truth with so much noise; doubt: reading says it only where it is confident."""
    rng = np.random.default_rng(0)
    truth = (rng.random((N, len(keys()))) < 0.25).astype(np.float32)
    signal = np.where(truth > 0, 1.5, -1.5) + log_odds(PREVALENCE)
    confidence = rng.uniform(0.3, 1.0, N).astype(np.float32)
    noise = np.where(confidence[:, None] < 0.6, 12.0, read) if doubt else read
    return Pages((signal + noise * rng.normal(size=truth.shape)).astype(np.float32),
                 (signal + seen * rng.normal(size=truth.shape)).astype(np.float32), confidence, truth, np.arange(N) // 2)


def test_what_tells_nothing_gets_no_say() -> None:
    weights, told = weigh(pages(1.0, 50.0), PREVALENCE)
    assert weights.together == {}
    assert all(not group["helps"] for group in told["groups"].values())
    assert all(value < 0.1 for value in weights.alone.values())


def test_what_tells_as_much_gets_a_say_and_improves_the_ranking() -> None:
    weights, told = weigh(pages(2.0, 2.0), PREVALENCE)
    assert set(weights.together) == set(GROUPS)
    for group in told["groups"].values():
        assert group["together"]["macro_auroc"] > group["read"]["macro_auroc"] + 0.02
        assert group["together"]["log_loss"] < group["read, rescaled"]["log_loss"]


def test_looking_counts_for_more_where_the_page_was_read_badly() -> None:
    weights, _ = weigh(pages(0.5, 2.0, doubt=True), PREVALENCE)
    assert set(weights.together) == set(GROUPS)
    for share in weights.together.values():
        sure, unsure = ((share.read + share.sure * c) / (share.seen + share.doubt * (1 - c) + 1e-6) for c in (0.9, 0.4))
        assert sure > 2 * unsure


def test_refused_pages_count_for_looking_alone_only() -> None:
    some = pages(2.0, 2.0)
    gone = some.read_NC.copy()
    gone[::3] = np.nan
    weights, told = weigh(some._replace(read_NC=gone), PREVALENCE)
    assert (told["pages"], told["read"]) == (N, N - len(gone[::3]))
    assert all(0.2 < value < 2.0 for value in weights.alone.values())


def test_weighing_moves_from_the_base_rates() -> None:
    weights = Weights(tuple(PREVALENCE.tolist()), dict.fromkeys(GROUPS, 0.5), {"rhythm": Shares(0.5, 0.3, 0.2, 0.4)}, 0.6)
    prior = weights.prior_C
    read, seen = prior + 1.0, prior + 2.0
    found = weights.weighed(read, seen, 0.5)
    rhythm = np.array([BY_KEY[key].group == "rhythm" for key in keys()])
    assert np.allclose(found[rhythm], (prior + (0.5 + 0.3 * 0.5) * 1.0 + (0.2 + 0.4 * 0.5) * 2.0)[rhythm], atol=1e-5)
    assert np.array_equal(found[~rhythm], read[~rhythm])
    assert np.allclose(weights.looked(seen), prior + 1.0, atol=1e-5)
    assert np.allclose(weights.looked(prior), prior)
    assert columns_of("rhythm")


def test_a_saved_judge_sees_the_same_and_a_damaged_one_is_refused(tmp_path) -> None:
    config = PageNetConfig(widths=(4, 4, 8, 8), queries=2, n_labels=len(keys()), n_features=3)
    weights = Weights(tuple(PREVALENCE.tolist()), dict.fromkeys(GROUPS, 0.5), {"form": Shares(0.5, 0.3, 0.2, 0.4)}, 0.6)
    judge = PageJudge(JudgeConfig(net=config), weights, PageNet(config))
    judge.save(tmp_path / "v", {"version": "t"}, "# card\n")
    again = PageJudge.load(tmp_path / "v")
    picture = np.random.default_rng(0).integers(0, 256, (384, 512), dtype=np.uint8)
    assert np.array_equal(again.see(picture)[0], judge.see(picture)[0])
    assert again.weights == weights
    assert again.name == "v@t"
    (tmp_path / "v" / "calibration.json").write_text("{}")
    with pytest.raises(CheckpointError, match="checksum"):
        _fresh(tmp_path / "v")


def _fresh(folder) -> PageJudge:
    from ecglm.models.vision.judge import _loaded

    _loaded.cache_clear()
    return PageJudge.load(folder)
