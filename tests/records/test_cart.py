"""What the cart said: no people, no dates, no impossible values; shown by info, kept by crop and select."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from ecglm.cli import main
from ecglm.records import read
from ecglm.records.cart import MAX_STATEMENTS, cart_reading
from ecglm.records.patient import day, moment, patient
from ecglm.records.strip import Channel, median_of

from .carts import muse, waves


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sinus rhythm", "Sinus rhythm"),
        ("  Sinus\n\t rhythm\x1b[J", "Sinus rhythm [J"),
        ("Technically poor tracing", "Technically poor tracing"),
        ("When compared with ECG of 10-JAN-2009 08:15,", "When compared with ECG of (date),"),
        ("Since 2009-01-10T08:15 no change", "Since (date) no change"),
        ("no change as on 3/4/2021", "no change as on (date)"),
        ("Sinus rhythm\nConfirmed by:\nSMITH, JOHN (1234)", "Sinus rhythm"),
        ("---", None),
        ("", None),
    ],
)
def test_statements_are_one_line_without_a_day(text: str, shown: str | None) -> None:
    reading = cart_reading({}, [text])
    assert (reading.statements if reading else None) == (shown if shown is None else (shown,))


@pytest.mark.parametrize(
    "text",
    [
        "Confirmed by SMITH, JOHN (123)", "Confirmed by:", "SMITH, JOHN (1234)", "Pt DOE, JANE MRN 99887766",
        "DOB March 5, 1960", "Dr Smith has seen this", "Name Doe", "Pat ID: 8837462", "Untersucher: Meier",
        "Confirm\u00e9 par Dr Dupont", "3. Januar 2020", "Jan 3 2020", "03/2019", "Electronically signed by J. Smith",
        "Referred by: AAAREF", "Patient: Jane Doe", "Technician: KAB", "John Smith, MD", "Sinus rhythm, seen by Meier",
        "Sinus rhythm 03/2019", "Sinus rhythm 12 11 2010", "ECG of 3 May, 2020", "rate 1234567",
        "ECG 99887766", "ECG =2020", "QRS 12 11 10", "Sinus rhythm, 08:15", "Normal ECG A. Block", "Normal ECG J.R.",
        "Long, Block", "Small", "Allen: normal ECG", "Norm, Minor",
        "V1234567", "V12", "ECG 12.11.", "Normal ECG \uff11\uff12\uff13\uff14\uff15",
    ],
)  # fmt: skip
def test_a_line_with_anything_but_words_of_ecg_reports_is_withheld(text: str) -> None:
    reading = cart_reading({}, [text, "Sinus rhythm"])
    assert reading is not None
    assert (reading.statements, reading.withheld) == (("Sinus rhythm",), 1)


@pytest.mark.parametrize(
    "text",
    [
        "PROBABLE LEFT VENTRICULAR HYPERTROPHY - (RaVL+SV3)xQRSd >280", "(RaVL+SV3)xQRSd >280", "QRSd >115mS",
        "Sinus rhythm - normal P axis, V-rate 50-99", "ST >0.20 mV in V1-V4, rate 50-99", "S1Q3T3", "QRS Complexes: 4",
        "Inferior infarct, acute (LCx) - ST>0.10mV, II III aVF, STd V1-V3", ">>> Acute MI <<<", "AV-Block 1. Grades",
        "2nd degree A-V block (Mobitz II)", "Atrial flutter with 2:1 A-V conduction", "Wolff-Parkinson-White",
        "T wave abnormality, consider inferior ischemia", "** ** ACUTE MI / STEMI ** **", "RITMO SINUSALE",
        "Minimal voltage criteria for LVH, may be normal variant", "Left axis deviation - QRS axis (-30,-90)",
        "Borderline T abnormalities, inferior leads - T flat/neg, II III aVF", "Vent. rate has decreased BY 23 BPM",
        "Vorhofflimmern mit schneller \u00dcberleitung", "\u00dcberdrehter Linkstyp", "Sokolow-Lyon-Index 3,8 mV",
        "Inkompletter Rechtsschenkelblock", "Repol abnrm suggests ischemia, anterolateral - ST dep, T neg, I aVL V2-V6",
        "Right bundle branch block - QRSd>120, terminal axis(90,270)", "No previous ECGs available",
    ],
)  # fmt: skip
def test_statements_of_carts_are_kept(text: str) -> None:
    reading = cart_reading({}, [text])
    assert reading is not None
    assert (reading.statements, reading.withheld) == ((text,), 0)


@pytest.mark.parametrize(
    "name",
    [
        "aecg_hl7/ecg_hl7.xml", "dicom/waveform_ecg.dcm", "ge_cardiologyxml/example-XML1.xml", "sierra_xml/129DYPRG.XML",
        "sierra_xml/2020-5-18_15-48-11.xml", "sierra_xml/3191723_ZZDEMOPTONLY_1-04_orig.xml", "sierra_xml/repbeats_example.xml",
    ],
)  # fmt: skip
def test_every_statement_of_the_sample_files_is_kept(carts_dir: Path, name: str) -> None:
    cart = read(carts_dir / name).cart
    assert cart is not None
    assert cart.statements
    assert cart.withheld == 0


def test_statements_are_few_short_and_said_once() -> None:
    long = "Sinus rhythm " * 20
    reading = cart_reading({}, [long, "ECG", "ECG", *(f"rate {i}" for i in range(100))])
    assert reading is not None
    assert len(reading.statements) == MAX_STATEMENTS
    assert len(reading.statements[0]) == 160
    assert reading.statements[1:3] == ("ECG", "rate 0")


def test_lines_that_are_withheld_are_counted_even_when_there_is_nothing_else(tmp_path: Path) -> None:
    reading = cart_reading({}, ["Name Doe", "---", "", "Dr Smith\nhas seen this"])
    assert reading is not None
    assert (reading.statements, reading.withheld) == ((), 3)
    assert reading.to_dict() == {"statements": [], "withheld": 3, "median_beat": None}


def test_codes_for_not_measured_are_dropped() -> None:
    values: dict[str, float | None] = {
        "heart_rate_bpm": 0, "rr_ms": 29999, "pr_ms": -1, "qrs_ms": 92, "qt_ms": None, "qtc_ms": float("nan"),
        "p_axis_deg": 999, "qrs_axis_deg": -30,
    }  # fmt: skip
    reading = cart_reading(values)
    assert reading is not None
    assert reading.measured() == {"qrs_ms": 92.0, "qrs_axis_deg": -30.0}
    assert cart_reading({"pr_ms": 0}) is None


def test_a_median_beat_that_cannot_be_one_is_none() -> None:
    good = [Channel("I", np.arange(100)), Channel("II", np.arange(90))]
    beat = median_of(good, 500)
    assert beat is not None
    assert beat.signal.shape == (2, 100)
    assert np.isnan(beat.signal[1]).sum() == 10
    for channels, fs in (
        (good, None), (good, 1e9), ([], 500.0), ([*good, Channel("III", np.empty(0))], 500.0),
        ([Channel("I", np.arange(9000))], 500.0), ([Channel("I", np.arange(9), unit="mmHg")], 500.0),
        ([*good, Channel("I", np.arange(9))], 500.0), ([Channel("I", np.full(9, np.nan))], 500.0),
    ):  # fmt: skip
        assert median_of(channels, fs) is None


@pytest.mark.parametrize(
    ("age", "unit", "years"),
    [(53, "YEARS", 53), (53, "", 53), (18, "MONTHS", 1), (30, "days", 0), (100, "w", 1), (130, "y", None), (-1, "y", None)],
)
def test_ages(age: float, unit: str, years: int | None) -> None:
    assert patient(age=age, age_unit=unit).age == years
    assert patient(born=date(2000, 2, 29), seen=date(2021, 2, 28)).age == 20
    assert patient(born=date(2030, 1, 1), seen=date(2021, 1, 1)).age is None


def test_days_and_times_as_formats_write_them() -> None:
    assert {day(text) for text in ("20210304", "2021-03-04", "03-04-2021", "03/04/2021", "4.3.2021", "04-MAR-2021")} == {
        date(2021, 3, 4)
    }
    assert [day(text) for text in ("", "99999999", "tomorrow", "2021-13-01")] == [None] * 4
    assert str(moment("20210304", "05:06:07.9")) == "2021-03-04 05:06:07"
    assert str(moment("20210304", "0506")) == "2021-03-04 05:06:00"
    assert str(moment("20210304", "noon")) == "2021-03-04 00:00:00"
    assert moment("", "05:06:07") is None


def test_info_shows_what_the_cart_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.xml"
    path.write_text(muse(waves(8, 2000), beat=waves(8, 300)), encoding="latin-1")
    assert main(["info", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "cart measured\theart rate 48 bpm, PR 138 ms, QRS 96 ms, QT 452 ms, QTc 403 ms, QRS axis 20 deg\n" in shown
    assert "cart says\tSinus bradycardia\n" in shown
    assert "cart median\t12 leads, 300 samples at 500 Hz" in shown
    assert "SMITH" not in shown
    assert "cart withheld\t1 (lines with other than words of ECG reports" in shown
    assert main(["info", str(path), "--json"]) == 0
    cart = json.loads(capsys.readouterr().out)["cart"]
    assert cart["qt_ms"] == 452.0
    assert cart["median_beat"] == {"leads": list(read(path).leads), "fs": 500.0, "n_samples": 300}


def test_parts_of_a_record_keep_the_reading(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(muse(waves(8)), encoding="latin-1")
    record = read(tmp_path / "x.xml")
    assert record.cart is not None
    assert record.crop(0, 0.5).cart is record.cart
    assert record.select(["II"]).cart is record.cart
