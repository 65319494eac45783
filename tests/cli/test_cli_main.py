"""The command line as a person meets it: one line and exit code 2 for every mistake, never a traceback."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.answers import Answer
from ecglm.cli import VERBS, main
from ecglm.cli.output import clean
from ecglm.errors import EcglmError, UsageError
from ecglm.records.record import Record
from ecglm.schema import Evidence

ECGLM = str(Path(sys.executable).with_name("ecglm"))


class FakeModel:
    """Answers without weights and remembers what it was asked."""

    evidence = (Evidence("heart rate 61 bpm", ("II",), 61.0, "bpm"),)
    answer = Answer("Sinus rhythm", 0.72, False, evidence, "fake", note="possible, not called present: sinus rhythm 40 %")

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.read_with: dict[str, Any] = {}

    def ask_batch(self, items: list[tuple[Record, str, list[str] | None]]) -> list[Answer]:
        return [self.one(*item) for item in items]

    def one(self, record: Record, question: str, options: list[str] | None) -> Answer:
        self.asked.append((record, question, options))
        if not question:
            raise UsageError("the question is empty; ask something")
        if question == "Colour?":
            return Answer("", 0.0, True, (), "fake", reason="an ECG cannot tell")
        return Answer("yes\x1b[31m", 0.914, False, (Evidence("RR varies by 180 ms", ("II",), 180.0, "ms"),), "fake")

    def chat(self, records: list[Record]) -> FakeModel:
        self.asked.append(records)
        return self

    id, question, about, asked_back, quoted = "fake", "Rhythm?", (1,), False, None

    @property
    def answerer(self) -> FakeModel:
        return self

    def together(self, records: list[Record], question: str) -> None:
        return None

    def use(self, number: int) -> None:
        if number > 1:
            raise UsageError(f"there is no recording {number}; there are 1")

    def stream(self, text: str) -> Iterator[str]:
        if text == "too long":
            raise UsageError("the question is too long; shorten it")
        yield from ("Sinus ", "rhythm\x07.")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    fake = FakeModel()
    rng = np.random.default_rng(0)

    def read(path: str, **wanted: Any) -> Record:
        fake.read_with = wanted
        if path == "bad.dcm":
            raise EcglmError("bad.dcm: is truncated; copy it again")
        return Record(rng.normal(size=(2, 1000)).astype(np.float32), 500.0, ("I", "II"), source=path)

    monkeypatch.setitem(vars(ecglm), "read", read)
    monkeypatch.setitem(vars(ecglm), "load", lambda model=None, adapter=None: fake)
    return fake


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ECGLM, *arguments], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **environment})


def test_help_names_every_verb_and_each_verb_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for verb, text in VERBS.items():
        assert text in shown
        assert main([verb, "--help"]) == 0
        assert text.rstrip(".")[:30] in " ".join(capsys.readouterr().out.split())


def test_verbs_of_later_versions_are_not_there_as_stubs(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("serve",):
        assert main([verb]) == 2
        assert f"no command '{verb}'" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ecglm {ecglm.__version__}\n"


@pytest.mark.parametrize("arguments", [
    ["mesure", "x"], ["measure"], ["info", "a", "b"], ["ask", "only-one"], ["ask", "f", "q", "--colour"],
    ["render", "f"], ["bench", "run", "ecgqa"], ["bench", "nothing"], ["bench", "compare", "a", "b"],
    ["bench", "run", "ecgqa-ptbxl", "--limit", "0"], ["bench", "run", "ecgqa-ptbxl", "--model", "dummy:best"],
])
def test_every_misuse_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ecglm: ")
    assert captured.err.count("\n") == 1


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "ecglm", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, run("--version").stdout)


def test_a_slip_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    main(["mesure"])
    assert "did you mean 'measure'?" in capsys.readouterr().err


def test_a_bare_command_shows_help_and_fails() -> None:
    assert run().returncode == 2
    assert "Commands:" in run().stdout


@pytest.mark.parametrize("verb", ["info", "measure"])
def test_a_missing_file_is_named(verb: str) -> None:
    done = run(verb, "no/such/file.dcm")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no/such/file.dcm" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_file_name_cannot_drive_the_terminal() -> None:
    done = run("info", "\x1b]0;owned\x07\x1b[2J\u202efile\nx.dcm")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr
    assert "\u202e" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert run("\x1b[2J").stderr.isprintable() or "\x1b" not in run("\x1b[2J").stderr


def test_clean_keeps_what_people_write() -> None:
    assert clean("QT 380 ms ± 12, «naïve» 心电图\n\tend") == "QT 380 ms ± 12, «naïve» 心电图\n\tend"
    assert clean("a\rb\x1b[0m\x9b") == "a\ufffdb\ufffd[0m\ufffd"


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


def test_a_question_without_quotes_is_given_back_in_quotes() -> None:
    from pydicom.data import get_testdata_file

    file = str(get_testdata_file("waveform_ecg.dcm"))
    done = run("ask", file, "Is", "it", "AF;", "or", "what's", "this?")
    hint = done.stderr.split("put the question in quotes: ")[1]
    assert shlex.split(hint) == ["ecglm", "ask", file, "Is it AF; or what's this?"]


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


@pytest.mark.parametrize(("options", "keywords", "on_the_command_line", "in_python"), [
    (["--start", "-1"], {"start_s": -1.0}, "--start -1.0 is not usable", "start_s=-1.0 is not usable"),
    (["--start", "99"], {"start_s": 99.0}, "no signal at 99 s; it lasts 10 s; choose --start and --duration within",
     "no signal at 99 s; it lasts 10 s; choose start_s= and duration_s= within"),
    (["--fs", "500"], {"fs": 500.0}, "--fs is for files that do not state it", "fs= is for files that do not state it"),
    (["--record", "a"], {"record": "a"}, "--record is for files of several", "record= is for files of several"),
])
def test_messages_call_arguments_as_they_were_given(options: list[str], keywords: dict[str, Any], on_the_command_line: str,
                                                    in_python: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(get_testdata_file("waveform_ecg.dcm", download=False))
    assert main(["info", path, *options]) == 2
    assert on_the_command_line in capsys.readouterr().err
    with pytest.raises(EcglmError, match=in_python):
        ecglm.read(path, **keywords)


def test_options_in_messages_are_those_of_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text("I,II\n" + "0.1,0.2\n" * 3000)
    assert main(["measure", str(tmp_path / "x.csv")]) == 2
    assert "pass --fs, in Hz" in capsys.readouterr().err
    assert main(["synth", "-o", str(tmp_path / "out"), "--duration", "0.01"]) == 2
    assert "--duration 0.01 s is outside" in capsys.readouterr().err
    with pytest.raises(EcglmError, match=r"pass fs=, in Hz"):  # nothing is left of it afterwards
        ecglm.read(tmp_path / "x.csv")


def test_a_csv_without_a_rate_is_read_with_one(tmp_path: Path) -> None:
    wave = np.tile(np.sin(np.arange(1000) / 20), (2, 1)).T
    np.savetxt(tmp_path / "a.csv", wave, delimiter=",", header="I,II", comments="")
    done = run("info", str(tmp_path / "a.csv"), "--json")
    assert done.returncode == 2
    assert "fs" in done.stderr
    done = run("info", str(tmp_path / "a.csv"), "--fs", "250", "--unit", "mV", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["duration_s"] == 4.0


def test_an_abstention_gives_its_reason_and_is_no_failure(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", "Colour?"]) == 0
    assert capsys.readouterr().out == "No answer: an ECG cannot tell\n"


def test_errors_of_the_library_are_passed_on(model: FakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "a.dcm", ""]) == 2
    assert capsys.readouterr().err == 'ecglm: the question is empty; ask something, such as "What is the heart rate?"\n'
    assert main(["ask", "bad.dcm", "Is there AF?"]) == 2
    assert capsys.readouterr().err == "ecglm: bad.dcm: is truncated; copy it again\n"


@pytest.mark.parametrize(("arguments", "said"), [
    (["ask", "gone.png", " "], "the question is empty"),
    (["ask", "gone.png", "Is it normal?", "--options", "yes"], "the options must be 2 to"),
    (["report", "gone.png", "-o", "out.md", "--question", ""], "the question is empty"),
])
def test_a_question_is_checked_before_the_file_is_read(arguments: list[str], said: str,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "gone.png" not in error


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


def test_info_json_has_the_contract_keys(tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    done = run("info", str(get_testdata_file("waveform_ecg.dcm")), "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert {"path", "format", "leads", "fs", "duration_s", "unit", "quality", "patient"} <= set(shown)
    assert (len(shown["leads"]), shown["fs"], shown["duration_s"], shown["unit"]) == (12, 1000.0, 10.0, "mV")
    assert set(shown["quality"]) == set(shown["leads"])
    assert all(0 <= q <= 1 for q in shown["quality"].values())
    assert set(shown["patient"]) == {"age", "sex"}


def test_info_and_measure_name_what_is_wrong_with_a_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom.data import get_testdata_file

    file = str(get_testdata_file("waveform_ecg.dcm"))
    ecg = ecglm.read(file)
    signal = ecg.signal.copy()
    signal[6] = 0
    monkeypatch.setitem(vars(ecglm), "read", lambda path, **wanted: replace(ecg, signal=signal))
    for verb in ("info", "measure"):
        assert main([verb, file, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["problems"] == [{"cause": "flat", "leads": ["V1"], "severity": "major", "text": "flat line in V1",
                                      "span_s": None}]
        assert list(shown["not_checked"]) == ["chest leads"]
        assert main([verb, file]) == 0
        text = capsys.readouterr().out
        assert "flat line in V1" in text
        assert "swapped chest leads" in text


def test_a_closed_pipe_is_quiet() -> None:
    done = subprocess.run(f"{ECGLM} bench list --json | true", shell=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def test_bench_list_and_run_of_a_task_file(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglm.bench.task import BenchItem
    from ecglm.registry import DATASETS

    items = [BenchItem(str(n), f"p{n}", f"r{n}", "AF?", "yes" if n % 2 else "no", "verify", "1", "AF")
             for n in range(20)]
    monkeypatch.setitem(DATASETS._entries, "tiny", lambda: items)
    task = tmp_path / "tiny.yaml"
    task.write_text("name: tiny\nversion: 1\ndescription: d\ndataset: tiny\ndraws: 200\n")
    out = str(tmp_path / "out")
    assert main(["bench", "run", str(task), "--model", "dummy:oracle", "-o", out, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["tiny"]
    assert result["rows"]["full"]["strict"]["verify"]["balanced_accuracy"]["value"] == 1.0
    assert main(["bench", "compare", f"{out}/tiny", f"{out}/tiny"]) == 0
    assert "balanced_accuracy\t+0.0" in capsys.readouterr().out
    assert main(["bench", "list", "--json"]) == 0
    assert "ecgqa-ptbxl" in capsys.readouterr().out
