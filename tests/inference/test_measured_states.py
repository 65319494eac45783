"""Yes and no where a measured limit decides, whatever the words; what is named is what is asked."""

from __future__ import annotations

import pytest

from ecglm.inference.contradiction import alternatives, contradiction, sure_of
from ecglm.inference.groups import asked_group
from ecglm.inference.guard import decline_question, spelt
from ecglm.inference.measured_states import asked_state, state_answer
from ecglm.inference.topics import topics
from tests.inference.made import CALIBRATION, MODEL, made
from tests.inference.test_computed import BENCHMARK, ask

SAID = {"yes": "yes", "no": "no"}


@pytest.mark.parametrize(("question", "value", "said"), [
    ("Is the QRS wide?", {"qrs": 159.0}, "yes"), ("Does the patient have a wide QRS?", {"qrs": 159.0}, "yes"),
    ("Is the QRS broad?", {"qrs": 84.0}, "no"), ("Are the QRS complexes narrow?", {"qrs": 84.0}, "yes"),
    ("Is the QTc prolonged?", {"qtc_bazett": 502.0}, "yes"), ("Is the QTc longer than normal?", {"qtc_bazett": 374.0}, "no"),
    ("Is the QT interval too short?", {"qtc_bazett": 400.0}, "no"), ("Is the heart rate fast?", {"heart_rate": 132.0}, "yes"),
    ("Is the heart rate too slow?", {"heart_rate": 50.0}, "yes"), ("Is the heart rate above normal?", {"heart_rate": 61.0}, "no"),
    ("Is the patient bradycardic?", {"heart_rate": 50.0}, "yes"), ("Is there tachycardia?", {"heart_rate": 132.0}, "yes"),
    ("Is the PR interval normal?", {"pr": 151.0}, "yes"), ("Is the PR too long?", {"pr": 240.0}, "yes"),
    ("Is the pulse within normal limits?", {"heart_rate": 132.0}, "no")])
def test_a_limit_decides(question, value, said):
    answer = ask(question, {}, **value)
    assert answer.text == said
    assert answer.confidence > 0.9
    assert answer.evidence[0].value == next(iter(value.values()))
    assert ask(question, {}, ("No", "Yes"), **value).text == said.capitalize()


@pytest.mark.parametrize(("qrs", "wide", "narrow", "above"), [(84.0, "no", "yes", "no"), (116.0, "no", "yes", "yes"),
                                                              (120.0, "yes", "no", "yes")])
def test_wide_is_what_is_not_narrow(qrs, wide, narrow, above):
    assert [ask(question, {}, qrs=qrs).text for question in (
        "Is the QRS wide?", "Is the QRS narrow?", "Is the QRS longer than normal?")] == [wide, narrow, above]


def test_without_the_value_there_is_its_reason():
    answer = ask("Is the PR interval too long?", {}, pr=None)
    assert answer.abstained
    assert answer.reason


@pytest.mark.parametrize("question", ["Is there sinus tachycardia?", "Is the axis normal?", "Is the rhythm fast?",
                                      "How wide is the QRS?", "Is the PR interval narrow?", "Is the QRS wide or narrow?",
                                      "Is the ECG normal?"])
def test_other_questions_are_left_to_others(question):
    assert asked_state(question) is None


def test_no_benchmark_wording_is_rewritten_or_decided_by_a_limit():
    assert [question for question in BENCHMARK if spelt(question) != question] == []
    assert [question for question in BENCHMARK if state_answer(MODEL, question, made({}), topics(question), SAID)] == []


@pytest.mark.parametrize(("question", "sure", "said"), [
    ("Is the AV conduction normal?", {"super_class:CD": 0.97}, "no"), ("Is conduction normal?", {}, "yes"),
    ("Is the ST segment normal?", {"super_class:STTC": 0.9}, "no"), ("Is repolarization normal?", {}, "yes"),
    ("Is there anything wrong with the conduction system?", {"super_class:CD": 0.97}, "yes")])
def test_a_part_of_the_ecg_is_normal_without_its_disease(question, sure, said):
    answer = ask(question, sure)
    assert answer.text == said
    assert answer.confidence > 0.5


@pytest.mark.parametrize(("question", "statement"), [
    ("Is there right atrial enlargement?", "sub_class:RAO/RAE"), ("Is the left atrium enlarged?", "sub_class:LAO/LAE"),
    ("Is the left ventricle enlarged?", "sub_class:LVH"),
    ("Are there signs of ischaemia in the inferior leads?", "sub_class:ISCI")])
def test_a_side_and_a_site_are_heard(question, statement):
    about = topics(question)
    assert about.statements == (statement,)
    assert asked_group(question, about) is None


@pytest.mark.parametrize(("question", "said"), [
    ("Is the left ventricle pumping well?", "an ECG cannot tell an imaging measurement"),
    ("Is the left atrium normal?", "an ECG cannot tell an imaging measurement"),
    ("Did this person have a stroke?", "an ECG cannot tell"), ("Can I go home?", "urgency is not judged"),
    ("What should I do next?", "a clinician decides"), ("What machine recorded this?", "`ecglm info`"),
    ("What is the T wave like in V1?", "lead by lead"), ("Describe the T waves", "lead by lead"),
    ("Is there a STEMI?", "of the ECG ask"), ("How sure are you that this is sinus rhythm?", "ask whether it is there")])
def test_a_reason_is_the_true_one(question, said):
    assert said in decline_question(question, topics(question), made({}).record)


def test_short_forms_are_spelt_out():
    both = "Is there left bundle branch block or right bundle branch block?"
    assert spelt("Which bundle branch is blocked?") == both
    assert topics(spelt("Left or right bundle branch block?")).statements == topics(both).statements
    assert spelt("What's the QTcF?") == "What's the Fridericia QTc?"
    assert {spelt(question) for question in ("What's wrong with this ECG?", "What is abnormal here?", "Summarise this ECG.",
                                             "Give me your interpretation", "What do you see?")} == {"What does this ECG show?"}


def test_av_block_is_not_granted_in_fibrillation_without_a_pr_interval():
    question, sure = "Is there first degree AV block?", {"rhythm:AFIB": 0.9, "sub_class:AVB": 0.9}
    said = contradiction(question, "yes", made(sure, pr=None), CALIBRATION)
    assert said is not None
    assert said.startswith("the rhythm is called atrial fibrillation")
    assert contradiction(question, "yes", made(sure, pr=240.0), CALIBRATION) is None


def test_a_normal_sinus_rhythm_is_answered_by_the_rhythm():
    question, reading = "Is it normal sinus rhythm?", made({"rhythm:SR": 0.98})
    assert contradiction(question, "no", reading, CALIBRATION) is not None
    assert alternatives(question, "no") == ("yes",)
    assert sure_of(question, reading, CALIBRATION) > 0.5

