"""WFDB records read as `wfdb` reads them, bit for bit, and as the standard says where wfdb does not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm.errors import ReadError
from ecglm.records import canonical_lead, read
from ecglm.records.wfdb_decode import FORMATS, byte_count, decode, value_count

from .encoders import RANGES, encode, encode_differences, header, simple

NAMES = ("I", "II", "V1")


def oracle(path: Path, **window: int) -> wfdb.Record:
    return wfdb.rdrecord(str(path.with_suffix("")), **window)


def assert_equal(path: Path, **kwargs: float) -> None:
    """Every lead of ours is bit-equal to wfdb's p_signal as float32."""
    ours = read(path, **kwargs)
    first = round(kwargs.get("start_s", 0) * ours.fs)
    theirs = oracle(path, sampfrom=first, sampto=first + ours.n_samples)
    unit = {"mv": 1.0, "uv": 1e3, "v": 1e-3}
    seen: dict[str, int] = {}
    matched = 0
    for column, name in enumerate(theirs.sig_name):
        lead = canonical_lead(name) or name
        seen[lead] = seen.get(lead, 0) + 1
        lead = lead if seen[lead] == 1 else f"{lead}#{seen[lead]}"
        if lead in ours.leads:
            matched += 1
            expected = (theirs.p_signal[:, column] / unit[(theirs.units[column] or "mV").lower()]).astype(np.float32)
            np.testing.assert_array_equal(ours.lead(lead), expected)
    assert matched == len(ours.leads)


@pytest.mark.parametrize("fmt", ["80", "212", "16", "24", "32", "508", "516", "524"])
@pytest.mark.parametrize("gain", [50.0, 37.25, 33.3])  # exact in float32, exact, not exact
def test_every_format_wfdb_writes_reads_back_bit_equal(tmp_path: Path, fmt: str, gain: float) -> None:
    rng = np.random.default_rng(1)
    signal = rng.uniform(-1.9, 1.9, (501, 3))
    signal[7:9, 1] = np.nan
    wfdb.wrsamp(
        "r",
        250,
        ["mV", "mV", "uV"],
        list(NAMES),
        signal,
        fmt=[fmt] * 3,
        adc_gain=[gain, 61.5, 40.0],
        baseline=[0, -3, 5],
        write_dir=str(tmp_path),
    )
    record = read(tmp_path / "r.hea")
    assert_equal(tmp_path / "r.hea")
    assert_equal(tmp_path / "r.hea", start_s=0.404, duration_s=0.9)
    assert record.missing["II"] == 2
    assert record.unit == "mV"


