"""What `measure` must get right, and must not give, on records whose truth is known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.bench.studies.intervals import KEYS, Outcome, outcomes
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal import measure
from ecglm.signal.agreed_beats import agreed_beats
from ecglm.signal.beats import Beats
from ecglm.signal.rhythm_name import rhythm
from ecglm.signal.simulate import simulate
from ecglm.signal.stack import stack_beats


def test_an_outcome_tells_wrong_missing_and_made_up_apart():
    one = Outcome()
    for value, true in ((150.0, 140.0), (None, 140.0), (150.0, None), (None, None), (240.0, 140.0)):
        one.add(value, true, circular=False)
    assert (one.errors, one.missing, one.made_up, one.nothing_there, one.wrong(30)) == ([10.0, 100.0], 1, 1, 2, 1)
    assert one.shown(30) == "+55; 1 off, most +100; 1 not given; 1 made up"
    circle = Outcome()
    circle.add(-175.0, 175.0, circular=True)
    assert circle.errors == [10.0]


@pytest.mark.parametrize("condition", ["bigeminy", "trigeminy", "electrical_alternans", "ventricular_run"])
def test_no_beat_of_another_shape_is_missed(condition):
    rate = outcomes(condition, each=4, seed=31)["heart_rate"]
    assert not rate.missing
    assert rate.wrong(3.0) == 0, rate.errors


def test_in_bigeminy_the_conducted_beats_are_measured():
    for one in simulate("bigeminy", 4, seed=31):
        conducted = np.array(one.truth.kind) == "usual"
        found = measure(one.record)
        true = 1000 * np.median((one.truth.qrs_off - one.truth.qrs_on)[conducted])
        assert found.qrs.value == pytest.approx(true, abs=25)
        assert found.pr.value is not None


def test_a_flutter_has_no_pr_and_is_named():
    flutter = simulate("atrial_flutter_4", 6, seed=31)
    assert sum(measure(one.record).pr.value is None for one in flutter) >= 5
    assert sum(rhythm(one.record).name == "atrial flutter" for one in flutter) >= 5
    sinus = simulate(["normal", "av_block_1", "sinus_tachycardia", "rae"], 8, seed=31)
    assert not any(rhythm(one.record).name == "atrial flutter" for one in sinus)
    assert all("flutter" not in (measure(one.record).pr.reason or "") for one in sinus)


def test_st_elevation_does_not_turn_the_axis_and_encoders_get_what_they_were_trained_with():
    turned = []
    for one in simulate("stemi_inferior", 5, seed=31):
        found = measure(one.record)
        assert found.axis.value is not None
        assert found.axis_as_trained is not None
        turned.append([abs((x - one.truth.intervals["axis"] + 180) % 360 - 180)
                       for x in (found.axis.value, found.axis_as_trained)])
    now, trained = np.median(turned, axis=0)
    assert now < 15
    assert trained > 20


def test_agreed_beats_adds_what_the_network_knows_and_drops_what_it_does_not():
    rng = np.random.default_rng(0)
    signal = 0.01 * rng.normal(size=(3, 2500))
    for at in (250, 500, 750, 1000, 1250):
        signal[:, at - 5: at + 6] += np.hanning(11)
    found = Beats(np.array([250, 500, 620, 1000, 1250]), 250.0, np.ones(5))
    agreed = agreed_beats(found, np.array([1.0, 2.0, 3.012, 4.0, 5.0]), signal)
    assert agreed.samples.tolist() == [250, 500, 750, 1000, 1250]
    assert agreed_beats(found, np.array([1.0, 9.0]), signal) is found  # it knows too few of them to be believed
    assert agreed_beats(found, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), signal[:2]) is found  # in two leads it is no better


def test_beats_known_as_unusual_do_not_enter_the_median():
    t = np.arange(11) - 5
    signal = np.zeros((2, 5000))
    at = np.arange(200, 4900, 250)
    for number, place in enumerate(at):
        signal[:, place - 5: place + 6] += np.exp(-t**2 / 4) * (1 if number % 2 else -1)
    odd = np.arange(len(at)) % 2 == 0
    stack = stack_beats(signal, at, 250.0, odd)
    assert not stack.usual_B[odd[: len(stack.usual_B)]].any()
    assert stack.median_LW[0, stack.r] == pytest.approx(1.0, abs=0.05)


def test_the_study_reads_every_measurement():
    found = outcomes("normal", each=2, seed=31)
    assert set(found) == set(KEYS)
    assert all(len(one.errors) == 2 for one in found.values())
    record = Record(np.zeros((12, 5000), np.float32), 500.0, STANDARD_12)
    assert all(m.reason for m in measure(record).named().values())
