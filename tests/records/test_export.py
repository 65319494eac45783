"""Records written as WFDB, EDF+, DICOM, CSV and NPZ: read back by ecglm and by the libraries of the formats."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pyedflib
import pytest
import wfdb
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom.data import get_testdata_file

from ecglm.errors import EcglmError, UsageError
from ecglm.records import STANDARD_12, CartReading, Record, RecordMeta, read

DICOM = Path(str(get_testdata_file("waveform_ecg.dcm")))
EXACT, STEPS = ("npz", "csv"), ("hea", "edf", "dcm")
LEADS = (*STANDARD_12, "V7", "V4R", "X", "ECG", "Chan 7")

signals = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(2, 400)),
    elements=st.floats(-20, 20, width=32).map(lambda x: x if abs(x) > 1e-6 else 0.0),
)
offsets = st.sampled_from([0.0, 0.0, 3.0, -250.0])
rates = st.sampled_from([125, 128.0, 200, 250, 257.5, 360, 400, 500, 1000.0])
starts = st.none() | st.datetimes(datetime(1985, 1, 1), datetime(2084, 12, 31))
metas = st.builds(
    RecordMeta, st.none() | st.integers(0, 120), st.sampled_from([None, "female", "male"]), st.sampled_from([None, "GE MAC 55"])
)


def step_of(path: Path, row: int) -> float:
    """Millivolts of one stored step, as the format's own library says."""
    if path.suffix == ".hea":
        return 1 / wfdb.rdheader(str(path.with_suffix(""))).adc_gain[row]
    if path.suffix == ".edf":
        with pyedflib.EdfReader(str(path)) as reader:
            low, high = reader.getPhysicalMinimum(row), reader.getPhysicalMaximum(row)
            return float(high - low) / (reader.getDigitalMaximum(row) - reader.getDigitalMinimum(row)) / 1000
    channel = pydicom.dcmread(path).WaveformSequence[0].ChannelDefinitionSequence[row]
    return float(channel.ChannelSensitivity) / 1000


def check(record: Record, path: Path) -> None:
    """What is read back is what was written: bit by bit, or each sample within half a step."""
    record.save(path)
    again = read(path)
    assert (again.fs, again.leads, again.unit) == (record.fs, record.leads, record.unit)
    assert again.limb_scale_shared == record.limb_scale_shared
    assert (again.meta.age, again.meta.sex) == (record.meta.age, record.meta.sex)
    assert again.meta.device == (None if path.suffix == ".hea" else record.meta.device)
    if path.suffix == ".edf" and record.start is not None:
        assert again.start is not None
        assert 0 <= (record.start - again.start).total_seconds() < 1e-5
    else:
        assert again.start == record.start
    np.testing.assert_array_equal(np.isnan(again.signal), np.isnan(record.signal))
    if path.suffix in (".csv", ".npz"):
        np.testing.assert_array_equal(again.signal, record.signal)
        return
    for row, (got, want) in enumerate(zip(again.signal, record.signal, strict=True)):
        apart = np.abs(got.astype(np.float64) - want)
        rounding = 2e-7 * np.nanmax(np.abs(want), initial=0)  # of float32, twice
        step = step_of(path, row)
        assert np.nanmax(apart, initial=0) <= step / 2 + rounding
        assert step < max(5.01e-3, np.nanmax(np.abs(want), initial=0) / 15_000)  # 200 steps per mV at least


@pytest.mark.parametrize("extension", [*EXACT, *STEPS])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signals, offsets, st.permutations(LEADS), rates, starts, metas, st.booleans())
def test_round_trip(
    tmp_path: Path, extension: str, signal: np.ndarray, offset: float, leads: list[str], fs: float,
    start: datetime | None, meta: RecordMeta, gaps: bool,
) -> None:  # fmt: skip
    signal = signal + np.float32(offset)
    if gaps and extension != "edf":
        signal[0, ::3] = np.nan
    record = Record(signal, fs, tuple(leads[: len(signal)]), start=start, meta=meta)
    if extension == "csv" and record.leads == ("Chan 7",):  # a table of one column with a blank in its name is two columns
        with pytest.raises(UsageError, match="Chan 7 would not be read back as a lead"):
            record.save(tmp_path / "x.csv")
        return
    try:
        check(record, tmp_path / f"x.{extension}")
    except UsageError as problem:  # microvolts on an offset of millivolts: EDF's eight characters do not reach
        if extension != "edf" or "more digits than EDF holds" not in str(problem):
            raise
        reject()


