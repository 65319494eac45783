"""GDF 1.x and 2.x: samples of every type, rates, units, limits, windows."""

from __future__ import annotations

import struct
import tracemalloc
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read
from ecglm.records.blocks import INT24, Blocks, width

from .carts import waves
from .gdf_writer import gdf

STORED = waves(3, 400, seed=50, spread=3).clip(-120, 120)
SIGNALS = [("ECG II", "uV", 100, STORED[0]), ("V1", "mV", 100, STORED[1]), ("EEG:C3", "uV", 100, STORED[2])]


def written(folder: Path, data: bytes) -> Path:
    (folder / "x.gdf").write_bytes(data)
    return folder / "x.gdf"


@pytest.mark.parametrize("version", ["1.25", "2.20", "2.51"])
@pytest.mark.parametrize("kind", [1, 3, 5, 16, 17, 279])
def test_samples_units_leads_and_start(tmp_path: Path, version: str, kind: int) -> None:
    record = read(written(tmp_path, gdf(SIGNALS, version, kind)))
    np.testing.assert_allclose(record.lead("II"), (STORED[0] * 0.5 + 3) / 1000, atol=1e-7)
    np.testing.assert_allclose(record.lead("V1"), STORED[1] * 0.5 + 3, atol=1e-5)
    assert (record.leads, record.fs, record.unit, record.format) == (("II", "V1"), 200.0, "mV", "gdf")
    assert record.start == datetime(2021, 3, 4, 5, 6, 7)
    assert (record.meta.age, record.meta.sex) == ((None, None) if version == "1.25" else (60, "female"))
    assert record.notes == ("not an ECG lead, left out: EEG:C3 (uV)",)
    assert "Doe" not in repr(record)


def test_windows_across_data_records(tmp_path: Path) -> None:
    path = written(tmp_path, gdf(SIGNALS))
    whole = read(path)
    for start, length in ((0.0, 0.1), (0.45, 0.1), (0.49, 1.3), (1.5, 0.5), (1.99, 1.0)):
        part = read(path, start_s=start, duration_s=length, leads=["V1"])
        np.testing.assert_array_equal(part.signal, whole.select(["V1"]).crop(start, length).signal)


@pytest.mark.parametrize("kind", ["<i2", "<f4", INT24])
def test_slices_of_blocks_are_those_of_the_whole(kind: str) -> None:
    size = width(kind)
    rng = np.random.default_rng(51)
    records_RB = rng.integers(0, 100, (5, 3 + 7 * size), np.uint8)
    blocks = Blocks(records_RB, 3, 7, kind)
    whole = blocks[:]
    assert whole.shape == (35,)
    np.testing.assert_array_equal(whole[14:21], Blocks(records_RB[2:3], 3, 7, kind)[:])
    for first in range(36):
        for last in range(36):
            np.testing.assert_array_equal(blocks[first:last], whole[first:last])


