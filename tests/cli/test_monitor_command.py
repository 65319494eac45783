"""`ecglm monitor` from the command line: files, streams, marks, pictures, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecglm.cli import main
from ecglm.inference.monitor import Step
from ecglm.inference.monitor.summary import marked
from ecglm.inference.monitor.timeline import WIDTH
from ecglm.records.record import Record
from tests.inference.paroxysm import FS, LEADS, ONSET_S, a_step, paroxysm
from tests.records.encoders import discontinuous, edf


def test_the_command_tells_a_file_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paroxysm().save(tmp_path / "x.hea")
    assert main(["monitor", str(tmp_path / "x.hea"), "--no-forecast", "--json", "--timeline", str(tmp_path / "x.png")]) == 0
    *lines, last = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [one["at_s"] for one in lines] == [30.0 * k for k in range(1, 14)]
    assert lines[7]["rhythm"] == "af"
    assert last["summary"]["watched_s"] == 390
    assert last["summary"]["false_alarms"] is None
    assert cv2.imread(str(tmp_path / "x.png")).shape[1] == WIDTH
    assert main(["monitor", str(tmp_path / "x.hea"), "--no-forecast"]) == 0
    assert "already in atrial fibrillation since 00:02:" in capsys.readouterr().out


def test_what_cannot_be_watched_ends_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paroxysm().crop(0, 40).save(tmp_path / "x.hea")
    for arguments, said in ((["-"], "give --fs HZ and --leads"), ([str(tmp_path / "x.hea"), "--step", "5"], "outside 10-60"),
                            ([str(tmp_path / "x.hea"), "--on", "0.1"], "--off"), ([str(tmp_path / "no.hea")], "no.hea"),
                            ([str(tmp_path / "x.hea"), "--timeline", "x.jpg"], "saved as .png"),
                            (["-", "--fs", "125", "--leads", "II,II"], "each once"),
                            (["-", "--fs", "125", "--leads", "II,"], "must name every lead"),
                            (["-", "--fs", "125", "--leads", "II", "--start", "9", "--unit", "uV"], "-: --start, --unit is for"),
                            (["x.hea", "--format", "i16", "--gain", "200"], "x.hea: --format, --gain is for raw samples"),
                            (["-", "--fs", "125", "--leads", "II", "--format", "f64"], "f32 or i16")):
        assert main(["monitor", *arguments, "--no-forecast"]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert len(error.splitlines()) == 1


@pytest.mark.parametrize(("jump_s", "said"), [(60, ""), (-20, "begins before the one before it ends; it is damaged"),
                                              (31_536_000, "its clock may have jumped; read a part of it with --start")])
def test_a_clock_that_jumps_is_a_gap_or_refused(jump_s: int, said: str, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    signals = [(lead, "uV", round(FS), 1000.0 * row) for lead, row in zip(LEADS, paroxysm().signal, strict=True)]
    path = discontinuous(edf(tmp_path / "x.edf", signals, 120), [f"+{at + jump_s * (at >= 60)}" for at in range(120)])
    for command in ("monitor", "forecast"):
        assert main([command, str(path), "--json"]) == (2 if said else 0)
        out, error = capsys.readouterr()
        assert said in error
        assert len(error.splitlines()) == bool(said)
        if command == "forecast":
            continue
        lines = [json.loads(row) for row in out.splitlines()[:-1]]
        assert [(one["rhythm"], one["unread_s"]) for one in lines] == ([] if said else [
            ("sinus", 0), ("sinus", 0), (None, 30), (None, 30), ("sinus", 0), ("sinus", 0)])


def test_a_segment_of_another_rate_ends_the_watch_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And `forecast` of the time before it is not disturbed by it."""
    record = paroxysm()
    record.crop(0, 90).save(tmp_path / "a.hea")
    Record(record.signal[:, : round(60 * FS)], 2 * FS, LEADS).save(tmp_path / "b.hea")
    (tmp_path / "x.hea").write_text(f"x/2 2 125 {round(120 * FS)}\na {round(90 * FS)}\nb {round(30 * FS)}\n")
    assert main(["monitor", str(tmp_path / "x.hea"), "--no-forecast", "--json"]) == 0
    *lines, last = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [one["at_s"] for one in lines] == [30, 60, 90]
    assert "segment b is sampled at 250 Hz and the record at 125 Hz" in last["notes"][0]
    assert main(["forecast", str(tmp_path / "x.hea"), "--at", "80"]) == 0
    assert "within 5 min" in capsys.readouterr().out
    assert main(["forecast", str(tmp_path / "x.hea")]) == 2
    assert "segment b" in capsys.readouterr().err


