"""Measurements on signals of known truth, at any rate, lead set and unit; and refusals in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecglm.records.record import Record
from ecglm.signal import axis_deg, axis_from_leads, beat_features, measure
from ecglm.signal.delineation import delineate
from ecglm.signal.intervals import bazett, framingham, fridericia, hodges
from ecglm.signal.measure import usual_beat
from ecglm.signal.quality import assess
from ecglm.signal.usual_waves import usual_waves
from ecglm.signal.waves import Waves
from tests.signal.synthetic import synthetic_ecg


@pytest.mark.parametrize("fs", [250, 360, 500, 1000])
@pytest.mark.parametrize(("rate", "pr", "qrs", "qt", "axis"), [
    (72, 0.16, 0.09, 0.39, 40), (50, 0.20, 0.11, 0.44, -45), (110, 0.13, 0.08, 0.32, 100), (65, 0.16, 0.15, 0.42, 0),
])
def test_intervals_of_a_known_signal(rate, pr, qrs, qt, axis, fs):
    record, truth = synthetic_ecg(rate, pr, qrs, qt, axis, fs)
    found = measure(record)
    assert found.heart_rate.value == pytest.approx(rate, abs=0.5)
    assert found.pr.value == pytest.approx(1000 * truth.pr, abs=20)
    assert found.qrs.value == pytest.approx(1000 * truth.qrs, abs=18)  # a raised cosine has no plain first moment
    assert found.qt.value == pytest.approx(1000 * truth.qt, abs=20)
    assert (found.axis.value - truth.axis + 180) % 360 - 180 == pytest.approx(0, abs=5)
    assert found.rhythm.startswith("regular")
    assert "P wave before every QRS" in found.rhythm
    assert len(found.r_peaks_s) == len(truth.onsets)


def test_normalized_signal_gives_the_same_times_and_no_axis():
    record, _ = synthetic_ecg()
    scaled = record.signal / record.signal.std(axis=1, keepdims=True)
    a, b = measure(record), measure(replace(record, signal=scaled, unit="normalized"))
    for name in ("heart_rate", "pr", "qrs", "qt", "rmssd"):
        assert b.named()[name].value == pytest.approx(a.named()[name].value, abs=0.5)
    assert b.axis.value is None
    assert "normalized" in b.axis.reason


@pytest.mark.parametrize("leads", [("II",), ("V1",), ("I", "II"), ("V2", "V5")])
def test_any_leads(leads):
    found = measure(synthetic_ecg(leads=leads)[0])
    assert found.heart_rate.value == pytest.approx(72, abs=0.5)
    assert found.qrs.value == pytest.approx(90, abs=20)
    assert set(found.qrs.leads) <= set(leads)
    assert (found.axis.value is None) == (leads != ("I", "II"))


def test_axis_is_declined_when_limb_leads_break_einthovens_law():
    record, _ = synthetic_ecg()
    signal = record.signal.copy()
    signal[2] *= -3
    assert "contradict" in measure(replace(record, signal=signal)).axis.reason


def test_no_p_waves_and_irregular_intervals():
    record, _ = synthetic_ecg(80, p_wave=False, rr_jitter=0.2, seed=3, duration=20, noise=0.02)
    found = measure(record)
    assert found.pr.value is None
    assert "P wave" in found.pr.reason
    assert found.rhythm.startswith("irregularly irregular")
    assert beat_features(record).p_score < 0.5


def test_variability_follows_its_definitions():
    found = measure(synthetic_ecg(70, rr_jitter=0.05, duration=60)[0])
    rr = 1000 * np.diff(found.r_peaks_s)
    assert found.rr_sd.value == pytest.approx(rr.std(ddof=1), abs=0.5)
    assert found.rmssd.value == pytest.approx(np.sqrt(np.mean(np.diff(rr) ** 2)), abs=0.5)


def test_qt_corrections_agree_at_60_bpm_and_with_the_formulas():
    assert bazett(400, 1.0) == fridericia(400, 1.0) == framingham(400, 1.0) == hodges(400, 1.0) == 400
    assert bazett(360, 0.64) == pytest.approx(450)
    assert fridericia(360, 0.729) == pytest.approx(400)
    assert framingham(360, 0.8) == pytest.approx(390.8)
    assert hodges(360, 0.75) == pytest.approx(395)


def test_axis_from_any_two_limb_leads():
    for angle in range(-175, 180, 25):
        a = np.radians(angle)
        net = {"I": np.cos(a), "II": np.cos(a - np.pi / 3), "aVF": np.sqrt(3) / 2 * np.sin(a)}
        assert axis_deg(net["I"], net["aVF"]) == pytest.approx(angle)
        assert axis_from_leads({k: net[k] for k in ("I", "II")}) == pytest.approx(angle)
    assert axis_deg(0.0, 0.0) is None
    assert axis_deg(-1.0, 0.0) == 180
    assert axis_from_leads({"I": 1.0, "V1": 2.0}) is None


@pytest.mark.parametrize(("signal", "fs", "words"), [
    (np.full((3, 5000), np.nan), 500, "missing"),
    (np.zeros((3, 5000)), 500, "flat"),
    (np.random.default_rng(0).normal(size=(3, 250)), 500, "too short"),
    (np.random.default_rng(0).normal(size=(3, 10000)), 1000, "QRS"),
    (np.random.default_rng(0).normal(size=(3, 500)), 50, "QRS"),
    (np.random.default_rng(0).normal(size=(3, 10)), 20, "too short"),
])
def test_unusable_input_is_declined_with_its_reason(signal, fs, words):
    found = measure(Record(signal.astype(np.float32), fs, ("I", "II", "V1")))
    assert found.rhythm is None
    assert all(value.value is None and words in value.reason for value in found.named().values())


def test_missing_stretch_and_dead_lead_do_not_spoil_the_rest():
    record, _ = synthetic_ecg()
    signal = record.signal.copy()
    signal[:, 2000:2300] = np.nan
    signal[1] = np.nan
    signal[7] = 0.0
    found = measure(replace(record, signal=signal))
    assert found.qrs.value == pytest.approx(90, abs=16)
    assert not {"II", "V2"} & set(found.qrs.leads)


def test_waves_that_are_known_already_give_the_same_values():
    record, _ = synthetic_ecg(rr_jitter=0.03)
    assert measure(record, delineate(record)) == measure(record)


def test_of_long_recordings_stretches_are_marked():
    short, truth = synthetic_ecg(duration=60, leads=("II", "V5"))
    long, _ = synthetic_ecg(duration=1000, leads=("II", "V5"))
    seen, whole = measure(long), measure(short)
    for name in ("pr", "qrs", "qt"):
        assert getattr(seen, name).value == pytest.approx(getattr(whole, name).value, abs=4)
    assert 50 < seen.qrs.beats < len(truth.onsets) * 1000 / 60 / 2


def test_the_rules_refine_what_the_network_marks_and_cannot_mislead_it():
    """Edges that both put within 20 ms are averaged; a rule that is far off, as on a U wave, does not count."""
    record, _ = synthetic_ecg()
    usual = usual_beat(record, judged := assess(record))
    marked = usual_waves(record, judged, usual.leads, usual.stack, None)
    alone = vars(marked.typical(Waves(*[np.nan] * 5), usual.stack.r, usual.stack.fs))
    near, far = ({name: edge + usual.stack.fs * away for name, edge in alone.items()} for away in (0.01, 0.1))
    assert vars(marked.typical(Waves(**near), usual.stack.r, usual.stack.fs)) == pytest.approx(
        {name: edge + 0.005 * usual.stack.fs for name, edge in alone.items()})
    assert vars(marked.typical(Waves(**far), usual.stack.r, usual.stack.fs)) == alone


def test_low_rates_and_short_records_still_give_a_rate():
    assert measure(synthetic_ecg(fs=50, noise=0.0)[0]).heart_rate.value == pytest.approx(72, abs=1)
    assert measure(synthetic_ecg(90, duration=2.5)[0]).heart_rate.value == pytest.approx(90, abs=2)
