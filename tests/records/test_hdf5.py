"""HDF5: the layouts of CODE and SPH, described arrays, one record of many, and nothing outside the file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecglm.errors import ReadError, UsageError
from ecglm.records import STANDARD_12, read
from ecglm.records.hdf5_chunks import unfold
from ecglm.records.hdf5_heaps import MAX_BYTES

from .many import code_file, twelve
from .peak import cost_of

STORAGE = [
    {}, {"chunks": (1, 4096, 12)}, {"chunks": (2, 1000, 5), "compression": "gzip", "shuffle": True, "fletcher32": True},
    {"chunks": True, "compression": "lzf"}, {"dtype": ">f8"}, {"dtype": "f2", "compression": "gzip"},
]  # fmt: skip


@pytest.mark.parametrize("storage", STORAGE)
def test_a_record_of_code_is_read_by_its_id(tmp_path: Path, storage: dict[str, object]) -> None:
    path = code_file(tmp_path / "x.hdf5", 3, **storage)  # type: ignore[arg-type]
    record = read(path, record=1001)
    expected = twelve(2800, seed=1).T.astype(storage.get("dtype", "f4")).astype(np.float32)  # type: ignore[call-overload]
    np.testing.assert_array_equal(record.signal, expected)
    assert (record.leads, record.fs, record.format) == (STANDARD_12, 400.0, "hdf5")
    assert (record.unit, record.axis_known) == ("normalized", True)
    assert "padding with zeros left out: 648 samples before, 648 after" in record.notes
    assert any("contradict themselves about the amplitude unit" in note for note in record.notes)
    assert "record 1001 of 3 in the file" in record.notes
    part = read(path, record="1001", start_s=1, duration_s=2, leads=["V1", "II"], unit="mV")
    np.testing.assert_array_equal(part.signal, record.select(["V1", "II"]).crop(1, 2).signal)
    assert part.unit == "mV"


def test_only_the_chosen_row_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        rows = file.create_dataset("tracings", (20_000, 4096, 12), "f4")  # 3.9 GB, a hole in the file but for the last row
        rows[19_999, 648:-648] = twelve(2800)
        file["exam_id"] = np.arange(20_000)
    path = tmp_path / "x.h5"
    np.testing.assert_array_equal(read(path, record=19_999).signal, twelve(2800).T)
    os.rename(path, tmp_path / "y.h5")
    assert cost_of(tmp_path / "y.h5").peak < 200 << 20


def test_the_order_of_the_augmented_leads_is_taken_from_the_signal(tmp_path: Path) -> None:
    record = read(code_file(tmp_path / "x.h5", 1, order=("aVL", "aVF", "aVR"), ids=False))
    assert record.leads == ("I", "II", "III", "aVL", "aVF", "aVR", *STANDARD_12[6:])
    assert any("in the order aVL, aVF, aVR" in note for note in record.notes)
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file["tracings"][0, 10:-10, :6] = np.random.default_rng(0).normal(size=(4076, 6))
    record = read(tmp_path / "x.h5")
    assert (record.leads, record.axis_known) == (STANDARD_12, False)
    assert any("cannot be told from the signal" in note for note in record.notes)


def test_a_file_of_many_says_how_to_name_one(tmp_path: Path) -> None:
    path = code_file(tmp_path / "x.h5", 4)
    with pytest.raises(ReadError, match=r"holds 4 recordings \(1000, 1001, 1002, \.\.\.\); name one with record=.1000."):
        read(path)
    with pytest.raises(ReadError, match=r"none of its 4 recordings is 7; it has 1000, 1001, 1002, 1003, \.\.\."):
        read(path, record=7)
    rows = code_file(tmp_path / "y.h5", 4, ids=False)  # without ids, rows count from 0
    np.testing.assert_array_equal(read(rows, record=2).signal, read(path, record=1002).signal)
    with pytest.raises(ReadError, match=r"none of its 4 recordings is 4; it has 0 to 3"):
        read(rows, record=4)
    with h5py.File(path, "r+") as file:
        file["tracings"][3] = 0  # as the last row of some parts is
        file["exam_id"][...] = [5, 5, 6, 7]
    with pytest.raises(ReadError, match="nothing but zeros"):
        read(path, record=7)
    assert any("2 have this id, the first is read" in note for note in read(path, record=5).notes)


def test_sph_states_neither_rate_nor_unit(tmp_path: Path) -> None:
    stored = twelve(5000).T.astype(np.float16)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["ecg"] = stored
    record = read(tmp_path / "x.h5")
    np.testing.assert_array_equal(record.signal, stored.astype(np.float32))
    assert (record.leads, record.fs, record.unit) == (STANDARD_12, 500.0, "mV")
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["ecg"] = stored.astype(np.float32)  # of another maker
    with pytest.raises(ReadError, match="does not state its sampling rate; pass fs="):
        read(tmp_path / "y.h5")


def test_attributes_and_small_arrays_describe_the_signal(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        waves = file.create_dataset("waves", data=np.arange(2000).reshape(2, 1000))
        waves.attrs["fs"], waves.attrs["leads"], waves.attrs["unit"] = 250, ["MLII", "V1"], np.bytes_("uV")
        file.attrs["fs"], file.attrs["sex"], file.attrs["start"] = 999, "female", "2020-03-04T05:06:07"
        file["age"], file["scores"] = 63, np.zeros((2, 2), "c8")[0]
    record = read(tmp_path / "x.h5")
    np.testing.assert_allclose(record.signal, np.arange(2000).reshape(2, 1000) / 1000, rtol=1e-6)
    assert (record.fs, record.leads, record.meta.age, record.meta.sex) == (250.0, ("II", "V1"), 63, "female")
    assert str(record.start) == "2020-03-04 05:06:07"
    with pytest.raises(UsageError, match="record= is for files of several recordings"):
        read(tmp_path / "x.h5", record=1)


def test_descriptions_are_small(tmp_path: Path) -> None:
    """A thousand names that are one text of 4 MB would take 4 GB."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["signal"] = np.zeros((2, 500))
        file.create_dataset("leads", 1000, h5py.string_dtype())
    with pytest.raises(ReadError, match="its leads has 1000 values"):
        read(tmp_path / "x.h5", fs=500)
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["signal"], file.attrs["unit"] = np.zeros((2, 500)), np.bytes_(b"x" * 60_000)
        file["leads"] = np.array([b"I" * 60_000, b"II"])
    with pytest.raises(ReadError, match="its leads has 2 values"):
        read(tmp_path / "y.h5", fs=500)


