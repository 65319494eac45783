"""`ecglm ask` and `chat`: what is printed, as JSON too, what is checked first, and how faults end."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecglm.cli import main
from tests.cli.fake_model import FakeModel


def test_ask_prints_answer_confidence_and_evidence(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", "Is there AF?", "--options", "yes, no"]) == 0
    assert capsys.readouterr().out == "yes\ufffd[31m  (confidence 91 %)\n  - RR varies by 180 ms\n"
    record, question, options = model.asked[0]
    assert (record.source, question, options) == ("a.dcm", "Is there AF?", ["yes", "no"])


def test_ask_json_has_the_contract_keys(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", "b.dcm", "Is there AF?", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {"answer", "confidence", "abstained", "evidence", "model"} <= set(shown)
    assert shown["evidence"][0]["unit"] == "ms"
    assert [record.source for record, _, _ in model.asked] == ["a.dcm", "b.dcm"]
    assert [(r["path"], r["answer"]) for r in shown["recordings"]] == [("a.dcm", "yes\x1b[31m"), ("b.dcm", "yes\x1b[31m")]
    assert shown["answer"].startswith("ECG 1: yes")


def test_what_is_only_possible_is_said_beside_the_answer(
        model: FakeModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(model, "one", lambda *_: replace(model.answer, text="yes"))
    assert main(["ask", "a.dcm", "Is it sinus rhythm?"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "yes  (possible, not called present: sinus rhythm 40 %; confidence 72 %)"
    assert main(["ask", "a.dcm", "b.dcm", "Is it sinus rhythm?", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["recordings"][0]["note"] == "possible, not called present: sinus rhythm 40 %"
    assert shown["note"].startswith("ECG 1: possible, not called present")


def test_several_recordings_are_named(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", "b.dcm", "Colour?"]) == 0
    assert capsys.readouterr().out == "a.dcm:\nNo answer: an ECG cannot tell\nb.dcm:\nNo answer: an ECG cannot tell\n"


def test_a_question_alone_is_told_what_is_missing(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "What is the rhythm?"]) == 2
    assert "give a recording and a question: ecglm ask FILE 'What is the rhythm?'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["ask", "a.csv", "Is there AF?"], ["measure", "a.csv"], ["info", "a.csv"], ["chat", "a.csv"],
    ["render", "a.csv", "-o", "page.png"], ["plot", "a.csv", "-o", "page.png", "--no-findings"]])
def test_every_verb_reads_with_the_options_of_read(
        model: FakeModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("# fs=500 unit=mV\nI,II,V5\n" + "0.1,0.2,0.3\n" * 5000)  # `measure` looks how long it is
    assert not main([*arguments, "--start", "2", "--duration", "5.5", "--leads", "II, V5", "--fs", "250", "--unit", "uV"])
    assert model.read_with == {"start_s": 2.0, "duration_s": 5.5, "leads": ["II", "V5"], "fs": 250.0, "unit": "uV"}
    assert not main(arguments)
    assert model.read_with == {}


def test_an_abstention_gives_its_reason_and_is_no_failure(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", "Colour?"]) == 0
    assert capsys.readouterr().out == "No answer: an ECG cannot tell\n"


def test_errors_of_the_library_are_passed_on(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", ""]) == 2
    assert capsys.readouterr().err == 'ecglm: the question is empty; ask something, such as "What is the heart rate?"\n'
    assert main(["ask", "bad.dcm", "Is there AF?"]) == 2
    assert capsys.readouterr().err == "ecglm: bad.dcm: is truncated; copy it again\n"


@pytest.mark.parametrize("path", ["a.dcm", "bad.dcm"])
def test_a_terminal_says_what_takes_a_while(model: FakeModel, monkeypatch: pytest.MonkeyPatch, path: str,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    main(["ask", path, "Is there AF?", "--json"])
    quiet = capsys.readouterr()
    assert "Reading" not in quiet.err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    main(["ask", path, "Is there AF?", "--json"])
    shown = capsys.readouterr()
    assert shown.out == quiet.out
    assert shown.err.startswith("Reading the file …\r\x1b[2K")  # gone before anything else is written
    assert shown.err.endswith("\x1b[2K" + quiet.err)


def test_a_bug_is_not_hidden(model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(model, "ask_batch", broken)
    with pytest.raises(ZeroDivisionError):
        main(["ask", "a.dcm", "q"])


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (PermissionError(13, "no", "out.png"), 2)])
def test_interrupts_and_system_errors(model: FakeModel, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str], raised: BaseException, code: int) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(model, "ask_batch", fail)
    assert main(["ask", "a.dcm", "q"]) == code
    assert ("out.png: no" in capsys.readouterr().err) == (code == 2)


def test_chat_streams_several_turns_and_survives_a_bad_one(
        model: FakeModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Rhythm?\ntoo long\n\nAnd now?\n"))
    assert main(["chat", "a.dcm"]) == 0
    captured = capsys.readouterr()
    sure = "(possible, not called present: sinus rhythm 40 %; confidence 72 %)"
    assert captured.out == f"Sinus rhythm\ufffd.  {sure}\n  - heart rate 61 bpm\n" * 2
    assert captured.err == "ecglm: the question is too long; shorten it\n"


def test_chat_replays_a_script_and_prints_one_json_object(
        model: FakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "q.txt"
    script.write_text("# a comment\n\nRhythm?\n?\nuse 1\nuse 2\ntoo long\nquit\nnever asked\n")
    assert main(["chat", "a.dcm", "--script", str(script)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("> Rhythm?\nSinus rhythm")
    assert 'Commands: use 2' in captured.out
    assert "ECG 1: a.dcm" in captured.out
    assert "never asked" not in captured.out
    assert captured.err.splitlines() == ["ecglm: there is no recording 2; there are 1",
                                         "ecglm: the question is too long; shorten it"]
    monkeypatch.setattr("sys.stdin", io.StringIO(script.read_text()))
    assert main(["chat", "a.dcm", "--script", "-", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["recordings"], shown["model"], len(shown["turns"])) == (["a.dcm"], "fake", 4)
    first, use, wrong, bad = shown["turns"]
    assert (first["said"], first["reply"], first["asks_back"]) == ("Rhythm?", "Sinus rhythm\x07.", False)
    assert first["answer"]["answer"] == "Sinus rhythm"
    assert (use, wrong["error"], bad["said"]) == ({"said": "use 1", "use": 1}, "there is no recording 2; there are 1", "too long")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_script_that_cannot_be_read_is_one_line(model: FakeModel, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                  content: bytes | None) -> None:
    script = tmp_path / "q.txt"
    if content is not None:
        script.write_bytes(content)
    assert main(["chat", "a.dcm", "--script", str(script)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"ecglm: {script}: ")
    assert error.count("\n") == 1
