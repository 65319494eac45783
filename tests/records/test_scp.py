"""SCP-ECG: codes, differences, reference beats, checksums, the patient and the cart's reading."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm.errors import ReadError
from ecglm.records import read
from ecglm.records.scp_huffman import HuffmanError, decode, tables
from ecglm.records.scp_sections import crc

from .carts import LEADS_8, LEADS_12, waves
from .scp_writer import SWITCHING_TABLES, assemble, crc_ccitt, le, packed, scp, section, structure

SIGNED = st.integers(-32768, 32767)


def written(folder: Path, data: bytes, name: str = "x.scp") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def refused(path: Path, **kwargs: float) -> str:
    with pytest.raises(ReadError) as caught:
        read(path, **kwargs)  # type: ignore[arg-type]
    return str(caught.value)


@given(st.lists(st.one_of(st.integers(-12, 12), SIGNED), max_size=300))
@settings(max_examples=100, deadline=None)
def test_codes_give_back_every_value(values: list[int]) -> None:
    default, custom = tables(le(19999, 2)), tables(SWITCHING_TABLES)
    assert default is not None
    assert custom is not None
    assert decode(packed(values, "default"), default, len(values)) == values
    assert decode(packed(values, "tables"), custom, len(values)) == values


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_checksum_is_that_of_the_standard(data: bytes) -> None:
    assert crc(data) == crc_ccitt(data)


@pytest.mark.parametrize("coding", ["default", "tables", "raw"])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_samples_scale_leads_start_and_patient(tmp_path: Path, coding: str, order: int) -> None:
    stored = waves(12, 300, seed=order)
    path = written(tmp_path, scp(stored, LEADS_12, order=order, coding=coding, step_nv=1250, interval_us=1000))
    record = read(path)
    np.testing.assert_array_equal(record.signal, (stored * 1250 / 1e6).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (LEADS_12, 1000.0, "mV", "scp")
    assert record.start == datetime(2020, 2, 29, 13, 14, 15)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (67, "female", "CART1")
    assert record.notes == ()
    assert "Doe" not in repr(record)


def test_limb_leads_are_computed_when_absent_and_said(tmp_path: Path) -> None:
    stored = waves(8, 200)
    record = read(written(tmp_path, scp(stored)))
    assert record.leads == LEADS_12
    np.testing.assert_array_equal(record.select(LEADS_8).signal, (stored * 0.0025).astype(np.float32))
    np.testing.assert_allclose(record.lead("aVF"), (stored[1] - stored[0] / 2) * 0.0025, atol=1e-6)
    assert "computed from I and II, not stored: III, aVR, aVL, aVF" in record.notes


def test_window_and_leads(tmp_path: Path) -> None:
    path = written(tmp_path, scp(waves(8)))
    whole, part = read(path), read(path, start_s=0.1, duration_s=0.5, leads=["V3", "III"])
    np.testing.assert_array_equal(part.signal, whole.select(["V3", "III"]).crop(0.1, 0.5).signal)


QRS = ((0, 21, 60, 110), (1, 130, 170, 219), (0, 221, 260, 310), (0, 381, 420, 500))


@pytest.mark.parametrize(("order", "coding"), [(2, "default"), (1, "tables"), (0, "raw")])
def test_subtracted_reference_beats_are_added_again(tmp_path: Path, order: int, coding: str) -> None:
    stored, beat = waves(8, 500, seed=20), waves(8, 90, seed=21)
    data = scp(stored, order=order, coding=coding, beat=beat, qrs=QRS, fiducial=41)
    assert data != scp(stored, order=order, coding=coding, beat=beat)
    record = read(written(tmp_path, data))
    np.testing.assert_array_equal(record.select(LEADS_8).signal, (stored * 0.0025).astype(np.float32))


def test_a_reference_beat_in_coarser_steps(tmp_path: Path) -> None:
    stored, beat = waves(8, 500, seed=22), waves(8, 90, seed=23, spread=4)
    data = scp(stored, step_nv=1250, beat=beat, beat_step_nv=5000, qrs=QRS, fiducial=41)
    record = read(written(tmp_path, data))
    np.testing.assert_allclose(record.select(LEADS_8).signal, stored * 0.00125, atol=1e-6)


def test_leads_that_start_later_miss_their_first_samples(tmp_path: Path) -> None:
    stored = waves(2, 100)
    record = read(written(tmp_path, scp(stored, ("II", "V1"), firsts=(1, 31))))
    assert record.n_samples == 130
    assert record.missing == {"II": 30, "V1": 30}
    np.testing.assert_array_equal(record.lead("V1")[30:], (stored[1] * 0.0025).astype(np.float32))
    part = read(written(tmp_path, scp(stored, ("II", "V1"), firsts=(1, 31))), start_s=0.04, duration_s=0.1)
    np.testing.assert_array_equal(part.signal, record.crop(0.04, 0.1).signal)


def test_the_cart_s_measurements_statements_and_beat(tmp_path: Path) -> None:
    beat = waves(8, 90, seed=24)
    cart = read(written(tmp_path, scp(waves(8), beat=beat))).cart
    assert cart is not None
    assert cart.measured() == {
        "heart_rate_bpm": 72.0, "rr_ms": 833.0, "p_ms": 100.0, "pr_ms": 140.0, "qrs_ms": 90.0, "qt_ms": 400.0,
        "qtc_ms": 431.0, "p_axis_deg": 45.0, "qrs_axis_deg": -30.0,
    }  # fmt: skip
    assert cart.statements == ("Sinus rhythm", "Left axis deviation")
    assert cart.median is not None
    np.testing.assert_array_equal(cart.median.signal[-6:], (beat[2:] * 0.0025).astype(np.float32))


def test_content_decides_even_without_mark_and_extension(tmp_path: Path) -> None:
    assert read(written(tmp_path, scp(waves(8), mark=b""), "export.dat")).format == "scp"
    assert "its section 0 is not a directory" in refused(written(tmp_path, bytes(200)))


@pytest.mark.parametrize("number", [2, 3, 6])
def test_signal_sections_that_fail_their_checksum_are_refused(tmp_path: Path, number: int) -> None:
    data = bytearray(scp(waves(8)))
    first = int.from_bytes(data[22 + 10 * number + 6 :][:4], "little") - 1
    data[first + 17] ^= 0x40
    said = refused(written(tmp_path, bytes(data)))
    assert f"its section {number} (" in said
    assert "fails its checksum; it is damaged" in said
    data[first : first + 2] = bytes(2)  # not computed by the writer
    data[first + 17] ^= 0x40
    assert read(written(tmp_path, bytes(data))).n_samples == 500


def test_other_checksums_are_said(tmp_path: Path) -> None:
    data = bytearray(scp(waves(8), beat=waves(8, 40)))
    place = data.index(b"Doe")
    data[place : place + 3] = b"XXX"
    notes = read(written(tmp_path, bytes(data))).notes
    assert "the checksum of the whole file is wrong: it was changed after it was written" in notes
    assert "sections that fail their checksum: 1" in notes
    data[data.index(b"Sinus")] ^= 1
    damaged = read(written(tmp_path, bytes(data))).cart
    assert damaged is not None
    assert damaged.statements == ()  # a section that fails its checksum says nothing
    assert damaged.qt_ms == 400.0


def bodies_of(data: bytes) -> dict[int, bytes]:
    found = {}
    for number in range(1, 12):
        at = 22 + 10 * number
        length, index = (int.from_bytes(data[at + i : at + i + 4], "little") for i in (2, 6))
        if length:
            found[number] = data[index - 1 + 16 : index - 1 + length]
    return found


def rebuilt(change: dict[int, bytes | None], **kwargs: object) -> bytes:
    """A valid file with other section bodies and right checksums."""
    bodies = bodies_of(scp(waves(8, 100), **kwargs))  # type: ignore[arg-type]
    for number, body in change.items():
        if body is None:
            del bodies[number]
        else:
            bodies[number] = body
    return assemble(bodies)


LEAD = le(1, 4) + le(100, 4) + b"\x01"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({6: None}, "it has no section 6 (rhythm data)"),
        ({3: None}, "it has no section 3 (lead definition)"),
        ({3: b"\xff\x04" + LEAD}, "its section 3 claims 255 leads in 11 bytes"),
        ({3: b"\x00\x04" + LEAD}, "its section 3 claims 0 leads"),
        ({3: b"\x01\x04" + le(9, 4) + le(8, 4) + b"\x01"}, "runs from sample 9 to 8"),
        ({3: b"\x01\x04" + le(1, 4) + le(2**32 - 1, 4) + b"\x01"}, "claims 4294967295 samples, the limit is 1500000"),
        ({3: b"\x01\x04" + le(1, 4) + le(999_999, 4) + b"\x01"}, "999999 samples are claimed"),
        ({3: b"\x01\x05" + LEAD}, "it has no section 5 (reference beat)"),
        ({6: le(0, 2) + le(2000, 2) + bytes(20)}, "steps of 0 nV"),
        ({6: le(2500, 2) + le(0, 2) + bytes(20)}, "and 0 us"),
        ({6: le(2500, 2) + le(2000, 2) + b"\x07" + bytes(20)}, "differences of order 7"),
        ({6: le(2500, 2) + le(2000, 2) + b"\0\x01" + bytes(300)}, "cannot be decoded"),
        ({2: le(70, 2)}, "section 2 claims 70 tables"),
        ({2: le(0, 2)}, "section 2 claims 0 tables"),
        ({2: le(1, 2) + le(500, 2)}, "too short for a table of 500 codes"),
        ({2: le(1, 2) + le(1, 2) + structure("", 5, False, 0)}, "a code of 0 bits"),
        ({2: le(1, 2) + le(1, 2) + structure("0", 200, False, 0)}, "a code of 1 bits in 200"),
        ({2: le(1, 2) + le(1, 2) + structure("1111", 4, False, 0)}, "there is no such code"),
        ({2: le(1, 2) + le(2, 2) + structure("0", 1, True, 9) + structure("1", 1, True, 9)}, "switches to table 9 of 1"),
        ({2: le(1, 2) + le(2, 2) + structure("0", 1, True, 1) + structure("1", 1, True, 1)}, "it switches tables more"),
        ({2: le(64, 2) + (le(7000, 2) + bytes((1, 1, 1)) * 21_000) * 64}, "section 2 has more than 20000 codes"),
    ],
)
def test_unusable_sections(tmp_path: Path, change: dict[int, bytes | None], message: str) -> None:
    assert message in refused(written(tmp_path, rebuilt(change)))


def test_what_is_not_read_is_said_by_name(tmp_path: Path) -> None:
    assert "bimodal compression is not read" in refused(written(tmp_path, scp(waves(8), bimodal=1)))
    data = rebuilt({4: le(40, 2) + le(1, 2) + le(9999, 2)}, beat=waves(8, 20), qrs=((0, 5, 10, 20),), fiducial=3)
    assert "its section 4 claims 9999 QRS complexes in 6 bytes" in refused(written(tmp_path, data))


def test_truncated_and_misplaced(tmp_path: Path) -> None:
    data = scp(waves(8))
    assert f"has {len(data) - 50} bytes where its header promises {len(data)}" in refused(written(tmp_path, data[:-50]))
    moved = bytearray(data)
    moved[22 + 60 + 6 : 22 + 60 + 10] = le(2**32 - 1, 4)
    assert "section 6 of" in refused(written(tmp_path, bytes(moved)))
    assert crc_ccitt(section(1, b"x")[2:]) == int.from_bytes(section(1, b"x")[:2], "little")


@pytest.mark.parametrize("coding", ["default", "tables", "raw"])
def test_mutants_with_right_checksums_raise_only_read_errors(tmp_path: Path, coding: str) -> None:
    rng = np.random.default_rng(25)
    seed = bodies_of(scp(waves(4, 60), ("I", "II", "V1", "V2"), coding=coding, beat=waves(4, 20), qrs=QRS[:1], fiducial=5))
    survived = 0
    for _ in range(200):
        bodies = {number: bytearray(body) for number, body in seed.items()}
        for _ in range(int(rng.integers(1, 4))):
            body = bodies[int(rng.choice(list(bodies)))]
            at = int(rng.integers(0, min(len(body), 40)))
            body[at : at + int(rng.integers(1, 5))] = rng.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", rng.bytes(2), b""])
            body += bytes(max(0, 4 - len(body)))
        begin = time.process_time()
        try:
            record = read(written(tmp_path, assemble({number: bytes(body) for number, body in bodies.items()})))
        except ReadError as problem:
            if "\n" in str(problem):
                pytest.fail(f"not one line: {problem}")
        else:
            survived += 1
            assert not np.isinf(record.signal).any()
        assert time.process_time() - begin < 2
    assert survived > 20


def test_codes_end_with_their_data() -> None:
    default = tables(le(19999, 2))
    assert default is not None
    with pytest.raises(HuffmanError, match="ends after 8 of 9 samples"):
        decode(b"\0", default, 9)


def test_the_example_equals_the_hl7_example_of_the_same_ecg(carts_dir: Path) -> None:
    record = read(carts_dir / "scp" / "Example.scp")
    other = read(carts_dir / "aecg_hl7" / "ecg_hl7.xml")
    assert (record.leads, record.fs, record.start) == (other.leads, other.fs, other.start)
    np.testing.assert_array_equal(record.signal, other.signal)
    assert record.notes == ()
    assert record.cart is not None
    assert other.cart is not None
    assert record.cart.measured() == other.cart.measured()
    assert record.cart.median is not None
    assert other.cart.median is not None
    np.testing.assert_array_equal(record.cart.median.signal, other.cart.median.signal)
