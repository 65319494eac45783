"""GE MUSE XML: samples, computed limb leads, checksums, the cart's own reading."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read

from .carts import LEADS_8, LEADS_12, muse, waves

COMPUTED = "computed from I and II, not stored: III, aVR, aVL, aVF"


def written(folder: Path, text: str) -> Path:
    (folder / "x.xml").write_text(text, encoding="latin-1")
    return folder / "x.xml"


def test_samples_scale_start_and_patient(tmp_path: Path) -> None:
    stored = waves(8, seed=4)
    record = read(written(tmp_path, muse(stored, fs=250)))
    np.testing.assert_array_equal(record.select(LEADS_8).signal, (stored * 4.88 / 1000).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (LEADS_12, 250.0, "mV", "muse")
    assert record.start == datetime(2021, 2, 3, 14, 15, 16)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (67, "female", "GE MAC55")
    assert "Doe" not in repr(record)


def test_limb_leads_are_computed_only_when_absent_and_said(tmp_path: Path) -> None:
    one, two = waves(8, seed=5)[:2] * 0.00488
    record = read(written(tmp_path, muse(waves(8, seed=5))))
    expected = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    for lead, values in expected.items():
        np.testing.assert_allclose(record.lead(lead), values, atol=1e-6)
    assert COMPUTED in record.notes
    stored = waves(12, seed=6)
    full = read(written(tmp_path, muse(stored, LEADS_12)))
    np.testing.assert_array_equal(full.signal, (stored * 4.88 / 1000).astype(np.float32))
    assert not any("computed" in note for note in full.notes)
    some = read(written(tmp_path, muse(waves(3), ("I", "II", "III"))))
    assert some.leads == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert "computed from I and II, not stored: aVR, aVL, aVF" in some.notes
    assert read(written(tmp_path, muse(waves(2), ("II", "V1")))).leads == ("II", "V1")


def test_window_and_leads_of_computed_ones(tmp_path: Path) -> None:
    path = written(tmp_path, muse(waves(8)))
    whole, part = read(path), read(path, start_s=0.25, duration_s=0.3, leads=["V2", "aVF"])
    np.testing.assert_array_equal(part.signal, whole.select(["V2", "aVF"]).crop(0.25, 0.3).signal)
    assert part.notes[0] == "computed from I and II, not stored: aVF"
    assert not any("computed" in note for note in read(path, leads=["V2", "I"]).notes)
    assert part.start is not None
    assert part.start.microsecond == 250_000


def test_the_cart_s_own_reading_without_people_and_dates(tmp_path: Path) -> None:
    beat = waves(8, 300, seed=7)
    record = read(written(tmp_path, muse(waves(8), beat=beat)))
    assert record.cart is not None
    assert record.cart.measured() == {
        "heart_rate_bpm": 48.0, "pr_ms": 138.0, "qrs_ms": 96.0, "qt_ms": 452.0, "qtc_ms": 403.0, "qrs_axis_deg": 20.0,
    }  # fmt: skip
    assert record.cart.statements == ("Sinus bradycardia", "When compared with ECG of (date),")
    assert record.cart.median is not None
    assert record.cart.median.leads == LEADS_12
    np.testing.assert_array_equal(record.cart.median.signal[-6:], (beat[2:] * 4.88 / 1000).astype(np.float32))
    assert "measurements were edited after the recording: the cart's own are shown" in record.notes
    assert record.crop(0, 0.5).cart is record.cart


def test_an_electrode_marked_as_off_is_said(tmp_path: Path) -> None:
    text = muse(waves(8)).replace("<LeadOff>FALSE", "<LeadOff>TRUE", 1)
    assert "the cart marked the electrode as off: I" in read(written(tmp_path, text)).notes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<WaveformType>Rhythm", "<WaveformType>Median", "it holds no rhythm waveform"),
        ("<SampleBase>500</SampleBase>", "", "states no sampling rate"),
        ("<SampleExponent>0", "<SampleExponent>300", "states no sampling rate"),
        ("<SampleExponent>0", "<SampleExponent>6", "Hz is outside"),
        ("<LeadSampleCountTotal>500", "<LeadSampleCountTotal>1000000000000", "1000 bytes where its header promises 2e+12"),
        ("<LeadSampleSize>2", "<LeadSampleSize>3", "samples of 3 bytes"),
        ("<LeadDataCRC32>", "<LeadDataCRC32>1", "the samples of lead I fail their checksum"),
        ("<WaveFormData>\n", "<WaveFormData>\u00e9", "are not base64"),
        ("<LeadAmplitudeUnitsPerBit>4.88", "<LeadAmplitudeUnitsPerBit>0", "the amplitude step of lead I is 0"),
        ("<LeadAmplitudeUnitsPerBit>4.88", "<LeadAmplitudeUnitsPerBit>", "states no amplitude per bit"),
    ],
)
def test_unusable_values(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = written(tmp_path, muse(waves(8)).replace(old, new))
    with pytest.raises(ReadError) as caught:
        read(path)
    assert message in str(caught.value)


def test_a_damaged_median_beat_does_not_cost_the_recording(tmp_path: Path) -> None:
    text = muse(waves(8), beat=waves(8, 300)).replace("<LeadDataCRC32>", "<LeadDataCRC32>9", 1)
    record = read(written(tmp_path, text))
    assert record.n_samples == 500
    assert record.cart is not None
    assert record.cart.median is None


@pytest.mark.parametrize(("name", "rate"), [("example1.xml", 48.0), ("example3.xml", 59.0)])
def test_real_exports(carts_dir: Path, name: str, rate: float) -> None:
    record = read(carts_dir / "muse_xml" / name)
    assert (record.leads, record.fs, record.n_samples) == (LEADS_12, 500.0, 5000)
    assert COMPUTED in record.notes
    assert np.nanmax(np.abs(record.signal)) < 5
    assert record.cart is not None
    assert record.cart.heart_rate_bpm == rate
    assert record.cart.median is not None
    assert record.cart.median.signal.shape == (12, 600)


def test_a_checksum_written_as_a_signed_number(tmp_path: Path) -> None:
    def signed(found: re.Match[str]) -> str:
        return f"<LeadDataCRC32>{int(found[1]) - 2**32}<"

    assert read(written(tmp_path, re.sub(r"<LeadDataCRC32>(\d+)<", signed, muse(waves(8))))).n_samples == 500


def test_a_lead_without_a_name_is_no_known_lead(tmp_path: Path) -> None:
    record = read(written(tmp_path, muse(waves(2), ("V1", ""))))
    assert record.leads == ("V1", "channel 2")
    assert "not a known lead name, kept as it is: channel 2" in record.notes
