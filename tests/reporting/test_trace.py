"""The trace finds what a report may not say, in each language, and nothing in what it may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import ecglm
from ecglm.answers import Answer, Finding
from ecglm.knowledge.statements import STATEMENTS
from ecglm.reporting import Report
from ecglm.reporting.compose import compose
from ecglm.reporting.document import without
from ecglm.reporting.language import language
from ecglm.reporting.save import checked, to_markdown
from ecglm.reporting.trace import trace
from ecglm.schema import Evidence, Measurement
from tests.reporting.conftest import measurements

Make = Callable[..., Report]
AFIB, STD = Finding("AFIB", "atrial fibrillation", "rhythm", 0.91, True), Finding("STD", "st depression", "form", 0.42, False)
NORM = Finding("NORM", "normal ecg", "super_class", 0.03, False)


@pytest.fixture
def report(make: Make) -> Report:
    return make(findings=(AFIB, STD, NORM), answers=())


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_a_report_of_its_own_data_traces_to_it(report: Report, make: Make, code: str) -> None:
    for given in (report, make(), make(previous=report, history="Fell 3 times in 2019, QRS 555 ms.", patient_name="Ada 7")):
        found = given.trace(code)
        assert found.untraced == ()
        assert found.numbers > 40
        assert found.statements >= 3


@pytest.mark.parametrize(("sentence", "what"), [
    ("The heart rate is 113/min.", "113/min"), ("QRS duration 97 ms.", "97 ms"), ("QTc of 500 ms.", "500 ms"),
    ("The QRS axis is 41°.", "41°"), ("Atrial fibrillation, probability 99 %.", "99 %"),
    ("ST depression is present.", "st depression"), ("There is no atrial fibrillation.", "atrial fibrillation"),
    ("Atrial fibrillation is absent.", "atrial fibrillation"), ("There is complete left bundle branch block.",
                                                              "complete left bundle branch block"),
    ("The ECG suggests pericarditis.", "pericarditis"), ("Possible myocardial infarction.", "myocardial infarction"),
])
def test_invented_numbers_and_statements_are_found(report: Report, sentence: str, what: str) -> None:
    found = trace(sentence, report, forms=False)
    assert what.lower() in [issue.what.lower() for issue in found.untraced]
    assert found.rate == 1.0


@pytest.mark.parametrize("sentence", [
    "Atrial fibrillation with a heart rate of 112/min.", "The QRS axis is −41°.", "QRS duration 96 ms, within 110 ms.",
    "Possible ST depression (42 %).", "There is no myocardial infarction.", "No sign of pericarditis.",
    "The rhythm is irregular.", "There is no normal ECG.",
])
def test_what_is_known_passes(report: Report, sentence: str) -> None:
    assert trace(sentence, report, forms=False).untraced == ()


@pytest.mark.parametrize(("code", "sentence", "bad"), [
    ("de", "Vorhofflimmern mit 112/min.", False), ("de", "Kein Vorhofflimmern.", True), ("de", "ST-Senkung vorhanden.", True),
    ("de", "Mögliche ST-Senkung.", False), ("de", "QRS-Dauer 97 ms.", True), ("de", "Kein Myokardinfarkt.", False),
    ("zh", "心房颤动。", False), ("zh", "无心房颤动。", True), ("zh", "ST 段压低。", True), ("zh", "可能 ST 段压低。", False),
    ("zh", "QRS 时限 97 ms。", True), ("zh", "无心肌梗死。", False),
])
def test_negation_and_doubt_are_read_in_every_language(report: Report, code: str, sentence: str, bad: bool) -> None:
    assert bool(trace(sentence, report, code, forms=False).untraced) is bad


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_caveats_of_rhythm_and_of_a_normal_ecg_trace(make: Make, code: str) -> None:
    said = ("the rhythm that is called present has P waves, but before most QRS complexes none could be marked: "
            "look at the rhythm",
            "the ECG is called normal and a diagnosis is called present as well: unless that is a normal variant, one is wrong")
    normal = Finding("NORM", "normal ecg", "super_class", 0.9, True)
    assert make(findings=(normal,), answers=(), caveats=said).trace(code).untraced == ()


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_a_caveat_that_names_what_may_be_imitated_stays(make: Make, code: str) -> None:
    caveat = ("QRS of 96 ms: bundle branch block, or a pacemaker, which is hardly ever recognised here, gives such Q waves, ST, "
              "T and voltages too")
    assert make(findings=(AFIB,), answers=(), caveats=(caveat,)).trace(code).untraced == ()
    assert make(findings=(AFIB,), answers=(), caveats=()).trace(code).sentences > 30


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_every_piece_of_a_findings_evidence_stays(make: Make, code: str) -> None:
    """The first piece shares a line with the finding; the others stand alone and must be known as they are."""
    beats, lead = Evidence("heart rate 112 bpm, RR standard deviation 9 ms"), Evidence("rests most on leads", ("II", "V5"))
    for order in ((beats, lead), (lead, beats)):
        report = make(findings=(Finding("AFIB", "atrial fibrillation", "rhythm", 0.91, True, order),), answers=())
        assert report.trace(code).untraced == ()
    said = language(code).phrase(lead.text)
    assert not trace(f"{said} II, V5", report, code).untraced
    assert [issue.kind for issue in trace(f"{said} II, V2", report, code).untraced] == ["sentence"]


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_numbers_in_the_reason_for_a_missing_value_are_of_no_measurement(make: Make, code: str) -> None:
    reason = "the T wave is too flat in the limb leads: its axis varies by 83° from beat to beat"
    report = make(findings=(AFIB,), answers=(), measurements=measurements(t_axis=Measurement(None, "deg", reason=reason)))
    assert report.trace(code).untraced == ()
    assert trace("The QRS axis is 83°.", report, forms=False).untraced


def test_a_number_must_be_of_its_own_measurement(report: Report) -> None:
    assert trace("QRS duration | 360 ms", report).untraced  # 360 ms is QT
    assert not trace("QT interval | 360 ms", report).untraced


def test_a_sentence_of_no_form_is_found_in_the_finished_text(report: Report) -> None:
    text = "\n".join([*compose(report).lines(), "The patient should feel much better soon."])
    assert [issue.kind for issue in trace(text, report).untraced] == ["sentence"]


def test_an_untraced_answer_is_taken_out_of_the_report_and_counted(make: Make) -> None:
    report = make(findings=(AFIB,), answers=(("What is the rate?", Answer("149 bpm", 0.9, False, (), "m")),))
    document, found = checked(report)
    assert [issue.what for issue in found.untraced if issue.kind == "number"] == ["149 bpm"]
    assert "149 bpm" not in to_markdown(report)
    assert any("Lines removed for that reason: 1." in s.text for s in document.footer)


def test_fifty_real_recordings_have_no_number_that_traces_to_nothing(data_dir: Path) -> None:
    files = sorted((data_dir / "ludb" / "data").glob("*.hea"))[:50]
    numbers = 0
    for i, file in enumerate(files):
        record = ecglm.read(file.with_suffix(""))
        seen = [Finding(s.code, s.name, s.group, ((7 * i + 13 * k) % 97) / 100, (i + k) % 3 == 0)
                for k, s in enumerate(STATEMENTS)]
        found = Report.of(record, measurements=ecglm.measure(record), findings=seen).trace(("en", "de", "zh")[i % 3])
        assert found.untraced == ()
        numbers += found.numbers
    assert len(files) == 50
    assert numbers > 50 * 60


def test_what_is_counted_as_removed_is_gone(make: Make) -> None:
    """Rows of tables and labels with values too, which are lines of several sentences."""
    document = compose(make(findings=(AFIB, STD), answers=()))
    before = "\n".join(document.lines()).splitlines()
    rows = [line for line in before if line.startswith(("QRS axis | ", "Heart rate | ", "Age: ", "ST depression | "))]
    assert len(rows) == 4
    kept = "\n".join(without(document, frozenset(rows)).lines()).splitlines()
    assert [line for line in before if line not in kept] == [*rows, "STD, form"]  # with what else stood in the finding's row


@pytest.mark.parametrize(("sentence", "wrong"), [
    ("QRS duration 120 ms.", True), ("QRS duration ≥ 120 ms: measured 96 ms, not met", False),  # a limit is no value
    ("The QRS is 110 ms wide.", True), ("QRS duration 96 ms, below 110 ms.", False),
    ("PR interval 120 ms.", True), ("QT interval > 120 ms: measured 360 ms, met", True),  # nor one of another measurement
    ("The heart rate is 112/min and the QT 96 ms.", True), ("The heart rate is 112/min and the QRS 96 ms.", False),
    ("Complete left bundle branch block, probability 91 %.", True), ("Atrial fibrillation, probability 42 %.", True),
])
def test_a_limit_stands_only_as_the_limit_of_its_own_measurement(make: Make, sentence: str, wrong: bool) -> None:
    report = make(findings=(AFIB, STD, Finding("CLBBB", "complete left bundle branch block", "sub_class", 0.8, True)), answers=())
    assert bool([i for i in trace(sentence, report, forms=False).untraced if i.kind == "number"]) is wrong


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_what_was_there_before_is_not_there_now(make: Make, code: str) -> None:
    texts = language(code).texts
    block = Finding("AVB", "av block", "sub_class", 0.8, True)
    before = make(findings=(block,), measurements=measurements(qrs=Measurement(131.0, "ms")), answers=())
    report = make(findings=(AFIB, STD, NORM), answers=(), previous=before)
    assert report.trace(code).untraced == ()
    name, other = texts.statements["sub_class:AVB"], texts.statements["rhythm:AFIB"]
    assert trace(f"{name}.", report, code, forms=False).untraced
    assert trace(texts.appeared.format(names=name), report, code).untraced
    assert trace(texts.gone.format(names=other), report, code).untraced
    assert not trace(texts.gone.format(names=name), report, code).untraced
    assert trace(f"{texts.measurements['qrs']} | 131 ms", report, code).untraced
    row = f"{texts.measurements['qrs']} | {{}} | 96 | −35 ms | {texts.beyond}"
    assert not trace(row.format(131), report, code).untraced
    assert trace(row.format(130), report, code).untraced
