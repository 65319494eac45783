"""Ranks of retrieval: ties in expectation, identical texts three ways, chance by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.bench.retrieval import COUNTINGS, ranks

SCORES = np.array([[0.9, 0.8, 0.8, 0.1, 0.8]])
GROUPS = np.array([0, 1, 1, 2, 3])


def test_an_identical_report_is_a_hit_or_there_once_or_another():
    own = np.array([1])  # entry 2 is the same text; entry 4 scores alike but is another text
    hits, once, alone = (ranks(SCORES, own, GROUPS, counting) for counting in COUNTINGS)
    assert (hits.gallery, once.gallery, alone.gallery) == (5, 4, 5)
    np.testing.assert_allclose(hits.rank_Q, 1 + 4 / 3)   # first of two among three that tie
    np.testing.assert_allclose(once.rank_Q, 1 + 3 / 2)   # one of two
    np.testing.assert_allclose(alone.rank_Q, 1 + 4 / 2)  # one of three
    np.testing.assert_allclose([r.found_QK[0] for r in (hits, once, alone)], [[0, 1, 1]] * 3)


def test_a_constant_score_is_chance():
    rng = np.random.default_rng(0)
    group, own = rng.integers(0, 30, 60), np.arange(10)
    for counting in COUNTINGS:
        found = ranks(np.zeros((10, 60)), own, group, counting)
        np.testing.assert_allclose(found.found_QK, found.chance_QK)
        np.testing.assert_allclose(found.rank_Q, found.chance_rank_Q)


@pytest.mark.parametrize("counting", COUNTINGS)
def test_chance_is_what_random_scores_give(counting):
    rng = np.random.default_rng(1)
    group, own = rng.integers(0, 15, 40), np.array([0, 7])
    drawn = [ranks(rng.random((2, 40)), own, group, counting) for _ in range(3000)]
    np.testing.assert_allclose(np.mean([d.found_QK for d in drawn], 0), drawn[0].chance_QK, atol=0.03)
    np.testing.assert_allclose(np.mean([d.rank_Q for d in drawn], 0), drawn[0].chance_rank_Q, rtol=0.06)


def test_the_best_score_is_first_and_a_counting_has_a_name():
    assert ranks(np.eye(3), np.arange(3), np.arange(3), "own").rank_Q.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="hits, once, own"):
        ranks(np.eye(3), np.arange(3), np.arange(3), "twice")
