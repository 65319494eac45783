"""NPY, NPZ and MAT: shapes, keys, round trips, no pickles."""

from __future__ import annotations

import io
import struct
import tracemalloc
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom.data import get_testdata_file

from ecglm.errors import EcglmError, ReadError
from ecglm.records import STANDARD_12, Record, RecordMeta, read, write_npz

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))
T = np.arange(5000) / 500
WAVE = np.sin(2 * np.pi * 1.3 * T)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("transposed", [False, True])
def test_npy_shorter_axis_is_leads(tmp_path: Path, order: str, transposed: bool) -> None:
    data = np.random.default_rng(0).normal(size=(12, 3000))
    np.save(tmp_path / "x.npy", np.asarray(data.T if transposed else data, order=order))  # type: ignore[call-overload]
    record = read(tmp_path / "x.npy", fs=250, start_s=2, duration_s=4)
    np.testing.assert_array_equal(record.signal, data[:, 500:1500].astype(np.float32))
    with pytest.raises(ReadError, match="pass fs="):
        read(tmp_path / "x.npy")


def test_leads_name_the_columns_of_a_file_without_names(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.stack([WAVE, -WAVE]))
    record = read(tmp_path / "x.npy", fs=500, leads=["V5", "ii"])
    assert record.leads == ("V5", "II")
    np.testing.assert_array_equal(record.lead("V5"), WAVE.astype(np.float32))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 40)),
        elements=st.floats(-50, 50, width=32) | st.just(np.nan),
    ),
    st.permutations(STANDARD_12),
    st.floats(20, 50_000),
    st.sampled_from(["mV", "normalized"]),
    st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.none() | st.integers(0, 120),
    st.sampled_from([None, "female", "male"]),
)
def test_npz_round_trip_keeps_everything(
    tmp_path: Path,
    signal: np.ndarray,
    leads: list[str],
    fs: float,
    unit: str,
    start: datetime | None,
    age: int | None,
    sex: str | None,
) -> None:
    record = Record(
        signal,
        fs,
        tuple(leads[: len(signal)]),
        unit=unit,
        start=start,  # type: ignore[arg-type]
        limb_scale_shared=unit == "normalized",
        meta=RecordMeta(age, sex, "cart 7"),
    )  # type: ignore[arg-type]
    write_npz(record, tmp_path / "x.npz")
    again = read(tmp_path / "x.npz")
    np.testing.assert_array_equal(again.signal, record.signal)
    assert [again.fs, again.leads, again.unit, again.start, again.meta, again.limb_scale_shared] == [
        record.fs,
        record.leads,
        record.unit,
        record.start,
        record.meta,
        record.limb_scale_shared,
    ]


def test_write_npz_leaves_nothing_behind_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = read(DICOM)
    (tmp_path / "x.npz").write_bytes(b"old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(EcglmError, match=r"cannot be written \(No space left"):
        write_npz(record, tmp_path / "x.npz")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("x.npz", b"old")]


@pytest.mark.parametrize("version", ["4", "5"])
def test_mat_keys_and_units(tmp_path: Path, version: str) -> None:
    data = np.tile(WAVE, (12, 1)) * 1000
    for key, rate in (("val", "fs"), ("ecg", "Fs"), ("signal", "sampling_rate"), ("data", "fs"), ("ECG", "fs")):
        scipy.io.savemat(tmp_path / "x.mat", {key: data, rate: 500.0, "units": "uV"}, format=version)
        record = read(tmp_path / "x.mat")
        assert (record.fs, record.leads) == (500.0, STANDARD_12)
        np.testing.assert_array_equal(record.signal, (data / 1000).astype(np.float32))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "f4", "f8", ">i2", ">f8"])
@pytest.mark.parametrize("version", ["4", "5"])
def test_mat_numbers_equal_scipys(tmp_path: Path, version: str, dtype: str) -> None:
    data = np.random.default_rng(0).integers(0, 100, (3, 400)).astype(dtype)
    other = {"val": data, "fs": 250, "note": "long text " * 30, "z": np.ones((3, 3)) * 1j, "unit": "mV"}
    other |= {} if version == "4" else {"s": {"a": 1}, "c": np.array([1, "x"], object)}
    scipy.io.savemat(tmp_path / "x.mat", other, format=version)
    record = read(tmp_path / "x.mat", leads=["I", "II", "V1"])
    expected = scipy.io.loadmat(tmp_path / "x.mat", variable_names=["val"])["val"]
    np.testing.assert_array_equal(record.signal, expected.astype(np.float32))


def test_mat_cell_array_of_names(tmp_path: Path) -> None:
    scipy.io.savemat(
        tmp_path / "x.mat",
        {"ecg": np.stack([WAVE, WAVE / 2]), "fs": 500, "unit": "mV", "leads": np.array(["V2", "mlii"], object)},
        do_compression=True,
    )
    assert read(tmp_path / "x.mat").leads == ("V2", "II")


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "sprung"),)  # type: ignore[return-value]

    np.save(tmp_path / "x.npy", np.array([[Trap()]], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", signal=np.array([[Trap()]], object), fs=500)
    for name in ("x.npy", "x.npz"):
        with pytest.raises(ReadError, match="pickles are never read"):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_zip_member_claims_are_checked(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (12, 10**11)})
    (tmp_path / "x.npy").write_bytes(header.getvalue() + bytes(800))
    with pytest.raises(ReadError, match=r"800 bytes of data where its header promises 9600000000000"):
        read(tmp_path / "x.npy", fs=500)
    import zipfile

    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("signal.npy", header.getvalue() + bytes(800))
    with pytest.raises(ReadError, match=r"800 bytes of data where its header promises"):
        read(tmp_path / "x.npz", fs=500)


def test_a_header_of_four_gigabytes_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr': '<f4'" + bytes(500))
    tracemalloc.start()
    with pytest.raises(ReadError, match="its NPY header cannot be read"):
        read(tmp_path / "x.npy", fs=500)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("order", ["<", ">"])
def test_codes_that_are_no_characters_are_not_made_texts(tmp_path: Path, order: str) -> None:
    for last in (0x10FFFF, 0x110000):
        leads = np.array([[0x49, last]], f"{order}u4").view(f"{order}U2")[0]
        np.savez(tmp_path / "x.npz", signal=np.zeros((1, 100)), fs=500, leads=leads, unit="mV")
        if last == 0x10FFFF:
            assert read(tmp_path / "x.npz").leads == ("I",)  # what cannot be printed is left out
            continue
        with pytest.raises(ReadError, match=r"the text in leads\.npy is not Unicode"):
            read(tmp_path / "x.npz")


def test_two_billion_rows_of_nothing_are_no_names(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"val": np.zeros((1, 100))}, format="4")
    with (tmp_path / "x.mat").open("ab") as stream:
        stream.write(struct.pack("<5I", 1, 2**31 - 1, 0, 0, 6) + b"leads\0")
    assert read(tmp_path / "x.mat", fs=500, unit="mV").leads == ("ECG",)
