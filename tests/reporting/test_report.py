"""A report says what is known, says what is not, and lets no text of a file become markup."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecglm.answers import Answer, Finding
from ecglm.errors import UsageError
from ecglm.records.record import Record
from ecglm.reporting import Report, save_html
from ecglm.reporting.fhir import diagnostic_report
from ecglm.reporting.report import TaughtAnswer
from ecglm.reporting.save import to_html, to_json, to_markdown
from ecglm.schema import Evidence, Measurement
from tests.reporting.conftest import measurements

Make = Callable[..., Report]
SECTIONS = ["Patient Information", "Medical History", "ECG Data Analysis", "Pathological Analysis", "Diagnosis",
            "Questions and answers", "Recommendations"]
HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "\u202egpj.exe\u2066\x00\x1b[31m",
           "{{ 7*7 }}{% raw %}", "| a | b |\n# title [x](javascript:y)", "w" * 10_000, "\udcff lone surrogate"]


class Reader(HTMLParser):
    """Collects tags, attributes and text per section of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: dict[str, str] = {}
        self._section, self._in = "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self._in == "h2" and data.strip():
            self._section = data
            self._in = ""
        self.text[self._section] = self.text.get(self._section, "") + data + " "


def words(reader: Reader, section: str) -> str:
    return " ".join(reader.text[section].split())


def test_the_sections_are_there_in_order(make: Make) -> None:
    reader = Reader(to_html(make()))
    assert [name for name in reader.text if name] == SECTIONS
    lines = to_markdown(make()).splitlines()
    assert [line[3:] for line in lines if line.startswith("## ")] == SECTIONS


def test_what_is_known_is_said_with_unit_range_flag_and_reason(make: Make) -> None:
    reader = Reader(to_html(make()))
    assert "63 years" in words(reader, "Patient Information")
    analysis = words(reader, "ECG Data Analysis")
    assert "Heart rate 112 /min ± 2 60 to 100 ↑ high II, V5 18" in analysis
    assert "QRS axis −41° −30 to +90 left" in analysis
    assert "QTc, Bazett 492 ms 350 to <450 ↑ high" in analysis
    assert "QTc, Fridericia 443 ms 350 to <450 II, V5" in analysis
    assert "PR interval not measured: no P wave was found" in analysis
    assert "10.1161/CIRCULATIONAHA.108.191096" in analysis
    findings = words(reader, "Pathological Analysis")
    assert findings.index("atrial fibrillation") < findings.index("st depression") < findings.index("possible")
    assert "91 %" in findings
    assert "normal ecg" not in findings
    assert "1.00 to 3.00 s" in findings
    diagnosis = words(reader, "Diagnosis")
    assert "atrial fibrillation plain, calibrated probability 91 %" in diagnosis
    assert "st depression" not in diagnosis
    asked = words(reader, "Questions and answers")
    assert "yes plain Confidence 88 %" in asked
    assert "No answer: amplitude is unknown plain m" in asked
    assert "ESC atrial fibrillation guideline 2024" in words(reader, "Recommendations")
    assert "not a medical device" in words(reader, "Recommendations")  # the footer follows the last section


@pytest.mark.parametrize(("angle", "said", "code"), [(-142.0, "extreme", "A"), (110.0, "right", "A"), (89.0, "", "N")])
def test_an_axis_is_neither_high_nor_low(make: Make, angle: float, said: str, code: str) -> None:
    report = make(measurements=measurements(axis=Measurement(angle, "deg")))
    row = next(line for line in to_markdown(report).splitlines() if line.startswith("| QRS axis"))
    assert row.split("|")[5].strip() == said
    (axis,) = (r for r in diagnostic_report(report)["contained"] if r["id"] == "m-axis")
    assert axis["interpretation"][0]["coding"][0]["code"] == code