@pytest.mark.parametrize(("samples", "fs"), [(29, 400), (58, 400), (57, 100), (1151, 1000)])
def test_lengths_that_floating_point_puts_just_below_a_step(tmp_path: Path, samples: int, fs: float) -> None:
    check(Record(np.sin(np.arange(samples) / 9)[None].astype(np.float32), fs, ("I",)), tmp_path / "x.edf")


@pytest.mark.parametrize("extension", STEPS)
@pytest.mark.parametrize("per_mv", [1000, 200, 204.8, 400, 800])
def test_digitised_samples_keep_their_exact_values(tmp_path: Path, extension: str, per_mv: float) -> None:
    stored = np.random.default_rng(0).integers(-3000, 3000, (3, 1000))
    record = Record((stored / per_mv).astype(np.float32), 500, ("I", "II", "V1"))
    record.save(tmp_path / f"x.{extension}")
    np.testing.assert_array_equal(read(tmp_path / f"x.{extension}").signal, record.signal)


@pytest.fixture
def record() -> Record:
    """A real ECG with a person and a moment, two seconds of it."""
    meta = RecordMeta(63, "female", "GE MAC 55")
    return replace(read(DICOM, duration_s=2), start=datetime(2020, 3, 4, 5, 6, 7, 250_000), meta=meta)


def test_wfdb_reads_what_is_written(tmp_path: Path, record: Record) -> None:
    record.signal[2, 7:9] = np.nan
    record.save(tmp_path / "ecg_1.hea")
    theirs = wfdb.rdrecord(str(tmp_path / "ecg_1"))
    np.testing.assert_allclose(theirs.p_signal.T, record.signal, atol=1e-6)
    assert (theirs.fs, theirs.sig_name, theirs.units) == (1000, list(STANDARD_12), ["mV"] * 12)
    assert (theirs.base_datetime, theirs.comments) == (record.start, ["age: 63", "sex: female"])
    raw = wfdb.rdrecord(str(tmp_path / "ecg_1"), physical=False)
    assert [number % 65536 for number in raw.checksum] == raw.calc_checksum()


def test_pyedflib_reads_what_is_written(tmp_path: Path, record: Record) -> None:
    record.save(tmp_path / "x.edf")
    with pyedflib.EdfReader(str(tmp_path / "x.edf")) as theirs:
        assert theirs.getSignalLabels() == [f"ECG {lead}" for lead in STANDARD_12]
        assert [theirs.getPhysicalDimension(row) for row in range(12)] == ["uV"] * 12
        assert (theirs.getSampleFrequency(0), theirs.getNSamples()[0]) == (1000, 2000)
        assert theirs.getStartdatetime().replace(microsecond=0) == datetime(2020, 3, 4, 5, 6, 7)
        assert (theirs.getSex(), theirs.getEquipment(), theirs.getPatientName()) == ("Female", "GE MAC 55", "X")
        np.testing.assert_allclose(theirs.readSignal(5) / 1000, record.signal[5], atol=1e-6)
    replace(record, start=None).save(tmp_path / "y.edf")
    head = (tmp_path / "y.edf").read_bytes()[:256]
    assert head[88:100] == b"Startdate X "
    assert head[168:184] == b"01.01.8500.00.00"  # EDF+: the date of a recording without one