def test_a_window_of_one_long_data_record_costs_a_window(tmp_path: Path) -> None:
    row = np.tile(waves(1, 1000)[0].clip(-30000, 30000), 5000)
    path = written(tmp_path, gdf([("II", "uV", len(row), row), ("V1", "uV", len(row), row)], records=1, seconds=(10_000, 1)))
    tracemalloc.start()
    part = read(path, start_s=100, duration_s=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert part.n_samples == 5000
    assert peak < 2 << 20
    np.testing.assert_allclose(part.lead("II"), (row[50_000:55_000] * 0.5 + 3) / 1000, atol=1e-6)


def test_the_rate_most_leads_share_is_read(tmp_path: Path) -> None:
    signals = [("I", "uV", 50, STORED[0]), ("II", "uV", 100, STORED[1]), ("V1", "uV", 100, STORED[2])]
    record = read(written(tmp_path, gdf(signals)))
    assert (record.leads, record.fs, record.n_samples) == (("II", "V1"), 200.0, 400)
    assert "sampled at another rate, left out: I (100 Hz)" in record.notes
    assert read(written(tmp_path, gdf(signals)), leads="I").fs == 100.0
    with pytest.raises(ReadError, match=r"asked for have different sampling rates \(I \(100 Hz\) and 200 Hz\)"):
        read(written(tmp_path, gdf(signals)), leads=["I", "II", "V1"])
    with pytest.raises(ReadError, match="V6"):
        read(written(tmp_path, gdf(signals)), leads=["V6"])


def test_values_beyond_the_digital_limits_are_missing(tmp_path: Path) -> None:
    stored = STORED[0].copy()
    stored[7] = 5000
    data = bytearray(gdf([("II", "uV", 100, stored)]))
    data[256 + 16 + 80 + 8 + 24 : 256 + 16 + 80 + 8 + 32] = struct.pack("<d", 4000.0)
    record = read(written(tmp_path, bytes(data)))
    assert record.missing == {"II": 1}
    assert np.isnan(record.signal[0, 7])


def test_swapped_limits_mark_no_sample_as_missing(tmp_path: Path) -> None:
    plain = gdf([("II", "uV", 100, STORED[0])])
    data = bytearray(plain)
    at = 256 + 16 + 80 + 8
    low, high, first, last = (plain[at + i : at + i + 8] for i in (0, 8, 16, 24))
    data[at : at + 32] = high + low + last + first  # physical, then digital limits
    record = read(written(tmp_path, bytes(data)))
    assert not any(record.missing.values())
    np.testing.assert_allclose(record.lead("II"), (STORED[0] * 0.5 + 3) / 1000, atol=1e-7)


def test_a_recording_without_an_end_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    assert read(written(tmp_path, gdf(SIGNALS, stated_records=-1)[:-100])).n_samples == 300


def test_a_window_of_a_long_file_costs_only_the_window(tmp_path: Path) -> None:
    path = written(tmp_path, gdf(SIGNALS, records=0, stated_records=400_000))
    with open(path, "r+b") as stream:
        stream.truncate(256 * 4 + 400_000 * 600)
    tracemalloc.start()
    assert read(path, start_s=100_000, duration_s=10).n_samples == 2000
    assert tracemalloc.get_traced_memory()[1] < 5 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (4, b"2.2x", "its GDF version is '2.2x'"),
        (252, b"\xff\xff", "claims 65535 signals"),
        (252, b"\0\0", "claims 0 signals"),
        (184, b"\xff\xff", "its header alone 16776960"),
        (184, b"\0\0", "its header alone 0"),
        (236, struct.pack("<q", 10**12), "where its header promises 600000000001024"),
        (236, struct.pack("<q", -5), "it claims -5 data records"),
        (240 + 4, bytes(4), "data records of 0/2 s"),
        (248, bytes(4), "data records of 1/0 s"),
        (244, struct.pack("<II", 1, 2**32 - 1), "Hz is outside"),
        (1024 - 3 * 36, struct.pack("<I", 99), "has data type 99"),
        (1024 - 3 * 40, struct.pack("<I", 2**32 - 1), "it was cut short"),
        (256 + 3 * 104, struct.pack("<d", float("inf")), "the amplitude step of lead ECG II is"),
    ],
)
def test_unusable_headers(tmp_path: Path, at: int, value: bytes, message: str) -> None:
    data = bytearray(gdf(SIGNALS))
    data[at : at + len(value)] = value
    with pytest.raises(ReadError) as caught:
        read(written(tmp_path, bytes(data)))
    assert message in str(caught.value)


def test_digital_limits_at_the_ends_of_64_bits(tmp_path: Path) -> None:
    data = bytearray(gdf(SIGNALS, "1.25"))
    for place in range(2 * 3):  # minima, then maxima
        struct.pack_into("<q", data, 256 + 3 * 120 + 8 * place, -(2**63) if place < 3 else 2**63 - 1)
    step_mv = 0.5 * 65535 / 2**64 / 1000
    record = read(written(tmp_path, bytes(data)))
    np.testing.assert_allclose(np.diff(record.lead("II")), np.diff(STORED[0]) * step_mv, atol=1e-5)


def test_truncated_files_and_files_without_ecg(tmp_path: Path) -> None:
    for data, message in (
        (gdf(SIGNALS)[:-1], "where its header promises"),
        (gdf(SIGNALS)[:500], "its header alone 1024"),
        (gdf(SIGNALS)[:200], "a GDF header 256"),
        (gdf([("EEG:C3", "uV", 100, STORED[0])]), "none of its channels is an ECG lead"),
    ):
        with pytest.raises(ReadError) as caught:
            read(written(tmp_path, data))
        assert message in str(caught.value)