def test_what_is_not_known_is_said_to_be_so() -> None:
    bare = Report.of(Record(np.zeros((1, 500), np.float32), 250.0, ("II",)))
    reader = Reader(to_html(bare))
    assert "Age not given Sex not given" in words(reader, "Patient Information")
    assert words(reader, "Medical History") == "Medical History Not provided."
    assert "Not measured." in words(reader, "ECG Data Analysis")
    assert "No findings were computed." in words(reader, "Pathological Analysis")
    assert "no findings were computed" in words(reader, "Diagnosis")
    assert "Questions and answers" not in reader.text
    assert "None generated." in words(reader, "Recommendations")
    assert "img" not in reader.tags


def test_no_finding_is_not_called_normal(make: Make) -> None:
    report = make(findings=(Finding("STD", "st depression", "form", 0.05, False),))
    assert "does not show that the ECG is normal" in words(Reader(to_html(report)), "Diagnosis")


def test_adult_ranges_are_not_held_against_a_child(make: Make) -> None:
    html = to_html(make(age=4))
    assert "Adult ranges do not apply" in html
    assert "↑ high" not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(make: Make, text: str, tmp_path: Path) -> None:
    plain, hostile = Reader(to_html(make())), to_html(make(text))
    reader = Reader(hostile)
    assert reader.tags == plain.tags
    assert {name for name, _ in reader.attributes} == {name for name, _ in plain.attributes}
    assert not {"\x00", "\x1b", "\u202e", "\u2066", "\udcff"} & set(hostile)
    save_html(make(text), tmp_path / "r.html")
    markdown = to_markdown(make(text))
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert not re.search(r"(?<!\\)\]\(", markdown)
    assert markdown.count("\n") == to_markdown(make()).count("\n")
    assert json.loads(to_json(make(text)))["record"]["notes"] == [text]


def test_the_page_is_inside_the_file_and_nothing_is_loaded_from_elsewhere(make: Make) -> None:
    reader = Reader(to_html(make()))
    sources = [value or "" for name, value in reader.attributes if name in ("src", "href")]
    assert len(sources) == 1
    head, data = sources[0].split(",", 1)
    assert head == "data:image/png;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (510, 660, 3)
    assert "script" not in reader.tags


def test_only_the_file_name_of_the_path_is_shown(make: Make) -> None:
    assert make("x").record.name == "x.dcm"
    assert "/data/" not in to_html(make("x"))


def test_the_dictionary_survives_json(make: Make) -> None:
    report = make("\"<ü>\"")
    data = json.loads(json.dumps(report.to_dict()))
    again = Report.from_dict(data)
    assert again.to_dict() == data == report.to_dict()
    assert (again.findings, again.answers, again.measurements) == (report.findings, report.answers, report.measurements)
    assert again.record == report.record


@pytest.mark.parametrize(("name", "start"), [("r.html", "<!DOCTYPE html>"), ("r.MD", "# ECG report"), ("r.json", "{")])
def test_the_extension_chooses_the_format(make: Make, tmp_path: Path, name: str, start: str) -> None:
    make().save(tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8").lstrip().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_other_extensions_are_refused_with_the_choices(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.html, \.md, \.json"):
        make().save(tmp_path / "r.docx")
    assert list(tmp_path.iterdir()) == []


def test_the_same_report_gives_the_same_file(make: Make) -> None:
    assert to_html(make()) == to_html(make())


def test_what_limits_report_and_answers_is_shown(make: Make) -> None:
    noted = Answer("yes", 0.7, False, (), "m", note="possible, not called present: av block 6 %")
    report = make(answers=(("Is there AV block?", noted),), caveats=("judged on the first 60 s of 1805 s",))
    reader = Reader(to_html(report))
    assert "Mind: judged on the first 60 s of 1805 s" in words(reader, "Patient Information")
    assert "yes (possible, not called present: av block 6 %)" in words(reader, "Questions and answers")
    markdown = to_markdown(report)
    assert "Mind: judged on the first 60 s of 1805 s" in markdown
    assert "yes (possible, not called present: av block 6 %) Confidence 70 %" in markdown
    again = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert (again.caveats, again.answers) == (report.caveats, report.answers)


