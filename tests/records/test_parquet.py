"""Parquet tables mean what the same text table means; footers and pages are checked before they are believed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from ecglm.errors import ReadError
from ecglm.records import Record, read
from ecglm.records.parquet_sizes import sizes

from .many import parquet_file

STATED = {"unit": "mV", "age": "63", "sex": "F", "start": "2020-03-04T05:06:07", "device": "GE MAC 55"}
OPTIONS = [
    {}, {"compression": "zstd"}, {"compression": "gzip", "data_page_version": "2.0"}, {"row_group_size": 333},
    {"use_dictionary": False, "column_encoding": {"II": "BYTE_STREAM_SPLIT"}},
    {"write_page_index": True, "write_page_checksum": True},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS)
def test_a_table_reads_as_its_csv_does(tmp_path: Path, options: dict[str, object]) -> None:
    path = parquet_file(tmp_path / "x.parquet", 1000, STATED, **options)
    table = pyarrow.parquet.read_table(path)
    rows = "".join(
        f"{t!r},{two!r},{'' if one is None else repr(one)}\n"
        for t, two, one in zip(*(table.column(name).to_pylist() for name in ("time", "II", "V1 (uV)")), strict=True)
    )
    (tmp_path / "x.csv").write_text("".join(f"# {k}={v}\n" for k, v in STATED.items()) + "time,II,V1 (uV)\n" + rows)
    record, other = read(path), read(tmp_path / "x.csv")
    np.testing.assert_array_equal(record.signal, other.signal)
    facts = [(r.fs, r.leads, r.unit, r.meta, r.start, r.missing) for r in (record, other)]
    assert facts[0] == facts[1]
    assert (record.format, record.missing["V1"], record.meta.age) == ("parquet", 1, 63)
    assert "columns without numbers, left out: label" in record.notes
    n, width, unfolded = sizes(str(path))
    about = pyarrow.parquet.read_metadata(path)
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    claimed = sum(group.column(place).total_uncompressed_size for group in groups for place in range(width))
    assert (n, width) == (1000, 4)
    assert claimed * 0.9 < unfolded < claimed  # which counts the page headers too


def test_a_data_frame_of_a_record_comes_back(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    signal = np.random.default_rng(0).normal(size=(3, 200)).astype(np.float32)
    frame = pandas.DataFrame(signal.T, columns=["I", "II", "aVR"], index=np.arange(200) * 2)
    frame.to_parquet(tmp_path / "x.parquet")
    record = read(tmp_path / "x.parquet", fs=250, unit="mV", start_s=0.2, duration_s=0.4, leads=["aVR", "I"])
    expected = Record(signal, 250, ("I", "II", "aVR")).select(["aVR", "I"]).crop(0.2, 0.4)
    np.testing.assert_array_equal(record.signal, expected.signal)
    with pytest.raises(ReadError, match="does not state its sampling rate"):
        read(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"I": [[1.0], [2.0]]}, "nested ones are not"),
        ({"I": ["a", "b"]}, "0 of its 1 columns hold numbers"),
        ({"I": pyarrow.array([], pyarrow.float32())}, "it has no rows"),
        ({f"c{i}": [1.0] for i in range(600)}, "600 columns"),
    ],
)
def test_tables_that_are_no_recording(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "x.parquet")
    with pytest.raises(ReadError, match=message):
        read(tmp_path / "x.parquet", fs=500)


def test_a_column_in_another_file_is_refused(tmp_path: Path) -> None:
    """Footers of collected metadata name the files of their columns."""
    path = parquet_file(tmp_path / "x.parquet", 100)
    metadata = pyarrow.parquet.read_metadata(path)
    metadata.set_file_path("other.parquet")
    metadata.write_metadata_file(tmp_path / "y.parquet")
    with pytest.raises(ReadError, match="not a usable Parquet file"):
        read(tmp_path / "y.parquet", fs=500)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet_file(tmp_path / "x.parquet", 100)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReadError, match=r"reading Parquet needs pyarrow; pip install 'ecglm\[formats\]'"):
        read(path)
