"""DICOM, EDF, BDF, CSV, NPY, NPZ and MAT: values, units, names, windows, notes, round trips."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom.data import get_testdata_file

from ecglm.errors import EcglmError, ReadError, UsageError
from ecglm.records import STANDARD_12, Record, RecordMeta, read, write_npz

from .encoders import edf, simple

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))
T = np.arange(5000) / 500
WAVE = np.sin(2 * np.pi * 1.3 * T)


# DICOM


def test_dicom_equals_pydicom_in_millivolts() -> None:
    record = read(DICOM)
    microvolts = pydicom.dcmread(DICOM).waveform_array(0).T
    np.testing.assert_array_equal(record.signal, (microvolts / 1000).astype(np.float32))
    assert record.leads == STANDARD_12
    assert (record.fs, record.unit, record.format) == (1000.0, "mV", "dicom")
    assert (record.meta.age, record.meta.sex) == (42, "female")
    assert record.notes == ("waveform group RHYTHM is read; left out: MEDIAN BEAT",)


def test_dicom_window_moves_the_start() -> None:
    whole, part = read(DICOM), read(DICOM, start_s=2.5, duration_s=1, leads=["aVR", "I"])
    np.testing.assert_array_equal(part.signal, whole.select(["aVR", "I"]).crop(2.5, 1).signal)
    assert whole.start is not None
    assert part.start is not None
    assert (part.start - whole.start).total_seconds() == 2.5


def changed_dicom(tmp_path: Path, change: object) -> Path:
    dataset = pydicom.dcmread(DICOM)
    change(dataset)  # type: ignore[operator]
    dataset.save_as(tmp_path / "x.dcm")
    return tmp_path / "x.dcm"


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3)])
def test_dicom_sensitivity_correction_baseline_and_unit(tmp_path: Path, unit: str, factor: float) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        channel = dataset.WaveformSequence[0].ChannelDefinitionSequence[0]
        channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = 2, 1.5, 4
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = unit

    raw = np.frombuffer(pydicom.dcmread(DICOM).WaveformSequence[0].WaveformData, "<i2").reshape(-1, 12)[:, 0]
    np.testing.assert_allclose(read(changed_dicom(tmp_path, change)).signal[0], (raw * 3.0 + 4) * factor, rtol=1e-6)


def test_dicom_padding_is_missing_and_longer_original_group_wins(tmp_path: Path) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        rhythm, median = dataset.WaveformSequence
        raw = np.frombuffer(rhythm.WaveformData, "<i2").copy()
        raw[12 * 5] = -9999
        rhythm.WaveformData = raw.tobytes()
        rhythm.add_new(0x5400100A, "OW", np.int16(-9999).tobytes())  # Waveform Padding Value
        dataset.WaveformSequence = pydicom.Sequence([median, rhythm])
        del dataset.PatientAge
        dataset.PatientBirthDate, dataset.StudyDate = "19701231", "20201230"

    record = read(changed_dicom(tmp_path, change))
    assert record.n_samples == 10_000
    assert record.missing["I"] == 1
    assert np.isnan(record.signal[0, 5])
    assert record.meta.age == 49


def test_dicom_without_waveform_says_what_it_is() -> None:
    path = str(get_testdata_file("CT_small.dcm"))
    with pytest.raises(ReadError, match=r"CT Image Storage.*has no waveform"):
        read(path)


# EDF and BDF


@pytest.mark.parametrize("bdf", [False, True])
def test_edf_units_other_signals_and_window(tmp_path: Path, bdf: bool) -> None:
    path = edf(
        tmp_path / ("x.bdf" if bdf else "x.edf"),
        [
            ("ECG II", "uV", 500, 1000 * WAVE),
            ("EEG Fpz-Cz", "uV", 500, WAVE),
            ("V1", "mV", 500, WAVE),
            ("Resp", "mV", 50, WAVE[:500]),
        ],
        bdf=bdf,
    )
    record = read(path)
    step = 8000 / (1 << (24 if bdf else 16))
    assert (record.leads, record.fs, record.unit, record.format) == (("II", "V1"), 500.0, "mV", "bdf" if bdf else "edf")
    np.testing.assert_allclose(record.lead("II"), WAVE, atol=step / 1000)
    np.testing.assert_allclose(record.lead("V1"), WAVE, atol=step)
    assert any("EEG Fpz-Cz" in note and "Resp" in note for note in record.notes)
    part = read(path, start_s=3.3, duration_s=2.5, leads="V1")
    np.testing.assert_array_equal(part.signal, record.select(["V1"]).crop(3.3, 2.5).signal)


def test_edf_keeps_the_rate_most_leads_share_and_never_resamples(tmp_path: Path) -> None:
    path = edf(tmp_path / "x.edf", [("I", "mV", 500, WAVE), ("II", "mV", 500, WAVE), ("V1", "mV", 250, WAVE[:2500])])
    record = read(path)
    assert (record.leads, record.fs) == (("I", "II"), 500.0)
    assert "sampled at another rate, left out: V1 (250 Hz)" in record.notes
    assert read(path, leads=["V1"]).fs == 250.0


# CSV and TSV


def csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def rows(fmt: str = "{:.4f},{:.4f}", n: int = 800) -> str:
    return "\n".join(fmt.format(WAVE[i], -WAVE[i]) for i in range(n)) + "\n"


def test_csv_with_time_column_and_units_in_names(tmp_path: Path) -> None:
    text = "time (ms),Lead I (uV),V1 [mV]\n" + "".join(
        f"{i * 2},{1000 * WAVE[i]:.1f},{WAVE[i]:.4f}\n" for i in range(1000)
    )
    record = read(csv(tmp_path / "x.csv", text))
    assert (record.fs, record.leads, record.notes) == (500.0, ("I", "V1"), ())
    np.testing.assert_allclose(record.signal[0], record.signal[1], atol=1e-3)


def test_csv_comments_give_rate_and_unit(tmp_path: Path) -> None:
    record = read(csv(tmp_path / "x.csv", "# fs=360, unit=uV\nI,II\n" + rows()))
    assert (record.fs, record.unit) == (360.0, "mV")
    np.testing.assert_allclose(record.signal[0], WAVE[:800] / 1000, atol=1e-6)
    assert read(csv(tmp_path / "z.csv", "# fs=360\n# unit=normalized\nI,II\n" + rows())).unit == "normalized"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("semicolon.csv", "I;II\n" + rows("{:.4f};{:.4f}")),
        ("comma-decimal.csv", "I;II\n" + rows("{:.4f};{:.4f}").replace(".", ",")),
        ("tab.tsv", "I\tII\n" + rows("{:.4f}\t{:.4f}")),
        ("blank.txt", "I II\n" + rows("{:.4f} {:.4f}")),
        ("quoted.csv", '"I","II"\n' + rows('"{:.4f}","{:.4f}"')),
        ("windows.csv", ("\ufeffI,II\n" + rows()).replace("\n", "\r\n")),
        ("index.csv", ",I,II\n" + "".join(f"{i},{WAVE[i]:.4f},{-WAVE[i]:.4f}\n" for i in range(800))),
    ],
)
def test_tables_of_every_dialect_give_the_same_record(tmp_path: Path, name: str, text: str) -> None:
    record = read(csv(tmp_path / name, text), fs=500, unit="mV")
    assert record.leads == ("I", "II")
    np.testing.assert_allclose(record.signal, [WAVE[:800], -WAVE[:800]], atol=6e-5)


def test_csv_empty_cells_are_missing(tmp_path: Path) -> None:
    record = read(csv(tmp_path / "x.csv", "I,II\n0.1,\n,0.2\n0.3,NaN\n"), fs=500, unit="mV")
    assert record.missing == {"I": 1, "II": 2}
    np.testing.assert_array_equal(record.signal[0], np.float32([0.1, np.nan, 0.3]))


def test_twelve_unnamed_columns_are_the_standard_order_with_a_note(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "x.csv", np.tile(WAVE[:600, None], 12) * np.arange(12), delimiter=",")
    record = read(tmp_path / "x.csv", fs=500)
    assert record.leads == STANDARD_12
    assert any("standard order" in note for note in record.notes)
    assert any("millivolts are assumed" in note for note in record.notes)


@pytest.mark.parametrize(
    ("text", "kwargs", "message"),
    [
        ("I,II\n1,2\n3,4\n", {}, r"does not state its sampling rate; pass fs="),
        ("I,II\n1,2\n3\n", {"fs": 500}, r"line 3 has 1 columns where 2 are expected"),
        ("I,II\n1,2\n3,high\n", {"fs": 500}, r"line 3 has 'high' where a number is expected"),
        ("I,II\n", {"fs": 500}, r"a header and no rows"),
        ("1,2,3\n4,5,6\n", {"fs": 500}, r"3 leads without names; name them in the file, or pass leads="),
        ("time,I\n0,1\n0.002,1\n0.4,2\n", {}, r"not evenly spaced"),
        ("# fs=fast\nI\n1\n2\n", {}, r"fs=fast, which is not a number"),
        ("# fs=500\n# unit=parsec\nI\n1\n2\n", {}, r"unit 'parsec' is not known"),
        ("# fs=500\nI\n" + "1200\n-900\n" * 50, {}, r"cannot be millivolts; pass unit='uV'"),
        ("# fs=1e9\nI\n1\n2\n", {}, r"1e\+09 Hz is outside"),
        ("ABP (mmHg),Resp\n1,2\n3,4\n", {"fs": 500}, r"none of its channels is an ECG lead"),
    ],
)
def test_tables_that_cannot_be_used_say_what_to_do(
    tmp_path: Path, text: str, kwargs: dict[str, float], message: str
) -> None:
    with pytest.raises(ReadError, match=message):
        read(csv(tmp_path / "x.csv", text), **kwargs)  # type: ignore[arg-type]


# NPY, NPZ, MAT


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
    with pytest.raises(EcglmError, match="cannot be written .No space left"):
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


# Channel policy, the same for every format


def test_non_ecg_channels_go_and_unknown_voltage_channels_stay(tmp_path: Path) -> None:
    path = simple(tmp_path, leads=("II", "ABP", "RESP", "PLETH", "Chan 7"))
    path.write_text(
        path.read_text().replace("200(10)/mV 16 0 ", "100/mmHg 16 0 ", 2).replace("100/mmHg", "200(10)/mV", 1)
    )
    record = read(path)
    assert record.leads == ("II", "Chan 7")
    assert record.notes[0].startswith("not an ECG lead, left out: ABP (mmHg), RESP")
    assert "Chan 7" in record.notes[1]


def test_repeated_leads(tmp_path: Path) -> None:
    path = simple(tmp_path, leads=("II", "MLII", "V1", "ECG", "ECG"))
    record = read(path)
    assert record.leads == ("II", "V1", "ECG", "ECG#2")
    assert "lead II is stored twice with different samples: the first is kept" in record.notes
    data = np.fromfile(tmp_path / "r.dat", "<i2").reshape(-1, 5)
    data[:, 1] = data[:, 0]
    data.tofile(tmp_path / "r.dat")
    assert "lead II is stored twice with the same samples: one copy left out" in read(path).notes


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1.0), ("uV", 1e-3), ("nV", 1e-6), ("V", 1e3)])
def test_wfdb_voltage_units(tmp_path: Path, unit: str, factor: float) -> None:
    want = read(simple(tmp_path, "a")).signal * factor
    np.testing.assert_allclose(read(simple(tmp_path, "b", gain=f"200(10)/{unit}")).signal, want, rtol=1e-6)


@pytest.mark.parametrize("unit", ["adu", "NU"])
def test_a_unit_that_is_no_voltage_makes_a_normalized_record(tmp_path: Path, unit: str) -> None:
    record = read(simple(tmp_path, gain=f"200(10)/{unit}"))
    assert record.unit == "normalized"
    assert f"the amplitude unit is {unit}, not a voltage" in record.notes[0]


def test_gain_zero_is_the_standard_default_with_a_note(tmp_path: Path) -> None:
    record = read(simple(tmp_path, gain="0(10)/mV"))
    np.testing.assert_array_equal(record.signal, read(simple(tmp_path, "b")).signal)
    assert any("200 adu/mV" in note for note in record.notes)


def test_all_missing_lead_is_kept_and_counted(tmp_path: Path) -> None:
    path = simple(tmp_path)
    data = np.fromfile(tmp_path / "r.dat", "<i2").reshape(-1, 3)
    data[:, 1] = -32768
    data.tofile(tmp_path / "r.dat")
    record = read(path)
    assert record.missing == {"I": 0, "II": 1000, "V1": 0}
    assert "II: all samples are missing" in record.notes


def test_content_decides_not_the_extension(tmp_path: Path) -> None:
    shutil.copy(DICOM, tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").format == "dicom"
    write_npz(read(DICOM), tmp_path / "b.npz")
    (tmp_path / "b.npz").rename(tmp_path / "b.dcm")
    assert read(tmp_path / "b.dcm").format == "npz"
    edf(tmp_path / "c.edf", [("I", "mV", 500, WAVE)])
    (tmp_path / "c.edf").rename(tmp_path / "c.mat")
    assert read(tmp_path / "c.mat").format == "edf"


def test_overrides_are_for_files_that_lack_them() -> None:
    with pytest.raises(UsageError, match="fs= is for files that do not state it"):
        read(DICOM, fs=500)


def test_importing_records_loads_no_format_library() -> None:
    code = (
        "import sys, ecglm.records; "
        "print([m for m in ('pydicom', 'pyedflib', 'soundfile', 'scipy', 'torch', 'wfdb') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


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