def test_what_was_taught_has_a_section_of_its_own(make: Make) -> None:
    right, none = Answer("yes", 0.94, False, (), "adapter 1a2b"), Answer("", 0.0, True, (), "adapter 1a2b", "no lead is readable")
    report = make(taught=[TaughtAnswer("Is there the <b>Riverside</b> sign?", answer, "riverside (adapter 1a2b)",
                                       "cross-validated 90 % right (60-98 %), chance 50 %") for answer in (right, none)])
    shown = Reader(to_html(report)).text["Questions taught by the user"]
    for text in (shown, to_markdown(report).split("## Questions taught by the user")[1]):
        plain = re.sub(r"[\\\s]", "", text)
        assert "taughtbytheuser:riverside(adapter1a2b);cross-validated90%right" in plain
        assert "no lead is readable" in text
        assert "94 %" in text
    again = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert again.taught == report.taught
    assert "taught by the user" not in to_html(make())


def test_a_confidence_beside_a_higher_probability_is_explained(make: Make) -> None:
    sure = (Evidence("sinus rhythm: probability 99 %", (), 0.99, "probability"),)
    for text, confidence, said in (("sinus rhythm", 0.68, True), ("sinus rhythm", 0.95, False), ("yes", 0.68, False)):
        report = make(answers=(("Q?", Answer(text, confidence, False, sure, "m")),))
        for out in (to_html(report), to_markdown(report)):
            assert ("that the whole answer is right" in out) == said


def test_evidence_says_nothing_twice(make: Make) -> None:
    said = (Evidence("axis 38°, normal; leads I, II", ("I", "II"), 37.7, "deg"), Evidence("rests most on leads", ("I", "II")),
            Evidence("rate 116 bpm, all leads", ("I", "II", "III"), 116.4, "bpm"), Evidence("slow", ("II",), 47.0, "bpm"))
    markdown = to_markdown(make(answers=(("Axis?", Answer("normal", 0.7, False, said, "m")),)))
    shown = [line[2:] for line in markdown.split("Questions and answers")[1].split("##")[0].splitlines() if line.startswith("- ")]
    assert shown == ["axis 38°, normal; leads I, II", "rests most on leads I, II", "rate 116 bpm, all leads", "slow II; 47 bpm"]


def test_a_finding_below_even_odds_is_explained(make: Make) -> None:
    report = make(findings=(Finding("HYP", "hypertrophy", "super_class", 0.32, True),))
    for text in (to_markdown(report), Reader(to_html(report)).text["Pathological Analysis"]):
        assert "A rare statement is held to be present below 50 %" in text


def test_where_no_rhythm_is_called_the_likeliest_is_named(make: Make) -> None:
    some = (Finding("SR", "sinus rhythm", "rhythm", 0.14, False), Finding("STACH", "sinus tachycardia", "rhythm", 0.16, False),
            Finding("PVC", "ventricular premature complex", "form", 0.9, True))
    said = "No rhythm is held to be present; possible above all: sinus tachycardia, 16 %."
    assert said in to_markdown(make(findings=some))
    for code in ("en", "de", "zh"):
        assert make(findings=some, answers=()).trace(code).untraced == ()
    called = (replace(some[0], present=True), *some[1:])
    assert "No rhythm is held" not in to_markdown(make(findings=called))


def test_every_note_is_a_paragraph_of_its_own(make: Make) -> None:
    report = make()
    noted = replace(report, record=replace(report.record, notes=("left out: PLETH", "kept: V")))
    lines = to_markdown(noted).splitlines()
    assert "Notes of the reader: left out: PLETH" in lines
    assert "Notes of the reader: kept: V" in lines


def test_gaps_are_told_in_seconds_and_formats_by_their_names(make: Make) -> None:
    report = make()
    holes = replace(report, record=replace(report.record, format="aecg", fs=500.0, missing={"I": 3750, "II": 3750, "V1": 3}))
    assert "- Missing samples: 7.5 s in I, II; 0.1 s in V1" in to_markdown(holes).splitlines()
    assert "- Format: HL7 aECG" in to_markdown(holes).splitlines()
    for code in ("en", "de", "zh"):
        assert replace(holes, answers=()).trace(code).untraced == ()