def named_by_texts(path: Path) -> bytes:
    """h5py stores a list of str as texts of variable length, in a heap."""
    with h5py.File(path, "w") as file:
        file["signal"], file.attrs["fs"], file.attrs["unit"] = np.zeros((2, 500)), 500, "mV"
        file["leads"] = ["I", "V1"]
    assert read(path).leads == ("I", "V1")
    return path.read_bytes()


def test_a_heap_without_an_end_is_not_walked(tmp_path: Path) -> None:
    data = bytearray(named_by_texts(tmp_path / "x.h5"))
    heap = data.index(b"GCOL\x01")
    at = heap + 16
    while data[at : at + 2] != b"\0\0":  # to the free space, which is given no size: HDF5 would stay there
        at += 16 + (int.from_bytes(data[at + 8 : at + 16], "little") + 7) // 8 * 8
    data[at + 8 : at + 16] = bytes(8)
    (tmp_path / "x.h5").write_bytes(data)
    cost = cost_of(tmp_path / "x.h5")
    assert f"the texts at byte {at} are damaged" in cost.said
    assert cost.seconds < 2
    data[heap + 8 : heap + 16] = b"\xff" * 8
    (tmp_path / "x.h5").write_bytes(data)
    with pytest.raises(ReadError, match=f"the texts at byte {heap} are damaged"):
        read(tmp_path / "x.h5")


def test_texts_of_variable_length_are_left_out_of_huge_files(tmp_path: Path) -> None:
    named_by_texts(tmp_path / "x.h5")
    os.truncate(tmp_path / "x.h5", MAX_BYTES + 1)
    with pytest.raises(ReadError, match="it has 2 leads without names"):
        read(tmp_path / "x.h5", unit="mV")
    assert read(tmp_path / "x.h5", unit="mV", leads=["I", "V1"]).fs == 500


def test_types_within_types_are_not_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["signal"], file.attrs["fs"], file.attrs["unit"] = np.zeros((2, 500)), 500, "mV"
        lists = file.create_dataset("leads", 2, h5py.vlen_dtype(np.uint8))
        lists[0] = lists[1] = np.array([73], np.uint8)
    with pytest.raises(ReadError, match="it has 2 leads without names"):
        read(tmp_path / "x.h5")


def test_record_is_refused_by_formats_of_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 100)))
    with pytest.raises(UsageError, match="record= is for files of several recordings, and this is one"):
        read(tmp_path / "x.npy", record="1", fs=250)


