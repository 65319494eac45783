"""MATLAB 7.3: matrices, texts and cells as MATLAB lays them out, what is left out, what is refused; scipy's sample file."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from ecglm.errors import ReadError, UsageError
from ecglm.records import STANDARD_12, read

from .many import mat73_file

WAVES = np.random.default_rng(0).normal(0, 300, (3, 500)).round()
STORAGE = ({}, {"chunks": True, "compression": "gzip", "shuffle": True})


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("transposed", [False, True])
def test_it_is_read_as_the_same_variables_of_level_5_are(tmp_path: Path, storage: dict[str, object], transposed: bool) -> None:
    described = {"val": WAVES.T if transposed else WAVES, "fs": 250.0, "units": "uV"}
    scipy.io.savemat(tmp_path / "old.mat", {**described, "leads": np.array(["I", "V1", "MLII"], object)})
    record = read(mat73_file(tmp_path / "new.mat", {**described, "leads": ["I", "V1", "MLII"]}, **storage))
    old = read(tmp_path / "old.mat")
    np.testing.assert_array_equal(record.signal, old.signal)
    assert (record.leads, record.fs, record.unit, record.notes, record.format) == (old.leads, 250.0, "mV", old.notes, "mat")
    part = read(tmp_path / "new.mat", start_s=0.5, duration_s=1, leads=["II"])
    np.testing.assert_array_equal(part.signal, record.select(["II"]).crop(0.5, 1).signal)


def test_a_file_that_matlab_wrote(tmp_path: Path) -> None:
    """testdouble = 0 : pi/4 : 2*pi, of scipy's own tests, under the name of a signal."""
    source = Path(scipy.io.__file__).parent / "matlab/tests/data/testhdf5_7.4_GLNX86.mat"
    if not source.is_file():
        pytest.skip("this scipy comes without its tests")
    with pytest.raises(ReadError, match=r"it has no matrix named signal, .* \(it has testdouble\); rename the variable"):
        read(source)
    (tmp_path / "x.mat").write_bytes(source.read_bytes())
    with h5py.File(tmp_path / "x.mat", "r+") as file:
        file["val"] = file["testdouble"]
    record = read(tmp_path / "x.mat", fs=500, unit="mV", leads=["II"])
    np.testing.assert_array_equal(record.signal, (np.arange(9) * np.pi / 4).astype(np.float32)[None])


def test_names_may_be_rows_of_letters_and_what_is_no_text_is_left_out(tmp_path: Path) -> None:
    record = read(mat73_file(tmp_path / "x.mat", {"ecg": WAVES, "fs": 500.0, "unit": "mV", "leads": "I  \nII \nV1 "}))
    assert record.leads == ("I", "II", "V1")
    twelve = {"signal": np.zeros((12, 40)) + 0.1, "fs": 500.0, "unit": np.zeros((0, 0)), "leads": ["I", "a\nb"]}
    record = read(mat73_file(tmp_path / "x.mat", twelve), unit="mV")
    assert record.leads == STANDARD_12


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"val": np.zeros((0, 3)), "x": WAVES}, r"it has no matrix named .* \(it has x\)"),
        ({"val": WAVES}, "it does not state its sampling rate"),
        ({"val": WAVES, "fs": WAVES}, "its fs is not one number"),
        ({"val": WAVES, "fs": 500.0}, "it has 3 leads without names"),
        ({"val": WAVES, "fs": 500.0, "leads": ["I", "II"]}, "it has 2 lead names for 3 leads"),
        ({"val": WAVES, "fs": 500.0, "leads": ["x" * 1001, "II", "V1"]}, "it has 3 leads without names"),
        ({"val": ["I", "II"]}, "its array has shape"),
    ],
)
def test_unusable_variables(tmp_path: Path, variables: dict[str, object], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read(mat73_file(tmp_path / "x.mat", variables))


def test_cut_short_and_elsewhere(tmp_path: Path) -> None:
    path = mat73_file(tmp_path / "x.mat", {"val": WAVES, "fs": 500.0})
    with pytest.raises(UsageError, match="record= is for files of several"):
        read(path, record=1)
    data = path.read_bytes()
    cut = "not a usable MATLAB file"
    for size, message in ((300, "without its HDF5 part"), (600, cut), (len(data) - 600, cut)):
        path.write_bytes(data[:size])
        with pytest.raises(ReadError, match=message):
            read(path)
    path.write_bytes(data)
    with h5py.File(path, "r+") as file:
        del file["val"]
        file.create_dataset("val", (500, 3), "f8", external=[(str(tmp_path / "y"), 0, 12_000)])
    with pytest.raises(ReadError, match="its samples lie in other files"):
        read(path)
