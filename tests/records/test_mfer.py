"""MFER: byte orders, sample types, blocks, frames, missing samples, limits."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read

from .carts import LEADS_12, waves
from .mfer_writer import definition, mfer


def written(folder: Path, data: bytes, name: str = "x.dat") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def refused(path: Path) -> str:
    with pytest.raises(ReadError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("kind", ["i2", "i4", "i1", "f4", "f8"])
@pytest.mark.parametrize("block", [1, 50, 500])
def test_samples_scale_leads_start_and_patient(tmp_path: Path, little: bool, kind: str, block: int) -> None:
    stored = waves(seed=60, spread=2).clip(-120, 120)
    record = read(written(tmp_path, mfer(stored, little=little, kind=kind, block=block)))
    np.testing.assert_array_equal(record.signal, (stored * 5e-6 / 1e-3).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (LEADS_12, 500.0, "mV", "mfer")
    assert record.start == datetime(2021, 3, 4, 5, 6, 7)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (60, "female", "Maker Model 9")
    assert record.notes == ()
    assert "Doe" not in repr(record)


def test_a_rate_in_hertz_a_window_and_other_leads(tmp_path: Path) -> None:
    path = written(tmp_path, mfer(waves(2), ("II", "CH9"), interval=(0, 2, 10)))
    whole, part = read(path), read(path, start_s=0.11, duration_s=0.2, leads=["CH9"])
    assert (whole.leads, whole.fs) == (("II", "CH9"), 1000.0)
    assert "not a known lead name, kept as it is: CH9" in whole.notes
    np.testing.assert_array_equal(part.signal, whole.select(["CH9"]).crop(0.11, 0.2).signal)


def test_the_value_that_stands_for_no_sample_and_an_offset(tmp_path: Path) -> None:
    stored = waves(2, 100)
    stored[1, 3] = -32768
    extra = definition(0x3F, definition(0x0D, (10).to_bytes(2, "little")), 0)
    record = read(written(tmp_path, mfer(stored, ("II", "V1"), missing=-32768, extra=extra)))
    assert record.missing == {"II": 0, "V1": 1}
    np.testing.assert_allclose(record.lead("II"), (stored[0] + 10) * 0.005, atol=1e-6)


def test_the_dominant_beat_is_kept_apart(tmp_path: Path) -> None:
    beat = waves(n=300, seed=61)
    record = read(written(tmp_path, mfer(waves(), beat=beat)))
    assert (record.n_samples, record.notes) == (500, ())
    assert record.cart is not None
    assert record.cart.median is not None
    np.testing.assert_array_equal(record.cart.median.signal, (beat * 5e-6 / 1e-3).astype(np.float32))


def test_waves_that_are_no_ecg_are_left_out_and_said(tmp_path: Path) -> None:
    ecg, longer = waves(2, 100), waves(2, 400, seed=62)
    record = read(written(tmp_path, mfer(ecg, ("I", "II"), others=((40, longer), (30, longer), (99, longer), (0, longer)))))
    assert record.notes == ("waves that are no ECG, left out: EEG, kind 99, sound",)
    np.testing.assert_array_equal(record.signal, (ecg * 5e-6 / 1e-3).astype(np.float32))
    for wave in (0, 2, 3, 4, 20):
        assert read(written(tmp_path, mfer(ecg, ("I", "II"), wave=wave))).n_samples == 100
    said = refused(written(tmp_path, mfer(ecg, ("I", "II"), wave=41)))
    assert "its waves are no ECG (EEG); export the ECG" in said


def test_channels_at_another_rate_are_left_out_and_said(tmp_path: Path) -> None:
    extra = definition(0x3F, definition(0x0B, b"\x00\x00" + (125).to_bytes(2, "little")), 1)
    record = read(written(tmp_path, mfer(waves(3), ("I", "II", "V1"), extra=extra)))
    assert (record.leads, record.notes) == (("I", "V1"), ("sampled at another rate, left out: II (125 Hz)",))


def test_steps_that_are_no_voltage_leave_nothing(tmp_path: Path) -> None:
    assert "none of its channels is an ECG lead" in refused(written(tmp_path, mfer(waves(), step=(1, 0, 1))))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (definition(0x0B), "channel 1 states no sampling rate"),
        (definition(0x0B, b"\0\x7f\1\1"), "states no sampling rate"),
        (definition(0x0B, b"\0\x06\1\1"), "Hz is outside"),
        (definition(0x05, b"\xff\xff"), "claims 65535 channels"),
        (definition(0x05, b"\0"), "claims 0 channels"),
        (definition(0x04, b"\0"), "are promised; it was cut short"),
        (definition(0x04, b"\xff\xff\xff\x7f"), "are promised; it was cut short"),
        (definition(0x04, bytes(99)), "a number of 99 bytes"),
        (definition(0x06, b"\xff\xff\xff\xff"), "where 4294967295 x 1200 are promised"),
        (definition(0x0A, b"\4"), "has sample type 4"),
        (definition(0x0A, b"\x09"), "has sample type 9"),
        (definition(0x0E, b"\1\0"), "its samples are compressed"),
        (definition(0x0C, b"\0\0\0\0"), "the amplitude step of lead I is 0"),
        (b"\x0a\x85\1", "definition 0x0a claims"),
        (b"\x0a\x80", "definition 0x0a has no usable length"),
    ],
)
def test_unusable_definitions(tmp_path: Path, extra: bytes, message: str) -> None:
    assert message in refused(written(tmp_path, mfer(waves(), extra=extra)))


def test_nested_and_endless_definitions(tmp_path: Path) -> None:
    nested = b""
    for _ in range(3000):
        nested = definition(0x67, nested)
    assert "nested deeper than" in refused(written(tmp_path, mfer(waves(), extra=nested)))
    begin = time.process_time()
    assert "more than 20000 definitions" in refused(written(tmp_path, b"\x40\x04MFR " + bytes(10_000_000)))
    assert time.process_time() - begin < 1


def test_truncated_files_and_files_without_a_waveform(tmp_path: Path) -> None:
    data = mfer(waves())
    assert "definition 0x1e claims 12000 bytes of 11902" in refused(written(tmp_path, data[:-100]))
    assert "it holds no waveform" in refused(written(tmp_path, data[:34] + b"\x80\0"))
    assert "it has 3 bytes" in refused(written(tmp_path, b"\x40\0\0", "x.mwf"))
