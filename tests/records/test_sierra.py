"""Philips Sierra XML: XLI compression, residual limb leads, versions, beats, statements."""

from __future__ import annotations

import base64
import re
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm.errors import ReadError
from ecglm.records import read
from ecglm.records.xli import XliError, decode, unlzw

from .carts import LEADS_12, lzw, sierra, waves, xli


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "x.xml").write_text(text, encoding=encoding)
    return folder / "x.xml"


@given(st.binary(max_size=3000), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_lzw_gives_back_every_byte(data: bytes, repeats: int) -> None:
    data = data * (1 + repeats)
    assert unlzw(lzw(data), len(data) + 10) == data


@pytest.mark.parametrize("spread", [0, 3, 200])
def test_xli_gives_back_every_sample(spread: int) -> None:
    rows = waves(3, 700, seed=11, spread=spread)
    np.testing.assert_array_equal(decode(xli(rows), 3), rows)


def test_xli_unpacks_no_more_than_half_an_hour() -> None:
    begin = time.process_time()
    packed = lzw(bytes(3_000_000))
    assert len(packed) < 6000
    assert len(unlzw(packed, 1000)) == 1000
    chunk = len(packed).to_bytes(4, "little") + bytes(4) + packed
    with pytest.raises(XliError, match="lead 1 unpacks to 2097153 bytes"):
        decode(chunk, 1)
    assert time.process_time() - begin < 3


def test_xli_that_is_none() -> None:
    with pytest.raises(XliError, match="comes before its definition"):
        unlzw((600 << 6).to_bytes(2, "big") + bytes(8), 100)
    with pytest.raises(XliError, match="lead 2 claims"):
        decode(xli(waves(1, 50)), 2)
    with pytest.raises(XliError, match="its leads unpack to 50 to 60 samples"):
        decode(xli(waves(1, 50)) + xli(waves(1, 60)), 2)
    odd = lzw(bytes(101))
    with pytest.raises(XliError, match="lead 1 unpacks to 101 bytes"):
        decode(len(odd).to_bytes(4, "little") + bytes(4) + odd, 1)


def test_a_duration_that_differs_from_the_data_is_said(tmp_path: Path) -> None:
    stored = waves(seed=15)
    for duration, promised in (("800", "400"), ("1e14", "50000000000000")):
        text = sierra(stored).replace('durationperchannel="1000"', f'durationperchannel="{duration}"')
        record = read(written(tmp_path, text))
        np.testing.assert_array_equal(record.signal, (stored * 5 / 1000).astype(np.float32))
        assert record.notes == (f"its header promises {promised} samples per lead, its data hold 500",)


@pytest.mark.parametrize("version", ["1.03", "1.04", "1.04.01"])
@pytest.mark.parametrize("packed", [True, False])
def test_samples_scale_leads_start_and_patient(tmp_path: Path, version: str, packed: bool) -> None:
    stored = waves(seed=12)
    record = read(written(tmp_path, sierra(stored, version=version, packed=packed)))
    np.testing.assert_array_equal(record.signal, (stored * 5 / 1000).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (LEADS_12, 500.0, "mV", "sierra")
    assert record.start == datetime(2011, 12, 1, 7, 27, 34)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (50, "male", "Philips PageWriter")
    assert record.notes == ()
    assert not {"Doe", "House"} & set(re.findall(r"\w+", repr(record) + repr(record.cart and record.cart.to_dict())))


def test_window_and_leads(tmp_path: Path) -> None:
    path = written(tmp_path, sierra(waves()), "utf-16")
    whole, part = read(path), read(path, start_s=0.1, duration_s=0.5, leads=["V3", "aVL"])
    np.testing.assert_array_equal(part.signal, whole.select(["V3", "aVL"]).crop(0.1, 0.5).signal)


def test_the_calibration_pulse_at_the_end_is_left_out_and_said(tmp_path: Path) -> None:
    pulse = np.concatenate([np.zeros(50), np.full(100, 200), np.zeros(50)]).astype(int)
    stored = waves(n=1000, seed=14)
    stored[:, -1] = np.arange(1, 13)
    record = read(written(tmp_path, sierra(np.concatenate([stored, np.tile(pulse, (12, 1))], axis=1))))
    np.testing.assert_array_equal(record.signal, (stored * 5 / 1000).astype(np.float32))
    assert record.notes == ("the last 0.4 s are a calibration pulse, left out",)
    flat = np.concatenate([stored, np.zeros((12, 200), int)], axis=1)
    assert read(written(tmp_path, sierra(flat))).n_samples == 1200  # a flat end is no pulse


@pytest.mark.parametrize("version", ["1.03", "1.04"])
def test_the_cart_s_own_interpretation_and_beats(tmp_path: Path, version: str) -> None:
    beat = waves(n=300, seed=13)
    filled = np.concatenate([beat, np.full((12, 40), 32767)], axis=1)
    cart = read(written(tmp_path, sierra(waves(), version=version, beat=filled))).cart
    assert cart is not None
    assert cart.measured() == {"heart_rate_bpm": 41.0, "qt_ms": 476.0}
    assert cart.statements == ("Sinus bradycardia - rate< 50", "ABNORMAL ECG")  # not those of the later edition
    assert cart.median is not None
    assert (cart.median.leads, cart.median.fs) == (LEADS_12, 1000.0)
    np.testing.assert_array_equal(cart.median.signal, (beat / 1000).astype(np.float32))  # without the filler


def test_an_amplitude_step_of_zero_is_none(tmp_path: Path) -> None:
    text = sierra(waves(), version="1.03").replace("<signalresolution>5<", "<signalresolution>0<")
    with pytest.raises(ReadError, match="states no sampling rate, resolution or duration"):
        read(written(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<documentversion>1.04", "<documentversion>2.00", "its Sierra version is '2.00'"),
        ("parsedwaveforms", "nothing", "it holds no waveforms"),
        ('samplespersecond="500"', 'samplespersecond="0.001"', "Hz is outside"),
        ('durationperchannel="1000"', "", "states no sampling rate, resolution or duration"),
        ('numberofleads="12"', 'numberofleads="100000"', "claims 100000 leads and names 12"),
        ('numberofleads="12"', 'numberofleads="0.5"', "claims 0.5 leads and names 12"),
        ('numberofleads="12"', 'numberofleads="13"', "claims 13 leads and names 12"),
        ('resolution="5"', 'resolution="1e-400"', "states no sampling rate, resolution or duration"),
        ('compression="XLI"', 'compression="ZIP"', "its compression 'ZIP' is not known"),
        ('compression="XLI"', 'compression="Uncompressed"', "bytes where its header promises 12000"),
        ('bitspersample="16"', 'bitspersample="12"', "12 bits"),
        ('dataencoding="Base64"', 'dataencoding="Plain"', "its samples are Plain"),
    ],
)
def test_unusable_values(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(written(tmp_path, sierra(waves()).replace(old, new)))
    assert message in str(caught.value)


def test_packed_data_that_was_cut_or_altered(tmp_path: Path) -> None:
    text = sierra(waves())
    body = re.search(r">([^<]+)</parsedwaveforms>", text)
    assert body is not None
    raw = base64.b64decode(body[1])
    for changed, message in (
        (raw[:-300], "lead 12 claims"),
        (raw[:3] + b"\x7f" + raw[4:], "lead 1 claims"),
        (raw[:6], "lead 1 claims"),
        (b"\0\0\0\0" + raw[4:], "lead 1 claims 0 packed bytes"),
    ):
        with pytest.raises(ReadError) as caught:
            read(written(tmp_path, text.replace(body[1], base64.b64encode(changed).decode())))
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "n", "rate", "qt", "beat"),
    [
        ("129DYPRG.XML", 5264, 41, 476, None),
        ("repbeats_example.xml", 5264, 41, 476, 1200),
        ("3191723_ZZDEMOPTONLY_1-04_orig.xml", 5300, 84, 352, 600),
        ("2020-5-18_15-48-11.xml", 5300, 64, 399, 1200),
    ],
)
def test_real_files(carts_dir: Path, name: str, n: int, rate: int, qt: int, beat: int | None) -> None:
    record = read(carts_dir / "sierra_xml" / name)
    assert (record.leads, record.fs, record.n_samples) == (LEADS_12, 500.0, n)
    assert record.notes == (f"the last {(5500 - n) / 500:g} s are a calibration pulse, left out",)
    np.testing.assert_allclose(record.lead("II"), record.lead("I") + record.lead("III"), atol=0.0101)
    np.testing.assert_allclose(record.lead("aVR"), -(record.lead("I") + record.lead("II")) / 2, atol=0.0101)
    assert record.cart is not None
    assert (record.cart.heart_rate_bpm, record.cart.qt_ms) == (rate, qt)
    assert (record.cart.median and record.cart.median.signal.shape[1]) == beat
