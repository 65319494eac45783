"""Questions about ECG in general, in a dialogue: quoted from the base, and never taken for questions about the recording."""

from __future__ import annotations

import pytest

from ecglm.inference import load
from ecglm.inference.background import background
from tests.signal.synthetic import synthetic_ecg
from tests.tiny_checkpoint import save_tiny


@pytest.mark.parametrize(("question", "entry"), [
    ("What are the criteria for LBBB?", "criterion.lbbb"), ("What is a delta wave?", "finding.wpw"),
    ("What is the normal range of the PR interval?", "range.pr"), ("What causes AV block?", "cause.av-block"),
    ("What does ST elevation mean?", "finding.ste"), ("How is the QTc calculated?", "definition.qtc"),
    ("What is atrial fibrillation?", "finding.atrial-fibrillation")])
def test_a_general_question_is_quoted(question: str, entry: str) -> None:
    found = background(question)
    assert found is not None
    assert {quote.passage.id for quote in found.quotes} == {entry}


@pytest.mark.parametrize("question", [
    "What is the rhythm?", "What is the PR interval?", "What is the heart rate?", "What is heart rate?", "What is the axis?",
    "What is the diagnosis?", "What are the findings?", "What is wrong?", "What is abnormal?", "Is there LBBB?", "LBBB or RBBB?",
    "What causes this ST elevation?", "What are the criteria for LBBB in this recording?", "What does it mean?",
    "What is the cause of his AV block?", "What are the causes of pneumonia?", "Which drug should the patient take?"])
def test_a_question_about_the_recording_or_beyond_the_base_is_not(question: str) -> None:
    assert background(question) is None


def test_chat_quotes_with_the_source_and_says_what_it_was(tmp_path) -> None:
    session = load(save_tiny(tmp_path)).chat(synthetic_ecg()[0])
    said = "".join(session.stream("What are the criteria for LBBB?"))
    assert "at least 120 ms" in said
    assert "10.1161/CIRCULATIONAHA.108.191095" in said
    assert session.answer is None  # it has no confidence: it is no reading of this ECG
    assert "says nothing about this recording" in "".join(session.stream("Why?"))
    assert "".join(session.stream("What is the heart rate?"))
    assert session.answer is not None  # and goes on about the recording
