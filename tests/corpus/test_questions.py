"""Questions from labels: right answers, balanced pools, no training wording in the held-out half."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from ecglm.corpus import questions as q
from ecglm.corpus.instructions import measurement_pairs, summary_answer
from ecglm.models.facts import axis_name
from ecglm.signal import measure
from tests.signal.synthetic import synthetic_ecg

INDEX = q.INDEX


def labels(*present: str) -> np.ndarray:
    row = np.zeros(len(INDEX), np.uint8)
    row[[INDEX[key] for key in present]] = 1
    return row


@pytest.mark.parametrize(("has", "answer"), [
    ((False, False), "none"), ((True, False), "atrial fibrillation"), ((True, True), "both"), ((False, True), "sinus rhythm")])
def test_choose_knows_both_and_none(has, answer):
    got = q.choose("rhythm:AFIB", "rhythm:SR", has, np.random.default_rng(0))
    assert got.answer == answer
    assert answer in got.valid


@pytest.mark.parametrize(("kind", "present", "answer"), [
    ("super_class", ("super_class:NORM", "super_class:CD"), "normal ecg"),
    ("super_class", ("super_class:MI", "super_class:CD"), "myocardial infarction, conduction disturbance"),
    ("rhythm", ("rhythm:AFIB",), "atrial fibrillation"), ("form", (), "none"),
    ("extrasystole", ("form:PVC", "form:PAC"), "ventricular extrasystoles, supraventricular extrasystoles"),
    ("form", ("form:LVOLT",), "none"),  # needs millivolts that PTB-XL's copy has lost
])
def test_query_answers(kind, present, answer):
    assert q.query(kind, labels(*present), "", np.random.default_rng(0)).answer == answer


def test_the_held_out_wording_is_never_used_in_training():
    rng = np.random.default_rng(0)
    trained = {q.verify("rhythm:AFIB", True, rng).text for _ in range(300)}
    held_out = q.verify("rhythm:AFIB", True, rng, unseen=True).text
    assert held_out not in trained
    assert len(trained) == len(q.VERIFY) - 1


def test_millivolt_statements_are_never_asked():
    everything = np.random.default_rng(0).integers(0, 2, (200, len(INDEX))).astype(np.uint8)
    assert not {"form:LVOLT", "form:HVOLT", "form:VCLVH"} & set(q.asked_statements(everything))


def test_summary_leads_with_the_rhythm():
    assert summary_answer(labels("rhythm:AFIB", "sub_class:AMI", "form:PVC", "super_class:MI")) == \
        "atrial fibrillation, anterior myocardial infarction, ventricular premature complex"
    assert summary_answer(labels("rhythm:SR", "super_class:NORM", "sub_class:NORM")) == "sinus rhythm, normal ecg"


def test_measurement_answers_are_the_measured_values():
    measurements = measure(synthetic_ecg(rate=110, qrs=0.14, qt=0.36)[0])
    pairs = dict(p for seed in range(60) for p in measurement_pairs(measurements, None, np.random.default_rng(seed)))
    assert pairs["What is the heart rate?"] == f"{round(measurements.heart_rate.value)} bpm"
    assert pairs["What range is the heart rate in?"] == "above the normal range"
    assert pairs["Is the QRS wide?"] == "yes"
    assert pairs["Is the PR interval normal?"] == "yes"


@pytest.mark.parametrize(("angle", "name"), [(0, "normal heart axis"), (90, "normal heart axis"), (-45, "left axis deviation"),
                                             (120, "right axis deviation"), (-150, "extreme axis deviation"),
                                             (210, "extreme axis deviation")])
def test_axis_names(angle, name):
    assert axis_name(angle) == name


def test_bench_items_are_balanced_and_from_one_fold(data_dir):
    from ecglm.corpus import ptbxl
    from ecglm.corpus.ecgqa import bench_items

    items, data = bench_items(), ptbxl.load()
    fold = dict(zip(data.ecg_id.astype(str), data.fold, strict=True))
    assert {int(fold[i.record_key]) for i in items} == {9}
    answers = defaultdict(Counter)
    for item in items:
        if item.qtype == "verify":
            answers[item.attribute][item.answer] += 1
    assert all(c["yes"] == c["no"] for c in answers.values())
    assert {i.meta["wording"] for i in items} == {"seen", "unseen"}
    assert [i.question for i in bench_items()] == [i.question for i in items]
    trained = set(data.patient[data.rows(tuple(range(1, 9)))].astype(str))
    assert not trained & {i.patient for i in items}
