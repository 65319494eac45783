"""Names of rhythms: on simulated records whose truth is known, and what they say where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.records import read
from ecglm.records.record import Record
from ecglm.signal.delineation import delineate
from ecglm.signal.rhythm_name import rhythm
from ecglm.signal.simulate import simulate
from tests.signal.synthetic import synthetic_ecg

#: Condition: how many of eight records must be called so.
NAMES = {
    "normal": ("sinus rhythm", 7), "sinus_bradycardia": ("sinus bradycardia", 7), "sinus_tachycardia": ("sinus tachycardia", 7),
    "atrial_fibrillation": ("atrial fibrillation", 7), "supraventricular_tachycardia": ("supraventricular tachycardia", 6),
    "ventricular_tachycardia": ("wide-complex tachycardia", 5), "idioventricular_rhythm": ("regular rhythm without P waves", 6),
    "av_block_2_2": ("second-degree AV block, Mobitz II", 6), "av_block_2_to_1": ("second-degree AV block, 2:1", 5),
    "av_block_3": ("third-degree AV block", 6), "lbbb": ("sinus rhythm", 7),
}
ALSO = {"av_block_1": ("first-degree AV block", 7), "trigeminy": ("ventricular trigeminy", 6),
        "premature_ventricular": ("ventricular", 7), "sinus_pause": ("pause", 5)}


@pytest.mark.parametrize("condition", NAMES)
def test_simulated_rhythms_get_their_name(condition):
    wanted, least = NAMES[condition]
    said = [rhythm(one.record).name for one in simulate(condition, 8, seed=91)]
    assert said.count(wanted) >= least, said


@pytest.mark.parametrize("condition", ALSO)
def test_what_comes_on_top_is_named(condition):
    wanted, least = ALSO[condition]
    said = [rhythm(one.record).also for one in simulate(condition, 8, seed=92)]
    assert sum(any(wanted in part for part in also) for also in said) >= least, said


def test_the_numbers_behind_it_are_those_of_the_record():
    record, truth = synthetic_ecg(rate=66, pr=0.24, qrs=0.10, qt=0.40)
    said = rhythm(record)
    assert (said.name, said.also) == ("sinus rhythm", ("first-degree AV block",))
    by_unit = {item.unit: item.value for item in said.evidence if item.text.startswith(("rate", "PR"))}
    assert by_unit["bpm"] == pytest.approx(66, abs=1)
    assert by_unit["ms"] == pytest.approx(1000 * truth.pr, abs=25)
    assert "100 %" in next(item.text for item in said.evidence if "P wave" in item.text)


@pytest.mark.parametrize(("condition", "given"), [
    ("atrial_fibrillation", False), ("av_block_3", True), ("av_block_1", True), ("normal", False)])  # there `measure` has it
def test_a_pr_interval_is_given_only_where_the_name_rests_on_it(condition, given):
    for one in simulate(condition, 4, seed=93):
        said = rhythm(one.record)
        if given or said.name == NAMES[condition][0]:
            assert any(item.text.startswith("PR ") for item in said.evidence) == given, said


def paced() -> Record:
    """Beats with a spike before each."""
    record, truth = synthetic_ecg(rate=70, p_wave=False, fs=500)
    signal = record.signal.copy()
    for onset in truth.onsets:
        at = round((onset - 0.012) * record.fs)
        if 2 < at < signal.shape[1] - 3:
            signal[:, at: at + 2] += 1.2
    return Record(signal, record.fs, record.leads)


def test_spikes_before_every_qrs_are_called_pacing():
    assert rhythm(paced()).name == "ventricular paced rhythm"


def test_beats_that_a_pacemaker_set_off_are_no_premature_ones():
    found = delineate(paced())
    assert set(found.types) == {"Q"}
    assert {row[5] for row in found.rows() if row[:2] == ("all", "qrs")} == {"paced"}
    said = rhythm(paced(), found)
    assert said.name == "ventricular paced rhythm"
    assert not said.also


def test_a_spike_before_few_beats_is_noise():
    record = paced()
    record.signal[:, round(3 * record.fs):] = synthetic_ecg(rate=70, p_wave=False, fs=500)[0].signal[:, round(3 * record.fs):]
    assert "Q" not in delineate(record).types


def test_a_real_recording():
    said = rhythm(read(get_testdata_file("waveform_ecg.dcm")))
    assert said.name.startswith("sinus")
    assert not said.also


@pytest.mark.parametrize("signal", [np.zeros((2, 5000)), np.full((1, 5000), np.nan)], ids=["flat", "missing"])
def test_nothing_is_named_where_nothing_can_be_read(signal):
    said = rhythm(Record(signal.astype(np.float32), 500, ("I", "II")[:len(signal)]))
    assert said.name is None
    assert said.reason
    assert said.text == f"not given: {said.reason}"