@pytest.mark.parametrize("fmt", ["61", "160", "212", "310", "311", "16", "24", "32", "80"])
def test_formats_that_wfdb_only_reads(tmp_path: Path, fmt: str) -> None:
    rng = np.random.default_rng(2)
    for n in (100, 101, 102, 103, 104):
        data = rng.integers(-RANGES[fmt], RANGES[fmt] + 1, (n, 2))
        data[3, 0] = -RANGES[fmt] - 1
        (tmp_path / "r.dat").write_bytes(encode(fmt, data.reshape(-1)))
        (tmp_path / "r.hea").write_text(
            header("r", [f"r.dat {fmt} 100(7)/mV 10 0 0 0 0 {lead}" for lead in ("I", "V6")], 250, n)
        )
        record = read(tmp_path / "r.hea")
        expected = (data.T - 7) / 100.0
        expected[0, 3] = np.nan
        np.testing.assert_array_equal(record.signal, expected.astype(np.float32))
        assert_equal(tmp_path / "r.hea")
        for first in range(1, 8):  # windows that start inside a block
            assert_equal(tmp_path / "r.hea", start_s=first / 250, duration_s=0.2)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["16", "24", "32", "61", "80", "160", "212", "310", "311"]),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_decode_inverts_the_reference_encoder(fmt: str, n: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(-RANGES[fmt] - 1, RANGES[fmt] + 1, n)
    raw = encode(fmt, values)
    assert decode(int(fmt), raw, n).tolist() == values.tolist()
    assert byte_count(int(fmt), n) <= len(raw)
    held = value_count(int(fmt), byte_count(int(fmt), n))
    assert n <= held < n + FORMATS[int(fmt)].samples
    assert byte_count(int(fmt), held) == byte_count(int(fmt), n)


def test_format_8_windows_are_right_because_differences_are_summed_from_the_start(tmp_path: Path) -> None:
    data = np.cumsum(np.random.default_rng(3).integers(-100, 100, (90_000, 2)), axis=0)
    (tmp_path / "r.dat").write_bytes(encode_differences(data, [5, -9]))
    (tmp_path / "r.hea").write_text(
        header("r", ["r.dat 8 100/mV 16 0 5 0 0 I", "r.dat 8 100/mV 16 0 -9 0 0 II"], 250, 90_000)
    )
    np.testing.assert_array_equal(read(tmp_path / "r.hea").signal, (data.T / 100).astype(np.float32))
    window = read(tmp_path / "r.hea", start_s=300, duration_s=2)
    np.testing.assert_array_equal(window.signal, (data[75_000:75_500].T / 100).astype(np.float32))
    assert_equal(tmp_path / "r.hea")


@pytest.mark.parametrize("fmt", ["16", "212"])
def test_several_samples_per_frame_are_averaged_as_wfdb_does(tmp_path: Path, fmt: str) -> None:
    data = np.random.default_rng(4).integers(-2000, 2000, (50, 4 + 1 + 2))
    (tmp_path / "r.dat").write_bytes(encode(fmt, data.reshape(-1)))
    (tmp_path / "r.hea").write_text(
        header(
            "r",
            [
                f"r.dat {fmt}x4 200/mV 12 0 0 0 0 I",
                f"r.dat {fmt} 200/mV 12 0 0 0 0 II",
                f"r.dat {fmt}x2 33.3(5)/uV 12 0 0 0 0 V1",
            ],
            125,
            50,
        )
    )
    assert_equal(tmp_path / "r.hea")
    assert_equal(tmp_path / "r.hea", start_s=0.08, duration_s=0.2)
    data[6, 1] = -2048 if fmt == "212" else -32768
    (tmp_path / "r.dat").write_bytes(encode(fmt, data.reshape(-1)))
    assert np.flatnonzero(np.isnan(read(tmp_path / "r.hea").lead("I"))).tolist() == [6]  # wfdb averages the marker in


def test_skew_and_byte_offset(tmp_path: Path) -> None:
    data = np.random.default_rng(5).integers(-900, 900, (80, 2))
    (tmp_path / "r.dat").write_bytes(b"\xaa" * 24 + encode("16", data.reshape(-1)))
    (tmp_path / "r.hea").write_text(
        header("r", ["r.dat 16:3+24 200/mV 16 0 0 0 0 I", "r.dat 16+24 200/mV 16 0 0 0 0 II"], 250, 80)
    )
    assert_equal(tmp_path / "r.hea")
    assert_equal(tmp_path / "r.hea", start_s=0.1, duration_s=0.1)
    record = read(tmp_path / "r.hea")
    np.testing.assert_array_equal(record.lead("I")[:77], (data[3:, 0] / 200).astype(np.float32))
    assert record.missing == {"I": 3, "II": 0}


def test_several_signal_files_and_leads_in_the_order_asked_for(tmp_path: Path) -> None:
    a, b = np.arange(100) - 50, np.arange(300) % 91
    (tmp_path / "a.dat").write_bytes(encode("16", a))
    (tmp_path / "b.dat").write_bytes(encode("212", b[:200]))
    (tmp_path / "r.hea").write_text(
        header(
            "r",
            ["a.dat 16 100/mV 16 0 0 0 0 ii", "b.dat 212 100/mV 12 0 0 0 0 avr", "b.dat 212 100/mV 12 0 0 0 0 Lead V3"],
            250,
            100,
        )
    )
    assert read(tmp_path / "r.hea").leads == ("II", "aVR", "V3")
    assert_equal(tmp_path / "r.hea")
    picked = read(tmp_path / "r.hea", leads=["v3", "MLII"])
    assert picked.leads == ("V3", "II")
    np.testing.assert_array_equal(picked.signal[1], (a / 100).astype(np.float32))
    with pytest.raises(ReadError, match=r"no lead V9; its leads are II, aVR, V3"):
        read(tmp_path / "r.hea", leads=["V9"])


@pytest.fixture
def segments(tmp_path: Path) -> Path:
    """Three segments with a gap; in `variable` the second lacks II, has a different gain and other order."""
    a = simple(tmp_path, "s1", 300, ("I", "II"), 250, seed=1)
    simple(tmp_path, "s2", 200, ("V1", "I"), 250, "100(3)/mV", seed=2)
    simple(tmp_path, "s3", 300, ("I", "II"), 250, "50/mV", seed=3)
    (tmp_path / "lay.hea").write_text(
        header("lay", ["~ 0 200/mV 0 0 0 0 0 I", "~ 0 200/mV 0 0 0 0 0 II", "~ 0 200/mV 0 0 0 0 0 V1"], 250, 0)
    )
    (tmp_path / "variable.hea").write_text("variable/5 3 250 900\nlay 0\ns1 300\n~ 100\ns2 200\ns3 300\n")
    (tmp_path / "fixed.hea").write_text("fixed/2 2 250 600\ns1 300\ns3 300\n")
    assert a.exists()
    return tmp_path


@pytest.mark.parametrize(
    "window", [{}, {"start_s": 0.8}, {"start_s": 1.0, "duration_s": 2.0}, {"start_s": 2.0, "duration_s": 0.4}]
)
@pytest.mark.parametrize("layout", ["fixed", "variable"])
def test_multi_segment_records(segments: Path, layout: str, window: dict[str, float]) -> None:
    if layout == "fixed" and window.get("start_s", 0) + window.get("duration_s", 0) > 2.4:
        window = {"start_s": 1.1}
    assert_equal(segments / f"{layout}.hea", **window)


def test_a_segment_of_another_rate_is_refused_and_what_is_before_it_is_read(segments: Path) -> None:
    simple(segments, "s4", 100, ("I", "II"), 360, seed=4)
    (segments / "mixed.hea").write_text("mixed/2 2 250 400\ns1 300\ns4 100\n")
    for window in ({}, {"start_s": 1.3}):
        with pytest.raises(ReadError, match="segment s4 is sampled at 360 Hz and the record at 250 Hz; correct the header"):
            read(segments / "mixed.hea", **window)
    assert read(segments / "mixed.hea", duration_s=1.2).n_samples == 300


def test_gaps_of_a_variable_layout_are_missing(segments: Path) -> None:
    record = read(segments / "variable.hea")
    assert record.missing == {"I": 100, "II": 300, "V1": 700}
    assert any("100 of 900" in note for note in record.notes)


def test_a_window_touches_only_its_part_of_a_long_record(tmp_path: Path) -> None:
    hours = 30
    n = hours * 3600 * 250
    for fmt, size in (("16", n * 4), ("212", n * 3)):
        with open(tmp_path / "r.dat", "wb") as stream:
            stream.truncate(size)  # sparse: a full read would need minutes and gigabytes
            stream.seek(size // 2)
            stream.write(encode(fmt, np.arange(500) % 400))
        (tmp_path / "r.hea").write_text(
            header("r", [f"r.dat {fmt} 200/mV 12 0 0 0 0 {lead}" for lead in ("I", "II")], 250, n)
        )
        record = read(tmp_path / "r.hea", start_s=hours * 1800, duration_s=600)
        assert record.n_samples == 150_000
        np.testing.assert_array_equal(record.signal[0, :250], (np.arange(0, 500, 2) % 400 / 200).astype(np.float32))
        with pytest.raises(ReadError, match="24 hours; read a part of it with start_s= and duration_s="):
            read(tmp_path / "r.hea")


def test_age_and_sex_come_from_comments_and_nothing_else_does(tmp_path: Path) -> None:
    path = simple(tmp_path)
    for comment, age, sex in (
        ("# Age: 78\n# Sex: Male\n# Dx: 42\n", 78, "male"),
        ("#<age>: 51\n#<sex>: F\n#<diagnoses>:\n", 51, "female"),
        ("# 69 M 1085 1629 x1\n", 69, "male"),
        ("# Age: NaN\n# name: Sex Pistol\n", None, None),
        ("# Age: 300\n", None, None),
    ):
        path.write_text(path.read_text().split("#")[0] + comment)
        assert (read(path).meta.age, read(path).meta.sex) == (age, sex)


def test_start_time_moves_with_the_window(tmp_path: Path) -> None:
    path = simple(tmp_path)
    path.write_text(path.read_text().replace(" 1000\n", " 1000 23:59:59 31/12/1999\n", 1))
    assert str(read(path, start_s=1.5).start) == "2000-01-01 00:00:00.500000"


def test_names_without_extension_and_signal_files_find_their_header(tmp_path: Path) -> None:
    path = simple(tmp_path)
    whole = read(path).signal
    np.testing.assert_array_equal(read(path.with_suffix("")).signal, whole)
    np.testing.assert_array_equal(read(path.with_suffix(".dat")).signal, whole)


def test_public_data_sets_are_bit_equal(data_dir: Path) -> None:
    headers = sorted(data_dir.rglob("*.hea"))
    headers = (
        headers if os.environ.get("ECGLM_FULL") else headers[::5] + [h for h in headers if h.parent.name == "mat_wfdb"]
    )
    assert len(headers) > 50
    for path in headers:
        record = read(path, duration_s=120)
        assert_equal(path, duration_s=record.duration_s)
        if record.duration_s > 100:
            assert_equal(path, start_s=61.0, duration_s=7.0)


@pytest.mark.parametrize("first", [b"<\0", b"<\0\1\0", b"@\0", b"<\0?\1"])
def test_a_signal_file_that_begins_like_another_format(tmp_path: Path, first: bytes) -> None:
    header = simple(tmp_path)
    data = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(first + data[len(first) :])
    assert read(tmp_path / "r.dat").n_samples == read(header).n_samples


def test_a_lead_name_with_control_characters_does_not_reach_a_note(tmp_path: Path) -> None:
    (tmp_path / "r.hea").write_text("r 1 100 4\nr.dat 16 0 16 0 0 0 0 V2#\tAge: 50\n")
    (tmp_path / "r.dat").write_bytes(bytes(8))
    record = read(tmp_path / "r.hea")
    assert any(note.endswith("the header states no gain, so that its millivolts are not known") for note in record.notes)
    assert record.unit == "normalized"
    assert all(text.isprintable() for text in (*record.notes, *record.leads))
