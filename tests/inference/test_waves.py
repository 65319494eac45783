"""Questions about waves of leads are answered from the measured heights, or with the reason."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pydicom.data import get_testdata_file

from ecglm.inference.lead_conditions import leads_showing
from ecglm.inference.measured_leads import leads_answer
from ecglm.inference.premises import premise_answer
from ecglm.inference.rules import ruled
from ecglm.inference.waves import wave_answer
from ecglm.knowledge.st_elevation import st_limit
from ecglm.records import read
from ecglm.schema import LeadValues
from ecglm.signal import measure
from tests.inference.made import MODEL, made


@pytest.fixture(scope="module")
def reading():
    record = read(get_testdata_file("waveform_ecg.dcm", download=False))
    return replace(made({}), record=record, measurements=measure(record), seconds=record.duration_s)


def ask(question, reading):
    return wave_answer(MODEL, question, reading)


@pytest.mark.parametrize(
    "question",
    [
        "How high is the R wave in V5?",
        "What is the amplitude of the R wave in V5?",
        "R wave amplitude in V5?",
        "How many millivolts is the R wave in V5?",
        "What is the height of R in V5?",
    ],
)
def test_the_height_is_the_measured_one(reading, question):
    answer = ask(question, reading)
    assert answer.text == f"{reading.measurements.by_lead['V5'].r.value:.2f} mV"
    assert answer.evidence[0].leads == ("V5",)
    assert "no annotated amplitudes" in answer.note
    assert 0.5 < answer.confidence <= 0.99


@pytest.mark.parametrize("question", ["What is the QRS amplitude in lead V5?", "How high is the QRS complex in V5?",
                                      "What is the QRS voltage in V5?"])
def test_the_height_of_the_qrs_is_from_its_lowest_to_its_highest_point(reading, question):
    of = reading.measurements.by_lead["V5"]
    heights = [0.0, *(m.value for m in (of.q, of.r, of.s, of.r_prime) if m.value is not None)]
    answer = ask(question, reading)
    assert answer.text == f"{max(heights) - min(heights):.2f} mV"
    assert answer.evidence[0].text.startswith("QRS complex in V5")


@pytest.mark.parametrize("question", ["How wide is the QRS in V5?", "What is the QRS duration in V5?", "What is the QRS axis?"])
def test_other_questions_about_the_qrs_are_not_for_its_height(reading, question):
    assert ask(question, reading) is None


def test_without_a_lead_every_lead_is_given_and_the_tallest_is_found(reading):
    by_lead = reading.measurements.by_lead
    every = ask("How high is the R wave?", reading).text
    assert [float(v) for v in re.findall(r"(-?\d+\.\d+) mV", every)] == [
        round(v.r.value, 2) for v in by_lead.values() if v.r.value is not None
    ]
    tallest = max((k for k, v in by_lead.items() if v.r.value is not None), key=lambda k: by_lead[k].r.value)
    assert ask("Which lead has the tallest R wave?", reading).text.startswith(f"lead {tallest}: ")


def shift(reading, lead, **values):
    """A reading whose waves of one lead have these values."""
    old = reading.measurements.by_lead[lead]
    new: LeadValues = replace(
        old,
        **{name: replace(getattr(old, name), value=v, reason="there is none" if v is None else None) if name != "t_shape" else v
           for name, v in values.items()},
    )
    by_lead = {**reading.measurements.by_lead, lead: new}
    return replace(reading, measurements=replace(reading.measurements, by_lead=by_lead))


def test_leads_with_elevation_are_those_above_their_limit(reading):
    low = reading
    for lead in reading.record.leads:
        low = shift(low, lead, st_j=0.02)
    raised = shift(shift(shift(low, "II", st_j=0.12), "aVF", st_j=0.1), "V2", st_j=0.12)  # below the limit of V2
    assert ask("In which leads is ST elevated?", low).text == "no lead shows ST elevation"
    assert ask("In which leads is the ST segment elevated?", raised).text == "II, aVF"
    assert leads_showing("st_elevated", raised).contiguous
    assert not leads_showing("st_elevated", shift(low, "V6", st_j=0.2)).contiguous
    assert ask("Is the ST elevated in II?", raised).text == "yes"
    assert ask("Is there ST elevation in V5?", raised).text == "no"
    assert ask("Which leads show ST depression?", shift(raised, "aVL", st_j=-0.06)).text == "aVL"


@pytest.mark.parametrize("question", ["Is there ST elevation?", "Does the ECG show ST elevation?", "Is the ST segment elevated?"])
def test_elevation_is_answered_from_all_leads_with_the_limit(reading, question):
    low = reading
    for lead in reading.record.leads:
        low = shift(low, lead, st_j=0.02)
    raised = shift(shift(low, "II", st_j=0.22), "aVF", st_j=0.2)
    no, yes = (leads_answer(MODEL, question, one) for one in (low, raised))
    assert (no.text, yes.text) == ("no", "yes")
    assert "from 0.1 mV on" in yes.note
    assert "in II, aVF, most in II 0.22 mV" in yes.evidence[0].text
    assert yes.evidence[1].leads == ("II",)
    assert leads_answer(MODEL, question, shift(low, "II", st_j=0.22)).text == "no"  # one lead alone does not count


@pytest.mark.parametrize("question", [
    "Is there no ST elevation?", "Is there ST elevation or depression?", "Is there new ST elevation?",
    "Is there ST elevation in V2?", "Why is there ST elevation?", "Is there ST depression?",
    "Is there an ST elevation myocardial infarction?"])
def test_other_questions_on_elevation_are_left_to_others(reading, question):
    assert leads_answer(MODEL, question, reading) is None


def scarred(reading):
    """QS complexes in V1 to V3, which the encoder does not call."""
    for lead in ("V1", "V2", "V3"):
        reading = shift(reading, lead, q=-0.6, q_duration=60.0, r=None)
    return reading


def test_q_waves_that_are_measured_are_not_denied(reading):
    said = leads_answer(MODEL, "Are there pathological Q waves?", scarred(reading))
    assert (said.text, said.confidence) == ("yes", 0.5)
    assert said.note == ("Q waves or QS complexes are measured in V1 0.60, V2 0.60, V3 0.60 mV, though the model gives a "
                         "probability of < 1 %")
    assert [e.leads for e in said.evidence] == [("V1",), ("V2",), ("V3",)]
    assert leads_answer(MODEL, "Are there Q waves?", reading) is None  # the encoder answers
    why = premise_answer(MODEL, "Why are there Q waves?", scarred(reading))
    assert why.text.startswith("Q waves or QS complexes are measured in V1 0.60")
    assert premise_answer(MODEL, "Where are the Q waves?", scarred(reading)).text == "aVR, V1, V2, V3"
    assert "in aVR they are normal" in premise_answer(MODEL, "Where are the Q waves?", scarred(reading)).note
    assert premise_answer(MODEL, "Where are the Q waves?", reading).text.startswith("There are no Q waves")


def test_one_lead_or_a_record_without_millivolts_shows_no_q_waves(reading):
    alone = shift(reading, "V4", q=-0.6, q_duration=60.0)
    plain = replace(scarred(reading), record=replace(reading.record, unit="normalized"))
    for one in (alone, plain):
        assert leads_answer(MODEL, "Are there Q waves?", one) is None
        assert premise_answer(MODEL, "Why are there Q waves?", one).text.startswith("There are no Q waves")


def test_elevation_needs_millivolts(reading):
    plain = replace(reading, record=replace(reading.record, unit="normalized"))
    assert leads_answer(MODEL, "Is there ST elevation?", plain) is None


@pytest.mark.parametrize(
    ("lead", "sex", "age", "limit"),
    [
        ("V2", "female", 30, 0.15),
        ("V3", "male", 39, 0.25),
        ("V2", "male", 40, 0.2),
        ("V2", None, None, 0.2),
        ("V4", "male", 20, 0.1),
    ],
)
def test_limits_of_elevation(lead, sex, age, limit):
    assert st_limit(lead, sex, age) == limit


def test_shapes_of_t_and_wide_q_waves(reading):
    turned = shift(reading, "V4", t=-0.3, t_shape="inverted")
    assert "V4" in ask("In which leads is the T wave inverted?", turned).text
    assert ask("Is the T wave inverted in V4?", turned).text == "yes"
    wide = shift(reading, "III", q=-0.2, q_duration=40.0)
    assert "III" in ask("Which leads have Q waves?", wide).text.split(", ")
    assert "III" not in ask("Which leads have Q waves?", shift(reading, "III", q=-0.05, q_duration=20.0)).text.split(", ")


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is the P duration?", "p_duration"),
        ("What is the QTc by Fridericia?", "qtc_fridericia"),
        ("Give the RMSSD.", "rmssd"),
        ("What is the Sokolow-Lyon voltage?", "sokolow_lyon"),
        ("What is the T axis?", "t_axis"),
    ],
)
def test_other_measurements_are_given(reading, question, name):
    value = getattr(reading.measurements, name).value
    assert float(re.match(r"-?[\d.]+", ask(question, reading).text)[0]) == pytest.approx(value, abs=0.51)


def test_reasons_instead_of_values(reading):
    plain = replace(reading, record=replace(reading.record, unit="normalized"))
    assert "no millivolt scale" in ask("How high is the R wave in V5?", plain).reason
    assert "not in this recording" in ask("How high is the R wave in V9?", reading).reason
    dead = replace(reading, unusable=("V5",))
    assert "V5 is flat" in ask("How high is the R wave in V5?", dead).reason


@pytest.mark.parametrize(
    "question",
    [
        "What is the heart rate?",
        "Is there ST depression?",
        "Is there a Q wave?",
        "What is the rhythm?",
        "What is the PR interval?",
        "Are there inverted T waves?",
        "Which form-related finding can be identified, st depression or low amplitude t-wave?",
    ],
)
def test_other_questions_are_left_alone(reading, question):
    assert ask(question, reading) is None


def test_what_one_named_lead_shows_comes_before_what_is_found_in_all(reading):
    inverted = shift(reading, "V4", t=-0.3, t_shape="inverted")
    assert ruled(MODEL, "Is the T wave inverted in V4?", inverted).text == "yes"