def test_nothing_outside_the_file_is_opened(tmp_path: Path) -> None:
    """Whatever opens the pipe waits for a writer for ever."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("raw", "virtual", "endless", "link", "soft"):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.attrs["fs"], file.attrs["unit"], file.attrs["leads"] = 500, "mV", ["I", "II"]
            outside = str(tmp_path / "pipe")
            if name == "raw":
                file.create_dataset("signal", (2, 500), "f4", external=[(outside, 0, 4000)])
            elif name == "virtual":
                layout = h5py.VirtualLayout((2, 500), "f4")
                layout[:] = h5py.VirtualSource(outside, "x", (2, 500))
                file.create_virtual_dataset("signal", layout)
            elif name == "endless":  # whose length HDF5 would ask of its sources
                space, source = (h5py.h5s.create_simple((2, 1), (2, h5py.h5s.UNLIMITED)) for _ in range(2))
                plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                for part in (space, source):
                    part.select_hyperslab((0, 0), (1, 1), block=(2, h5py.h5s.UNLIMITED))
                plist.set_virtual(space, outside.encode(), b"x", source)
                h5py.h5d.create(file.id, b"signal", h5py.h5t.IEEE_F32LE, space, dcpl=plist)
            elif name == "link":
                file["signal"] = h5py.ExternalLink(outside, "/x")
            else:
                file["there"], file["signal"] = h5py.ExternalLink(outside, "/"), h5py.SoftLink("/there/x")
    for name in ("raw", "virtual", "endless", "link", "soft"):
        code = f"from ecglm.records import read; read({str(tmp_path / f'{name}.h5')!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.stderr.splitlines()[-1].endswith(
            "its samples lie in other files; copy them into one file, as with h5repack" if name in ("raw", "virtual", "endless")
            else "it has no array named signal (it has none); name the array of samples signal"
        )  # fmt: skip


def test_filters_beyond_the_usual_are_not_loaded(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("signal", (2, 500), "i4", chunks=(2, 500), scaleoffset=2)
    with pytest.raises(ReadError, match=r"its filters \[6\] are not read"):
        read(tmp_path / "x.h5", fs=500)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hnp.arrays(
        st.sampled_from(["<f4", ">f8", "<i2", "u1", "<f2"]), st.tuples(st.integers(1, 4), st.integers(1, 700)),
        elements=st.integers(0, 3) | st.integers(0, 250),
    ),
    st.tuples(st.integers(1, 4), st.integers(1, 700)), st.sampled_from([None, "gzip", "lzf"]), st.booleans(), st.booleans(),
    st.integers(1, 4), st.integers(1, 700),
)  # fmt: skip
def test_chunks_are_what_hdf5_makes_of_them(
    tmp_path: Path, data: np.ndarray, chunks: tuple[int, int], compression: str | None, shuffle: bool, fletcher32: bool,
    rows: int, columns: int,
) -> None:  # fmt: skip
    with h5py.File(tmp_path / "x.h5", "w") as file:
        options = {"chunks": chunks, "compression": compression, "shuffle": shuffle, "fletcher32": fletcher32}
        stored = file.create_dataset("x", data.shape, data.dtype, maxshape=(None, None), **options)
        rows, columns = min(rows, data.shape[0]), min(columns, data.shape[1])
        stored[:rows, :columns] = data[:rows, :columns]  # some chunks are never written
        whole, corner = tuple(slice(0, n) for n in data.shape), (slice(rows - 1, rows), slice(columns - 1, data.shape[1]))
        for parts in (whole, corner):
            np.testing.assert_array_equal(unfold(stored, list(parts), "x.h5"), stored[parts])


def test_chunks_never_written_are_zeros_or_refused(tmp_path: Path) -> None:
    for fillvalue in (None, 7):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            signal = file.create_dataset("signal", (2, 500), "f4", chunks=(2, 100), fillvalue=fillvalue)
            signal[:, :100] = 0.5
            file["leads"] = ["I", "II"]
        if fillvalue is None:
            assert read(tmp_path / "x.h5", fs=500, unit="mV").signal.sum() == 100
            continue
        with pytest.raises(ReadError, match=r"its chunk at \(0, 100\) was never written"):
            read(tmp_path / "x.h5", fs=500, unit="mV")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("signal", (2, 500), "f4")
    with pytest.raises(ReadError, match="its samples were never written"):
        read(tmp_path / "x.h5", fs=500, unit="mV")


@pytest.mark.parametrize(
    ("body", "skipped", "message"),
    [
        (b"ab", 1, "a chunk fails its checksum"),  # HDF5 2.0.0 crashes
        (bytes(4), 1, "a chunk of 4000 bytes unfolds to 0"),
        (b"abcd" * 3, 3, "a chunk of 4000 bytes unfolds to 12"),
        (b"\xff" * 8, 2, "an LZF reference leads before the beginning"),
        (b"\xe0", 2, "index out of range"),
        (b"\0a" + b"\xe0\xff\0" * 40, 2, "a chunk of 4000 bytes unfolds to 4225, or more"),
    ],
)
def test_chunks_of_another_length_are_refused(tmp_path: Path, body: bytes, skipped: int, message: str) -> None:
    """LZF, then a checksum; bits of skipped are filters that this chunk did not go through."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        signal = file.create_dataset("signal", (2, 500), "f4", chunks=(2, 500), compression="lzf", fletcher32=True)
        signal.id.write_direct_chunk((0, 0), body, skipped)
    with pytest.raises(ReadError, match=message):
        read(tmp_path / "x.h5", fs=500)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = code_file(tmp_path / "x.h5", 1)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ReadError, match=r"reading HDF5 needs h5py; pip install 'ecglm\[formats\]'"):
        read(path)
