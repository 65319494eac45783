"""Where waves begin and end: on waves whose truth is known, on a real recording, and against annotators."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydicom.data import get_testdata_file

from ecglm.models.delineator import Delineator, DelineatorConfig
from ecglm.records import read
from ecglm.records.record import Record
from ecglm.signal import delineation, prepare
from ecglm.signal.delineation import WAVES, delineate, prepared_leads, waves_from, waves_of
from ecglm.signal.quality import assess
from ecglm.signal.wave_network import CHUNK, CLASSES, FS, fold_weights, wave_probabilities
from tests.signal.synthetic import synthetic_ecg


@pytest.fixture(scope="module")
def dicom() -> Record:
    return read(get_testdata_file("waveform_ecg.dcm"))


def test_the_network_computes_what_its_twin_in_torch_computes():
    torch.manual_seed(0)
    net = Delineator(DelineatorConfig())
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.normal_(1, 0.2)
    net.eval()
    wave = torch.randn(5, 1600)
    with torch.no_grad():
        theirs = net(wave[None], torch.ones(1, 5))[0].softmax(1).numpy()
    assert np.abs(wave_probabilities(wave.numpy(), net.exported()) - theirs).max() < 1e-5


def test_long_signals_are_computed_in_pieces_without_a_seam():
    wave = np.random.default_rng(0).normal(size=(1, 2 * CHUNK + 777)).astype(np.float32)
    whole = wave_probabilities(wave)
    around = slice(CHUNK - 900, CHUNK + 900)
    alone = wave_probabilities(wave[:, CHUNK - 4000: CHUNK + 4000])[:, :, 4000 - 900: 4000 + 900]
    assert np.abs(whole[:, :, around] - alone).max() < 1e-4


@pytest.mark.parametrize("fs", [250, 500, 1000])
def test_every_wave_of_a_clear_recording_is_found_where_it_is(fs):
    record, truth = synthetic_ecg(rate=66, pr=0.17, qrs=0.10, qt=0.40, fs=fs)
    found = delineate(record)
    inner = [t for t in truth.onsets if 0.6 < t < record.duration_s - 0.8]
    for wave, start, stop in (("p", -truth.pr, -truth.pr + 0.10), ("qrs", 0, truth.qrs), ("t", truth.qt - 0.20, truth.qt)):
        each = found.overall[wave]
        for onset in inner:
            near = each[np.abs(each.mean(axis=1) - (onset + (start + stop) / 2)).argmin()]
            assert near[0] == pytest.approx(onset + start, abs=0.045), wave
            assert near[2] == pytest.approx(onset + stop, abs=0.045), wave
    assert set(found.types) == {"N"}


def test_no_p_waves_where_there_are_none():
    record, _ = synthetic_ecg(p_wave=False, rr_jitter=0.18)
    found = delineate(record)
    assert len(found.overall["p"]) <= 1 < len(found.overall["qrs"])


@pytest.mark.parametrize("gap", [False, True])
def test_leads_that_were_judged_are_what_prepare_makes_of_them(dicom, gap):
    signal = dicom.signal.copy()
    signal[3, 100:130] = np.nan if gap else 0
    signal[6] = 0
    record = Record(signal, dicom.fs, dicom.leads)
    judged = assess(record)
    assert (judged.clean_LT is None) == gap
    used = ("V2", "I", "aVR", "V1")
    leads, scaled = prepared_leads(record, used, judged)
    whole, live = prepare(record.select(used), FS)
    assert leads == ("V2", "I", "aVR")
    assert live.tolist() == [True, True, True, False]
    assert np.abs(scaled - whole[live]).max() < 1e-6


def test_a_real_recording_has_a_p_and_a_t_for_every_beat(dicom):
    found = delineate(dicom)
    beats = found.overall["qrs"]
    assert len(beats) > 8
    for on, _, off in beats[1:-1]:
        p = found.overall["p"]
        assert ((p[:, 2] < on + 0.01) & (p[:, 0] > on - 0.3)).sum() == 1
        t = found.overall["t"]
        assert ((t[:, 0] > off - 0.01) & (t[:, 2] < on + 0.6)).sum() == 1
    assert np.all((beats[:, 2] - beats[:, 0] > 0.06) & (beats[:, 2] - beats[:, 0] < 0.14))


def test_gain_and_unit_do_not_matter(dicom):
    for wave, each in delineate(Record(dicom.signal * 3, dicom.fs, dicom.leads, unit="normalized")).overall.items():
        assert each == pytest.approx(delineate(dicom).overall[wave], abs=1e-3)


def test_one_lead_is_enough(dicom):
    alone, all_leads = delineate(dicom.select(["II"])).overall["qrs"], delineate(dicom).overall["qrs"]
    assert len(alone) == len(all_leads)
    assert np.abs(alone[:, 1] - all_leads[:, 1]).max() < 0.04


def test_waves_are_in_order_and_have_a_peak_inside(dicom):
    found = delineate(dicom)
    for wave in WAVES:
        for each in (*found.by_lead[wave], found.overall[wave]):
            assert np.all(np.diff(each[:, 0]) > 0)
            assert np.all((each[:, 0] <= each[:, 1]) & (each[:, 1] <= each[:, 2]))


@pytest.mark.parametrize("signal", [np.zeros((2, 5000)), np.full((1, 5000), np.nan),
                                    np.random.default_rng(0).normal(size=(3, 5000))], ids=["flat", "missing", "noise"])
def test_what_cannot_be_read_gives_no_waves_and_a_reason(signal):
    found = delineate(Record(signal.astype(np.float32), 500, ("I", "II", "V1")[:len(signal)]))
    assert found.reason
    assert all(len(each) == 0 for each in found.overall.values())


def test_a_wide_early_beat_is_ventricular():
    record, onsets = two_ventricular_beats()
    found = delineate(record)
    early = [kind for kind, qrs in zip(found.types, found.overall["qrs"], strict=True)
             if any(0.5 < qrs[1] - onset < 0.75 for onset in onsets)]
    assert early == ["V", "V"]
    assert found.types.count("V") <= 3


def two_ventricular_beats() -> tuple[Record, np.ndarray]:
    """A record, and when the two beats begin that are followed by one."""
    record, truth = synthetic_ecg(rate=60, duration=20, noise=0.02)
    fs, signal = round(record.fs), record.signal.copy()
    for onset in truth.onsets[[5, 11]]:
        at = round((onset + 0.55) * fs)  # early, twice as wide, upside down, with a T wave against it
        shape = np.sin(np.linspace(0, np.pi, round(0.17 * fs))) * -1.8
        tail = np.sin(np.linspace(0, np.pi, round(0.2 * fs))) * 0.6
        signal[:, at: round((onset + 1.35) * fs)] *= 0.05  # the sinus beat that it replaces
        signal[:, at: at + len(shape)] += shape.astype(np.float32)
        signal[:, at + len(shape): at + len(shape) + len(tail)] += tail.astype(np.float32)
    return Record(signal, record.fs, record.leads), truth.onsets[[5, 11]]


def test_a_beat_of_which_a_part_is_there_is_ventricular_only_when_early(monkeypatch):
    record, _ = two_ventricular_beats()
    whole = delineate(record)
    monkeypatch.setattr(delineation, "_cut_off", lambda qrs, total: np.ones(len(qrs), bool))
    assert {"V", "F"} & set(whole.types)
    assert not {"V", "F"} & set(delineate(record).types)
    monkeypatch.undo()
    qrs = np.array([[0.0, 0.02, 0.06], [1.0, 1.04, 1.1], [2.0, 2.04, 2.1], [2.95, 2.98, 2.996]])
    assert delineation._cut_off(qrs, 750).tolist() == [True, False, False, True]
    qrs[3] -= 0.4  # it comes early, and may be ventricular
    assert delineation._cut_off(qrs, 650).tolist() == [True, False, False, False]


def test_edges_agree_with_cardiologists_who_trained_other_folds(data_dir):
    from ecglm.bench.fiducials import match, pooled
    from ecglm.corpus.ludb import marked_records

    weights, parts = fold_weights(), {wave: [] for wave in WAVES}
    for number, one in enumerate(marked_records()):
        if number % 5:
            continue
        found = waves_of(one.record.leads, prepare(one.record, FS).signal, weights[one.name])
        for wave in WAVES:
            for lead in range(12):
                marked = one.marks[wave][lead]
                every = np.concatenate([one.marks[name][lead] for name in WAVES])
                if len(every):
                    stretch = every[:, 0].min(), every[:, 2].max()
                    parts[wave].append(match(marked[:, 0], found.by_lead[wave][lead][:, 0], stretch))
    scores = {wave: pooled(each) for wave, each in parts.items()}
    assert scores["qrs"]["sensitivity"] > 0.995
    assert scores["qrs"]["ppv"] > 0.98
    assert scores["qrs"]["sd_ms"] < 12
    assert scores["t"]["sensitivity"] > 0.97


@pytest.mark.parametrize(("height", "apart_s", "found"), [(0.2, 0.3, 1), (1.0, 0.3, 2), (0.2, 0.5, 2)])
def test_a_flat_complex_right_behind_another_is_a_t_wave(height: float, apart_s: float, found: int):
    """The network marks both: a QRS complex, and 0.3 or 0.5 s behind it a wave as long and a fifth as high, or as high."""
    signal, prob = np.zeros((1, 500), np.float32), np.zeros((1, len(CLASSES), 500), np.float32)
    for start, size in ((100, 1.0), (100 + int(apart_s * FS), height)):
        signal[0, start: start + 25] = size * np.hanning(25)
        prob[0, CLASSES.index("qrs"), start: start + 25] = 1
    waves = waves_from(("II",), signal, prob)
    assert len(waves.overall["qrs"]) == len(waves.by_lead["qrs"][0]) == found
    assert waves.overall["qrs"][0, 0] == pytest.approx(0.4, abs=0.01)
