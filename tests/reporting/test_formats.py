"""Every format of a report can be read again by what reads it, whatever stands in names and texts."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.sr._concepts_dict import concepts

import ecglm
from ecglm.answers import Finding
from ecglm.errors import UsageError
from ecglm.paper import render
from ecglm.reporting import Report, fonts
from ecglm.reporting.changes import changes
from ecglm.reporting.criteria import criteria
from ecglm.reporting.document import Document
from ecglm.reporting.fhir import diagnostic_report
from ecglm.reporting.history import read_history
from ecglm.reporting.pdf import Layout, balanced, has_latex, to_pdf, typst_source
from ecglm.reporting.render import to_markdown, to_tex
from ecglm.reporting.save import check_format, checked, save
from ecglm.schema import Measurement
from tests.reporting.conftest import measurements

Make = Callable[..., Report]
STRANGE = "Müller-Lüdenscheidt 王小明 مرحبا עברית 😀 \\ # $ % & _ { } ~ ^ @ <b> \" ' ` #let \\input{x} \x00\x1b[31m \udcff"


@pytest.fixture
def strange(make: Make) -> Report:
    return make(STRANGE, patient_name=STRANGE, history=f"{STRANGE}\n#pagebreak() \\end{{document}} $x$")


def test_any_unicode_and_markup_becomes_a_pdf_in_its_own_words(strange: Report, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    strange.save(tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    source, _ = typst_source(checked(strange)[0], "")
    assert "\x00" not in source
    assert "\x1b" not in source
    strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", source)  # nothing of a value stands outside a string
    for word in ("Müller", "input", "#let \\", "pagebreak() ", "end{document}"):
        assert word not in strings


def test_a_letter_without_a_font_is_shown_by_its_code_and_said_to_be_so(strange: Report) -> None:
    pytest.importorskip("typst")
    source, _ = typst_source(checked(strange)[0], "", only_body_font=True)
    assert "[U+1F600]" in source
    assert "[U+738B]" in source
    assert "Müller" in source
    assert "shown by their code" in source
    assert to_pdf(checked(strange)[0], None, strange.created, only_body_font=True).startswith(b"%PDF-")


def test_chinese_without_a_chinese_font_says_what_to_install(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("typst")
    from ecglm.reporting import pdf

    with pytest.raises(UsageError, match="fonts-noto-cjk"):
        to_pdf(checked(make(), "zh")[0], None, make().created, only_body_font=True)
    monkeypatch.setattr(pdf, "choose", lambda text: fonts.choose(text, only_body=True))
    with pytest.raises(UsageError, match=r"a\.pdf: no font here .*ecglm\[chinese\]"):
        pdf.check_letters("a.pdf", "zh", "auto")
    for path, lang in (("a.html", "zh"), ("a.pdf", "de")):
        pdf.check_letters(path, lang, "auto")


@pytest.mark.parametrize("lang", ["en", "de", "zh"])
def test_a_pdf_takes_less_than_three_seconds_and_holds_the_page(make: Make, tmp_path: Path, lang: str) -> None:
    pytest.importorskip("typst")
    if lang == "zh" and fonts.choose("心电图").lacking:
        pytest.skip("no font with Chinese letters is installed here")
    report = make()
    report.save(tmp_path / "first.pdf", lang=lang)  # loads the compiler and looks for fonts
    began = time.process_time()
    report.save(tmp_path / "r.pdf", lang=lang)
    assert time.process_time() - began < 3
    assert b"/Image" in (tmp_path / "r.pdf").read_bytes()


def test_tex_is_written_with_its_picture_and_all_specials_escaped(strange: Report, tmp_path: Path) -> None:
    strange.save(tmp_path / "my report_1.tex")
    assert {p.name for p in tmp_path.iterdir()} == {"my report_1.tex", "my-report-1-ecg.png"}
    source = (tmp_path / "my report_1.tex").read_text(encoding="utf-8")
    assert "my-report-1-ecg.png" in source
    assert r"\input{x}" not in source
    assert r"\textbackslash{}input\{x\}" in source
    assert source.count(r"\end{document}") == 1
    assert "\x1b" not in source


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tex_compiles_where_latex_is(strange: Report, lang: str) -> None:
    if not has_latex():
        pytest.skip("latexmk and XeLaTeX are not installed here")
    assert to_pdf(checked(strange, lang)[0], None, strange.created, "latexmk").startswith(b"%PDF-")


def test_latex_runs_without_shell_escape(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    import subprocess

    from ecglm.reporting import pdf

    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(pdf, "has_latex", lambda: True)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(UsageError, match="LaTeX could not set this report"):
        to_pdf(checked(make())[0], None, make().created, "latexmk")
    assert "-no-shell-escape" in asked[0]
    assert "-norc" in asked[0]
    assert r"\write18" not in to_tex(checked(make())[0], "")


@pytest.mark.parametrize("lang", ["en", "de", "zh"])
def test_fhir_is_a_valid_r4_report_with_its_observations(make: Make, strange: Report, lang: str) -> None:
    resource = pytest.importorskip("fhir.resources.R4B.diagnosticreport").DiagnosticReport
    for report in (make(), strange, make(measurements=None, findings=())):
        text = json.dumps(diagnostic_report(report, lang)).encode("utf-8", "replace").decode()
        read = resource.model_validate_json(text)
        assert read.status == "preliminary"
        assert len(read.result or ()) == len([r for r in read.contained or () if r.get_resource_type() == "Observation"])


def test_fhir_codes_values_ranges_and_flags_are_those_of_the_report(make: Make) -> None:
    made = diagnostic_report(make())
    by_id = {item["id"]: item for item in made["contained"]}
    rate, pr, axis = by_id["m-heart-rate"], by_id["m-pr"], by_id["m-axis"]
    assert rate["code"]["coding"][0] == {"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}
    assert rate["valueQuantity"] == {"value": 112.3, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    assert rate["interpretation"][0]["coding"][0]["code"] == "H"
    assert pr["dataAbsentReason"]["text"] == "no P wave was found"
    assert "valueQuantity" not in pr
    assert axis["referenceRange"][0]["low"]["value"] == -30
    (finding,) = [item for item in made["contained"] if item.get("code", {}).get("text", "").startswith("atrial fibrillation")]
    assert {"system": "http://snomed.info/sct", "code": "164889003"} in finding["code"]["coding"]
    assert finding["component"][0]["valueQuantity"]["value"] == 91
    assert "name" not in by_id["patient"]
    assert diagnostic_report(make(patient_name="Ada"))["contained"][0]["name"] == [{"text": "Ada"}]


def items(container: pydicom.Dataset) -> list[pydicom.Dataset]:
    return [item for child in container.get("ContentSequence", ()) for item in (child, *items(child))]


def test_dicom_sr_is_read_again_with_its_tree(make: Make, strange: Report) -> None:
    highdicom = pytest.importorskip("highdicom")
    from ecglm.reporting.dicom_sr import to_dicom

    for report in (make(), strange):
        read = highdicom.sr.srread(io.BytesIO(to_dicom(report)))
        assert read.ContentTemplateSequence[0].TemplateIdentifier == "3700"
    tree = items(pydicom.dcmread(io.BytesIO(to_dicom(make()))))
    numbers = {item.ConceptNameCodeSequence[0].CodeMeaning: float(item.MeasuredValueSequence[0].NumericValue)
               for item in tree if item.ValueType == "NUM"}
    assert numbers["Ventricular Heart Rate"] == 112.3
    assert numbers["QRS duration global"] == 96
    assert numbers["QRS axis"] == -41
    assert numbers["Calibrated probability"] in (91, 42)
    found = [item.ConceptCodeSequence[0].CodeValue for item in tree
             if item.ValueType == "CODE" and item.ConceptNameCodeSequence[0].CodeMeaning == "ECG Finding"]
    assert found == ["164889003", "429622005"]
    templates = {item.ContentTemplateSequence[0].TemplateIdentifier for item in tree if "ContentTemplateSequence" in item}
    assert templates == {"3704", "3708", "3713", "3717", "3719"}


def test_dicom_sr_names_the_waveform_that_it_was_made_from_and_no_other_source() -> None:
    pytest.importorskip("highdicom")
    from ecglm.reporting.dicom_sr import document

    path = get_testdata_file("waveform_ecg.dcm")
    source, record = pydicom.dcmread(path), ecglm.read(path)
    made = document(Report.of(record, measurements=ecglm.measure(record)))
    (waveform,) = [item for item in items(made) if item.ValueType == "WAVEFORM"]
    assert waveform.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    evidence = made.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert evidence.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert made.StudyInstanceUID == source.StudyInstanceUID
    assert str(made.PatientName) == ""
    assert made.PatientID == ""
    other = document(Report.of(record.select(["I", "II"]).crop(0, 5)))
    assert "CurrentRequestedProcedureEvidenceSequence" in other  # still of that file
    array = document(Report.of(ecglm.Record(record.signal, record.fs, record.leads)))
    assert "CurrentRequestedProcedureEvidenceSequence" not in array
    assert not [item for item in items(array) if item.ValueType == "WAVEFORM"]
    times = {name: [str(item.DateTime) for item in items(of) if item.ValueType == "DATETIME"] for name, of in
             (("file", made), ("array", array))}
    assert times["file"] == [record.start.strftime("%Y%m%d%H%M%S")]
    assert times["array"] == []  # when it was recorded is not known, and not made up


def test_every_standard_code_of_the_dicom_sr_means_what_the_standard_says(make: Make) -> None:
    pytest.importorskip("highdicom")
    from ecglm.reporting.dicom_sr import document

    known = {(scheme, code): meaning for scheme in ("DCM", "LN", "MDC") for name in concepts[scheme].values()
             for code, (meaning, _) in name.items()}
    for item in (made := document(make(previous=make(), history="x")), *items(made)):
        for sequence in ("ConceptNameCodeSequence", "ConceptCodeSequence"):
            for code in item.get(sequence, ()):
                if code.CodingSchemeDesignator in ("DCM", "LN", "MDC") and (code.CodingSchemeDesignator, code.CodeValue) in known:
                    assert known[code.CodingSchemeDesignator, code.CodeValue].lower()[:20] == code.CodeMeaning.lower()[:20]
                elif code.CodingSchemeDesignator in ("DCM", "LN"):
                    raise AssertionError(f"{code.CodeValue} {code.CodeMeaning} is not in the standard")


def test_criteria_hold_the_measured_value_against_the_limit_of_a_source(make: Make) -> None:
    report = make(measurements=measurements(pr=Measurement(212.0, "ms"), qrs=Measurement(118.0, "ms")))

    def of(code: str) -> list[tuple[str, str, float, float | None, bool | None]]:
        return [(c.what, c.relation, c.limit, c.value, c.met) for c in criteria(Finding(code, code, "form", 0.9, True), report)]

    assert of("LPR") == [("pr", ">", 200, 212, True)]
    assert of("CLBBB") == [("qrs", "≥", 120, 118, False)]
    assert of("LNGQT") == [("qtc_bazett", "≥", 450, 492, True), ("qtc_fridericia", "≥", 450, 443, False)]
    assert of("SBRAD") == [("heart_rate", "<", 60, 112, False)]
    assert of("LVH") == [("sokolow_lyon", "≥", 3.5, None, None), ("cornell", ">", 2.8, None, None)]
    assert of("SR") == []
    assert all("10." in c.source for code in ("LPR", "CLBBB", "STE", "AFIB", "RVH")
               for c in criteria(Finding(code, code, "form", 0.9, True), report))


def test_a_change_counts_only_beyond_the_error_of_both() -> None:
    now = {c.name: c for c in changes(measurements(), measurements(
        heart_rate=Measurement(114.0, "bpm"), qrs=Measurement(124.0, "ms"), axis=Measurement(170.0, "deg")))}
    assert not now["heart_rate"].beyond
    assert now["qrs"].difference == 28
    assert now["qrs"].beyond
    assert now["axis"].difference == -149  # the shorter way round
    assert "pr" not in now  # not measured before


def test_the_comparison_names_what_came_and_what_went(make: Make) -> None:
    before = make(findings=(Finding("SR", "sinus rhythm", "rhythm", 0.99, True),))
    text = "\n".join(s.text for part in checked(make(previous=before))[0].sections if part.key == "comparison"
                     for block in part.blocks for s in getattr(block, "sentences", ()))
    assert "Now present, not before: atrial fibrillation plain." in text
    assert "Present before, not now: sinus rhythm." in text


def test_history_and_name_come_from_the_user_alone(make: Make, tmp_path: Path) -> None:
    told = tmp_path / "history.txt"
    told.write_text("Takes metoprolol.\nFell twice.", encoding="utf-8")
    assert read_history(str(told)) == "Takes metoprolol.\nFell twice."
    assert read_history("Chest pain.") == "Chest pain."
    for wrong in (str(tmp_path), str(tmp_path / "histroy.txt")):
        with pytest.raises(UsageError, match="there is no such text file"):
            read_history(wrong)
    told.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        read_history(str(told))
    with pytest.raises(UsageError, match="at most 200"):
        make(patient_name="x" * 201)
    record = ecglm.read(get_testdata_file("waveform_ecg.dcm"))
    name = str(pydicom.dcmread(get_testdata_file("waveform_ecg.dcm")).PatientName).split("^")[0]
    assert name
    for lang in ("en", "de"):
        assert name.lower() not in "\n".join(checked(Report.of(record), lang)[0].lines()).lower()


def test_what_cannot_be_written_is_known_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"\.pdf, \.tex, \.html, \.md, \.json, \.fhir\.json, \.dcm"):
        check_format(tmp_path / "r.docx")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="choose another path"):
        check_format(tmp_path / "file" / "r.html")
    assert check_format(tmp_path / "r.FHIR.json") == ".fhir.json"
    from ecglm.reporting import pdf

    monkeypatch.setattr(pdf, "has_typst", lambda: False)
    monkeypatch.setattr(pdf, "has_latex", lambda: False)
    with pytest.raises(UsageError, match=r"pip install 'ecglm\[report\]'"):
        check_format(tmp_path / "r.pdf")
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'ecglm\[report\]'"):
        check_format(tmp_path / "r.dcm")


def test_nothing_is_left_when_writing_fails(make: Make, tmp_path: Path) -> None:
    if shutil.which("true") is None or tmp_path.stat().st_uid == 0:
        (tmp_path / "r.tex").mkdir()
    with pytest.raises(UsageError, match="choose another path"):
        save(make(), tmp_path / "r.tex")
    assert [p.name for p in tmp_path.iterdir()] == ["r.tex"]


def test_no_page_of_the_pdf_is_left_nearly_empty() -> None:
    ends = {Layout(): (2, 0.1), Layout(compact=True): (1, 0.9), Layout(break_before="pathology"): (2, 0.6)}
    assert balanced(ends.__getitem__) == Layout(compact=True)  # a short rest fits on the first page, set smaller
    ends[Layout(compact=True)] = (2, 0.05)
    assert balanced(ends.__getitem__) == Layout(break_before="pathology")  # or the findings begin the second
    ends[Layout()] = (2, 0.5)
    assert balanced(ends.__getitem__) == Layout()
    assert balanced(lambda layout: (3, 0.1)) == Layout()


def test_the_report_of_a_normal_ecg_is_one_page_of_text_and_the_ecg(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    record = ecglm.read(get_testdata_file("waveform_ecg.dcm"))
    found = (Finding("SR", "sinus rhythm", "rhythm", 0.99, True), Finding("NORM", "normal ECG", "super_class", 0.97, True))
    made = Report.of(record, measurements=ecglm.measure(record), findings=found, page=render(record, dpi=60), model="m")
    made.save(tmp_path / "a.pdf")
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "a.pdf").read_bytes())) == 2


@pytest.mark.parametrize(("value", "written"), [("3.09 mV", "3.09 mV"), ("8.hea", "8.hea"), ("12. Dezember", "12\\. Dezember"),
                                                ("1) first", "1\\) first")])
def test_only_a_number_that_begins_a_list_is_escaped(value: str, written: str) -> None:
    document = Document("en", value, "", (), ())
    assert to_markdown(document).splitlines()[0] == f"# {written}"


def test_markdown_has_the_colon_of_its_language(make: Make, tmp_path: Path) -> None:
    for code, line in (("en", "- Age: 63 years"), ("de", "- Alter: 63 Jahre"), ("zh", "- 年龄：63 岁")):
        make().save(tmp_path / "r.md", lang=code)
        assert line in (tmp_path / "r.md").read_text(encoding="utf-8").splitlines()