def with_marks(tmp_path: Path) -> Path:
    """A recording whose annotators mark fibrillation where it is."""
    paroxysm().save(tmp_path / "x.hea")
    body = b""
    for sample, note in ((0, b"(N"), (round(ONSET_S * FS), b"(AFIB"), (round(270 * FS), b")")):
        body += (59 << 10).to_bytes(2, "little") + (sample >> 16).to_bytes(2, "little") + (sample & 0xFFFF).to_bytes(2, "little")
        body += (28 << 10).to_bytes(2, "little") + (63 << 10 | len(note)).to_bytes(2, "little") + note + b"\0" * (len(note) % 2)
        body += (59 << 10).to_bytes(2, "little") + (-sample >> 16 & 0xFFFF).to_bytes(2, "little")
        body += (-sample & 0xFFFF).to_bytes(2, "little")
    (tmp_path / "x.atr").write_bytes(body + b"\0\0")
    return tmp_path / "x.hea"


def test_marks_end_at_a_closing_bracket_and_count_from_where_the_watch_begins(tmp_path: Path) -> None:
    path = with_marks(tmp_path)
    assert marked(path.with_suffix(".atr"), FS).spans == ((ONSET_S, 270.0),)
    assert marked(path.with_suffix(".atr"), FS, 100.0).spans == ((ONSET_S - 100, 170.0),)
    assert marked(path.with_suffix(".atr"), FS, 200.0).spans == ((0.0, 70.0),)
    assert marked(path.with_suffix(".atr"), FS, 300.0).spans == ()


@pytest.mark.parametrize("start", ["0", "90"])
def test_the_summary_of_a_part_compares_with_the_marks_of_that_part(start: str, tmp_path: Path,
                                                                    capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--start", start, "--duration", "180", "--no-forecast", "--json"]
    assert main(["monitor", str(with_marks(tmp_path)), *arguments]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    (onset,) = said["marked_onsets"]
    assert onset["at_s"] == ONSET_S - float(start)
    assert said["false_arrhythmia_min_per_hour"] < 10
    if start == "90":
        assert onset["told_from_s"] == pytest.approx(ONSET_S - 90, abs=10)


def test_a_stream_without_a_sample_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for raw in (b"", b"\0\0\0"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert main(["monitor", "-", "--fs", "125", "--leads", "II", "--no-forecast"]) == 2
        out, error = capsys.readouterr()
        assert (out, error) == ("", "ecglm: -: not one sample arrived; pipe raw samples of all leads to it\n")


def test_an_interruption_leaves_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    paroxysm().save(tmp_path / "x.hea")
    from ecglm.inference.monitor import session

    def interrupted(*given: object) -> Iterator[Step]:
        yield a_step(30.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "watch", interrupted)
    assert main(["monitor", str(tmp_path / "x.hea"), "--no-forecast", "--timeline", str(tmp_path / "x.png")]) == 130
    assert (tmp_path / "x.png").exists()
    assert "watched 00:00:30" in capsys.readouterr().out


def test_the_command_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raw = np.round(200 * paroxysm().crop(0, 70).signal.T).astype("<i2").tobytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    options = ["--fs", "125", "--leads", "II, V1", "--format", "i16", "--gain", "200", "--no-forecast", "--json"]
    assert main(["monitor", "-", *options]) == 0
    *lines, last = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(one["at_s"], one["rhythm"], one["leads"]) for one in lines] == [
        (30.0, "sinus", ["II", "V1"]), (60.0, "sinus", ["II", "V1"]), (70.0, "sinus", ["II", "V1"])]
    assert last["summary"]["watched_s"] == 70
    assert last["interrupted"] is False


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    paroxysm().crop(0, 60).save(tmp_path / "x.hea")
    command = f'"{sys.executable}" -m ecglm.cli monitor x.hea --step 10 --no-forecast --timeline x.png'
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command} | head -n 1"], cwd=tmp_path, capture_output=True, text=True,
                          timeout=600, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")})
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")
    assert (tmp_path / "x.png").exists()
