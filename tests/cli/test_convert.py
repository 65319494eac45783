"""`ecglm convert` and `--record`: from a file to a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.cli import main

DICOM = str(get_testdata_file("waveform_ecg.dcm"))


@pytest.mark.parametrize("name", ["ecg.hea", "ecg.edf", "ecg.dcm", "ecg.csv", "ecg.npz"])
def test_convert_writes_the_part_that_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    out = str(tmp_path / name)
    assert main(["convert", DICOM, "-o", out, "--start", "2", "--duration", "3", "--leads", "V1,II"]) == 0
    assert capsys.readouterr().out == f"wrote {out}\n"
    part, whole = ecglm.read(out), ecglm.read(DICOM)
    np.testing.assert_array_equal(part.signal, whole.select(["V1", "II"]).crop(2, 3).signal)
    assert main(["info", out, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["leads"], shown["fs"], shown["duration_s"]) == (["V1", "II"], 1000.0, 3.0)
    assert shown["patient"] == {"age": 42, "sex": "female"}
    assert whole.start is not None
    assert shown["start"] == part.start.isoformat()  # type: ignore[union-attr]
    assert (part.start - whole.start).total_seconds() == 2  # type: ignore[operator]


@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        ("missing.dcm", "x.pdf", "x.pdf: a record is saved as .hea, .edf, .dcm, .csv, .npz"),
        ("missing.dcm", "x.edf", "missing.dcm: there is no such file"),
        (DICOM, DICOM, "the record was read from this file"),
    ],
)
def test_convert_fails_in_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, out: str, message: str
) -> None:
    assert main(["convert", str(tmp_path / source), "-o", str(tmp_path / out)]) == 2  # joining keeps an absolute path
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_record_names_one_of_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    h5py = pytest.importorskip("h5py")
    path = str(tmp_path / "many.h5")
    with h5py.File(path, "w") as file:
        file["signal"], file["record_id"] = np.random.default_rng(0).normal(size=(3, 2, 1500)), np.array(["a", "b", "c"], "S")
        file.attrs["fs"], file.attrs["unit"], file.attrs["leads"] = 250, "mV", ["I", "II"]
    assert main(["info", path]) == 2
    assert "it holds 3 recordings (a, b, c, ...); name one with --record a" in capsys.readouterr().err
    assert main(["convert", path, "--record", "b", "-o", str(tmp_path / "b.csv")]) == 0
    np.testing.assert_array_equal(ecglm.read(tmp_path / "b.csv").signal, ecglm.read(path, record="b").signal)
    assert main(["info", DICOM, "--record", "b"]) == 2
    assert "--record is for files of several recordings, and this is one" in capsys.readouterr().err
