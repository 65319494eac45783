"""Comparisons with numbers are computed, and their confidence is that of the measurement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecglm.inference.comparison import ERROR_SD, compare, too_much_at_once
from ecglm.inference.topics import topics
from ecglm.signal import measure
from tests.signal.synthetic import synthetic_ecg


@pytest.fixture(scope="module")
def measured():
    """A rate of 61 bpm, PR 160 ms, QTc 430 ms, axis -35 degrees."""
    m = measure(synthetic_ecg()[0])
    given = {"heart_rate": 61.2, "pr": 160.0, "qtc_bazett": 430.0, "axis": -35.0}
    return replace(m, **{name: replace(getattr(m, name), value=value, reason=None) for name, value in given.items()})


def asked(question, measured):
    return compare(question, topics(question), measured)


@pytest.mark.parametrize("question", [
    "Is the heart rate above 50 bpm?", "Is the heart rate below 70?", "Heart rate > 60?", "Is the pulse at least 61?",
    "Is the heart rate between 60 and 100 bpm?", "Is the heart rate between 100 and 60?", "Is the heart rate 61 bpm?",
    "Is the PR interval above 0.12 s?", "Is the PR interval under 0.2 seconds?", "Is the PR interval shorter than 200 ms?",
    "Does the QTc exceed 400 ms?", "Is the corrected QT above 400 ms?", "Is the axis below -30 degrees?",
    "Is the axis greater than -90?"])
def test_what_holds(measured, question):
    result = asked(question, measured)
    assert result is not None
    assert result.holds
    assert result.confidence >= 0.5


@pytest.mark.parametrize("question", [
    "Is the heart rate above 61 bpm?", "Is the heart rate below 50?", "Is the heart rate between 70 and 100?",
    "Is the heart rate 75 bpm?",
    "Is the PR interval above 0.2 s?", "Is the QTc at least 450 ms?", "Is the axis above -30 degrees?"])
def test_what_does_not_hold(measured, question):
    result = asked(question, measured)
    assert result is not None
    assert not result.holds
    assert result.confidence >= 0.5


@pytest.mark.parametrize("question", [
    "What is the heart rate?", "Is the PR interval normal?", "Is there bradycardia below 50 bpm?",
    "Is the QT over 400 and the PR over 200?"])
def test_other_questions_are_left_to_the_model(measured, question):
    assert asked(question, measured) is None


def test_confidence_is_the_distance_in_measurement_errors(measured):
    one_sd = 160 - ERROR_SD["pr"]
    assert asked(f"Is the PR interval above {one_sd:.0f} ms?", measured).confidence == pytest.approx(0.8413, abs=1e-3)
    assert asked("Is the PR interval above 160 ms?", measured).confidence == pytest.approx(0.5)
    assert asked("Is the PR interval above 20 ms?", measured).confidence > 0.999


def test_nothing_is_compared_that_was_not_measured(measured):
    unknown = replace(measured, pr=replace(measured.pr, value=None, reason="no P waves"))
    assert asked("Is the PR interval above 200 ms?", unknown) is None


def test_several_values_in_one_question_are_noticed():
    for question, several in (("Is the QT over 400 and the PR over 200?", True), ("Is the QTc over 450 ms?", False),
                              ("What are the PR and QT intervals?", False)):
        assert too_much_at_once(question, topics(question)) is several
