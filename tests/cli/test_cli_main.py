"""The command line as a person meets it: one line and exit code 2 for every mistake, never a traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.cli import VERBS, main
from ecglm.cli.output import clean
from ecglm.errors import EcglmError

ECGLM = str(Path(sys.executable).with_name("ecglm"))


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


def test_a_question_without_quotes_is_given_back_in_quotes() -> None:
    from pydicom.data import get_testdata_file

    file = str(get_testdata_file("waveform_ecg.dcm"))
    done = run("ask", file, "Is", "it", "AF;", "or", "what's", "this?")
    hint = done.stderr.split("put the question in quotes: ")[1]
    assert shlex.split(hint) == ["ecglm", "ask", file, "Is it AF; or what's this?"]


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
