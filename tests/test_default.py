"""What a user gets: the shipped weights on a real recording, through the API and the command line.

Needs the base language model (fetched once from the package index); skips with the reason when it cannot be had.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import ecglm
from ecglm.errors import CheckpointError
from ecglm.models import base


@pytest.fixture(scope="module")
def dicom() -> str:
    from pydicom.data import get_testdata_file

    return str(get_testdata_file("waveform_ecg.dcm", download=False))


@pytest.fixture(scope="module")
def model():
    try:
        base.resolve("smollm2-135m", progress=False)
    except CheckpointError as error:
        pytest.skip(f"the base language model is not here and could not be fetched: {error}")
    return ecglm.load()


@pytest.fixture(scope="module")
def record(dicom):
    return ecglm.read(dicom)


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ecglm.cli", *args], capture_output=True, text=True, timeout=300)


def test_the_demo_recording_is_read_right(model, record):
    """A 42-year-old woman's ECG: sinus rhythm at 61, PR 151 ms, no infarction, no fibrillation."""
    measured = ecglm.measure(record)
    assert measured.heart_rate.value == pytest.approx(61, abs=2)
    assert measured.pr.value == pytest.approx(151, abs=8)
    answers = model.ask_batch([(record, q) for q in (
        "What is the rhythm?", "What is the heart rate?", "What is the PR interval?", "Is there atrial fibrillation?",
        "Is there a myocardial infarction?", "Is there left bundle branch block?")])
    texts = [a.text for a in answers]
    assert "sinus" in texts[0]
    assert texts[1] == f"{round(measured.heart_rate.value)} bpm"
    assert texts[2] == f"{round(measured.pr.value)} ms"
    assert texts[3:] == ["no", "no", "no"]
    assert all(a.evidence and 0.5 < a.confidence <= 1 for a in answers)
    assert answers[2].confidence < 0.99  # read without doubt, but a PR interval is measured to 7 ms


@pytest.mark.parametrize(("question", "said", "instead"), [
    ("Is there atrial fibrillation?", "yes", "no"), ("Is this sinus rhythm?", "no", "yes"),
    ("Is it sinus rhythm or atrial fibrillation?", "both", "sinus rhythm")])
def test_what_contradicts_the_findings_is_replaced_by_what_they_leave(model, record, question, said, instead):
    answer = model.answerer._instead(model.answerer.reading(record), question, said)
    assert answer.text == instead
    assert 0.7 < answer.confidence < 1
    assert said in answer.evidence[0].text


def test_evidence_names_value_unit_and_leads(model, record):
    rate = model.ask(record, "What is the heart rate?").evidence[0]
    assert rate.unit == "bpm"
    assert rate.value == pytest.approx(61, abs=2)
    assert len(rate.leads) == 12
    finding = model.ask(record, "Is there atrial fibrillation?").evidence[0]
    assert "atrial fibrillation: probability" in finding.text


def test_another_signal_gives_another_answer(model, record):
    """The answer comes from the ECG: the same question on a recording played 1.8 times faster."""
    fast = replace(record, fs=record.fs * 1.8)
    assert model.ask(fast, "What is the heart rate?").text == f"{round(ecglm.measure(fast).heart_rate.value)} bpm"
    assert "tachycardia" in model.ask(fast, "What is the rhythm?").text
    assert model.ask(record, "Is there sinus tachycardia?").text == "no"
    assert model.ask(fast, "Is there sinus tachycardia?").text == "yes"


def test_gain_does_not_change_findings_and_single_leads_work(model, record):
    assert model.classify(replace(record, signal=3 * record.signal)) == pytest.approx(model.classify(record), abs=5e-3)
    assert "sinus" in model.ask(record.select(["II"]), "What is the rhythm?").text


def test_ask_from_the_command_line_prints_the_contract_keys(model, dicom):
    done = run("ask", dicom, "What is the rhythm?", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {"answer", "confidence", "abstained", "evidence", "model"} <= set(answer)
    assert "sinus" in answer["answer"]


@pytest.mark.parametrize(("question", "code"), [("", 2), ("x" * 100_000, 2), ("What is the blood pressure?", 0)])
def test_question_exit_codes(model, dicom, question, code):
    done = run("ask", dicom, question)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if code:
        assert len(done.stderr.strip().splitlines()) == 1
    else:
        assert "an ECG cannot tell blood pressure" in done.stdout


def test_report_is_written_whole(model, dicom, tmp_path):
    out = tmp_path / "r.html"
    done = run("report", dicom, "-o", str(out))
    assert done.returncode == 0, done.stderr
    html = out.read_text(encoding="utf8")
    assert "data:image/png;base64" in html
    assert "sinus rhythm" in html
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_shipped_files_are_small_and_carry_attribution():
    folder = ecglm.inference.model.DEFAULT
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert size < 40e6
    card = (folder / "README.md").read_text(encoding="utf8")
    assert "PTB-XL" in card
    assert "CC BY 4.0" in card


def test_findings_hold_on_fold_9(model, data_dir):
    """The shipped weights through the shipped preprocessing still reach what the model card says (a record in three)."""
    from ecglm.bench.metrics import macro_auroc
    from ecglm.corpus import ptbxl
    from ecglm.knowledge.statements import STATEMENTS

    data = ptbxl.load()
    rows = data.rows((9,))[::3]
    columns = [i for i, s in enumerate(STATEMENTS) if s.group == "super_class"]
    said = [model.classify(data.record(int(row))) for row in rows]
    prob = np.array([[p[STATEMENTS[i].key] for i in columns] for p in said])
    assert macro_auroc(data.labels_NC[rows][:, columns], prob) > 0.90


def test_st_elevation_is_told_from_what_is_measured_and_an_infarct_is_not(model, record):
    answer = model.ask(record, "Is there ST elevation?")
    assert answer.text == "no"
    assert "no two neigh" in answer.evidence[0].text
    assert any(evidence.unit == "mV" for evidence in answer.evidence)
    assert model.ask(record, "Is this an acute myocardial infarction?").text != "no"


@pytest.mark.parametrize("question", ["Is there pre-excitation?", "Is there a pacemaker?"])
def test_what_training_hardly_showed_is_declined(model, record, question):
    answer = model.ask(record, question)
    assert answer.abstained
    assert "too few training recordings" in str(answer.reason)


def test_options_that_do_not_fit_are_declined(model, record):
    assert model.ask(record, "What is the rhythm?", options=["banana", "apple"]).abstained
    assert model.ask(record, "What is the rhythm?", options=["Atrial fibrillation", "Sinus rhythm"]).text == "Sinus rhythm"


def test_options_of_several_groups_are_told_by_the_findings(model, record):
    """The language model was never offered a diagnosis beside "normal ECG", and would say none of them."""
    options = ["left bundle branch block", "myocardial infarction", "normal ECG"]
    answer = model.ask(record, "What does this ECG show?", options=options)
    assert answer.text == "normal ECG"
    assert answer.confidence > 0.9
    assert "none of the options is supported" in model.ask(record, "What does this ECG show?", options=options[:2]).reason
