"""What is answered without the language model, and that no wording of the benchmark is."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from ecglm.corpus import questions as q
from ecglm.inference.caveats import caveats
from ecglm.inference.comparison import compare, unclear
from ecglm.inference.computed import computed, of_file
from ecglm.inference.contradiction import remark
from ecglm.inference.evidence import evidence_for, measurement_evidence
from ecglm.inference.groups import ANY_OF, asked_group, mixed
from ecglm.inference.listed import kept
from ecglm.inference.measured_options import either
from ecglm.inference.parts import parts, several
from ecglm.inference.regularity import asks_regularity, regularity
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import BY_KEY, STATEMENTS
from ecglm.records.leads import CHEST_LEADS
from ecglm.reporting.language import language
from tests.inference.made import CALIBRATION, MODEL, made, measured

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


def test_evidence_of_few_leads_holds_no_statement_that_they_cannot_show():
    sure = {"rhythm:SR": 0.99, "super_class:NORM": 0.9}
    few = evidence_for(MODEL, made(sure, leads=("II", "V5")), topics("What does this ECG show?"), "sinus rhythm")
    assert not any("normal ecg" in e.text for e in few)


def test_a_spread_does_not_read_like_an_error_bar():
    record, measurements = measured()
    text = measurement_evidence("pr", measurements.pr, record).text
    assert "beats vary by" in text
    assert "±" not in text


def test_all_leads_are_those_of_the_recording():
    record, measurements = measured()
    assert measurement_evidence("pr", measurements.pr, record).text.endswith("all leads")
    eleven = replace(measurements.pr, leads=record.leads[1:])
    assert measurement_evidence("pr", eleven, record).text.endswith(f"leads {', '.join(record.leads[1:])}")


@pytest.mark.parametrize(("sure", "qrs", "said"), [
    ({"rhythm:PACE": 0.9, "super_class:MI": 0.8}, 90, "a pacemaker rhythm is called present"),
    ({"super_class:MI": 0.8}, 160, "QRS of 160 ms"), ({"super_class:MI": 0.8}, 90, None), ({"rhythm:AFIB": 0.8}, 160, None)])
def test_infarction_in_paced_or_wide_beats_has_a_caveat(sure, qrs, said):
    reading = made(sure, qrs=qrs)
    texts = [e.text for e in evidence_for(MODEL, reading, topics("What is shown?"), ", ".join(BY_KEY[k].name for k in sure))]
    for found in (caveats(reading), texts):
        about_pacing = [text for text in found if "a pacemaker" in text]
        assert len(about_pacing) == (said is not None)
        assert said is None or said in about_pacing[0]


@pytest.mark.parametrize("question", ["Is there left bundle branch block?", "Is the QRS wide?", "What is the QRS duration?",
                                      "Is there an intraventricular conduction disturbance?"])
def test_pacing_qualifies_what_is_said_of_the_width_of_the_qrs(question):
    def about_pacing(**finding):
        reading = made(finding, qrs=160)
        return [e.text for e in evidence_for(MODEL, reading, topics(question), "yes") if "pac" in e.text and "widens" in e.text]

    (paced,) = about_pacing(**{"rhythm:PACE": 0.9})
    assert paced.startswith("a pacemaker rhythm is called present: pacing itself widens the QRS")
    unseen = about_pacing(**{"rhythm:SR": 0.9})
    assert len(unseen) == ("block" in question or "conduction" in question)  # a duration is true whatever it comes from
    assert all("hardly ever recognised" in text for text in unseen)


def test_pacing_is_no_matter_for_the_rate_nor_a_narrow_qrs_for_block():
    for question, sure, qrs in (("What is the heart rate?", {"rhythm:PACE": 0.9}, 160),
                                ("Is there left bundle branch block?", {"rhythm:SR": 0.9}, 90)):
        texts = [e.text for e in evidence_for(MODEL, made(sure, qrs=qrs), topics(question), "no")]
        assert not any("widens" in text for text in texts)


def test_a_sinus_rhythm_without_p_waves_that_could_be_marked_has_a_caveat():
    reading = made({"rhythm:SR": 0.9})
    assert caveats(reading) == ()
    pr = replace(reading.measurements.pr, value=None, reason="P waves can be marked before only 1 of 22 QRS complexes")
    bare = replace(reading, measurements=replace(reading.measurements, pr=pr))
    assert caveats(bare) == (
        "the rhythm that is called present has P waves, but before most QRS complexes none could be marked: look at the rhythm",)
    assert caveats(replace(bare, findings=made({"rhythm:AFIB": 0.9}).findings)) == ()


def test_a_diagnosis_beside_a_normal_ecg_has_a_caveat():
    assert caveats(made({"super_class:NORM": 0.9, "sub_class:NORM": 0.9})) == ()
    (text,) = caveats(made({"super_class:NORM": 0.9, "sub_class:IRBBB": 0.6}))
    assert text.startswith("the ECG is called normal and a diagnosis is called present as well")


def test_a_qtc_that_is_long_by_one_formula_only_has_a_caveat():
    fast = made({}, heart_rate=116.0, qtc_bazett=510.0, qtc_fridericia=440.0)
    assert caveats(fast) == ("QTc depends on the formula at 116 bpm: Bazett 510 ms, above normal; Fridericia 440 ms, normal",)
    texts = [e.text for e in evidence_for(MODEL, fast, topics("Is the QTc prolonged?"), "yes")]
    assert caveats(fast)[0] in texts
    assert not any("formula" in e.text for e in evidence_for(MODEL, fast, topics("What is the PR interval?"), "160 ms"))
    assert caveats(made({}, heart_rate=116.0, qtc_bazett=510.0, qtc_fridericia=480.0)) == ()
    assert caveats(made({}, age=5, heart_rate=116.0, qtc_bazett=510.0, qtc_fridericia=440.0)) == caveats(made({}, age=5))


def test_a_long_qtc_beside_a_wide_qrs_has_a_caveat():
    long = {"qtc_bazett": 502.0, "qtc_fridericia": 469.0}
    (text,) = caveats(made({}, qrs=173.0, **long))
    assert text == "QRS of 173 ms: it lengthens QT by itself, so a long QTc need not mean slow repolarisation"
    assert text in [e.text for e in evidence_for(MODEL, made({}, qrs=173.0, **long), topics("Is the QTc prolonged?"), "yes")]
    assert caveats(made({}, qrs=90.0, **long)) == ()
    assert caveats(made({}, qrs=173.0, qtc_bazett=420.0, qtc_fridericia=410.0)) == ()


def test_one_caveat_speaks_of_a_wide_qrs():
    both = made({"super_class:MI": 0.8, "sub_class:CLBBB": 0.9}, qrs=160.0)
    assert [text.split(":")[1].split(",")[0].strip() for text in caveats(both)] == ["bundle branch block"]
    paced = made({"super_class:MI": 0.8, "sub_class:CLBBB": 0.9, "rhythm:PACE": 0.9}, qrs=160.0)
    assert len([text for text in caveats(paced) if "pacemaker rhythm" in text]) == 2


@pytest.mark.parametrize(("key", "value", "said"), [
    ("sub_class:AVB", {"pr": 171.0}, "AV block is called present, but the PR interval is 171 ms, not > 200 ms: look at it"),
    ("sub_class:AVB", {"pr": 190.0}, None), ("sub_class:AVB", {"pr": 230.0}, None),
    ("sub_class:CRBBB", {"qrs": 96.0}, "complete right bundle branch block is called present, but the QRS duration is 96 ms, "
                                       "not ≥ 120 ms: look at it"),
    ("rhythm:STACH", {"heart_rate": 84.0}, "sinus tachycardia is called present, but the heart rate is 84 bpm, "
                                           "not > 100 bpm: look at it"),
    ("rhythm:STACH", {"heart_rate": 99.0}, None)])
def test_what_is_called_present_against_a_measured_limit_has_a_caveat(key, value, said):
    found = [text for text in caveats(made({key: 0.8}, **value)) if "called present, but" in text]
    assert found == ([] if said is None else [said])
    for code in ("de", "zh"):
        assert all(language(code).phrase(text) for text in found)
    assert not any("called present, but" in text for text in caveats(made({key: 0.8}, age=5, **value)))


def test_no_diagnosis_is_not_said_as_if_nothing_were_found():
    reading = made({"super_class:STTC": 0.8, "sub_class:ISC": 0.25, "form:PVC": 0.9})
    question = "What diagnostic symptoms does this ECG show?"
    assert remark(question, "none", reading, CALIBRATION) == "no single diagnosis; called present: st/t change 80 %"
    first = evidence_for(MODEL, reading, topics(question), "none")[0]
    assert first.text == "no diagnosis is sure enough; the likeliest is non-specific ischemia, 25 %"
    normal = made({"super_class:NORM": 0.9, "sub_class:ISC": 0.05})
    assert not any("likeliest" in e.text for e in evidence_for(MODEL, normal, topics(question), "none"))
    assert remark(question, "none", normal, CALIBRATION) is None
    assert remark("What form-related symptoms does this ECG show?", "none", reading, CALIBRATION) is None


def test_a_normal_axis_is_no_evidence_of_a_normal_ecg():
    texts = [e.text for e in evidence_for(MODEL, made({}), topics("What is the heart axis?"), "normal heart axis")]
    assert texts[0].startswith("frontal QRS axis")
    assert not any("normal ecg" in text or "PR interval" in text for text in texts)


def test_children_and_long_recordings_have_a_caveat():
    assert caveats(made({})) == ()
    assert "5 years old" in caveats(made({}, age=5))[0]
    assert caveats(replace(made({}), seconds=4.0)) == ("judged on the first 4 s of 10 s",)


@pytest.mark.parametrize(("qrs", "said"), [(74.0, "yes"), (119.4, "yes"), (120.0, "no"), (150.0, "no")])
def test_a_narrow_qrs_is_one_below_120_ms(qrs, said):
    for question in ("Is the QRS narrow?", "is the QRS complex narrow", "Is the QRS duration narrow?"):
        assert ask(question, {}, qrs=qrs).text == said
    assert ask("Is the QRS narrower than before?", {}, qrs=qrs) is None
