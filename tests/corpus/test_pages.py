"""A corpus of pages is the same whatever made it, says where every page comes from, and survives interruptions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ecglm.cli import main
from ecglm.corpus.pages import Request, build
from ecglm.errors import ReadError, UsageError
from ecglm.paper import PageTruth
from ecglm.records.arrays import write_npz
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated recordings and one that cannot be drawn."""
    folder = tmp_path_factory.mktemp("records")
    for i, made in enumerate(simulate(["normal", "lbbb", "atrial_fibrillation"], 3, seed=1)):
        write_npz(made.record, folder / f"{i}.npz")
    (folder / "readme.txt").write_text("not a recording")
    return folder


def rows(folder: Path, name: str = "manifest.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "corpus"
    build(Request(str(records), seed=5, dpi=60), folder, 18, workers=1)
    return folder


def test_every_page_has_its_picture_its_truth_and_its_origin(made: Path, records: Path) -> None:
    lines = rows(made)
    assert [row["index"] for row in lines] == list(range(18))
    assert {row["record"] for row in lines} == {"0.npz", "1.npz", "2.npz"}
    assert len({row["id"] for row in lines}) == len({row["seed"] for row in lines}) == 18
    for row in lines:
        data = (made / row["image"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        truth = PageTruth.load(made / row["truth"])
        assert picture.shape[:2] == (truth.height, truth.width) == (row["height"], row["width"])
        assert [done.name for done in truth.distortions] == row["distortions"]
        assert (row["source"], row["licence"]) == (str(records), None)
        assert any(text.kind == "header" and text.text != "" for text in truth.texts) or not row["header"]
    asked = json.loads((made / "corpus.json").read_text())
    assert (asked["seed"], asked["recordings"], asked["distort"]) == (5, 3, "pulse")
    assert not (made / "parts").exists()


def test_looks_and_distortions_vary_and_a_recording_drawn_again_looks_otherwise(made: Path) -> None:
    lines = rows(made)
    assert len({row["layout"] for row in lines}) > 2
    assert len({row["style"] for row in lines}) > 1
    assert 0 < sum(row["header"] for row in lines) < 18
    assert 2 < sum(not row["distortions"] for row in lines) < 16
    again = [row for row in lines if row["record"] == "0.npz"]
    assert len({row["sha256"] for row in again}) == len(again) == 6


def test_workers_do_not_matter(made: Path, records: Path, tmp_path: Path) -> None:
    build(Request(str(records), seed=5, dpi=60), tmp_path / "two", 18, workers=2)
    assert contents(tmp_path / "two") == contents(made)


def test_ray_makes_the_same_folder(made: Path, records: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    build(Request(str(records), seed=5, dpi=60), tmp_path / "ray", 18, engine="ray", workers=2)
    assert contents(tmp_path / "ray") == contents(made)


def test_an_interrupted_corpus_is_finished_without_doing_anything_twice(made: Path, records: Path, tmp_path: Path,
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    from ecglm.corpus.pages import engines

    request, folder = Request(str(records), seed=5, dpi=60), tmp_path / "corpus"

    def dies(work: engines.Work, batches: list[engines.Batch], workers: int) -> Iterator[Any]:
        yield work(batches[0])
        work((1, batches[1][1][:2]))  # these are drawn, but their lines are lost
        raise KeyboardInterrupt

    monkeypatch.setitem(engines.ENGINES, "local", dies)
    with pytest.raises(KeyboardInterrupt):
        build(request, folder, 18, workers=1)
    monkeypatch.undo()
    assert not (folder / "manifest.jsonl").exists()
    for place in (folder / "parts", folder / "pages" / "0000"):
        (place / ".partial-x.jsonl").write_text("{")  # what a killed writer leaves
    with pytest.raises(UsageError, match="--resume"):
        build(request, folder, 18, workers=1)
    done = build(request, folder, 18, workers=1, resume=True)
    assert (done["pages"], done["new"]) == (18, 2)
    assert contents(folder) == contents(made)


def test_a_corpus_grows_and_lost_pages_come_back(made: Path, records: Path, tmp_path: Path) -> None:
    request, folder = Request(str(records), seed=5, dpi=60), tmp_path / "corpus"
    build(request, folder, 6, workers=1)
    (folder / rows(folder)[3]["image"]).unlink()
    assert build(request, folder, 18, workers=1, resume=True)["new"] == 13
    assert contents(folder) == contents(made)
    assert build(request, folder, 18, workers=1, resume=True)["new"] == 0


@pytest.mark.parametrize("change", [{"seed": 6}, {"distort": "heavy"}, {"format": "png"}, {"vary": False}, {"licence": "CC0"}])
def test_a_folder_is_not_continued_with_another_request(made: Path, records: Path, change: dict[str, Any]) -> None:
    request = {"seed": 5, "dpi": 60, **change}
    with pytest.raises(UsageError, match=f"another request .*{next(iter(change))}"):
        build(Request(str(records), **request), made, 18, workers=1, resume=True)


def test_what_cannot_be_drawn_is_skipped_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    write_npz(simulate("normal", 1, seed=1)[0].record, folder / "a.npz")
    (folder / "b.dcm").write_bytes((b"\0" * 128) + b"DICM" + b"\1" * 500)
    done = build(Request(str(folder), dpi=60, licence="CC0"), tmp_path / "out", 4, workers=1)
    assert (done["pages"], done["new"], done["skipped"]) == (2, 2, 2)
    assert [row["record"] for row in rows(tmp_path / "out", "skipped.jsonl")] == ["b.dcm", "b.dcm"]
    assert "b.dcm" in rows(tmp_path / "out", "skipped.jsonl")[0]["skipped"]
    assert {row["licence"] for row in rows(tmp_path / "out")} == {"CC0"}
    assert build(Request(str(folder), dpi=60, licence="CC0"), tmp_path / "out", 4, workers=1, resume=True)["new"] == 0


def test_of_a_long_recording_a_page_shows_a_stretch_somewhere(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    t = np.arange(600 * 100) / 100
    write_npz(Record(np.tile(np.sin(t), (12, 1)).astype(np.float32), 100.0, STANDARD_12), folder / "long.npz")
    build(Request(str(folder), dpi=60, vary=False, header=0.0), tmp_path / "out", 5, workers=1)
    starts = [row["start_s"] for row in rows(tmp_path / "out")]
    assert len(set(starts)) == 5
    assert all(0 <= start <= 590 for start in starts)
    truth = PageTruth.load(tmp_path / "out" / rows(tmp_path / "out")[0]["truth"])
    assert truth.duration_s == pytest.approx(10.0, abs=0.05)


def test_unusable_requests_are_refused_before_anything_is_written(records: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for say, wrong in (("engine", {"engine": "spark"}), ("n 0", {"n": 0}), ("workers", {"workers": 0})):
        with pytest.raises(UsageError, match=say):
            build(Request(str(records)), tmp_path / "x", **{"n": 2, **wrong})
    for say, asked in (("format", {"format": "bmp"}), ("header", {"header": 2.0}), ("heavy", {"distort": "heavvy"})):
        with pytest.raises(UsageError, match=say):
            Request(str(records), **asked)
    with pytest.raises(UsageError, match="no recordings"):
        build(Request(str(tmp_path / "empty")), tmp_path / "x", 2)
    with pytest.raises(ReadError, match="no folder and no data set"):
        build(Request(str(tmp_path / "nowhere")), tmp_path / "x", 2)
    assert not (tmp_path / "x").exists()


def test_on_the_command_line(records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["data", "build", "pages", str(records), "-o", str(tmp_path / "c"), "--n", "2", "--dpi", "60", "--workers", "1"]
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pages"] == 2
    assert main(asked) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*asked, "--resume"]) == 0
    assert "2 pages, 0 of them new" in capsys.readouterr().out