@pytest.mark.parametrize(("n_samples", "fs"), [(227, 360), (650_000, 360), (649_981, 250)])
def test_edf_states_how_many_samples_count(tmp_path: Path, n_samples: int, fs: int) -> None:
    """Neither prime lengths nor 650,000 samples at 360 Hz, as MIT-BIH has, are whole data records."""
    signal = (np.random.default_rng(0).integers(-900, 900, (2, n_samples)) / 200).astype(np.float32)
    record = Record(signal, fs, ("II", "V1"), meta=RecordMeta(device="x" * 40))
    record.save(tmp_path / "x.edf")
    again = read(tmp_path / "x.edf")
    np.testing.assert_array_equal(again.signal, record.signal)
    assert (again.fs, again.meta.device) == (fs, "x" * (39 - len(f"samples={n_samples}")))
    with pyedflib.EdfReader(str(tmp_path / "x.edf")) as theirs:
        rest = theirs.readSignal(0)[n_samples:]
        assert 0 < len(rest) < 2 * fs
        np.testing.assert_allclose(rest, signal[0, -1] * 1000, atol=1e-3)


@pytest.mark.parametrize(
    ("leads", "fs", "seconds", "uid"),
    [
        (STANDARD_12, 500, 10, "1.2.840.10008.5.1.4.1.1.9.1.1"),
        (STANDARD_12, 1000, 20, "1.2.840.10008.5.1.4.1.1.9.1.2"),  # more than 16,384 samples
        (("II", "V1"), 250, 10, "1.2.840.10008.5.1.4.1.1.9.1.2"),
        (("II", "ECG"), 128, 10, "1.2.840.10008.5.1.4.1.1.9.1.3"),
    ],
)
def test_pydicom_reads_what_is_written(tmp_path: Path, leads: tuple[str, ...], fs: int, seconds: int, uid: str) -> None:
    signal = np.random.default_rng(0).normal(0, 0.3, (len(leads), fs * seconds)).astype(np.float32)
    Record(signal, fs, leads, start=datetime(2020, 3, 4, 5, 6, 7), meta=RecordMeta(7, "male")).save(tmp_path / "x.dcm")
    theirs = pydicom.dcmread(tmp_path / "x.dcm")
    assert theirs.SOPClassUID == theirs.file_meta.MediaStorageSOPClassUID == uid
    assert theirs.SOPInstanceUID == theirs.file_meta.MediaStorageSOPInstanceUID
    assert (theirs.Modality, theirs.PatientAge, theirs.PatientSex) == ("ECG", "007Y", "M")
    assert theirs.AcquisitionDateTime == "20200304050607.000000"
    assert (str(theirs.PatientName), theirs.PatientID, theirs.PatientBirthDate) == ("", "", "")
    half = np.array([step_of(tmp_path / "x.dcm", row) / 2 for row in range(len(leads))])
    assert (np.abs(theirs.waveform_array(0).T / 1000 - signal).max(axis=1) <= half + 1e-6).all()
    sources = [c.ChannelSourceSequence[0] for c in theirs.WaveformSequence[0].ChannelDefinitionSequence]
    known = {"I": "2:1", "II": "2:2", "V1": "2:3", "V6": "2:8", "aVF": "2:64", "ECG": "2:0"}
    assert all(known.get(lead, s.CodeValue) == s.CodeValue for s, lead in zip(sources, leads, strict=True))


@pytest.mark.parametrize("extension", [*EXACT, *STEPS])
def test_nothing_else_leaves_the_record(tmp_path: Path, record: Record, extension: str) -> None:
    said = ("SOURCE", "NOTE", "STATEMENT")
    full = replace(record, source="/home/SOURCE", notes=("NOTE",), cart=CartReading(statements=("STATEMENT",)))
    full.save(tmp_path / f"x.{extension}")
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [word for word in said if word.encode() in written]
    assert read(tmp_path / f"x.{extension}").cart is None


