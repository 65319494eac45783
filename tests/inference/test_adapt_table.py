"""Tables that nothing can be learnt from: everything that is wrong is said at once, with the row and what to do."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ecglm
from ecglm.errors import UsageError
from ecglm.inference.adapt.support import SupportError, read_table
from ecglm.inference.adapt.teach import teach, teach_table
from ecglm.records import write_npz
from tests.inference.taught import patients

HEAD = "path,question,answer\n"
Q = "Is it of class one?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a*.npz and b*.npz: three patients of each of two classes; flat.npz, poor.npz: without signal, without one lead."""
    where = tmp_path_factory.mktemp("support")
    for number, (record, _, answer) in enumerate(patients(3, 5)):
        if answer != "class two":
            write_npz(record.crop(0.0, 5.0), where / f"{'a' if answer == 'class one' else 'b'}{number // 3}.npz")
    record = patients(3, 5)[0][0].crop(0.0, 5.0)
    write_npz(replace(record, signal=np.zeros_like(record.signal)), where / "flat.npz")
    signal = record.signal.copy()
    signal[record.leads.index("V3")] = 0
    write_npz(replace(record, signal=signal), where / "poor.npz")
    record.save(where / "again.edf")
    (where / "notes.npz").write_text("no recording")
    return where


def table(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "support.csv"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf8")
    return path


def row(name: str, answer: str = "", question: str = Q) -> str:
    return f"{name},{question},{answer or ('yes' if name.startswith('a') else 'no')}"


GOOD = [row(name) for name in ("a0.npz", "a1.npz", "a2.npz", "b0.npz", "b1.npz", "b2.npz")]


def problems(path: Path, **arguments: bool) -> list[tuple[int | None, str]]:
    with pytest.raises(SupportError) as caught:
        teach_table(path, **arguments)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return [(problem.row, problem.text) for problem in caught.value.problems if problem.severity == "error"]


def test_a_good_table_is_learnt_with_warnings(folder: Path) -> None:
    lesson = teach_table(table(folder, *GOOD))
    assert lesson.adapter.questions[0].counts == {"yes": 3, "no": 3}
    shown = [problem.text for problem in lesson.problems if problem.row is None]
    assert len(shown) == 3
    assert all(problem.severity == "warning" for problem in lesson.problems)
    assert sum("has examples of 3 patients; 5 or more answer better" in text for text in shown) == 2
    assert sum("nothing says whose 6 of 6 recordings are" in text for text in shown) == 1


@pytest.mark.parametrize(("text", "message"), [
    ("", "column path, question, answer is missing"),
    ("\n", "column path, question, answer is missing"),
    ("path,question\na0.npz,What?\n", "column answer is missing; found path, question; the first row must be path,question,ans"),
    ("file;Questions;label\na0.npz;What?;yes\n",
     r"column path, question, answer is missing; found file, questions, label \(questions: did you mean 'question'\?\); "),
    ("PK\3\4" + "\0" * 40, "a workbook of a spreadsheet; save it as CSV UTF-8"),
    (HEAD, "has no rows"),
    (HEAD + "\n,,\n", "has no rows"),
    (HEAD + '"a0.npz,What?,yes\n', "not readable as CSV"),
    (HEAD + "a0.npz,What?,yes\n" * 401, "401 rows; teach with at most 400"),
    (HEAD + "x" * 1_000_001, "larger than 1,000,000 bytes"),
], ids=["empty", "blank", "column", "columns", "workbook", "rows", "blank rows", "quote", "many", "large"])
def test_what_is_no_table_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "support.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        teach_table(path)


def test_tables_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        teach_table(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="not a file"):
        teach_table(tmp_path)
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + "a.npz,Müller?,ja\n".encode("latin-1"))
    with pytest.raises(UsageError, match="CSV UTF-8"):
        teach_table(tmp_path / "latin.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_spreadsheets(tmp_path: Path, delimiter: str) -> None:
    """A byte order mark, semicolons, capitals, blank lines at the end, columns in any order."""
    lines = (("Answer", "Path", "Question", "PATIENT"), ("yes", " a0.npz", "Is it, or not?", "7"), ("", "", "", ""))
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    (tmp_path / "support.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    rows, wrong = read_table(tmp_path / "support.csv")
    assert not wrong
    assert [(r.row, r.source, r.question, r.answer, r.patient) for r in rows] == [(2, "a0.npz", "Is it, or not?", "yes", "7")]


def test_everything_wrong_is_said_at_once(folder: Path) -> None:
    found = problems(table(folder, *(f"{line},{n}" for n, line in enumerate(GOOD)), f"{row('none.npz', 'no')},9",
                           f"{row('notes.npz', 'no')},9", f"{row('flat.npz', 'no')},9", row("x\0.npz", "no") + ",9",
                           "a0.npz,,yes,9", f"{row('a0.npz', '', '?!')},9", f",{Q},yes,9", f"a0.npz,{Q},,9", f"a0.npz,{Q},yes",
                           f"a0.npz,{Q},{'y' * 81},9", f"{row('.', 'no')},9",
                           head="path,question,answer,patient\n"))
    text = dict(found)
    assert [number for number, _ in found] == sorted(text)
    assert "there is no such file" in text[8]
    assert text[9].startswith(f"{folder / 'notes.npz'}: ")
    assert "flat line" in text[10]
    assert 11 in text
    assert "the question is empty" in text[12]
    assert "the question is empty" in text[13]
    assert "the path is empty" in text[14]
    assert "the answer is empty" in text[15]
    assert "4 cells" not in text[16]
    assert "3 cells where the header has 4" in text[16]
    assert "81 letters" in text[17]
    assert "this is a folder" in text[18]


def test_a_misspelt_path_is_hinted_at_as_the_table_has_it(folder: Path) -> None:
    (folder / "more").mkdir()
    shutil.copy(folder / "a0.npz", folder / "more" / "patient.npz")
    (found,) = problems(table(folder, *GOOD, row("more/pateint.npz", "yes")))
    assert found == (8, f"{folder}/more/pateint.npz: there is no such file; did you mean more/patient.npz?")


def test_columns_that_are_not_read(folder: Path) -> None:
    """Spreadsheets have columns of their own."""
    path = table(folder, *(f"{line},1,good" for line in GOOD), head="path,question,answer,pateint,remark\n")
    lesson = teach_table(path)
    assert [(p.severity, p.text) for p in lesson.problems if p.row == 1] == [
        ("warning", "column pateint, remark is ignored (pateint: did you mean 'patient'?); "
                    "path, question, answer, patient are read")]
    assert lesson.adapter.questions[0].counts == {"yes": 3, "no": 3}
    with pytest.raises(UsageError, match="column answer is there twice; keep one of them"):
        teach_table(table(folder, *(f"{line},yes" for line in GOOD), head="path,question,answer,Answer\n"))


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_the_separator_that_excel_declares(tmp_path: Path, first: str) -> None:
    (tmp_path / "support.csv").write_text(f"{first}\npath;question;answer\na0.npz;Which of A, B, C, D, E?;A\n")
    rows, wrong = read_table(tmp_path / "support.csv")
    assert not wrong
    assert [(r.row, r.source, r.question, r.answer) for r in rows] == [(2, "a0.npz", "Which of A, B, C, D, E?", "A")]


def test_what_follows_from_rows_to_be_mended_is_not_warned_of(folder: Path) -> None:
    for wrong in (row("none.npz", "yes"), row("a0.npz")):  # missing; the same as row 2
        with pytest.raises(SupportError) as caught:
            teach_table(table(folder, *GOOD, wrong))
        shown = [str(problem) for problem in caught.value.problems]
        assert sum(text.startswith("error: row 8: ") for text in shown) == 1
        assert not any("answer better" in text for text in shown)


def test_one_answer_alone_teaches_nothing(folder: Path) -> None:
    (found,) = problems(table(folder, row("a0.npz"), row("a1.npz", "Yes"), row("a2.npz")))
    assert 'has only the answer "yes"; add examples of another answer' in found[1]


def test_too_few_examples(folder: Path) -> None:
    (found,) = problems(table(folder, row("a0.npz"), row("b0.npz"), row("b1.npz")))
    assert 'answer "yes" has examples of 1 patient; give at least 2, better 5' in found[1]


def test_two_recordings_of_one_patient_are_not_two_examples(folder: Path) -> None:
    head, whose = "path,question,answer,patient\n", ("1", "1", "2", "3")
    lines = [f"{row(name)},{patient}" for name, patient in zip(("a0.npz", "a1.npz", "b0.npz", "b1.npz"), whose, strict=True)]
    (found,) = problems(table(folder, *lines, head=head))
    assert "1 patient" in found[1]


def test_the_same_recording_under_another_name_and_format(folder: Path) -> None:
    shutil.copy(folder / "a0.npz", folder / "a3.npz")
    assert problems(table(folder, *GOOD, row("a3.npz"))) == [(8, "the same recording as row 2; keep one of them")]
    assert problems(table(folder, *GOOD, row("a0.npz"))) == [(8, "the same recording as row 2; keep one of them")]
    (found,) = problems(table(folder, *GOOD, row("again.edf", "no")))
    assert found == (8, 'the same recording as row 2, which says "yes", not "no"; keep the right one')
    other = [row(name, question="Is it regular?") for name in ("a0.npz", "a1.npz", "b0.npz", "b1.npz")]
    assert len(teach_table(table(folder, *GOOD, *other)).adapter.questions) == 2  # of another question it may be an example


def test_a_patient_in_two_answers(folder: Path) -> None:
    lines = [f"{line},{patient}" for line, patient in zip(GOOD, ("Ann", "b", "c", "ann", "e", "f"), strict=True)]
    path = table(folder, *lines, head="path,question,answer,patient\n")
    (found,) = problems(path)
    assert found[0] == 5
    assert found[1].startswith('the patient of row 2, whose answer is "yes", not "no"; keep one, or allow it (--same-patient)')
    assert teach_table(path, same_patient=True).adapter.questions[0].n_patients == 5


def test_a_patient_whom_only_the_files_name(folder: Path) -> None:
    """WFDB comments; the same way serves DICOM, EDF and XML."""
    for name in ("a0", "b0"):
        ecglm.read(folder / f"{name}.npz").save(folder / f"{name}.hea")
        with open(folder / f"{name}.hea", "a") as header:
            header.write("# patient id: 4711-X\n")
    found = problems(table(folder, row("a0.hea"), *GOOD[1:3], row("b0.hea"), *GOOD[4:]))
    assert [number for number, _ in found] == [5]
    assert "4711" not in found[0][1]


def test_what_is_no_ecg_but_tells_the_answers_apart(folder: Path) -> None:
    given = [(record.select(["I", "II"]) if answer == "class one" else record, Q, answer)
             for record, _, answer in patients(5, 1) if answer != "class two"]
    shown = [problem.text for problem in teach([(*one, str(n)) for n, one in enumerate(given)]).problems]
    assert len(shown) == 1
    assert "the set of leads alone tells answers apart (class one: I, II; no class: I, II, III" in shown[0]


def test_leads_that_cannot_be_read_are_left_out(folder: Path) -> None:
    warned = [p for p in teach_table(table(folder, row("poor.npz", "yes"), *GOOD[1:])).problems if p.row == 2]
    assert [problem.text for problem in warned] == ["lead V3 cannot be read and is left out; `ecglm info` says what is wrong"]


def test_lopsided_examples(folder: Path) -> None:
    given = [(record, Q, answer) for record, _, answer in patients(9, 1) if answer == "no class"]
    given += [(record, Q, answer) for record, _, answer in patients(5, 1) if answer == "class one"][:2]
    assert any('"no class" has 9 examples, "class one" 2' in problem.text for problem in teach(given).problems)


@pytest.mark.parametrize(("given", "message"), [
    ([], "no examples"),
    ([("ecg.dcm", Q, "yes")], "read the file first"),
    ([("ecg.dcm", "yes")], "example 1 is not"),
    (["ecg.dcm"], "example 1 is not"),
    ([(patients(3, 5)[0][0], 3, "yes")], "question must be text"),
])
def test_lists_that_are_none(given: list[object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        teach(given)  # type: ignore[arg-type]
