"""What must be read with an answer: caveats, and evidence that says no more than the leads can show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecglm.inference.caveats import caveats
from ecglm.inference.contradiction import remark
from ecglm.inference.evidence import evidence_for, measurement_evidence
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import BY_KEY
from ecglm.reporting.language import language
from tests.inference.made import CALIBRATION, MODEL, made, measured


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
