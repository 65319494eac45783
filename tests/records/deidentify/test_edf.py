"""EDF and BDF: header fields in anonymised form, annotations without texts, records as they are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyedflib
import pytest

from ecglm.records import read
from ecglm.records.deidentify import Key, deidentify
from ecglm.records.record import Record, RecordMeta

from .planted import ALL, BORN, FIRST, KEY, MRN, NAME, PHONE, SEEN, SITE, assert_clean, assert_same_signal

SEEN_AT = datetime(SEEN.year, SEEN.month, SEEN.day, 10, 11, 12)
WAVE = (np.sin(np.arange(5000) / 40) * 900).round()


def planted(folder: Path, bdf: bool = False, year: int = SEEN.year, trailing: bytes = ALL.encode()) -> Path:
    """A file of pyedflib with a planted text in every field that takes one, and bytes after its last record."""
    path = folder / f"{MRN}.{'bdf' if bdf else 'edf'}"
    low, high = (-8388608, 8388607) if bdf else (-32768, 32767)
    with pyedflib.EdfWriter(str(path), 3, pyedflib.FILETYPE_BDFPLUS if bdf else pyedflib.FILETYPE_EDFPLUS) as writer:
        writer.setSignalHeaders([
            {"label": label, "dimension": unit, "sample_frequency": 500, "physical_max": 4000.0, "physical_min": -4000.0,
             "digital_max": high, "digital_min": low, "transducer": ALL, "prefilter": f"HP:0.05Hz LP:150Hz {NAME}"}
            for label, unit in (("ECG II", "uV"), (f"X {SITE}", "uV"), ("RESP", "uV"))
        ])  # fmt: skip
        writer.setPatientCode(MRN)
        writer.setPatientName(f"{NAME} {FIRST}")
        writer.setBirthdate(BORN)
        writer.setSex("Male")
        writer.setTechnician(NAME)
        writer.setEquipment(SITE)
        writer.setAdmincode(MRN)
        writer.setPatientAdditional(PHONE)
        writer.setRecordingAdditional(PHONE)
        writer.setStartdatetime(SEEN_AT.replace(year=year))
        for second in range(5):
            writer.writeAnnotation(second, -1, f"{NAME} {PHONE}")
        writer.writeSamples([WAVE, WAVE[::-1].copy(), WAVE])
    with open(path, "ab") as stream:
        stream.write(trailing)
    return path


@pytest.mark.parametrize("bdf", [False, True])
def test_nothing_planted_survives_and_the_records_do(tmp_path: Path, bdf: bool) -> None:
    source = planted(tmp_path, bdf)
    report = deidentify(source, tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out")
    old, new = read(source), read(report.target)
    np.testing.assert_array_equal(old.signal, new.signal)
    assert (new.leads, new.meta.sex, new.meta.age) == (("II", "Chan 2"), "male", min(old.meta.age, 90))
    assert (new.start - old.start).days == Key(bytes(32)).days(report.patient)  # type: ignore[operator]
    with pyedflib.EdfReader(report.target) as reader:
        assert (reader.getPatientName(), reader.getPatientCode(), reader.getTechnician()) == ("X", "", "")
        assert reader.getPrefilter(0) == "HP:0.05Hz LP:150Hz"
        assert reader.getTransducer(0) == ""
        assert len(reader.readAnnotations()[0]) == 0
        other = reader.readSignal(2, digital=True)
    with pyedflib.EdfReader(str(source)) as reader:
        np.testing.assert_array_equal(other, reader.readSignal(2, digital=True))
    assert report.removed["annotations"] >= 5
    assert report.removed["bytes after the samples"] == len(ALL)
    assert Path(report.target).stat().st_size == source.stat().st_size - len(ALL)


def test_what_ecglm_wrote_keeps_its_age_and_its_length(tmp_path: Path) -> None:
    wave = np.sin(np.arange(3607) / 9)[None].astype(np.float32)  # no data record divides 3607 samples at 360 Hz
    Record(wave, 360, ("II",), meta=RecordMeta(age=97, sex="female")).save(tmp_path / "a.edf")
    report = deidentify(tmp_path / "a.edf", tmp_path / "out", key=KEY).files[0]
    old, new = read(tmp_path / "a.edf"), read(report.target)
    np.testing.assert_array_equal(old.signal, new.signal)
    assert new.n_samples == 3607
    assert new.meta == RecordMeta(age=90, sex="female")


def test_a_plain_edf_loses_its_free_patient_text(tmp_path: Path) -> None:
    raw = bytearray(planted(tmp_path, trailing=b"").read_bytes())
    raw[8:88] = ALL.encode().ljust(80)
    raw[88:168] = f"seen in {SITE} by {NAME}".encode().ljust(80)
    raw[192:236] = NAME.encode().ljust(44)
    (tmp_path / "plain.edf").write_bytes(raw)
    report = deidentify(tmp_path / "plain.edf", tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out")
    assert_same_signal_of_leads(tmp_path / "plain.edf", report.target)


def assert_same_signal_of_leads(source: Path, target: str) -> None:
    old, new = read(source), read(target)
    np.testing.assert_array_equal(old.signal, new.signal)


def test_a_date_that_two_digits_of_a_year_cannot_say_is_dropped(tmp_path: Path) -> None:
    key = next(key for key in (Key(bytes([n] * 32)) for n in range(50)) if key.days(key.pseudonym("p", MRN.lower())) < -400)
    report = deidentify(planted(tmp_path, year=1985), tmp_path / "out", key=key).files[0]
    assert report.shifted == {}
    assert Path(report.target).read_bytes()[88:106] == b"Startdate X X X X "


def test_an_anonymised_file_stays_readable_and_the_same_but_for_its_date(tmp_path: Path) -> None:
    once = deidentify(planted(tmp_path), tmp_path / "one").files[0].target
    twice = deidentify(once, tmp_path / "two").files[0].target
    assert_same_signal(once, twice)


def test_a_second_annotation_signal_under_another_name_is_blanked_too(tmp_path: Path) -> None:
    raw = bytearray(planted(tmp_path, trailing=b"").read_bytes())
    raw[256 + 2 * 16 : 256 + 3 * 16] = b"EDF Annotations2".ljust(16)  # RESP, 1000 bytes of each second
    first = 256 * 5
    raw[first + 2000 : first + 2000 + len(ALL)] = ALL.encode()
    (tmp_path / "two.edf").write_bytes(raw)
    report = deidentify(tmp_path / "two.edf", tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out")
    assert_same_signal_of_leads(tmp_path / "two.edf", report.target)
