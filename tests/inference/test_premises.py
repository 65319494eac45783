"""Premises of questions: recognised in many wordings, looked at first, refuted with what shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecglm.bench.studies.premises import KEYS, NAMES, WORDINGS, outcome
from ecglm.corpus import questions as q
from ecglm.inference.premises import premise_answer
from ecglm.inference.presupposed import premise
from ecglm.knowledge.statements import BY_KEY
from tests.inference.made import CALIBRATION, MODEL, N, made

SINUS = {"rhythm:SR": 0.97, "super_class:NORM": 0.95}
AF = {"rhythm:AFIB": 0.96}


@pytest.fixture(autouse=True)
def rare(monkeypatch):
    """ST elevation, flutter and pre-excitation are rare, as in the shipped model."""
    from ecglm.knowledge.statements import STATEMENTS

    seen = tuple(0.001 if s.key in ("form:STE", "rhythm:AFLT", "sub_class:WPW", "rhythm:BIGU") else 0.1 for s in STATEMENTS)
    assert len(seen) == N
    monkeypatch.setattr(MODEL, "findings_calibration", replace(CALIBRATION, prevalence=seen))


def say(question, reading):
    answer = premise_answer(MODEL, question, reading)
    return None if answer is None else answer.reason if answer.abstained else answer.text


@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("Where is the ST elevation?", "There is no ST elevation: at the J point no two|There is no ST elevation: no lead"),
        (
            "How long has the patient had this AF?",
            "There is no atrial fibrillation: probability < 1 %; the rhythm is called sinus rhythm, 97 %",
        ),
        ("Which leads show the delta wave?", "There is no delta wave: PR interval"),
        ("Why is the QRS wide?", "The QRS is not wide: QRS duration"),
        ("and why is the QRS so broad?", "The QRS is not wide"),
        ("Why is the patient tachycardic?", "The heart rate is not fast: heart rate"),
        ("Why is there ventricular tachycardia?", "There is no ventricular tachycardia: the rhythm is called sinus rhythm"),
        ("What kind of atrial flutter is this?", "There is no atrial flutter: the rhythm is called sinus rhythm"),
        ("Is the LBBB new or old?", "There is no complete left bundle branch block"),
        ("How should the atrial fibrillation be treated?", "There is no atrial fibrillation"),
        ("Where are the extrasystoles?", "There are no extrasystoles: the likeliest is"),
        ("Why is this ECG abnormal?", "There is no abnormality: the ECG is called normal, 95 %"),
        ("Why is the axis deviated to the left?", "There is no left axis deviation: the axis is"),
        ("Where are the Q waves?", "There are no Q waves"),
        ("Why is there AVNRT?", "There is no AV nodal re-entrant tachycardia: the rhythm"),
        ("How long has she had this AVRT?", "There is no AV re-entrant tachycardia: the rhythm"),
        ("What caused the ventricular flutter?", "There is no ventricular flutter: the rhythm"),
        ("Where is the sinus bradycardia?", "There is no sinus bradycardia: heart rate"),
        ("Why do we see bigeminy here?", "There is no bigeminal pattern: there are no premature beats"),
    ],
)
def test_a_false_premise_is_refuted_before_anything_else(question, start):
    text = say(question, made(SINUS))
    assert text.startswith(tuple(start.split("|"))), text
    assert outcome(text, False) == "refuted"


@pytest.mark.parametrize(
    ("question", "sure", "values", "text"),
    [
        ("How long has the patient had this AF?", AF, {}, "Atrial fibrillation is called present: probability 96 %; since when"),
        ("What caused the AF?", AF, {}, "Atrial fibrillation is called present: probability 96 %; what causes it"),
        ("Why is the QRS wide?", {"sub_class:CLBBB": 0.9}, {"qrs": 150.0}, "QRS duration 150 ms, above normal"),
        ("Why is the QRS narrow?", SINUS, {"qrs": 118.0}, "QRS duration 118 ms, above normal"),
        ("Where is the sinus bradycardia?", SINUS, {"heart_rate": 59.4}, "Sinus bradycardia is called present: heart rate 59"),
        ("Where is the LBBB?", {"sub_class:CLBBB": 0.501}, {}, "Complete left bundle branch block is called present: probab"),
        ("Why is the heart rate so slow?", SINUS, {"heart_rate": 41.0}, "Heart rate 41 bpm, below"),
        ("Where are the PVCs?", {"form:PVC": 0.9}, {}, "Ventricular premature complex is called present: probability 90 %"),
        ("Why is this ECG abnormal?", AF, {}, "Abnormality is called present: atrial fibrillation 96 %"),
    ],
)
def test_a_true_premise_is_granted_with_what_can_be_told(question, sure, values, text):
    said = say(question, made(sure, **values))
    assert said.startswith(text), said
    assert outcome(said, False) == "accepted"


def test_the_wide_qrs_names_the_block_that_is_there():
    assert "called present besides: complete left bundle branch block 90 %" in say(
        "Why is the QRS wide?", made({"sub_class:CLBBB": 0.9}, qrs=150.0)
    )


def test_what_is_only_possible_is_neither_granted_nor_denied():
    text = say("How severe is the LVH?", made({"sub_class:LVH": 0.3, "super_class:HYP": 0.3}))
    assert (
        text
        == "Left ventricular hypertrophy is not called present, only possible: probability 30 %, 10 % of the training recordings"
    )
    assert outcome(text, False) == "doubted"


def test_what_is_less_likely_than_before_the_recording_is_denied():
    share = tuple(0.4 if label == "form:QWAVE" else 0.1 for label in MODEL.config.labels)
    reading = made({"form:QWAVE": 0.3})
    assert outcome(say("How extensive are the Q waves?", reading), False) == "doubted"
    MODEL.findings_calibration = replace(MODEL.findings_calibration, prevalence=share)
    answer = premise_answer(MODEL, "How extensive are the Q waves?", reading)
    assert answer.text == ("There are no Q waves: nothing here speaks for it, probability 30 %, less than "
                           "the 40 % of the training recordings")
    assert 0.5 < answer.confidence < 0.65
    assert outcome(answer.text, False) == "refuted"


def test_a_diagnosis_does_not_stand_without_its_class_nor_a_class_without_its_diagnosis():
    lateral = {"sub_class:LMI": 0.2}
    text = say("Where is the lateral infarction?", made(lateral))
    assert text.startswith("There is no lateral myocardial infarction: myocardial infarction, of which it would be a kind")
    assert outcome(say("Where is the lateral infarction?", made(lateral | {"super_class:MI": 0.2})), False) == "doubted"
    text = say("How extensive is the infarction?", made({"sub_class:IMI": 0.9}))
    assert text.startswith("Myocardial infarction is not called present, only possible: probability < 1 %, but of its kinds inf")
    assert outcome(say("How extensive is the infarction?", made({"sub_class:IMI": 0.101})), False) == "refuted"


def test_hypertrophy_that_is_not_shown_is_not_excluded():
    text = say("Where is the LVH?", made({}, sokolow_lyon=2.1, cornell=1.24))
    assert text == ("The ECG shows no sign of left ventricular hypertrophy: probability < 1 %; voltage criteria not met: "
                    "Sokolow-Lyon 2.10 mV (from 3.5 mV), Cornell 1.24 mV (above 2.8 mV); this does not exclude it")
    assert outcome(text, False) == "no sign"
    text = say("Where is the LVH?", made({}, sokolow_lyon=3.6, cornell=1.24))
    assert text.startswith("Left ventricular hypertrophy is not called present, only possible: a voltage criterion is met")
    text = say("Where is the LVH?", made({}, age=12, sokolow_lyon=2.1))
    assert "voltage" not in text
    assert outcome(text, False) == "no sign"
    assert outcome(say("Where is the right ventricular hypertrophy?", made({})), False) == "no sign"


def test_a_tachycardia_is_denied_by_a_slow_rate_and_a_paced_rhythm_in_fibrillation_by_a_narrow_qrs():
    share = tuple(0.001 if label in ("rhythm:SVTAC", "rhythm:PACE") else p
                  for label, p in zip(MODEL.config.labels, MODEL.findings_calibration.prevalence, strict=True))
    MODEL.findings_calibration = replace(MODEL.findings_calibration, prevalence=share)
    why = "heart rate 82 bpm, normal; a tachycardia is faster than 100 bpm"
    assert say("What caused the supraventricular tachycardia?", made({}, heart_rate=82.0)).endswith(why)
    text = say("Why is there ventricular tachycardia?", made({}, heart_rate=82.0))
    assert text == f"There is no ventricular tachycardia: {why}"
    assert "cannot be told" in say("What caused the supraventricular tachycardia?", made({}, heart_rate=132.0))
    assert say("Since when is there a pacemaker rhythm?", made(AF, qrs=90.0)).endswith("ms is not that of a paced beat")
    assert "cannot be told" in say("Since when is there a pacemaker rhythm?", made(AF, qrs=140.0))


@pytest.mark.parametrize(("rate", "slow"), [(59.4, True), (59.97, False), (60.2, False), (41.0, True)])
def test_the_rate_that_is_shown_decides_whether_a_sinus_rhythm_is_slow(rate, slow):
    text = say("Since when is there sinus bradycardia?", made(SINUS, heart_rate=rate))
    assert f"heart rate {round(rate)} bpm, {'below normal' if slow else 'normal'}" in text.lower()
    assert outcome(text, False) == ("accepted" if slow else "refuted")


def test_a_wide_qrs_is_not_narrow_and_the_cause_of_a_narrow_one_is_said():
    assert say("Why is the QRS narrow?", made({"sub_class:CLBBB": 0.9}, qrs=150.0)).startswith("The QRS is not narrow: QRS")
    assert say("Why is the QRS narrow?", made(SINUS, qrs=90.0)).endswith("the ventricles are activated in the normal way")


def test_an_incomplete_block_is_denied_by_a_narrow_qrs():
    share = tuple(0.001 if label == "sub_class:ILBBB" else p
                  for label, p in zip(MODEL.config.labels, MODEL.findings_calibration.prevalence, strict=True))
    MODEL.findings_calibration = replace(MODEL.findings_calibration, prevalence=share)
    assert say("Where is the incomplete left bundle branch block?", made({}, qrs=86.0)).startswith("There is no incomplete left")
    blocked = made({"super_class:CD": 0.9}, qrs=114.0)
    assert "cannot be told" in say("Where is the incomplete left bundle branch block?", blocked)
    text = say("Where is the incomplete left bundle branch block?", made({}, qrs=114.0))
    assert text.startswith("There is no incomplete left bundle branch block: conduction disturbance, of which it would be a kind")


def test_a_wording_that_is_not_known_grants_nothing():
    assert outcome("Perhaps.", False) == "other"
    assert outcome("", True) == "declined"
    assert outcome("It does not show atrial fibrillation.", False) == "refuted"
    assert [outcome(text, False) for text in ("It shows PVCs.", "V2 0.21 mV, V3 0.30 mV", "yes")] == ["accepted"] * 3


def test_what_cannot_be_judged_is_not_granted():
    plain = made({"rhythm:AFIB": 0.9})
    plain = replace(plain, record=replace(plain.record, unit="normalized"))
    assert (
        say("Where is the ST elevation?", plain)
        == "whether there is st elevation cannot be told here: too few training recordings showed st elevation to judge it"
    )
    assert say("Why is there ventricular tachycardia?", made(AF, heart_rate=130.0)) is None  # declined as before
    assert say("Why is the QRS wide?", made(SINUS, age=7)).startswith(
        "whether there is wide QRS cannot be told here: normal ranges"
    )
    assert "two limb leads" in say("Where is the inferior infarction?", made(SINUS, leads=("V1", "V2", "V3")))


def test_the_treatment_of_what_is_there_is_left_to_the_usual_reason():
    assert say("How should the atrial fibrillation be treated?", made(AF)) is None


@pytest.mark.parametrize("key", KEYS)
def test_every_known_wording_is_understood_for_every_finding(key):
    for wording in WORDINGS["known"]:
        asked = premise(wording.format(x=NAMES.get(key, BY_KEY[key].name)))
        assert asked is not None, wording
        assert asked.keys == (key,) or asked.measure is not None, (wording, asked)


def test_no_question_of_training_or_benchmark_takes_anything_for_granted():
    texts = [
        *(
            w.format(x=name)
            for w in (*q.VERIFY, *q.SPOKEN)
            for key in KEYS
            for name in (BY_KEY[key].name, *q.SYNONYMS.get(key, ()))
        ),
        *(
            w.format(a=BY_KEY[a].name, b=BY_KEY[b].name, noun="rhythm")
            for w in q.CHOOSE
            for a in KEYS
            for b in KEYS[::9]
            if a != b
        ),
        *q.VERIFY_NORMAL,
        *q.SPOKEN_NORMAL,
        *(w for d in (q.QUERY, q.SPOKEN_QUERY) for ways in d.values() for w in ways),
    ]
    assert [text for text in texts if premise(text) is not None] == []


@pytest.mark.parametrize(
    "question",
    [
        "What are the criteria for LBBB?",
        "What causes AV block?",
        "What is a delta wave?",
        "Why is there no AF?",
        "What is the rhythm?",
        "How is LVH diagnosed?",
        "What is the heart rate?",
        "Is there AF?",
        "How likely is atrial fibrillation?",
        "Why?",
        "Which is present, atrial fibrillation or sinus rhythm?",
        "What are usual causes of atrial fibrillation?",
    ],
)
def test_other_questions_have_no_premise(question):
    assert premise(question) is None


def test_outcomes_are_told_by_how_a_reply_begins():
    assert [outcome("", True), outcome("yes", False), outcome("The QRS is not wide: 80 ms", False)] == [
        "declined",
        "accepted",
        "refuted",
    ]


def test_the_evidence_is_what_the_verdict_rests_on():
    shown = premise_answer(MODEL, "Where is the ST elevation?", made(SINUS)).evidence
    assert shown
    assert all(e.text.startswith("ST at the J point in ") and e.unit == "mV" for e in shown)
    shown = [e.text for e in premise_answer(MODEL, "Which leads show the delta wave?", made(SINUS)).evidence]
    assert [text.split()[0] for text in shown] == ["PR", "QRS"]
    shown = [e.text for e in premise_answer(MODEL, "Why is there ventricular tachycardia?", made(SINUS)).evidence]
    assert shown[0].startswith("sinus rhythm: probability 97 %")


def test_the_kind_of_a_group_is_what_is_named():
    text = say("What kind of arrhythmia is this?", made({"rhythm:AFIB": 0.9}))
    assert text.startswith("Arrhythmia is called present: atrial fibrillation")
    assert "not judged" not in text
