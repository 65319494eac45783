"""Of a language model's text only sentences that trace to the recording reach a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecglm.answers import Finding
from ecglm.errors import UsageError
from ecglm.inference.narrative import diagnosis_prompt
from ecglm.reporting import Report
from ecglm.reporting.narrative import checked_narrative, checked_writer
from ecglm.reporting.save import to_markdown

Make = Callable[..., Report]
AFIB, STD = Finding("AFIB", "atrial fibrillation", "rhythm", 0.91, True), Finding("STD", "st depression", "form", 0.42, False)


@pytest.fixture
def report(make: Make) -> Report:
    return make(findings=(AFIB, STD), answers=())


@pytest.mark.parametrize("sentence", [
    "The ECG shows atrial fibrillation.", "The heart rate is 112 bpm.", "The QRS is 96 ms and the QT 360 ms.",
    "The QRS of 96 ms is normal.", "There is no left bundle branch block.", "The heart rate of 112 bpm is above range."])
def test_what_traces_is_kept(report: Report, sentence: str) -> None:
    assert checked_narrative(sentence, report).kept == (sentence,)


@pytest.mark.parametrize("sentence", [
    "The QRS frequency is 360 ms.", "The heart rate is 96 bpm.", "The interval is 96 ms.",  # of which measurement?
    "The ECG is normal.", "Sinus rhythm is seen.", "There is a myocardial infarction.", "There is no atrial fibrillation.",
    "The ECG shows ST depression.", "The heart rate of 112 bpm is normal.", "The QRS of 96 ms is prolonged.",
    "There are no P waves and the rate is 112 bpm.", "This report gives a detailed description of the heart.",
    "Pulmonary embolism is likely.", "The QRS is 120 ms."])
def test_what_does_not_trace_is_taken_out(report: Report, sentence: str) -> None:
    found = checked_narrative(f"The heart rate is 112 bpm. {sentence}", report)
    assert found.kept == ("The heart rate is 112 bpm.",)
    assert [one.sentence for one in found.removed] == [sentence]
    assert found.rate == 0.5


def test_a_sentence_that_was_cut_or_said_before_is_left_out(report: Report) -> None:
    found = checked_narrative("The heart rate is 112 bpm. The heart rate is 112 bpm. The QRS is 9", report)
    assert found.kept == ("The heart rate is 112 bpm.",)
    assert found.removed == ()


def test_the_report_shows_what_is_left_and_how_much_was_removed(report: Report) -> None:
    mixed = replace(report, narrative=checked_narrative("The heart rate is 112 bpm. The ECG is normal.", report, "facts"))
    text = to_markdown(mixed)
    assert "The heart rate is 112 bpm." in text
    assert "The ECG is normal" not in text
    assert "1 of its 2 sentences did not trace" in text
    assert mixed.trace().untraced == ()
    assert Report.from_dict(mixed.to_dict()).narrative == mixed.narrative
    assert mixed.to_dict()["narrative"]["rate"] == 0.5


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_a_sentence_of_ours_stands_where_nothing_is_left(report: Report, code: str) -> None:
    nothing = replace(report, narrative=checked_narrative("The ECG is normal.", report))
    name = {"en": "Held to be present: atrial fibrillation.", "de": "Als vorhanden gilt: Vorhofflimmern.",
            "zh": "判定为存在：心房颤动。"}[code]
    assert name in to_markdown(nothing, code)
    assert nothing.trace(code).untraced == ()


def test_the_prompt_names_what_is_present_and_the_likeliest_rhythm() -> None:
    findings = (Finding("SR", "sinus rhythm", "rhythm", 0.4, False), Finding("AFIB", "atrial fibrillation", "rhythm", 0.3, False),
                Finding("STD", "st depression", "form", 0.8, True), Finding("AVB", "av block", "sub_class", 0.6, True),
                Finding("LVH", "left ventricular hypertrophy", "sub_class", 0.4, False))
    assert diagnosis_prompt(findings) == "The sinus rhythm is present. The av block is present. The st depression is present."


def test_the_language_model_writes_english_only() -> None:
    assert checked_writer("llm", "en")
    assert not checked_writer("templates", "zh")
    for name, lang in (("llm", "de"), ("gpt", "en")):
        with pytest.raises(UsageError):
            checked_writer(name, lang)
