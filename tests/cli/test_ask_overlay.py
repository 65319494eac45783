"""`ecglm ask page.png QUESTION --overlay`: the page with what was read, and where the evidence was seen."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

import ecglm
from ecglm.answers import Answer
from ecglm.cli import main
from ecglm.paper import Page, render
from ecglm.schema import Evidence
from ecglm.signal.simulate import simulate

ANSWER = Answer("yes", 0.9, False, (Evidence("in all", ()), Evidence("here", ("V2",), span_s=(5.6, 5.9))), "model")


class FakeModel:
    """Says the same of every record, with evidence in V2."""

    def ask_batch(self, asked: list) -> list[Answer]:
        return [ANSWER for _ in asked]


@cache
def page() -> Page:
    record = simulate("normal", 1, seed=5)[0].record
    return render(record, dpi=130)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ecglm, "load", lambda **_: FakeModel())
    monkeypatch.chdir(tmp_path)
    page().save("page.png")
    return tmp_path


def tinted_x(picture: str) -> tuple[float, float]:
    """From where to where paper has become blue (pixels), beside V2's trace."""
    piece, drawn = page().truth.piece("V2"), cv2.imread(picture)[:, :, ::-1].astype(int)
    rows = slice(int(piece.y.min()) - 4, int(piece.y.max()) + 4)
    less_red = (drawn[rows, :, 0] < page().image[rows, :, 0].astype(int) - 30).mean(axis=0) > 0.15
    found = np.flatnonzero(less_red)
    return float(found[0]), float(found[-1])


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_the_evidence_is_tinted_where_it_is_drawn(folder: Path, capsys: pytest.CaptureFixture[str], start: float) -> None:
    assert main(["ask", "page.png", "Is it so?", "--overlay", "seen.png", "--json", "--start", str(start)]) == 0
    assert json.loads(capsys.readouterr().out)["overlay"] == "seen.png"
    piece, truth = page().truth.piece("V2"), page().truth
    at = [min(round((second + start) * truth.fs) - piece.samples[0], len(piece.x) - 1) for second in (5.6, 5.9)]
    first, last = piece.x[at]
    seen = tinted_x("seen.png")
    assert seen[0] == pytest.approx(first, abs=1.5 * truth.px_per_mm)
    assert seen[1] == pytest.approx(last, abs=1.5 * truth.px_per_mm)


def test_a_page_that_could_only_be_looked_at_has_none(folder: Path, capsys: pytest.CaptureFixture[str],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglm.errors import PageError
    from ecglm.paper import digitize

    def refuse(*_: object, **__: object) -> None:
        raise PageError("page.png", "unsure", "its traces cannot be followed", "scan it again")

    monkeypatch.setattr(digitize, "read_page", refuse)
    assert main(["ask", "page.png", "Is it so?", "--overlay", "seen.png"]) == 0
    assert "seen.png was not written: nothing was read off the page" in capsys.readouterr().out
    assert not (folder / "seen.png").exists()


def test_it_is_of_one_page_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulate("normal", 1, seed=5)[0].record.save(folder / "ecg.npz")
    for files, out, said in ((["ecg.npz"], "o.png", "is a recording"), (["page.png", "page.png"], "o.png", "one file, not 2"),
                             (["page.png"], "o.jpg", ".png")):
        assert main(["ask", *files, "Is it so?", "--overlay", out]) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