@pytest.mark.parametrize("extension", ["csv", "npz", "hea"])
@pytest.mark.parametrize("shared", [True, False])
def test_a_record_without_unit_stays_one(tmp_path: Path, record: Record, extension: str, shared: bool) -> None:
    check(replace(record, unit="normalized", limb_scale_shared=shared), tmp_path / f"x.{extension}")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("x.edf", {"unit": "normalized"}, r"EDF needs a voltage.*save it as \.hea"),
        ("x.dcm", {"unit": "normalized"}, r"needs a voltage.*save it as \.hea"),
        ("x.edf", {"signal": np.full((12, 100), np.nan)}, r"no value for missing samples \(I: 100, II: 100"),
        ("x.edf", {"start": datetime(1970, 1, 1)}, r"EDF holds years 1985 to 2084"),
        ("x.edf", {"fs": 333.3333}, r"EDF cannot hold 333\.3333 Hz"),
        ("x.edf", {"leads": (*STANDARD_12[:11], "a rather long name")}, r"names of 16 ASCII"),
        ("x.dcm", {"leads": (*STANDARD_12[:11], "a rather long name")}, r"labels .* of 16 characters"),
        ("x.dcm", {"fs": 30}, r"ECG classes for 24 leads of 200 to 1000 Hz"),
        ("x.hea", {"signal": np.full((12, 100), 1e30)}, r"which no ECG does"),
        ("a b.hea", {}, r"letters, digits, '_' and '-' only"),
        ("x.xlsx", {}, r"saved as \.hea, \.edf, \.dcm, \.csv, \.npz"),
        ("x", {}, r"saved as \.hea"),
        ("x.npz", {"leads": (*STANDARD_12[:11], "RESP")}, r"RESP would not be read back"),
        ("x.csv", {"leads": (*STANDARD_12[:11], "sample")}, r"column named sample"),
        ("x.hea", {"leads": (*STANDARD_12[:11], "A\nB")}, r"would not be read back"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(
    tmp_path: Path, record: Record, name: str, change: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        replace(record, **change).save(tmp_path / name)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_the_source_and_other_records_are_not_overwritten(tmp_path: Path, record: Record) -> None:
    record.save(tmp_path / "a.hea")
    first = read(tmp_path / "a.hea")
    with pytest.raises(UsageError, match="read from this file"):
        first.save(tmp_path / "a.hea")
    os.rename(tmp_path / "a.hea", tmp_path / "b.hea")
    with pytest.raises(UsageError, match="belongs to another record"):
        record.save(tmp_path / "a.hea")
    record.save(tmp_path / "c.csv")
    replace(record, signal=-record.signal).save(tmp_path / "c.csv")  # any other file is replaced, as by every verb
    np.testing.assert_array_equal(read(tmp_path / "c.csv").signal, -record.signal)


@pytest.mark.parametrize("extension", [*EXACT, *STEPS])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, record: Record, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(EcglmError, match=r"cannot be written \(No space left"):
        record.save(tmp_path / f"x.{extension}")
    assert not list(tmp_path.iterdir())


SETS = ("afpdb/records", "challenge2021/records", "cpsc2021", "ludb", "mitdb/records", "vendor/scp", "vendor/dicom",
        "vendor/ge_cardiologyxml", "vendor/mat_wfdb", "vendor/sierra_xml", "vendor/muse_xml", "vendor/aecg_hl7")  # fmt: skip


@pytest.mark.parametrize("folder", SETS)
def test_public_recordings_become_every_format_and_come_back(tmp_path: Path, data_dir: Path, folder: str) -> None:
    found = sorted(
        path for path in (data_dir / folder).rglob("*") if path.suffix.lower() in (".hea", ".xml", ".scp", ".dcm", ".mat")
    )
    if not found:
        pytest.skip(f"no recordings in {data_dir / folder}")
    for number, path in enumerate(found if folder.startswith("vendor") else found[:1]):
        record = read(path, duration_s=20)
        for extension in (*EXACT, *STEPS):
            gaps = any(record.missing.values())
            refused = (extension in ("edf", "dcm") and record.unit != "mV") or (extension == "edf" and gaps)
            target = tmp_path / f"r{number}.{extension}"
            if refused:
                with pytest.raises(UsageError, match="save"):
                    record.save(target)
            else:
                check(record, target)


def test_limits_whose_last_digit_pyedflib_would_cut(tmp_path: Path) -> None:
    check(Record(np.resize(np.array([-17.0, -12.072952], np.float32), 125)[None], 125, ("I",)), tmp_path / "x.edf")
