"""Beats, rate and intervals against the cardiologists' marks of LUDB; skipped where the data are not."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.schema import Measurements
from ecglm.signal import measure
from tests.signal.ludb import Annotated, annotated, matched, reference_intervals


@pytest.fixture(scope="module")
def measured(data_dir) -> list[tuple[Annotated, Measurements]]:
    folder = data_dir / "ludb"
    if not folder.is_dir():
        pytest.skip(f"LUDB is not at {folder}")
    return [(one, measure(one.record)) for one in annotated()]


def test_no_real_record_is_called_unreadable(measured):
    assert [one.name for one, found in measured if found.heart_rate.value is None] == []
    quality = np.concatenate([list(found.quality.values()) for _, found in measured])
    assert np.mean(quality > 0.7) > 0.95


def test_r_peaks_and_heart_rate(measured):
    counts = np.sum([matched(one.r_ii, np.array(found.r_peaks_s)) for one, found in measured], axis=0)
    assert counts[0] / (counts[0] + counts[1]) >= 0.995
    assert counts[0] / (counts[0] + counts[2]) >= 0.995
    errors = []
    for one, found in measured:
        r, ours = one.r_ii, np.array(found.r_peaks_s)
        ours = ours[(ours > r[0] - 0.15) & (ours < r[-1] + 0.15)]
        errors.append(abs(60 / np.diff(r).mean() - 60 / np.diff(ours).mean()))
    assert np.mean(errors) < 1.0


@pytest.mark.parametrize(("name", "bias", "sd"), [("pr", 12, 18), ("qrs", 12, 14), ("qt", 12, 14)])
def test_intervals_agree_with_the_annotators(measured, name, bias, sd):
    differences = np.array([
        found.named()[name].value - reference_intervals(one, np.array(found.r_peaks_s))[name]
        for one, found in measured if found.named()[name].value is not None
    ])
    differences = differences[np.isfinite(differences)]
    assert len(differences) > 125
    assert abs(differences.mean()) <= bias
    assert differences.std() <= sd


def test_no_axis_from_leads_that_were_scaled_one_by_one(measured):
    refused = [found.axis.reason is not None and "contradict" in found.axis.reason for _, found in measured]
    assert np.mean(refused) > 0.9


def test_p_waves_are_found_where_marked(measured):
    marked = np.array([np.isfinite(reference_intervals(one, np.array(f.r_peaks_s))["pr"]) for one, f in measured])
    ours = np.array([found.pr.value is not None for _, found in measured])
    assert ours[marked].mean() > 0.97
    assert (~ours[~marked]).mean() >= 0.7
