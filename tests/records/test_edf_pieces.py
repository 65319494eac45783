"""Discontinuous EDF+D and BDF+D: records where their onsets say, gaps missing, the start, damage."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read
from ecglm.records.deidentify import Key, deidentify

from .encoders import discontinuous, edf

WAVE = (np.sin(np.arange(1000) / 9) * 900).round()


def written(folder: Path, onsets: list[str], bdf: bool = False, n: int = 4) -> Path:
    """Records of a second with 100 samples of II and 50 of V1 in microvolts; x.* is as pyedflib wrote it."""
    name = "bdf" if bdf else "edf"
    signals = [("ECG II", "uV", 100, WAVE), ("V1", "mV", 100, WAVE[::-1].copy()), ("V2", "uV", 50, WAVE)]
    edf(folder / f"x.{name}", signals, n, bdf)
    (folder / f"d.{name}").write_bytes((folder / f"x.{name}").read_bytes())
    return discontinuous(folder / f"d.{name}", onsets)


@pytest.mark.parametrize("bdf", [False, True])
def test_gaps_are_missing_samples(tmp_path: Path, bdf: bool) -> None:
    record = read(written(tmp_path, ["+0.25", "+1.25", "+7.75", "+8.75"], bdf))
    whole = read(tmp_path / f"x.{'bdf' if bdf else 'edf'}")
    assert (record.leads, record.fs, record.n_samples, record.format) == (("II", "V1"), 100.0, 950, whole.format)
    np.testing.assert_allclose(record.signal[:, :200], whole.signal[:, :200], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(record.signal[:, 750:], whole.signal[:, 200:], rtol=1e-6, atol=1e-7)
    assert np.isnan(record.signal[:, 200:750]).all()
    assert "1 gap, 5.5 s in all: missing samples" in record.notes
    assert record.missing == {"II": 550, "V1": 550}
    for start, length in ((0.5, 1.0), (1.5, 7.0), (3.0, 1.0), (9.0, 0.5)):
        part = read(tmp_path / f"d.{'bdf' if bdf else 'edf'}", start_s=start, duration_s=length, leads=["V1"])
        np.testing.assert_array_equal(part.signal, record.select(["V1"]).crop(start, length).signal)


def test_without_gaps_it_is_the_continuous_file(tmp_path: Path) -> None:
    record = read(written(tmp_path, ["+0", "+1.004", "+2.0", "+2.995"]))  # as a clock that is read to milliseconds
    np.testing.assert_allclose(record.signal, read(tmp_path / "x.edf").signal, rtol=1e-6, atol=1e-7)
    assert not any("gap" in note for note in record.notes)


def test_the_start_is_that_of_the_first_record(tmp_path: Path) -> None:
    path = written(tmp_path, ["+0.25", "+9.25", "+20.25", "+21.25"])
    data = bytearray(path.read_bytes())
    data[88:184] = b"Startdate 02-JAN-1975 X X Cart".ljust(80) + b"02.01.7510.20.30"
    path.write_bytes(data)
    assert read(path).start == datetime(1975, 1, 2, 10, 20, 30, 250_000)
    assert read(path, start_s=9).start == datetime(1975, 1, 2, 10, 20, 39, 250_000)
    data[88:168] = b" " * 80
    path.write_bytes(data)
    assert read(path).start == datetime(2075, 1, 2, 10, 20, 30, 250_000)  # which two digits say


@pytest.mark.parametrize(
    ("onsets", "message"),
    [
        (["+0", "+0.5", "+3", "+4"], "its data record 2 begins before the one before it ends"),
        (["+5", "+6", "+1", "+9"], "its data record 3 begins before the one before it ends"),
        (["+0", "x", "+3", "+4"], "its data record 2 does not say when it begins"),
        (["+0", "+1", "+2", "+90000"], "25.0003 hours of signal are more than the limit of 24 hours; read a part of it"),
        (["+0", "+1", "+2", "+999999999"], "hours of signal are more than the limit"),
    ],
)
def test_onsets_that_cannot_be(tmp_path: Path, onsets: list[str], message: str) -> None:
    path = written(tmp_path, onsets)
    with pytest.raises(ReadError) as caught:
        read(path)
    assert message in str(caught.value)
    if "hours" in message:
        assert read(path, start_s=1, duration_s=4).n_samples == 400


@pytest.mark.parametrize("limits", ["0       0       ", "1e308   -1e308  ", "x       1       "])
def test_limits_that_give_no_step(tmp_path: Path, limits: str) -> None:
    path = written(tmp_path, ["+0", "+1", "+5", "+6"])
    data = bytearray(path.read_bytes())
    low, high = limits[:8].encode(), limits[8:].encode()
    data[256 + 4 * 104 : 256 + 4 * 104 + 8], data[256 + 4 * 112 : 256 + 4 * 112 + 8] = low, high
    path.write_bytes(data)
    with pytest.raises(ReadError, match="the limits of lead II give no amplitude step"):
        read(path)


def test_it_is_not_deidentified(tmp_path: Path) -> None:
    path = written(tmp_path, ["+0", "+1", "+5", "+6"])
    with pytest.raises(ReadError, match="it is discontinuous"):
        deidentify(path, tmp_path / "out", key=Key(bytes(32)))
    assert not list((tmp_path / "out").iterdir())
