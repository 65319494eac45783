"""Windows of recordings: they join to what `read` gives, whatever the format, and no more is read than a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError, UsageError
from ecglm.records import Record, read
from ecglm.records.windows import WINDOWED, length_s, open_windows

from .carts import ishne, waves
from .encoders import discontinuous, edf
from .gdf_writer import gdf
from .mfer_writer import mfer


def saved(name: str, folder: Path) -> Path:
    rng = np.random.default_rng(3)
    Record(rng.normal(size=(2, 20 * 250)).astype(np.float32), 250, ("II", "V1")).save(folder / name)
    return folder / name


def written(name: str, folder: Path) -> Path:
    stored = waves(3, 2000, seed=1)
    data = {
        "x.ecg": lambda: ishne(stored),
        "x.gdf": lambda: gdf([(lead, "uV", 500, row) for lead, row in zip(("I", "II", "V1"), stored, strict=True)]),
        "x.mwf": lambda: mfer(stored, ("I", "II", "V1"), block=50),
    }[name]()
    (folder / name).write_bytes(data)
    return folder / name


FILES = [(saved, "x.hea"), (saved, "x.edf"), (saved, "x.csv"), (saved, "x.npz"), (saved, "x.dcm"),
         (written, "x.ecg"), (written, "x.gdf"), (written, "x.mwf")]


@pytest.mark.parametrize(("make", "name"), FILES, ids=lambda value: value if isinstance(value, str) else "")
def test_windows_join_to_the_whole(tmp_path: Path, make, name: str) -> None:
    path = make(name, tmp_path)
    whole, windows = read(path), open_windows(path)
    assert (windows.duration_s, windows.first.leads, windows.first.fs) == (whole.duration_s, whole.leads, whole.fs)
    assert (windows.whole is None) == (whole.format in WINDOWED) == (name not in ("x.csv", "x.npz", "x.dcm"))
    step = 700 / whole.fs
    parts = [windows.read(k * step, step).signal for k in range(int(np.ceil(windows.duration_s / step)))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole.signal)


@pytest.mark.parametrize(("make", "name"), FILES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_length_is_known_before_anything_is_read(tmp_path: Path, make, name: str) -> None:
    path = make(name, tmp_path)
    whole = read(path).duration_s
    assert length_s(path) == whole
    assert length_s(path, start_s=1.0) == pytest.approx(whole - 1)
    assert length_s(path, start_s=1.0, duration_s=0.5) == 0.5
    with pytest.raises(ReadError, match="there is no signal at 5000 s"):
        length_s(path, start_s=5000)


def test_a_stretch_and_leads_that_were_asked_for(tmp_path: Path) -> None:
    path = saved("x.hea", tmp_path)
    windows = open_windows(path, start_s=3, duration_s=10, leads="V1")
    np.testing.assert_array_equal(windows.read(2, 4).signal, read(path, start_s=5, duration_s=4, leads="V1").signal)
    np.testing.assert_array_equal(windows.read(8, 4).signal, read(path, start_s=11, duration_s=2, leads="V1").signal)
    with pytest.raises(ReadError, match="it has no lead aVR"):
        open_windows(path, leads="aVR")


def test_a_file_of_more_than_a_day_has_windows(tmp_path: Path) -> None:
    hours, fs = 30, 100
    (tmp_path / "x.hea").write_text(f"x 1 {fs} {hours * 3600 * fs}\nx.dat 16 1000(0)/mV 16 0 0 0 0 II\n")
    with open(tmp_path / "x.dat", "wb") as stream:
        stream.truncate(hours * 3600 * fs * 2)
    with pytest.raises(ReadError, match="more than the limit of 24 hours"):
        read(tmp_path / "x.hea")
    windows = open_windows(tmp_path / "x.hea")
    assert windows.duration_s == hours * 3600
    assert windows.read(29 * 3600, 60).n_samples == 6000


def test_a_clock_that_jumped_by_a_year_is_refused_and_the_time_before_it_read(tmp_path: Path) -> None:
    wave = np.random.default_rng(0).normal(0, 300, 1000).round()
    path = edf(tmp_path / "x.edf", [("II", "uV", 100, wave)], 10)
    discontinuous(path, [f"+{second + 31_536_000 * (second >= 6)}" for second in range(10)])
    with pytest.raises(ReadError, match=r"it lasts 365 days .* its clock may have jumped; .*duration_s"):
        open_windows(path)
    windows = open_windows(path, duration_s=8)
    assert np.isnan(windows.read(0, 8).signal[0]).tolist() == [False] * 600 + [True] * 200


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a Record"):
        open_windows(3)  # type: ignore[arg-type]
    with pytest.raises(ReadError, match="there is no such file"):
        open_windows(tmp_path / "absent.hea")
