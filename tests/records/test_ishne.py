"""ISHNE Holter: samples, leads, both ways to state the length, windows of long files."""

from __future__ import annotations

import struct
import tracemalloc
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read

from .carts import ishne, waves


def written(folder: Path, data: bytes) -> Path:
    (folder / "x.ecg").write_bytes(data)
    return folder / "x.ecg"


@pytest.mark.parametrize("total", [False, True])
def test_samples_scale_leads_start_and_patient(tmp_path: Path, total: bool) -> None:
    stored = waves(3, 1000, seed=40)
    record = read(written(tmp_path, ishne(stored, total=total)))
    np.testing.assert_array_equal(record.signal, (stored * 0.0025).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (("II", "V1", "channel 3"), 200.0, "mV", "ishne")
    assert record.start == datetime(2021, 3, 4, 23, 59, 30)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (60, "female", "Recorder 7")
    assert record.notes == ("not a known lead name, kept as it is: channel 3",)
    assert "Doe" not in repr(record)


def test_a_window_of_a_long_file_costs_only_the_window(tmp_path: Path) -> None:
    path = tmp_path / "long.ecg"
    n = 30 * 3600 * 200
    head = bytearray(ishne(np.zeros((3, 0), int)))
    head[14:18] = struct.pack("<i", n)
    path.write_bytes(head)
    with open(path, "r+b") as stream:
        stream.truncate(len(head) + n * 6)
        stream.seek(len(head) + 29 * 3600 * 200 * 6)
        stream.write(np.arange(6, dtype="<i2").tobytes())
    tracemalloc.start()
    record = read(path, start_s=29 * 3600, duration_s=10, leads=["V1"])
    assert tracemalloc.get_traced_memory()[1] < 5 << 20
    tracemalloc.stop()
    np.testing.assert_allclose(record.signal[0, :3], [0.0025, 0.01, 0])
    assert record.start == datetime(2021, 3, 6, 4, 59, 30)
    with pytest.raises(ReadError, match="30 hours of signal are more than the limit of 24 hours"):
        read(path)


def test_a_changed_header_is_said(tmp_path: Path) -> None:
    data = ishne(waves(3, 100)).replace(b"Doe", b"XXX")
    assert "the checksum of the header is wrong: it was changed after it was written" in read(written(tmp_path, data)).notes


@pytest.mark.parametrize("resolution", [0, -9, -32768])
def test_leads_without_a_resolution_are_left_out_and_said(tmp_path: Path, resolution: int) -> None:
    stored = waves(3, 100)
    data = bytearray(ishne(stored))
    data[208:210] = struct.pack("<h", resolution)
    record = read(written(tmp_path, bytes(data)), leads=["II"])
    np.testing.assert_array_equal(record.signal[0], (stored[0] * 0.0025).astype(np.float32))
    assert "without a resolution, left out: V1" in record.notes


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (14, struct.pack("<i", 2**31 - 1), "holds 100 samples per lead where its header promises 2147483647"),
        (14, struct.pack("<i", -1), "where its header promises -1"),
        (22, struct.pack("<i", 2**31 - 1), "data at byte 2147483647"),
        (22, struct.pack("<i", -5), "data at byte -5"),
        (156, b"\xff\xff", "claims 65535 leads"),
        (156, b"\0\0", "claims 0 leads"),
        (272, b"\0\0", "0 Hz is outside"),
        (206, b"\0\0" * 3, "none of its leads states an amplitude per step"),
    ],
)
def test_unusable_headers(tmp_path: Path, at: int, value: bytes, message: str) -> None:
    data = bytearray(ishne(waves(3, 100)))
    data[at : at + len(value)] = value
    with pytest.raises(ReadError) as caught:
        read(written(tmp_path, bytes(data)))
    assert message in str(caught.value)


def test_short_files_and_annotation_files(tmp_path: Path) -> None:
    for data, message in (
        (b"ISHNE1.0" + bytes(40), "it has 48 bytes, an ISHNE header 522"),
        (ishne(waves(3, 100))[:-7], "holds 98 samples per lead where its header promises 100"),
        (b"ANN  1.0" + bytes(600), "an ISHNE annotation file"),
    ):
        with pytest.raises(ReadError) as caught:
            read(written(tmp_path, data))
        assert message in str(caught.value)
