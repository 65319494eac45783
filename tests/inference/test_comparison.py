"""Comparisons with numbers are computed, and their confidence is that of the measurement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecglm.inference.comparison import compare, unclear
from ecglm.inference.topics import topics
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE, SAME_WITHIN, sure_of_value
from ecglm.signal import measure
from tests.signal.synthetic import synthetic_ecg

VALUES = {"heart_rate": 61.2, "pr": 160.0, "qrs": 90.0, "qt": 400.0, "qtc_bazett": 430.0, "rr": 980.0, "axis": -35.0}


@pytest.fixture(scope="module")
def measured():
    m = measure(synthetic_ecg()[0])
    return replace(m, **{name: replace(getattr(m, name), value=value, reason=None) for name, value in VALUES.items()})


@pytest.mark.parametrize("question", [
    "Is the heart rate above 50 bpm?", "Is the heart rate below 70?", "Heart rate > 60?", "Is the pulse at least 61?",
    "Is the heart rate between 60 and 100 bpm?", "Is the heart rate between 100 and 60?", "Is the heart rate 61 bpm?",
    "Is the heart rate 60 to 100?", "Heart rate 60-100?", "Is the heart rate from 50 beats per minute to 90 beats per minute?",
    "Is the heart rate no more than 61?", "Is the rate not below 61?", "Is the rate greater than or equal to 61?",
    "Is the patient's heart rate over 50/min?", "Is the heart rate below 1,000?",
    "Is the PR interval above 0.12 s?", "Is the PR interval under 0.2 seconds?", "Is the PR interval shorter than 200 ms?",
    "Is the QRS below 0.12?", "Does the QTc exceed 400 ms?", "Is the corrected QT interval above 0.4 seconds?",
    "Is the RR interval less than 1 s?", "Is the axis below -30 degrees?", "Is the axis greater than −90°?",
    "Is the axis between -90 and +30?"])
def test_what_holds(measured, question):
    result = compare(question, measured)
    assert result is not None
    assert result.holds
    assert 0.5 <= result.confidence <= 0.99


@pytest.mark.parametrize("question", [
    "Is the heart rate above 61 bpm?", "Is the heart rate below 50?", "Is the heart rate between 70 and 100?",
    "Is the heart rate 75 bpm?", "Is the PR interval above 0.2 s?", "Is the QRS above 0.12?", "Is the QTc at least 450 ms?",
    "Is the axis above -30 degrees?", "Is the axis between -30 and +90?"])
def test_what_does_not_hold(measured, question):
    result = compare(question, measured)
    assert result is not None
    assert not result.holds
    assert 0.5 <= result.confidence <= 0.99


@pytest.mark.parametrize("question", [
    "What is the heart rate?", "Is the PR interval normal?", "What is the heart rate over 10 seconds?", "Is the heart rate fast?",
    "Is the heart rate normal in ECG 2?", "Describe the QRS in less than 20 words"])
def test_other_questions_are_left_to_the_model(measured, question):
    assert compare(question, measured) is None
    assert not unclear(question, topics(question))


@pytest.mark.parametrize("question", [
    "Is the QRS normal in beat 3?", "Is the PR interval normal in the first 10 seconds?",
    "Is the QTc normal, given the limit of 450?",
    "Is it normal for the heart rate to be 140?", "Is the heart rate normal for a person over 60?",
    "Is the rate more than 10 percent above normal?", "Is the heart rate above 100 or below 60?",
    "Is the rate above 60 but under 80?", "Is the rate not between 60 and 100?", "Is the rate outside the range 60 to 100?",
    "QRS longer than 3 small squares?", "Is the rate above 1.5 Hz?", "Is the heart rate above 50 and regular?",
    "Is the QT over 400 and the PR over 200?", "Is there bundle branch block with PR > 200 ms?",
    "Is there bradycardia (rate < 60)?", "Is the QRS above 120 degrees?"])
def test_what_is_not_plainly_one_comparison_is_neither_computed_nor_left_to_the_model(measured, question):
    assert compare(question, measured) is None
    assert unclear(question, topics(question))


def test_confidence_is_the_distance_in_measurement_errors(measured):
    near = compare("Is the PR interval above 152 ms?", measured).confidence
    assert near == pytest.approx(1 / (1 + 2.718281828 ** (-3.14159265 / 3 ** 0.5)))  # one standard deviation, logistic
    assert compare("Is the PR interval above 160 ms?", measured).confidence == pytest.approx(0.5)
    assert compare("Is the PR interval above 20 ms?", measured).confidence == 0.99


def test_a_range_narrower_than_the_measurement_is_declined(measured):
    assert "160 ms" in compare("Is the PR between 158 and 162 ms?", measured).reason
    assert compare("Is the PR between 100 and 120 ms?", measured).reason is None  # far outside is clear


def test_nothing_is_compared_that_was_not_measured(measured):
    unknown = replace(measured, pr=replace(measured.pr, value=None, reason="no P waves"))
    assert compare("Is the PR interval above 200 ms?", unknown) is None


def test_a_number_is_as_sure_as_it_was_measured():
    sure = {name: sure_of_value(name) for name in SAME_WITHIN}
    assert SAME_WITHIN.keys() == ERROR_SD.keys()
    assert all(0.8 < value <= MOST_SURE for value in sure.values())
    assert sure["heart_rate"] > sure["pr"]  # ± 5 bpm at 1, ± 20 ms at 14


@pytest.mark.parametrize(("question", "holds"), [
    ("Is the PR shorter than the QT?", True), ("Is the PR interval longer than the QRS duration?", True),
    ("Does the QT exceed the RR interval?", False), ("Is the QTc less than the QT interval?", False),
    ("Is the QRS longer than the PR?", False)])
def test_two_values_are_held_against_each_other(measured, question, holds):
    result = compare(question, measured)
    assert (result.holds, result.reason) == (holds, None)
    assert 0.5 <= result.confidence <= MOST_SURE


def test_two_values_are_as_sure_as_the_errors_of_both(measured):
    near = replace(measured, qtc_bazett=replace(measured.qtc_bazett, value=400.0))
    assert compare("Is the QT shorter than the QTc?", near).confidence == pytest.approx(0.5)
    assert compare("Is the QT shorter than the QTc?", measured).confidence == pytest.approx(0.966, abs=0.01)  # 30 ms, SD 16.3


@pytest.mark.parametrize("question", [
    "Which is longer, the PR or the QT?", "Is the QT longer than half the RR interval?", "Is the heart rate higher than the PR?"])
def test_other_comparisons_of_two_values_are_declined(measured, question):
    assert compare(question, measured) is None
    assert unclear(question, topics(question))


def test_a_missing_value_is_the_reason(measured):
    unknown = replace(measured, pr=replace(measured.pr, value=None, reason="no P waves"))
    assert compare("Is the PR shorter than the QT?", unknown).reason == "no P waves"
