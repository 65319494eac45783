"""`ecglm plot`: a page or an HTML file, findings when they can be had, one line for what cannot be done."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.answers import Finding
from ecglm.cli import main
from ecglm.errors import CheckpointError
from ecglm.records.record import Record

DICOM = str(get_testdata_file("waveform_ecg.dcm"))


class Model:
    """Finds one thing."""

    id = "model@1"

    def findings(self, record: Record) -> tuple[Finding, ...]:
        return (Finding("SR", "sinus rhythm", "rhythm", 0.985, True),)


def test_a_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "new" / "plot.png")
    assert main(["plot", DICOM, "-o", out, "--no-findings"]) == 0
    assert capsys.readouterr().out == f"wrote {out}\n"
    assert cv2.imread(out).shape == (1700, 2200, 3)


def test_the_window_keeps_its_place_in_the_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plot.html"
    arguments = ["plot", DICOM, "-o", str(out), "--no-findings", "--start", "2", "--duration", "5", "--leads", "II,V1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"wrote {out}\nnote: it shows 2 s - 7 s\n"
    html = out.read_text(encoding="utf-8")
    assert re.findall(r'data-lead="(\w+)"', html) == ["II", "V1"]
    assert re.findall(r'class="tick" x="0.0"[^>]*>(\d s)<', html) == ["2 s"]


def test_findings_are_named_when_there_is_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str | None] = []
    monkeypatch.setitem(vars(ecglm), "load", lambda model=None: asked.append(model) or Model())
    out = tmp_path / "plot.html"
    assert main(["plot", DICOM, "-o", str(out), "--model", "mine"]) == 0
    assert asked == ["mine"]
    assert "sinus rhythm" in out.read_text(encoding="utf-8")
    assert main(["plot", DICOM, "-o", str(out), "--no-findings"]) == 0
    assert asked == ["mine"]
    assert "<h2>Findings</h2>" not in out.read_text(encoding="utf-8")


def test_without_a_checkpoint_it_plots_unless_findings_are_demanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                    capsys: pytest.CaptureFixture[str]) -> None:
    def load(model: str | None = None) -> None:
        raise CheckpointError("no checkpoint; train one")

    monkeypatch.setitem(vars(ecglm), "load", load)
    out = str(tmp_path / "plot.html")
    for demanded in (["--findings"], ["--model", "mine"]):
        assert main(["plot", DICOM, "-o", out, *demanded]) == 2
        assert capsys.readouterr().err == "ecglm: no checkpoint; train one\n"
        assert not list(tmp_path.iterdir())
    assert main(["plot", DICOM, "-o", out]) == 0
    assert capsys.readouterr().out == f"note: no findings: no checkpoint; train one\nwrote {out}\n"


@pytest.mark.parametrize(("arguments", "message"), [
    (["missing.dcm", "-o", "x.pdf"], "x.pdf: a plot is saved as .png or .html"),
    (["missing.dcm", "-o", "x.png"], "missing.dcm: there is no such file"),
    ([DICOM, "-o", "x.html", "--start", "10"], "it lasts 10 s"),
    ([DICOM, "-o", "x.html", "--duration", "-1"], "duration"),
    ([DICOM, "-o", "x.html", "--layout", "5x5"], "layout '5x5' is unknown"),
    ([DICOM, "-o", "x.html", "--leads", "zz"], "it has no lead zz"),
    ([DICOM], "--out"),
])
def test_what_cannot_be_done_is_one_line_and_no_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str],
        message: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plot", *arguments, "--no-findings"]) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert not list(tmp_path.iterdir())
