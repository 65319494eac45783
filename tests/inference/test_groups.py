"""Questions about kinds of findings, and two questions in one: which are taken so, and that no benchmark question is."""

from __future__ import annotations

import pytest

from ecglm.corpus import questions as q
from ecglm.inference.groups import asked_group
from ecglm.inference.halves import halves, rejoined
from ecglm.knowledge.statements import STATEMENTS
from ecglm.schema import Answer, Evidence


@pytest.mark.parametrize(("question", "member"), [
    ("Is the ECG abnormal?", "super_class:NORM"), ("Is there any abnormality?", "super_class:NORM"),
    ("Anything wrong?", "super_class:NORM"), ("Is there bundle branch block?", "sub_class:CRBBB"),
    ("Any arrhythmia?", "rhythm:AFIB"), ("Arrhythmia?", "rhythm:AFLT"), ("Are there extrasystoles?", "form:PVC"),
    ("Does it show ectopic beats?", "form:PAC"), ("Any premature beats?", "form:PAC"),
    ("Is there ventricular hypertrophy?", "sub_class:RVH"), ("Is there atrial enlargement?", "sub_class:RAO/RAE"),
])
def test_kinds_of_findings_are_understood(question, member):
    group = asked_group(question)
    assert group is not None
    assert member in group.keys
    assert group.opposite == (member == "super_class:NORM")


@pytest.mark.parametrize("question", [
    "Is there left bundle branch block?", "What kind of extrasystoles are there?", "Sinus arrhythmia?", "Is it LBBB or RBBB?",
    "Is there left ventricular hypertrophy?", "How many extrasystoles are there?", "What is the rhythm?", "Is the ECG normal?",
])
def test_single_findings_and_open_questions_are_not(question):
    assert asked_group(question) is None


def _benchmark() -> set[str]:
    texts = {form for forms in q.QUERY.values() for form in forms} | set(q.VERIFY_NORMAL)
    for s in STATEMENTS:
        texts |= {form.format(x=s.name) for form in q.VERIFY}
        other = next(o for o in STATEMENTS if o.group == s.group and o.key != s.key)
        texts |= {form.format(noun=q.NOUN[s.group], a=s.name, b=other.name) for form in q.CHOOSE}
    return texts


def test_no_benchmark_question_is_taken_for_either():
    assert len(_benchmark()) > 500
    assert [text for text in _benchmark() if asked_group(text) or halves(text)] == []


@pytest.mark.parametrize(("question", "each"), [
    ("What is the heart rate and the rhythm?", ("What is the heart rate?", "What is the rhythm?")),
    ("Is there atrial fibrillation and left ventricular hypertrophy?",
     ("Is there atrial fibrillation?", "Is there left ventricular hypertrophy?")),
    ("What is the rhythm and is the QT prolonged?", ("What is the rhythm?", "is the QT prolonged?")),
])
def test_two_questions_in_one_are_told_apart(question, each):
    assert halves(question) == each


@pytest.mark.parametrize("question", [
    "What is the heart rate?", "Is there sinus rhythm and nothing else?", "LBBB and RBBB or neither?", "Salt and pepper?",
    "What are the rate and rhythm and axis?", "Is the difference between QT and QTc large?",
])
def test_others_stay_whole(question):
    assert halves(question) is None


def test_halves_join_without_hiding_doubt():
    sure, unsure = (Answer(text, conf, False, (Evidence(text),), "m") for text, conf in (("61 bpm", 0.9), ("sinus rhythm", 0.7)))
    whole = rejoined(sure, unsure)
    assert (whole.text, whole.confidence, len(whole.evidence)) == ("61 bpm; sinus rhythm", 0.7, 2)
    without = rejoined(sure, Answer("", 0.0, True, (), "m", "not measured"))
    assert without.text == "61 bpm; no answer"
    assert without.note == "no answer to one half: not measured"
    assert rejoined(*[Answer("", 0.0, True, (), "m", "why")] * 2).abstained


def test_the_reasons_of_an_answer_are_its_evidence_and_confidence():
    from ecglm.inference.chat import explained

    said = explained(Answer("yes", 0.84, False, (Evidence("av block: possible, probability 11 %"),), "m", note="possible"))
    assert said == 'I answered "yes (possible)" with a confidence of 84 %, because of: av block: possible, probability 11 %.'
