"""GE CardiologyXML: strip, full disclosure, median beat, measurements."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read

from .carts import LEADS_12, cardiology, waves


def written(folder: Path, text: str) -> Path:
    (folder / "x.xml").write_text(text, encoding="latin-1")
    return folder / "x.xml"


def test_samples_scale_start_and_patient(tmp_path: Path) -> None:
    stored = waves(seed=8)
    record = read(written(tmp_path, cardiology(stored, fs=250)))
    np.testing.assert_array_equal(record.signal, (stored * 5 / 1000).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (LEADS_12, 250.0, "mV", "cardiology")
    assert record.start == datetime(2018, 7, 19, 14, 19, 39)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (53, "male", "GE CardioSoft")
    assert record.notes == ()
    assert "Doe" not in repr(record)


def test_window_and_leads(tmp_path: Path) -> None:
    path = written(tmp_path, cardiology(waves()))
    whole, part = read(path), read(path, start_s=0.1, duration_s=0.5, leads=["V3", "II"])
    np.testing.assert_array_equal(part.signal, whole.select(["V3", "II"]).crop(0.1, 0.5).signal)


def test_measurements_statements_and_median_beat(tmp_path: Path) -> None:
    beat = waves(n=300, seed=9)
    cart = read(written(tmp_path, cardiology(waves(), beat=beat))).cart
    assert cart is not None
    assert cart.measured() == {"heart_rate_bpm": 50.0, "pr_ms": 174.0, "qrs_axis_deg": 55.0}
    assert cart.statements == ("Sinus bradycardia",)
    assert cart.median is not None
    np.testing.assert_array_equal(cart.median.signal, (beat * 5 / 1000).astype(np.float32))


def test_full_disclosure_is_read_only_without_a_strip(tmp_path: Path) -> None:
    stored = waves(n=1500, seed=10)
    record = read(written(tmp_path, cardiology(None, disclosure=stored)))
    np.testing.assert_array_equal(record.signal, (stored * 5 / 1000).astype(np.float32))
    assert "there is no strip: the full disclosure is read" in record.notes
    both = read(written(tmp_path, cardiology(waves(), disclosure=stored)))
    assert (both.n_samples, both.notes) == (500, ("the full disclosure is left out",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<StripData>", "<StripData/><Other>", "not well-formed"),
        ("StripData", "Nothing", "it holds no strip and no full disclosure"),
        ('<SampleRate units="Hz">500</SampleRate>', "", "states no sampling rate"),
        ('units="Hz">500', 'units="Hz">1e9', "Hz is outside"),
        ("CountTotal>500", "CountTotal>1000000000000", "has 500 samples where its header promises 1e+12"),
        ("uVperLsb", "furlong", "states no amplitude per step"),
        ('uVperLsb">5', 'uVperLsb">0', "the amplitude step of lead I is 0"),
        ('<WaveformData lead="II">', '<WaveformData lead="II">1,,2,', "the samples of lead II are not a list of numbers"),
    ],
)
def test_unusable_values(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(written(tmp_path, cardiology(waves()).replace(old, new)))
    assert message in str(caught.value)


def test_a_full_disclosure_that_was_cut_short(tmp_path: Path) -> None:
    text = cardiology(None, disclosure=waves(n=1000)).replace("<FullDisclosureData>", "<FullDisclosureData>1,")
    with pytest.raises(ReadError, match="12001 samples of 12 leads; it was cut short"):
        read(written(tmp_path, text))


def test_the_cardiosoft_example(carts_dir: Path) -> None:
    path = carts_dir / "ge_cardiologyxml" / "example-XML1.xml"
    record = read(path)
    assert (record.leads, record.fs, record.n_samples) == (LEADS_12, 500.0, 5000)
    np.testing.assert_allclose(record.lead("II"), record.lead("I") + record.lead("III"), atol=0.0051)
    assert (record.meta.age, record.meta.sex) == (53, "male")
    assert record.cart is not None
    assert (record.cart.heart_rate_bpm, record.cart.qt_ms) == (50.0, 440.0)
    assert record.cart.statements[:2] == ("Sinus bradycardia", "Otherwise normal ECG")
    assert record.cart.median is not None
    assert record.cart.median.signal.shape == (12, 600)


def test_the_blocks_of_the_example_s_full_disclosure(carts_dir: Path, tmp_path: Path) -> None:
    text = (carts_dir / "ge_cardiologyxml" / "example-XML1.xml").read_text(encoding="latin-1")
    record = read(written(tmp_path, text.replace("StripData>", "Hidden>")))
    assert record.duration_s == 16.0
    np.testing.assert_allclose(record.lead("II"), record.lead("I") + record.lead("III"), atol=0.0051)
