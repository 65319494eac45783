"""The sheet of all distortions shows each of them, and the page about them is up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecglm.cli import main
from ecglm.paper import PageTruth
from ecglm.paper.distort import DISTORTIONS, PRESETS
from ecglm.paper.distort.sheet import CELL, COLUMNS, TITLE, sheet
from ecglm.records.record import Record

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from write_distortions import PAGE, PICTURE, page  # noqa: E402


def test_page_of_distortions_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
    assert set(re.findall(r"^\| `(\w+)`", page(), re.M)) == set(DISTORTIONS)
    assert set(re.findall(r"^\*\*(\w+)\*\*", page(), re.M)) == set(PRESETS)
    assert PICTURE.stat().st_size < 400_000


def test_every_cell_of_the_sheet_shows_something_of_its_own(spikes: Record) -> None:
    board = sheet(spikes)
    wide, tall = CELL[0] + 6, CELL[1] + TITLE
    count = 1 + 2 * (len(PRESETS) - 1) + len(DISTORTIONS)
    assert board.shape == (-(-count // COLUMNS) * tall, COLUMNS * wide, 3)
    places = [divmod(i, COLUMNS) for i in range(count)]
    cells = [board[row * tall + TITLE:(row + 1) * tall, column * wide:(column + 1) * wide] for row, column in places]
    assert all(cell.std() > 8 for cell in cells)
    assert len({cell.tobytes() for cell in cells}) == count


def test_pages_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom.data import get_testdata_file

    monkeypatch.chdir(tmp_path)
    file = str(get_testdata_file("waveform_ecg.dcm"))
    look = ["--layout", "6x2", "--order", "cabrera", "--speed", "50", "--gain", "5", "--dpi", "100", "--style", "bw",
            "--heading", "card"]
    look += ["--distort", "rotation:0.4,stamps", "--seed", "4"]
    assert main(["render", file, "-o", "a.png", *look, "--truth", "a.json"]) == 0
    truth = PageTruth.load("a.json")
    assert (truth.layout, truth.speed, truth.gain, truth.style, truth.distort) == ("6x2", 50.0, 5.0, "bw", "rotation:0.4,stamps")
    assert [done.name for done in truth.distortions] == ["stamps", "rotation"]
    assert "-aVR" in truth.leads
    assert cv2.imread("a.png").shape == (850, 1100, 3)
    assert main(["render", file, "-o", "b.png", *look]) == 0
    assert np.array_equal(cv2.imread("a.png"), cv2.imread("b.png"))
    chosen = ["--leads", "I,II,V1,V5", "--rhythm", "none", "--no-header", "--truth", "c.json"]
    assert main(["render", file, "-o", "c.jpg", *chosen]) == 0
    drawn = PageTruth.load("c.json")
    assert ([piece.lead for piece in drawn.pieces], len(drawn.calibration)) == (["I", "II", "V1", "V5"], 1)
    capsys.readouterr()
    assert main(["render", file]) == 2
    assert "nothing to draw" in capsys.readouterr().err
    for wrong, says in (("--distort=rotatoin", "rotation"), ("--speed=30", "25 or 50"), ("--heading=fancy", "columns"),
                        ("--order=x", "cabrera")):
        assert main(["render", file, "-o", "d.png", wrong]) == 2
        assert says in capsys.readouterr().err
    assert not Path("d.png").exists()
