"""Ellipsis in a dialogue: resolved by rules against the last question, or asked back with the choices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecglm.errors import UsageError
from ecglm.inference import load
from ecglm.inference.between import asks_between, between, pair
from ecglm.inference.dialogue import AskBack, chosen, resolve
from ecglm.inference.presupposed import premise
from ecglm.inference.which import recordings
from tests.inference.made import MODEL, made
from tests.signal.synthetic import synthetic_ecg
from tests.tiny_checkpoint import save_tiny

PR, NORMAL_PR, LBBB, R_V5 = (
    "What is the PR interval?",
    "Is the PR interval normal?",
    "Is there LBBB?",
    "How high is the R wave in V5?",
)


@pytest.mark.parametrize(
    ("last", "said", "question"),
    [
        (PR, "and the QRS?", "What is the QRS duration?"),
        (PR, "QRS?", "What is the QRS duration?"),
        (PR, "what about the axis?", "What is the heart axis?"),
        (PR, "and the rhythm", "What is the rhythm?"),
        (PR, "is that normal?", "Is the PR interval normal?"),
        (PR, "Is it too long?", "Is the PR interval prolonged?"),
        (PR, "is it wide?", "Is the QRS duration wide?"),
        (PR, "why is it long?", "Why is the PR interval long?"),
        (PR, "and AF?", "Is there atrial fibrillation?"),
        (NORMAL_PR, "and the QT?", "Is the QT interval normal?"),
        (LBBB, "and RBBB?", "Is there complete right bundle branch block?"),
        (LBBB, "where is it?", "Where is the complete left bundle branch block?"),
        (LBBB, "is it new?", "Is the complete left bundle branch block new?"),
        (LBBB, "since when does he have it?", "Since when does he have the complete left bundle branch block?"),
        (R_V5, "and in V6?", "How high is the R wave in V6?"),
        (R_V5, "the S wave?", "How high is the S wave in V5?"),
        (R_V5, "and the S wave in V1?", "How high is the S wave in V1?"),
        ("Is the T wave inverted in III?", "and in aVF?", "Is the T wave inverted in aVF?"),
        ("What is the rhythm?", "is that normal?", "Is the rhythm abnormal?"),
        ("What is the rhythm?", "and?", "What is the rhythm?"),
        (None, "is it fast?", "Is the heart rate fast?"),
        (None, "and the QRS?", "What is the QRS duration?"),
        (None, "RBBB?", "Is there complete right bundle branch block?"),
    ],
)
def test_what_is_left_out_comes_from_the_last_question(last, said, question):
    turn = resolve(said, last)
    assert not isinstance(turn, AskBack)
    assert (turn.question, turn.resolved) == (question, True)


@pytest.mark.parametrize(
    "said",
    [
        "What is the rhythm?",
        "Is it AF?",
        "Is this sinus rhythm?",
        "is the PR normal?",
        "Is it regular?",
        "Who won the world cup?",
        "In which leads is ST elevated?",
        "Which leads show the delta wave?",
    ],
)
@pytest.mark.parametrize("last", [None, PR, LBBB])
def test_whole_questions_stay_as_they_are(last, said):
    turn = resolve(said, last)
    assert not isinstance(turn, AskBack)
    assert (turn.question, turn.resolved) == (said, False)


@pytest.mark.parametrize(
    ("last", "said", "choices"),
    [
        (None, "is it long?", {"PR interval", "QTc", "QT interval"}),
        (None, "where is it?", None),
        (None, "and?", None),
        (None, "is that normal?", {"heart rate", "heart axis", "the whole ECG"}),
        ("Is there AF or LBBB?", "where is it?", {"atrial fibrillation", "complete left bundle branch block"}),
        (None, "V5?", set()),
    ],
)
def test_what_cannot_be_resolved_is_asked_back_with_the_choices(last, said, choices):
    asked = resolve(said, last)
    assert isinstance(asked, AskBack)
    for name in choices or ():
        assert name in asked.text
        assert name in asked.choices


def test_a_choice_is_the_question_it_stands_for():
    asked = resolve("is it long?", None)
    assert chosen("the QTc", asked.choices) == "Is the QTc prolonged?"
    assert chosen("PR", asked.choices) == "Is the PR interval prolonged?"
    assert chosen("What is the rhythm?", asked.choices) is None
    assert chosen("the weather", asked.choices) is None


@pytest.mark.parametrize(
    ("text", "count", "current", "left", "numbers"),
    [
        ("ECG 2: what is the rate?", 2, None, "what is the rate?", (2,)),
        ("what about ECG 2?", 3, 1, "what about?", (2,)),
        ("and in the other one?", 2, 1, "and?", (2,)),
        ("and in the second one?", 3, 1, "and?", (2,)),
        ("both: is there AF?", 2, 1, "is there AF?", (1, 2)),
        ("Is there AF in both recordings?", 2, 1, "Is there AF?", (1, 2)),
        ("the last one: rhythm?", 3, 1, "rhythm?", (3,)),
        ("What is the first degree of it?", 2, 1, "What is the first degree of it?", ()),
        ("What is the rate?", 2, 1, "What is the rate?", ()),
        ("in the next recording?", 3, 2, "?", (3,)),
    ],
)
def test_recordings_are_named_in_many_ways(text, count, current, left, numbers):
    assert recordings(text, count, current) == (left, numbers)


@pytest.mark.parametrize(
    ("text", "count", "current"), [("and in the other one?", 3, 1), ("and in the other one?", 2, None), ("the third one?", 2, 1)]
)
def test_an_unclear_recording_is_asked_back(text, count, current):
    _, asked = recordings(text, count, current)
    assert isinstance(asked, str)
    assert "ECG 1, ECG 2" in asked


@pytest.mark.parametrize(
    ("question", "named", "expected"),
    [
        ("What changed since ECG 1?", 1, True),
        ("Is ECG 2 faster than ECG 1?", 2, True),
        ("Compare the two recordings.", 0, True),
        ("Did the QRS change?", 0, True),
        ("What is different between them?", 0, True),
        ("Are there new findings?", 0, True),
        ("What is the rhythm?", 0, False),
        ("Is the AF new?", 0, True),
        ("Did the QRS get wider?", 0, True),
        ("Has the infarct resolved?", 0, True),
        ("Is there a new infarct?", 0, False),
        ("Does the patient get dizzy?", 0, False),
        ("Is there ST-T change?", 0, False),
    ],
)
def test_questions_for_differences(question, named, expected):
    assert asks_between(question, named, 2) is expected
    assert not asks_between(question, named, 1)


def test_pairs():
    assert [pair((), 2), pair((1,), 2), pair((3, 1), 3), pair((1,), 3, 3)] == [(1, 2), (1, 2), (1, 3), (1, 3)]
    assert [pair((), 3), pair((1,), 3), pair((9,), 2)] == [None, None, (1, 2)]


def test_only_differences_beyond_the_error_of_measuring_count():
    before = made({"rhythm:SR": 0.9}, qrs=90.0, heart_rate=70.0)
    now = made({"rhythm:AFIB": 0.8}, qrs=95.0, heart_rate=110.0)
    said = between(MODEL, "What changed since ECG 1?", before, now)
    assert "Heart rate 70 to 110 bpm (+40)" in said.text
    assert "QRS" not in said.text
    assert "new in ECG 2: atrial fibrillation 80 %" in said.text
    assert "only in ECG 1: sinus rhythm 90 %" in said.text
    assert any("QRS duration 90 to 95 ms, within the error" in e.text for e in said.evidence)
    assert "QRS duration: no change beyond" in between(MODEL, "Did the QRS change?", before, now).text
    assert "no change" not in between(MODEL, "Is ECG 2 faster than ECG 1?", before, now).text
    same = between(MODEL, "Compare them", before, before)
    assert "No measured value differs" in same.text
    rate, qrs = (between(MODEL, text, before, now).confidence for text in ("Did the rate change?", "Did the QRS change?"))
    near = between(MODEL, "Did the QRS change?", before, made({}, qrs=113.0)).confidence
    assert 0.5 < said.confidence < rate == 0.99  # atrial fibrillation at 80 % is less sure than 40 bpm
    assert 0.5 < qrs < same.confidence
    assert 0.5 < near < rate
    assert between(MODEL, "Compare them", before, replace(now, declined="flat")).reason == "ECG 2: flat"


def test_whether_a_finding_is_new_or_gone_is_told_by_both_recordings():
    before, now = made({"rhythm:SR": 0.9, "sub_class:CLBBB": 0.8}, heart_rate=70.0), made({"rhythm:AFIB": 0.8}, heart_rate=110.0)
    assert between(MODEL, "Is the AF new?", before, now).text == "new in ECG 2: atrial fibrillation 80 %, from ECG 1 to ECG 2"
    gone = between(MODEL, "Has the LBBB disappeared?", before, now)
    assert gone.text == "only in ECG 1: complete left bundle branch block 80 %, from ECG 1 to ECG 2"
    assert between(MODEL, "Is the LBBB still there?", before, before).text == \
        "complete left bundle branch block is called present in both (80 % and 80 %)"
    none = between(MODEL, "Is the RBBB new?", before, now)
    assert none.text == "complete right bundle branch block is called present in neither (< 1 % and < 1 %)"
    assert none.evidence == ()  # neither rate nor QT is asked for
    unsure = between(MODEL, "Is the RBBB new?", made({"sub_class:CRBBB": 0.12}), now)
    assert unsure.confidence < none.confidence


def test_a_plural_that_it_stands_for_has_its_verb():
    assert resolve("Is it dangerous?", "Are there Q waves?").question == "Are the q waves dangerous?"
    assert resolve("Is it dangerous?", "Is there atrial fibrillation?").question == "Is the atrial fibrillation dangerous?"


@pytest.mark.parametrize("which", [1, 2])
def test_a_recording_may_be_the_subject_of_a_premise(which):
    bare, named = recordings(f"Why is ECG {which} in atrial fibrillation?", 2, None)
    assert (bare, named) == ("Why is it in atrial fibrillation?", (which,))
    assert premise(bare).keys == ("rhythm:AFIB",)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(save_tiny(tmp_path_factory.mktemp("tiny")))


def test_with_several_recordings_the_session_asks_which_and_remembers(model):
    slow, fast = synthetic_ecg(rate=60)[0], synthetic_ecg(rate=110, seed=3)[0]
    session = model.chat([slow, fast])

    def say(text):
        return "".join(session.stream(text))

    assert say("Is the heart rate above 90 bpm?") == "Which recording do you mean: ECG 1, ECG 2 or both?"
    assert session.asked_back
    assert say("2") == "ECG 2: yes"
    assert say("and in the other one?") == "(Is the heart rate above 90 bpm?) ECG 1: no"
    assert say("both: is the heart rate above 90 bpm?") == "ECG 1: no; ECG 2: yes"
    assert session.about == (1, 2)
    assert say("Is the heart rate above 90 bpm?") == "ECG 1: no"  # the one talked about stays
    assert say("Is ECG 2 faster than ECG 1?").startswith("Heart rate 60 to 110 bpm (+50)")
    session.use(2)
    assert say("Is the heart rate above 90 bpm?") == "ECG 2: yes"
    with pytest.raises(UsageError, match="no recording 7"):
        say("ECG 7: rate?")


def test_a_question_that_was_asked_back_is_answered_by_its_choice(model):
    session = model.chat(synthetic_ecg()[0])
    assert "".join(session.stream("is it long?")) == "What do you mean: PR interval, QTc or QT interval?"
    said = "".join(session.stream("the QTc"))
    assert said.startswith("(Is the QTc prolonged?) ")
    assert session.question == "Is the QTc prolonged?"
    "".join(session.stream("is it high?"))
    assert session.question == "Is the QTc high?"


def test_chat_says_what_ask_says(model):
    record = synthetic_ecg()[0]
    session = model.chat(record)
    for question in (
        "What is the rhythm?",
        "Is there LBBB?",
        "Where is the ST elevation?",
        "How high is the R wave in V5?",
        "What is the blood pressure?",
        "Is the heart rate above 10 bpm?",
    ):
        asked, said = model.ask(record, question), "".join(session.stream(question))
        assert said == (f"I cannot answer that: {asked.reason}." if asked.abstained else asked.text)
        assert (session.answer.text, session.answer.evidence) == (asked.text, asked.evidence)


def test_the_causes_of_what_is_there_are_quoted(model, monkeypatch):
    from ecglm.answers import Answer

    reply = Answer(
        "Atrial fibrillation is called present: probability 96 %; what causes it, one recording cannot tell", 0.9, False, (), "m"
    )
    monkeypatch.setattr(model.answerer, "ask_batch", lambda items: [reply])
    session = model.chat(synthetic_ecg()[0])
    said = "".join(session.stream("Why is there atrial fibrillation?"))
    assert said.startswith(reply.text + ". In general: ")
    assert said.endswith("]")
    assert session.quoted.quotes


def test_ask_compares_several_recordings(model):
    slow, fast = synthetic_ecg(rate=60)[0], synthetic_ecg(rate=110, seed=3)[0]
    assert "Heart rate 60 to 110 bpm" in model.ask([slow, fast], "What changed since ECG 1?").text
    three = model.ask([slow, fast, slow], "What changed?")
    assert three.abstained
    assert "name them" in three.reason
    assert "Heart rate 110 to 60" in model.ask([slow, fast, slow], "What changed from ECG 2 to ECG 3?").text
    flat = replace(slow, signal=np.zeros_like(slow.signal))
    assert "ECG 2: " in model.ask([slow, flat], "What changed since ECG 1?").reason
