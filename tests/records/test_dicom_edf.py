"""DICOM, EDF and BDF: values against pydicom and pyedflib, units, groups, rates, windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from ecglm.errors import ReadError
from ecglm.records import STANDARD_12, read

from .encoders import edf

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


def test_dicom_median_beat_and_annotations_are_kept_apart(tmp_path: Path) -> None:
    cart = read(DICOM).cart
    assert cart is not None
    assert cart.measured() == {
        "rr_ms": 982.0, "pr_ms": 161.0, "qrs_ms": 75.0, "qt_ms": 368.0, "qtc_ms": 370.0,
        "p_axis_deg": 74.0, "qrs_axis_deg": 52.0, "t_axis_deg": 57.0,
    }  # fmt: skip
    assert cart.statements == ("RITMO SINUSALE", "ECG NORMALE")
    assert cart.median is not None
    microvolts = pydicom.dcmread(DICOM).waveform_array(1).T
    np.testing.assert_array_equal(cart.median.signal, (microvolts / 1000).astype(np.float32))
    assert (cart.median.leads, cart.median.fs) == (STANDARD_12, 1000.0)

    def change(dataset: pydicom.Dataset) -> None:
        rhythm, median = dataset.WaveformSequence
        median.WaveformData = median.WaveformData[:100]
        dataset.WaveformAnnotationSequence[0].UnformattedTextValue = "Confirmed by Dr. Smith"
        dataset.WaveformSequence = pydicom.Sequence([rhythm, median])

    damaged = read(changed_dicom(tmp_path, change)).cart
    assert damaged is not None
    assert damaged.median is None
    assert damaged.statements == ("ECG NORMALE",)


@pytest.mark.parametrize(
    ("channels", "kept"),
    [
        (None, True), ([1, 0], True), ([1, 0, 2, 0], True), ([value for i in range(12) for value in (1, i + 1)], True),
        ([1, 2], False), ([1, 0, 2, 1], False), ([value for i in range(11) for value in (1, i + 1)], False), ([9, 1], False),
    ],
)  # fmt: skip
def test_dicom_annotations_of_single_leads_are_not_those_of_the_recording(
    tmp_path: Path, channels: list[int] | None, kept: bool
) -> None:
    def change(dataset: pydicom.Dataset) -> None:
        for annotation in dataset.WaveformAnnotationSequence:
            concepts = annotation.get("ConceptNameCodeSequence")
            if concepts and concepts[0].CodeMeaning == "QRS Duration":
                annotation.ReferencedWaveformChannels = channels
                if channels is None:
                    del annotation.ReferencedWaveformChannels

    cart = read(changed_dicom(tmp_path, change)).cart
    assert cart is not None
    assert (cart.qrs_ms, cart.qt_ms) == (75.0 if kept else None, 368.0)


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
