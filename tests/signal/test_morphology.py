"""Heights and axes of the waves of every lead: on records whose truth is known, and when they are refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.records import read
from ecglm.records.record import Record
from ecglm.schema import LeadValues, Measurements
from ecglm.signal import measure
from ecglm.signal.simulate import Simulated, simulate
from tests.signal.synthetic import synthetic_ecg

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def dicom() -> Record:
    return read(get_testdata_file("waveform_ecg.dcm"))


def heights(found: Measurements, *names: str) -> np.ndarray:
    """Heights ``[lead, name]`` in mV, NaN where not given."""
    return np.array([[np.nan if v is None else v for v in (getattr(values, name).value for name in names)]
                     for values in found.by_lead.values()])


def true_heights(clean: Simulated) -> np.ndarray:
    """P, top and bottom of the QRS, T, ST at J, J+60, J+80 ``[lead, 7]`` of a record without noise, read at the true times."""
    truth, signal, fs = clean.truth, clean.record.signal.astype(float), clean.record.fs
    beats = []
    for k, (on, off) in enumerate(zip(truth.qrs_on, truth.qrs_off, strict=True)):
        if on < 0.3 or truth.t_off[k] > clean.record.duration_s - 0.05:
            continue
        at = np.round(fs * np.array([truth.t_peak[k], off, off + 0.06, off + 0.08])).astype(int)
        zero = signal[:, [round((on - 0.012) * fs)]]
        qrs = signal[:, int(on * fs): int(off * fs) + 1] - zero
        p = signal[:, int(truth.p_on[k] * fs): int(truth.p_off[k] * fs)] - signal[:, [round((truth.p_on[k] - 0.008) * fs)]]
        p = p[np.arange(len(p)), np.abs(p).argmax(axis=1)]
        beats.append(np.c_[p, qrs.max(axis=1), qrs.min(axis=1), signal[:, at] - zero])
    return np.median(beats, axis=0)


@pytest.mark.parametrize("name", ["normal", "lvh", "rbbb", "old_inferior_infarct", "early_repolarisation"])
def test_heights_of_noisy_records_are_those_of_the_clean_ones(name):
    errors = []
    for seed in SEEDS:
        found = measure(simulate(name, 1, seed=seed)[0].record)
        ours = heights(found, "p", "r", "r_prime", "q", "s", "t", "st_j", "st_j60", "st_j80")
        up, down = (pick(np.nan_to_num(ours[:, part]), axis=1) for pick, part in ((np.max, [1, 2]), (np.min, [3, 4])))
        mine = np.c_[ours[:, 0], up, down, ours[:, 5:]]
        truth = true_heights(simulate(name, 1, seed=seed, noise=False)[0])
        truth[:, 1], truth[:, 2] = np.maximum(truth[:, 1], 0), np.minimum(truth[:, 2], 0)
        errors.append(np.abs(mine - truth))
    usual = np.nanmedian(np.concatenate(errors), axis=0)
    assert usual[4] < 0.04  # at the J point, where a notch makes a few milliseconds count
    assert np.all(np.delete(usual, 4) < 0.01)
    assert np.nanquantile(np.concatenate(errors), 0.95) < 0.06


def test_an_offset_and_wander_do_not_move_the_heights(dicom):
    t = np.arange(dicom.signal.shape[1]) / dicom.fs
    names = ("q", "r", "s", "t", "st_j", "st_j60", "st_j80")
    still = heights(measure(dicom), *names)
    offset = heights(measure(Record(dicom.signal + np.float32(2.0), dicom.fs, dicom.leads)), *names)
    assert offset == pytest.approx(still, abs=1e-4, nan_ok=True)
    wander = (0.4 * np.sin(2 * np.pi * 0.25 * t)).astype(np.float32)
    moved = heights(measure(Record(dicom.signal + wander, dicom.fs, dicom.leads)), *names)
    assert np.nanmax(np.abs(moved - still)) < 0.05


def test_heights_follow_the_gain(dicom):
    once, twice = (measure(Record(gain * dicom.signal, dicom.fs, dicom.leads)) for gain in (1, 2))
    single, double = (heights(found, "r", "t") for found in (once, twice))
    assert np.all(np.isfinite(double) >= np.isfinite(single))  # a wave too small to be one may become one
    assert double[np.isfinite(single)] == pytest.approx(2 * single[np.isfinite(single)], rel=0.02, abs=0.01)
    assert twice.sokolow_lyon.value == pytest.approx(2 * once.sokolow_lyon.value, rel=1e-3)


def test_voltage_sums_are_those_of_the_leads(dicom):
    found = measure(dicom)
    lead = found.by_lead
    assert found.sokolow_lyon.value == pytest.approx(-lead["V1"].s.value + max(lead["V5"].r.value, lead["V6"].r.value))
    assert found.cornell.value == pytest.approx(-lead["V3"].s.value + lead["aVL"].r.value)
    assert found.sokolow_lyon.leads == ("V1", "V5")
    assert found.cornell.beats == found.qrs.beats > 5
    assert 0 < found.cornell.spread < 0.2
    low, high = (measure(simulate(name, 1, seed=4)[0].record).sokolow_lyon.value for name in ("low_voltage", "lvh"))
    assert low < 1.5 < 3.5 < high


@pytest.mark.parametrize("axis", [-60, 0, 40, 100])
def test_axes_of_p_qrs_and_t(axis):
    found = measure(synthetic_ecg(axis=axis, leads=("I", "II", "III"))[0])
    assert found.axis.value == pytest.approx(axis, abs=4)
    assert found.p_axis.value == pytest.approx(50, abs=8)  # as the simulator makes P and T
    assert found.t_axis.value == pytest.approx(50, abs=6)
    for each in (found.p_axis, found.axis, found.t_axis):
        assert each.beats > 5
        assert each.spread < 15


def test_a_complex_without_r_is_a_qs_and_a_second_r_is_named():
    found = measure(simulate("lbbb", 1, seed=3, leads=("V1", "V2", "V5"))[0].record)
    v1 = found.by_lead["V1"]
    if v1.r.value is None:
        assert v1.q.value < -0.5
        assert v1.s.reason == "a QS complex: its depth is that of q"
    right = [measure(simulate("rbbb", 1, seed=seed)[0].record).by_lead["V1"] for seed in SEEDS]
    assert any(lead.r_prime.value is not None and lead.r_prime.value > 0.1 for lead in right)


def test_shapes_of_t_waves():
    shapes = {name: [measure(simulate(name, 1, seed=seed)[0].record).by_lead["V3"].t_shape for seed in SEEDS]
              for name in ("normal", "anterior_ischaemia")}
    assert shapes == {"normal": ["upright"] * 3, "anterior_ischaemia": ["inverted"] * 3}


def test_everything_given_has_unit_leads_beats_and_spread_and_the_rest_a_reason(dicom):
    found = measure(dicom)
    given = [m for values in found.by_lead.values() for m in values.named().values() if m.value is not None]
    assert len(given) > 90
    for lead, values in found.by_lead.items():
        for name, m in values.named().items():
            assert m.unit == ("ms" if name.endswith("duration") else "mV")
            assert (m.value is None) == bool(m.reason)
            if m.value is not None:
                assert m.leads == (lead,)
                assert m.beats == found.qrs.beats
                assert m.unit == "ms" or m.spread is not None
    shown = found.to_dict()
    for name, m in found.named().items():
        assert (name in shown["confidence"]) != (name in shown["no_confidence"] or m.value is None)
    assert shown["by_lead"]["V5"]["r_mv"] == pytest.approx(found.by_lead["V5"].r.value, abs=6e-4)


def test_normalized_records_have_no_millivolts_but_axes_where_limb_leads_share_a_scale(dicom):
    record = Record(dicom.signal, dicom.fs, dicom.leads, unit="normalized", limb_scale_shared=True)
    found, in_mv = measure(record), measure(dicom)
    assert found.sokolow_lyon.reason == found.by_lead["V5"].r.reason
    assert "normalized" in found.cornell.reason
    assert found.t_axis.value == pytest.approx(in_mv.t_axis.value)
    assert found.qrs == in_mv.qrs


def test_a_clipped_a_flat_and_a_missing_lead_are_refused_by_name(dicom):
    signal = dicom.signal.copy()
    v5, v3 = dicom.leads.index("V5"), dicom.leads.index("V3")
    signal[v5] = np.clip(signal[v5], -2, 1.2)
    signal[v3] = 0
    found = measure(Record(signal, dicom.fs, dicom.leads))
    assert found.by_lead["V5"].r.value is None
    assert "V5" in found.by_lead["V5"].r.reason
    assert found.by_lead["V3"].t.value is None
    assert "V3" in found.cornell.reason
    assert measure(dicom.select(["I", "II", "V5"])).sokolow_lyon.reason == "lead V1 is needed"


def test_leads_that_were_scaled_one_by_one_are_not_added(dicom):
    found = measure(Record(dicom.signal / np.ptp(dicom.signal, axis=1, keepdims=True), dicom.fs, dicom.leads))
    assert found.sokolow_lyon.value is None
    assert "limb leads" in found.sokolow_lyon.reason
    assert found.cornell.value is None
    assert found.qrs.value == pytest.approx(measure(dicom).qrs.value, abs=2)


def test_exchanged_arms_leave_no_axes_and_no_cornell(dicom):
    signal = dict(zip(dicom.leads, dicom.signal, strict=True))
    swapped = signal | {"I": -signal["I"], "II": signal["III"], "III": signal["II"], "aVR": signal["aVL"], "aVL": signal["aVR"]}
    found = measure(Record(np.stack(list(swapped.values())), dicom.fs, dicom.leads))
    for m in (found.p_axis, found.axis, found.t_axis):
        assert "reversed" in m.reason
    assert found.cornell.value is None
    assert found.sokolow_lyon.value == pytest.approx(measure(dicom).sokolow_lyon.value)


def test_no_p_wave_no_height_and_no_axis_of_it():
    found = measure(simulate("atrial_fibrillation", 1, seed=2)[0].record)
    assert found.pr.value is None
    assert found.p_axis.reason == found.p_duration.reason == found.by_lead["II"].p.reason == found.pr.reason


def test_measurements_survive_json(dicom):
    found = measure(dicom)
    again = Measurements.of(json.loads(json.dumps(asdict(found))))
    assert again == found
    assert isinstance(again.by_lead["V1"], LeadValues)


@pytest.mark.parametrize("signal", [np.zeros((2, 5000)), np.random.default_rng(0).normal(size=(2, 5000))], ids=["flat", "noise"])
def test_a_record_that_cannot_be_read_refuses_every_wave_with_its_reason(signal):
    found = measure(Record(signal.astype(np.float32), 500, ("I", "V1")))
    reasons = {m.reason for values in found.by_lead.values() for m in values.named().values()}
    assert len(reasons) == 1
    assert reasons == {found.heart_rate.reason}


@pytest.mark.parametrize(("fs", "duration"), [(100, 10), (257, 3), (1000, 2.5), (250, 400)])
def test_any_rate_and_length(fs, duration):
    record, _ = synthetic_ecg(fs=fs, duration=duration)
    values = measure(record).by_lead["V4"]
    truth = record.lead("V4").max()
    assert values.r.value == pytest.approx(truth, abs=0.12)
