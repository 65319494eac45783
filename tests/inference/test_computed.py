"""What is answered without the language model, and that no wording of the benchmark is."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from ecglm.corpus import questions as q
from ecglm.inference.comparison import compare, unclear
from ecglm.inference.computed import computed, of_file
from ecglm.inference.groups import ANY_OF, asked_group, mixed
from ecglm.inference.listed import kept
from ecglm.inference.measured_options import either
from ecglm.inference.parts import parts, several
from ecglm.inference.regularity import asks_regularity, regularity
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import BY_KEY, STATEMENTS
from ecglm.records.leads import CHEST_LEADS
from tests.inference.made import MODEL, made, measured

BENCHMARK = sorted({w[0].upper() + w[1:] for w in (
    *(wording.format(x=s.name) for wording in q.VERIFY for s in STATEMENTS), *q.VERIFY_NORMAL,
    *(wording.format(a=a.name, b=b.name, noun=q.NOUN[a.group]) for wording in q.CHOOSE for a, b in permutations(STATEMENTS, 2)
      if a.group == b.group),
    *(wording for wordings in q.QUERY.values() for wording in wordings))})


def ask(question, sure, options=None, **given):
    return computed(MODEL, question, made(sure, **given), options)


def test_no_benchmark_wording_is_answered_or_declined_by_these_rules():
    record, measurements = measured()
    fired = {question: rules for question in BENCHMARK if any(rules := (
        of_file(question, record), compare(question, measurements), unclear(question, topics(question)), parts(question),
        several(question), asked_group(question, topics(question)), mixed(question, topics(question)),
        either(MODEL, question, made({}), topics(question)), asks_regularity(question)))}
    assert fired == {}
    assert len(BENCHMARK) > 6_000


def test_a_benchmark_question_names_the_statement_it_is_about():
    for s in STATEMENTS:
        assert topics(f"Is there {s.name}?").statements == (s.key,)
        assert topics(f"Is there {s.name}?").anyof in ((), ("abnormality",))  # "abnormal qrs" is not: its words are used up


def test_lists_of_statements_are_left_as_they_are():
    everything = ", ".join(s.name for s in STATEMENTS)
    for group, wordings in q.QUERY.items():
        for text in (everything, "none", *(q.EXTRASYSTOLES.values() if group == "extrasystole" else ())):
            assert kept(text, topics(wordings[0]), made({})) == (text, ())


@pytest.mark.parametrize(("question", "group"), [
    ("Is the ECG abnormal?", "abnormality"), ("Is there any abnormality?", "abnormality"), ("Is anything wrong?", "abnormality"),
    ("Is there bundle branch block?", "bundle branch block"), ("Any arrhythmia?", "arrhythmia"),
    ("Is the rhythm abnormal?", "arrhythmia"), ("Are there extrasystoles?", "extrasystoles"), ("Ectopic beats?", "extrasystoles"),
    ("Is there ventricular hypertrophy?", "ventricular hypertrophy"), ("Is there ischaemia?", "ischaemia"),
    ("Does this ECG show ST changes?", "ST changes"), ("Are the T waves abnormal?", "T wave changes"),
    ("Is there hypertrophy?", None), ("Is there LBBB?", None), ("Is there supraventricular arrhythmia?", None),
    ("Are there pathological Q waves?", None), ("Is the axis abnormal?", None), ("Is the PR interval abnormal?", None),
    ("What abnormalities are there?", None), ("Which ectopic beats are there?", None),
    ("Does this ECG show no abnormality?", None), ("Is there inferior ischaemia?", None),
    ("Is there bundle branch block or AF?", None)])
def test_groups_are_understood(question, group):
    assert asked_group(question, topics(question)) == group


def test_every_member_of_a_group_is_a_statement():
    assert {key for group in ANY_OF.values() for key in group.members} <= BY_KEY.keys()


@pytest.mark.parametrize(("question", "sure", "text", "note"), [
    ("Is there bundle branch block?", {"sub_class:CRBBB": 0.9}, "yes", "complete right bundle branch block 90 %"),
    ("Is there bundle branch block?", {"sub_class:IRBBB": 0.2}, "no",
     "possible, not called present: incomplete right bundle branch block 20 %"),
    ("Is there bundle branch block?", {"rhythm:AFIB": 0.9}, "no", None),
    ("Any arrhythmia?", {"rhythm:AFIB": 0.9}, "yes", "atrial fibrillation 90 %"),
    ("Any arrhythmia?", {"rhythm:SR": 0.99}, "no", None),
    ("Are there ectopic beats?", {"form:PVC": 0.8, "form:PAC": 0.7}, "yes",
     "ventricular premature complex 80 %, atrial premature complex 70 %"),
    ("Is there ventricular hypertrophy?", {"sub_class:RVH": 0.9}, "yes", "right ventricular hypertrophy 90 %"),
    ("Is the ECG abnormal?", {"super_class:NORM": 0.9, "rhythm:SR": 0.9, "rhythm:SBRAD": 0.8}, "no", None),
    ("Is the ECG abnormal?", {"rhythm:SBRAD": 0.8}, "yes", "sinus bradycardia 80 %"),
    ("Is the ECG abnormal?", {"super_class:NORM": 0.9, "rhythm:AFIB": 0.8}, "yes", "atrial fibrillation 80 %")])
def test_a_group_is_there_when_a_member_is_called_present(question, sure, text, note):
    answer = ask(question, sure, leads=None)
    assert (answer.text, answer.note) == (text, note)
    assert 0.5 <= answer.confidence <= 0.99
    assert answer.evidence[0].unit == "probability"
    assert ask(question, sure, options=["Yes", "No", "unsure"]).text == text.title()


def test_a_group_is_surer_the_farther_its_members_are_from_the_usual():
    far, near = (ask("Any arrhythmia?", {"rhythm:AFIB": p}).confidence for p in (0.99, 0.6))
    assert far > near
    assert ask("Is there bundle branch block?", {}).confidence > 0.95  # none of four that a tenth of recordings each shows


def test_members_that_these_leads_cannot_show_are_named():
    answer = ask("Is there ischaemia?", {"sub_class:ISCI": 0.9}, leads=CHEST_LEADS)
    assert (answer.text, answer.evidence[-1].text) == (
        "no", "not judged here, for want of leads or of training recordings: inferior ischemia")
    assert "chest leads" in ask("Is there bundle branch block?", {}, leads=("I", "II")).reason


@pytest.mark.parametrize(("question", "each"), [
    ("What is the rate and the rhythm?", ["What is the heart rate?", "What is the rhythm?"]),
    ("Is there AF and LVH?", ["Is there AF?", "Is there LVH?"]),
    ("Is there AF, LVH and bundle branch block?", ["Is there AF?", "Is there LVH?", "Is there bundle branch block?"]),
    ("What is the rhythm and is there AF?", ["What is the rhythm?", "Is there AF?"]),
    ("What is the rate? And is there AF?", ["What is the heart rate?", "Is there AF?"]),
    ("What is the rhythm and the respiratory rate?", ["What is the rhythm?", "What is the respiratory rate?"]),
    ("Are the PR and QTc normal?", ["Is the PR interval normal?", "Is the QTc normal?"]),
    ("Is AF present and is the axis normal?", ["Is AF present?", "Is the axis normal?"]),
    ("Does it show RBBB and left axis deviation?", ["Does it show RBBB?", "Does it show left axis deviation?"])])
def test_joined_questions_are_taken_apart(question, each):
    assert [part.question for part in parts(question)] == each
    assert all(part.judged for part in parts(question))


@pytest.mark.parametrize("question", [
    "Is the rate between 60 and 100?", "Is there an axis deviation, and which?", "Describe the form of P, QRS and T.",
    "Is it a normal and regular rhythm?", "Is there no AF and LVH?", "What is the difference between PR and QT?",
    "Is there AF or LVH and RBBB?"])
def test_what_is_no_plain_enumeration_stays_whole(question):
    assert parts(question) == ()


@pytest.mark.parametrize("question", [
    "Is there left and right bundle branch block?", "Is AF likely here and LVH as well?", "Could AF and LVH be seen?"])
def test_what_names_two_things_otherwise_is_declined(question):
    assert parts(question) == ()
    assert several(question)


@pytest.mark.parametrize(("question", "options", "value", "chosen"), [
    ("What is the heart axis?", ["left axis deviation", "normal axis"], {"axis": -45}, "left axis deviation"),
    ("What is the axis?", ["Left", "Normal", "Right"], {"axis": 120}, "Right"),
    ("What is the heart rate?", ["tachycardia", "normal", "bradycardia"], {"heart_rate": 130}, "tachycardia"),
    ("Heart rate?", ["below normal", "within the normal range", "above normal"], {"heart_rate": 45}, "below normal"),
    ("Is the PR interval normal or prolonged?", ["normal", "prolonged"], {"pr": 250}, "prolonged"),
    ("Is the QRS wide or narrow?", ["wide", "narrow"], {"qrs": 74}, "narrow"),
    ("How is the QRS?", ["narrow complex", "broad complex"], {"qrs": 150}, "broad complex"),
    ("What is the PR interval?", ["100 ms", "150 ms", "200 ms"], {"pr": 151}, "150 ms"),
    ("What is the QRS duration?", ["0.08 s", "0.12 s"], {"qrs": 82}, "0.08 s"),
    ("Heart rate?", ["60", "80", "100"], {"heart_rate": 99}, "100")])
def test_options_in_words_are_read_off_the_measurement(question, options, value, chosen):
    answer = ask(question, {}, options, **value)
    assert answer.text == chosen
    assert answer.confidence > 0.9
    assert answer.evidence[0].value == next(iter(value.values()))


@pytest.mark.parametrize(("question", "value", "said"), [
    ("Is the QRS wide or narrow?", {"qrs": 74}, "narrow"), ("Is the QRS narrow or broad?", {"qrs": 140}, "broad"),
    ("Is the QTc normal or prolonged?", {"qtc_bazett": 374}, "normal"),
    ("Is the rate fast or slow?", {"heart_rate": 70}, "normal"),
    ("Is the PR interval short, or is it long?", {"pr": 240}, "long"),
    ("Is the rate too fast or too slow?", {"heart_rate": 40}, "slow")])
def test_one_word_or_another_is_read_off_the_measurement(question, value, said):
    answer = ask(question, {}, **value)
    assert answer.text == said
    assert answer.confidence > 0.9
    assert answer.evidence[0].value == next(iter(value.values()))


@pytest.mark.parametrize("question", [
    "Is the axis left or right?", "Is the rhythm fast or slow?", "Is the PR prolonged or is there LBBB?",
    "Is the QRS or the QT wide?", "Is the QRS wide?"])
def test_other_questions_are_no_choice_between_two_words(question):
    assert either(MODEL, question, made({}), topics(question)) is None


def beating(rr_s, rhythm):
    reading = made({})
    peaks = tuple(np.cumsum([0.5, *rr_s]))
    return replace(reading, measurements=replace(reading.measurements, rhythm=rhythm, r_peaks_s=peaks))


STEADY, FIBRILLATING = beating([0.8, 0.81] * 6, "regular, 75 bpm, P wave before every QRS"), beating(
    [0.5, 0.9, 0.62, 1.1, 0.55, 0.7, 0.95, 0.6, 0.8, 0.45], "irregularly irregular, 82 bpm, no consistent P waves")


@pytest.mark.parametrize(("question", "options", "steady", "fibrillating"), [
    ("Is the rhythm regular?", None, "yes", "no"), ("Is the pulse irregular?", None, "no", "yes"),
    ("Are the RR intervals regular?", ["Yes", "No"], "Yes", "No"),
    ("Is the rhythm regular or irregular?", None, "regular", "irregular"),
    ("Is the heart rhythm irregular, or regular?", ["irregular", "regular"], "regular", "irregular"),
    ("How is the rhythm?", ["Regular", "Irregular"], "Regular", "Irregular")])
def test_regularity_is_measured(question, options, steady, fibrillating):
    for reading, said, how in ((STEADY, steady, "regular"), (FIBRILLATING, fibrillating, "irregularly irregular")):
        answer = computed(MODEL, question, reading, options)
        assert (answer.text, answer.note) == (said, None if how == "regular" else how)
        assert answer.confidence > 0.9
        assert how in answer.evidence[0].text
    assert computed(MODEL, question, beating([0.8], None), options).abstained


def test_one_beat_out_of_turn_makes_it_irregular_and_is_named():
    early = computed(MODEL, "Is the rhythm regular?", beating([0.8, 0.8, 0.5, 1.1, 0.8, 0.8], "one premature beat, 75 bpm"))
    assert (early.text, early.note) == ("no", "one premature beat")


def test_what_is_nearly_regular_is_not_sure():
    barely = beating([0.80, 0.83, 0.80, 0.79, 0.84, 0.80, 0.83, 0.79, 0.81], "slightly irregular, 74 bpm")
    assert 0.5 <= computed(MODEL, "Is the rhythm regular?", barely).confidence < 0.9


@pytest.mark.parametrize(("question", "options"), [
    ("What is the rhythm?", None), ("Is it a regular sinus rhythm?", None), ("Is the rhythm regular?", ["red", "blue"]),
    ("Is the axis normal?", ["regular", "irregular"]), ("Is the rhythm irregularly irregular?", None)])
def test_other_questions_are_not_of_regularity(question, options):
    assert regularity(MODEL, question, STEADY, topics(question), options) is None


def test_normal_or_abnormal_is_the_verdict_on_the_whole_ecg():
    sure, sick = {"super_class:NORM": 0.9, "rhythm:SR": 0.9}, {"sub_class:CLBBB": 0.9, "rhythm:SR": 0.9}
    for question in ("Is the ECG normal?", "Is this ECG abnormal?", "How is the ECG?"):
        assert ask(question, sure, ["normal", "abnormal"]).text == "normal"
        assert ask(question, sick, ["Abnormal ECG", "Normal ECG"]).text == "Abnormal ECG"
        assert "several leads" in ask(question, sure, ["normal", "abnormal"], leads=("II",)).reason
    assert ask("Is the rhythm normal?", sure, ["normal", "abnormal"]) is None


def test_options_that_the_measurement_rules_out_are_declined():
    assert "normal heart axis" in ask("What is the axis?", {}, ["left", "right"], axis=40).reason
    assert "62 bpm" in ask("Heart rate?", {}, ["80", "100"], heart_rate=62).reason
    assert "151 ms" in ask("What is the PR interval?", {}, ["150", "150 ms"], pr=151).reason
    assert "adults" in ask("Heart rate?", {}, ["slow", "normal", "fast"], age=5, heart_rate=130).reason
    assert ask("What is the rhythm?", {}, ["tachycardia", "normal"]) is None
    assert ask("Heart rate?", {}, ["banana", "apple"]) is None


@pytest.mark.parametrize(("question", "said"), [
    ("What is the sampling rate?", "500 Hz"), ("How long is the recording?", "10 s"), ("How many leads are there?", "12"),
    ("Which leads does this ECG have?", "I, II, III, aVR, aVL, aVF, V1, V2, V3, V4, V5, V6")])
def test_facts_of_the_file_are_read_from_it(question, said):
    assert ask(question, {}).text == said


@pytest.mark.parametrize("question", [
    "How many leads show ST elevation?", "Which leads show ST elevation?", "How long is the QRS in this recording?",
    "Is the sampling rate 500 Hz?", "What is the heart rate?"])
def test_other_questions_are_no_facts_of_the_file(question):
    assert of_file(question, measured()[0]) is None


def test_lists_keep_to_statements_that_the_leads_can_show():
    about = topics("What does this ECG show?")
    text, left_out = kept("sinus rhythm, normal ecg, banana", about, made({}, leads=("II", "V5")))
    assert text == "sinus rhythm"
    assert "several leads" in left_out[0]
    assert left_out[1] == 'left out "banana", which is no statement'
    assert kept("banana", about, made({})).text == ""
    assert kept("It shows banana.", about, made({})).text == "It shows banana."


@pytest.mark.parametrize(("qrs", "said"), [(74.0, "yes"), (119.4, "yes"), (120.0, "no"), (150.0, "no")])
def test_a_narrow_qrs_is_one_below_120_ms(qrs, said):
    for question in ("Is the QRS narrow?", "is the QRS complex narrow", "Is the QRS duration narrow?"):
        assert ask(question, {}, qrs=qrs).text == said
    assert ask("Is the QRS narrower than before?", {}, qrs=qrs) is None
