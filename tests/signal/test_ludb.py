"""Beats, rate and intervals against the cardiologists' marks of LUDB; skipped where the data are not."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.knowledge.precision import SAME_WITHIN
from ecglm.schema import Measurements
from ecglm.signal import measure
from ecglm.signal.delineation import delineate
from ecglm.signal.wave_network import fold_weights
from tests.signal.ludb import Annotated, annotated, matched, reference_intervals


@pytest.fixture(scope="module")
def measured(data_dir) -> list[tuple[Annotated, Measurements]]:
    folder = data_dir / "ludb"
    if not folder.is_dir():
        pytest.skip(f"LUDB is not at {folder}")
    unseen = fold_weights()  # of networks that were not trained on the record
    return [(one, measure(one.record, delineate(one.record, unseen[one.name]))) for one in annotated()]


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


@pytest.mark.parametrize(("name", "bias", "sd"), [("p_duration", 4, 12), ("pr", 4, 9), ("qrs", 4, 9), ("qt", 4, 13)])
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
    assert (~ours[~marked]).mean() >= 0.85


def test_confidence_is_how_often_annotators_are_that_near(measured):
    for name in ("p_duration", "pr", "qrs", "qt"):
        said = [(found.named()[name], reference_intervals(one, np.array(found.r_peaks_s))[name]) for one, found in measured]
        sure, right = np.array([(m.confidence, abs(m.value - truth) <= SAME_WITHIN[name]) for m, truth in said
                                if m.value is not None and np.isfinite(truth)], float).T
        low = np.argsort(sure, kind="stable")[: len(sure) // 3]
        assert abs(sure[low].mean() - right[low].mean()) < 0.08  # nearly two standard errors of a third of the recordings
        assert np.delete(right, low).mean() > 0.97


def test_heights_are_those_of_the_recording_at_the_annotators_peaks(measured):
    """T and R of the chest leads, beside the signal where the annotators saw peak and QRS onset."""
    apart = []
    for one, found in measured:
        for row, lead in enumerate(one.record.leads):
            values, signal = found.by_lead[lead], one.record.lead(lead).astype(float)
            qrs, t = (one.marks[wave][row] for wave in ("qrs", "t"))
            if values.t.value is None or len(qrs) < 3 or len(t) < 3:
                continue
            last = np.searchsorted(qrs[:, 0], t[:, 1]) - 1
            level = signal[np.round(qrs[np.maximum(last, 0), 0] * one.record.fs).astype(int) - 4]
            theirs = np.median(signal[np.round(t[:, 1] * one.record.fs).astype(int)] - level)
            apart.append((values.t.value - theirs) / np.ptp(signal))
    assert len(apart) > 800
    assert np.median(np.abs(apart)) < 0.01
    assert np.quantile(np.abs(apart), 0.9) < 0.06
