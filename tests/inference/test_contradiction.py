"""An answer must not say the opposite of the evidence below it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecglm.inference.contradiction import UNNAMED, alternatives, contradiction, remark, sure_of
from ecglm.inference.topics import topics
from tests.inference.made import CALIBRATION, N, made


@pytest.fixture
def reading():
    """Sinus rhythm and CLBBB sure, atrial fibrillation and CRBBB excluded, PVC on the border."""
    return made({"rhythm:SR": 0.99, "sub_class:CLBBB": 0.9, "form:PVC": 0.1})


@pytest.mark.parametrize(("question", "answer"), [
    ("The patient has AF, right?", "yes"), ("Is there sinus rhythm?", "no"), ("LBBB or RBBB?", "none"), ("What is the rhythm?",
    "atrial fibrillation"), ("Why is there AF?", "It shows atrial fibrillation."), ("Any LBBB?", "It does not show LBBB."),
    ("Is there sinus rhythm and atrial fibrillation?", "yes")])
def test_the_opposite_of_a_finding_is_withheld(reading, question, answer):
    assert "%" in str(contradiction(question, answer, reading, CALIBRATION))


@pytest.mark.parametrize(("question", "answer"), [
    ("The patient has AF, right?", "no"), ("Is there sinus rhythm?", "yes"),
    ("LBBB or RBBB?", "complete left bundle branch block"), ("Are there PVCs?", "yes"), ("Are there PVCs?", "no"),
    ("Is there sinus rhythm or atrial fibrillation?", "yes"),
    ("Is the PR interval normal?", "yes"), ("What is the heart rate?", "60 bpm")])
def test_what_agrees_or_is_on_the_border_stands(reading, question, answer):
    assert contradiction(question, answer, reading, CALIBRATION) is None


def test_another_axis_is_withheld(reading):
    axis = replace(reading.measurements.axis, value=51.0)
    normal = replace(reading, measurements=replace(reading.measurements, axis=axis))
    assert "51°" in str(contradiction("What is the axis?", "left axis deviation", normal, CALIBRATION))
    assert contradiction("What is the axis?", "normal axis", normal, CALIBRATION) is None


def test_both_needs_both_to_be_called_present(reading):
    assert "present: complete left bundle branch block (90 %)" in str(
        contradiction("LBBB or RBBB?", "both", reading, CALIBRATION))
    assert contradiction("Sinus rhythm or LBBB?", "both", reading, CALIBRATION) is None


@pytest.mark.parametrize("answer", ["complete right bundle branch block", "none", "both q waves"])
def test_of_two_the_one_that_is_called_present_is_it(reading, answer):
    assert "present: complete left bundle branch block" in str(contradiction("LBBB or RBBB?", answer, reading, CALIBRATION))


@pytest.mark.parametrize("answer", ["ventricular premature complex", "atrial premature complex", "none"])
def test_of_two_that_are_not_called_present_the_model_may_choose(reading, answer):
    on_the_border = replace(reading, encoded=reading.encoded._replace(prob_C=np.full(N, 0.1, np.float32)))
    assert contradiction("PVC or PAC?", answer, on_the_border, CALIBRATION) is None


def test_of_two_that_are_not_called_present_the_likelier_prevails():
    possible = made({"form:PVC": 0.3, "form:PAC": 0.05})
    assert "speak for: ventricular premature complex (30 %)" in str(
        contradiction("PVC or PAC?", "atrial premature complex", possible, CALIBRATION))
    assert contradiction("PVC or PAC?", "ventricular premature complex", possible, CALIBRATION) is None
    neither = made({"form:PVC": 0.01, "form:PAC": 0.02})
    assert "speak for: neither" in str(contradiction("PVC or PAC?", "atrial premature complex", neither, CALIBRATION))


def test_what_else_could_be_answered():
    assert alternatives("Is there AF?", "yes") == ("no",)
    assert set(alternatives("LBBB or RBBB?", "both")) == {
        "complete left bundle branch block", "complete right bundle branch block", "none"}
    assert alternatives("What is the rhythm?", "atrial fibrillation") == ()
    assert alternatives("Is there sinus rhythm and AF?", "yes") == ()


def test_an_answer_read_off_a_finding_is_as_sure_as_the_finding(reading):
    assert sure_of("Is there AF?", reading, CALIBRATION) > 0.95  # far below "possible"
    assert sure_of("Are there PVCs?", reading, CALIBRATION) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("question", [
    "Is there anything wrong?", "Does this rhythm need cardioversion?", "Is the heart beating?", "Are the leads swapped?"])
def test_yes_and_no_need_something_that_is_judged(reading, question):
    for answer in ("yes", "no"):
        assert contradiction(question, answer, reading, CALIBRATION) == UNNAMED


@pytest.mark.parametrize("question", [
    "Is the rhythm regular?", "Are the beats irregular?", "Is the axis normal?", "Is the QRS wide?", "Any ventricular ectopy?"])
def test_yes_and_no_to_what_is_measured_stand(reading, question):
    assert contradiction(question, "yes", reading, CALIBRATION) is None


def test_no_rhythm_is_not_said_where_one_is_called_present(reading):
    assert "sinus rhythm > 99 %" in str(contradiction("What is the rhythm?", "none", reading, CALIBRATION))


@pytest.mark.parametrize(("question", "answer", "said"), [
    ("Are there PVCs?", "yes", "possible, not called present: ventricular premature complex 30 %; the confidence takes"),
    ("Are there PVCs?", "Yes", "possible, not called present"), ("Any PACs?", "yes", "borderline, not called present"),
    ("Is there LBBB?", "yes", None), ("Is there AF?", "no", None), ("Are there PVCs?", "no", None),
    ("Is there LBBB?", "no", "but called present: complete left bundle branch block 90 %"),
    ("What form-related symptoms does this ECG show?", "ventricular premature complex", "possible, not called present"),
    ("Which rhythm does this ECG show?", "sinus rhythm", None), ("LBBB or PVC?", "yes", None),
    ("Is the PR interval normal?", "yes", None), ("What is the heart rate?", "60 bpm", None)])
def test_what_is_only_possible_is_not_said_like_what_is_present(question, answer, said):
    reading = made({"rhythm:SR": 0.99, "sub_class:CLBBB": 0.9, "form:PVC": 0.3, "form:PAC": 0.09})
    got = remark(question, answer, reading, CALIBRATION)
    assert got is None if said is None else said in got


def test_adult_ranges_are_not_held_against_a_child_in_silence():
    assert "5 years old" in remark("Is the heart rate normal?", "yes", made({}, age=5), CALIBRATION)
    assert remark("Is the heart rate normal?", "yes", made({}, age=50), CALIBRATION) is None


@pytest.mark.parametrize("question", ["Which morphological findings does this tracing have?", "Which extrasystoles are there?",
                                      "List the form-related findings."])
def test_none_of_one_group_stands_beside_findings_of_another(reading, question):
    assert contradiction(question, "none", reading, CALIBRATION) is None


def test_no_abnormality_means_a_normal_ecg(reading):
    question = "Does this ECG show no abnormality?"
    assert topics(question).statements == ("super_class:NORM",)
    assert contradiction(question, "no", reading, CALIBRATION) is None


def test_a_yes_at_a_probability_below_one_half_says_so():
    reading = made({"sub_class:LVH": 0.31})
    findings = tuple(replace(f, present=True) if f.code == "LVH" else f for f in reading.findings)
    note = remark("Is there left ventricular hypertrophy?", "yes", replace(reading, findings=findings), CALIBRATION)
    assert note.startswith("called present, though less likely than not: left ventricular hypertrophy 31 %")


@pytest.mark.parametrize(("rate", "answer", "note"), [
    (59.97, "yes", "the rate is 60 bpm, normal"), (59.4, "yes", None), (55.0, "no", "the rate is 55 bpm, below normal"),
    (65.0, "no", None)])
def test_a_rate_that_does_not_fit_the_answer_is_named(rate, answer, note):
    reading = made({"rhythm:SBRAD": 0.9 if answer == "yes" else 0.01}, heart_rate=rate)
    assert remark("Is there sinus bradycardia?", answer, reading, CALIBRATION) == note


def test_a_no_to_hypertrophy_says_that_it_is_not_excluded():
    asked = ("Is there left ventricular hypertrophy?", "no")
    assert remark(*asked, made({}, sokolow_lyon=2.1, cornell=1.2), CALIBRATION) == (
        "voltage criteria not met: Sokolow-Lyon 2.10 mV (from 3.5 mV), Cornell 1.20 mV (above 2.8 mV); this does not exclude it")
    assert str(remark(*asked, made({}, sokolow_lyon=3.9), CALIBRATION)).startswith("though a voltage criterion is met: Sokolow")
    assert remark("Is there right ventricular hypertrophy?", "no", made({}), CALIBRATION) == (
        "that the ECG shows no sign of it does not exclude it")
    assert remark("Is there atrial fibrillation?", "no", made({}), CALIBRATION) is None
