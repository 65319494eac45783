"""Numbers of subjects and what they can show agree with simulation and with the published formulae."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from ecglm.bench.metrics import auroc
from ecglm.bench.power import auroc_error, auroc_needed, pairs_needed, pairs_power, subjects_for


@pytest.mark.parametrize("pairs", [4, 5, 17, 20, 25, 60])
def test_pairs_are_a_binomial_test(pairs: int) -> None:
    least = pairs_needed(pairs)
    assert binom.sf(least - 1, pairs, 0.5) <= 0.05 < binom.sf(least - 2, pairs, 0.5)
    assert pairs_power(pairs, 0.8) == pytest.approx(binom.sf(least - 1, pairs, 0.8))
    assert pairs_power(pairs, 0.5) <= 0.05


def test_the_published_pairs() -> None:
    assert (pairs_needed(20), pairs_needed(17), pairs_needed(4)) == (15, 13, 5)
    assert pairs_power(4, 0.99) == 0


def test_the_error_of_an_area_is_that_of_drawn_areas() -> None:
    # Hanley & McNeil's formula is for negative exponential scores: the AUROC is r / (1 + r) for means of ratio r.
    rng, ratio = np.random.default_rng(0), 3.0
    y = np.arange(57) < 17
    found = [auroc(y, np.where(y, rng.exponential(ratio, 57), rng.exponential(1, 57))) for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.75, abs=0.005)
    assert np.std(found) == pytest.approx(auroc_error(0.75, 17, 40), rel=0.04)


def test_subjects_for_an_interval() -> None:
    count = subjects_for(0.75, 0.05)
    assert 1.96 * auroc_error(0.75, count, count) <= 0.05 < 1.96 * auroc_error(0.75, count - 1, count - 1)
    assert 180 < count < 200
    assert subjects_for(0.6, 0.05) > 220
    assert 0.65 < auroc_needed(17, 20) < 0.78
    assert auroc_needed(200, 200) < 0.58
