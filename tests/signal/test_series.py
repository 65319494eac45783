"""`beat_series`: P waves of beats against the truth of simulated records; cuts."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.signal.holter import BeatSeries, beat_series
from ecglm.signal.holter.atrial import p_before
from ecglm.signal.simulate import Simulated, simulate_one


def found(condition: str, seed: int) -> tuple[BeatSeries, Simulated]:
    one = simulate_one(condition, fs=250, duration_s=90, leads=("II", "V1"), seed=seed)
    return beat_series(one.record), one


@pytest.mark.parametrize("seed", [1, 2])
def test_p_waves_are_as_long_as_they_were_made(seed: int) -> None:
    series, (_, truth) = found("normal", seed)
    at = np.abs(series.times_B[:, None] - truth.r_peak[None]).argmin(axis=1)
    p, pr = (1000 * (end - truth.p_on)[at] for end in (truth.p_off, truth.qrs_on))
    assert np.isfinite(series.p_ms_B).mean() > 0.9
    assert abs(np.nanmean(series.p_ms_B - p)) < 10
    assert np.nanstd(series.p_ms_B - p) < 8
    assert abs(np.nanmean(series.pr_ms_B - pr)) < 8
    assert series.p_B.mean() > 0.9


def test_fibrillation_has_few_p_waves() -> None:
    series, _ = found("atrial_fibrillation", 0)
    assert series.p_B.mean() < 0.5
    assert len(series.af)


def test_a_cut_ends_at_zero_and_holds_its_beats_only() -> None:
    series, _ = found("normal", 1)
    part = series.cut(20.0, 50.0)
    inside = (series.times_B >= 20) & (series.times_B < 50)
    assert (part.start_s, part.stop_s, part.duration_s) == (-30.0, 0.0, 30.0)
    assert np.array_equal(part.times_B + 50.0, series.times_B[inside])
    assert np.array_equal(part.p_ms_B, series.p_ms_B[inside], equal_nan=True)


def test_gaps_are_cut_as_well() -> None:
    empty = np.empty(0)
    series = BeatSeries(0.0, 100.0, empty, np.empty(0, "U1"), empty, empty, empty, np.array([[10.0, 30.0], [60.0, 70.0]]),
                        np.array([[80.0, 95.0]]))
    assert series.readable_s == 70.0
    part = series.cut(20.0, 65.0)
    assert part.gaps.tolist() == [[-45.0, -35.0], [-5.0, 0.0]]
    assert not len(part.af)
    assert part.readable_s == 30.0


def test_without_leads_or_beats_there_are_no_p_waves() -> None:
    assert p_before(np.zeros((0, 4, 500), np.float32), np.array([100, 300])).tolist()[0][0] == 0.0
    assert p_before(np.zeros((2, 4, 500), np.float32), np.empty(0, np.int64)).shape == (0, 3)
    unread = p_before(np.zeros((2, 4, 500), np.float32), np.array([5, 300]))
    assert np.isnan(unread[:, 1:]).all()
    assert not unread[:, 0].any()
