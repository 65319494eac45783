"""Whether two recordings are of one patient is said by their files, or said to be unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.records.record import Record, RecordMeta
from ecglm.reporting import Report
from ecglm.reporting.compose import compose
from ecglm.reporting.language import language
from ecglm.reporting.patient import match

Make = Callable[..., Report]


def record(age: int | None, sex: str | None, year: int | None) -> Record:
    return Record(np.zeros((1, 500), np.float32), 100.0, ("II",), meta=RecordMeta(age, sex),  # type: ignore[arg-type]
                  start=None if year is None else datetime(year, 5, 6))


@pytest.mark.parametrize(("now", "before", "found"), [
    ((60, "male", None), (60, "female", None), "other_sex"), ((60, "male", 2024), (50, "male", 2014), "unknown"),
    ((60, "male", 2024), (50, "male", 2023), "other_age"), ((60, None, None), (61, None, None), "other_age"),
    ((60, None, None), (40, "male", None), "unknown"), ((None, None, None), (None, None, None), "unknown")])
def test_age_and_sex_contradict_but_never_prove(now: tuple, before: tuple, found: str) -> None:
    assert match(record(*now), record(*before)) == found


def test_identifiers_of_dicom_files_decide_and_are_not_kept(tmp_path: Path) -> None:
    path = get_testdata_file("waveform_ecg.dcm")
    for name, changes in (("same", {}), ("other", {"PatientID": "SOMEBODY-ELSE"}), ("none", {"PatientID": ""}),
                          ("elsewhere", {"PatientID": "SOMEBODY-ELSE", "IssuerOfPatientID": "another clinic"})):
        data = pydicom.dcmread(path)
        for tag, value in changes.items():
            setattr(data, tag, value)
        data.save_as(tmp_path / f"{name}.dcm")
    now, found = ecglm.read(path), {}
    for name in ("same", "other", "none", "elsewhere"):
        found[name] = match(now, ecglm.read(tmp_path / f"{name}.dcm"))
    assert found == {"same": "same_id", "other": "other_id", "none": "unknown", "elsewhere": "unknown"}
    report = Report.of(now, previous=Report.of(now), same_patient="other_id")
    assert str(pydicom.dcmread(path).PatientID) not in str(report.to_dict())
    assert Report.from_dict(report.to_dict()).same_patient == "other_id"


@pytest.mark.parametrize("code", ["en", "de", "zh"])
def test_the_comparison_says_which_it_is(make: Make, code: str) -> None:
    texts = language(code).texts
    for found, text in (("same_id", texts.same_id), ("other_id", texts.other_id), ("other_sex", texts.other_sex),
                        ("other_age", texts.other_age), ("unknown", texts.same_unknown)):
        report = make(previous=make(), same_patient=found)
        assert text in compose(report, code).lines()
        assert report.trace(code).untraced == ()
