"""HL7 aECG: samples, units, series, annotations, XML that attacks."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read
from ecglm.records.xmltree import numbers

from .carts import LEADS_12, aecg, waves


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "x.xml").write_bytes(text.encode(encoding))
    return folder / "x.xml"


def refused(path: Path) -> str:
    with pytest.raises(ReadError) as caught:
        read(path)
    return str(caught.value)


def test_samples_scale_leads_start_and_patient(tmp_path: Path) -> None:
    stored = waves(seed=1)
    record = read(written(tmp_path, aecg(stored, fs=1000, step_uv=4.88)))
    np.testing.assert_array_equal(record.signal, (stored * 4.88 / 1000).astype(np.float32))
    assert (record.leads, record.fs, record.unit, record.format) == (LEADS_12, 1000.0, "mV", "aecg")
    assert record.start == datetime(2021, 3, 4, 5, 6, 7, 500_000)
    assert (record.meta.age, record.meta.sex, record.meta.device) == (60, "female", "Maker Model 1")
    assert (record.notes, record.cart) == ((), None)
    assert "Doe" not in repr(record)


def test_window_and_leads(tmp_path: Path) -> None:
    path = written(tmp_path, aecg(waves()))
    whole, part = read(path), read(path, start_s=0.2, duration_s=0.5, leads=["V6", "aVR"])
    np.testing.assert_array_equal(part.signal, whole.select(["V6", "aVR"]).crop(0.2, 0.5).signal)
    with pytest.raises(ReadError, match="it lasts 1 s"):
        read(path, start_s=1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-8-sig", "latin-1"])
def test_encodings_that_exporters_use(tmp_path: Path, encoding: str) -> None:
    text = aecg(waves()).replace("Maker", "Märker")
    text = text.replace("UTF-8", "ISO-8859-1") if encoding == "latin-1" else text.replace('encoding="UTF-8"', "")
    assert read(written(tmp_path, text, encoding)).meta.device == "Märker Model 1"
    wrong = aecg(waves()).replace("Maker", "Märker")  # declares UTF-8
    assert read(written(tmp_path, wrong, "latin-1")).meta.device == "Märker Model 1"
    assert read(written(tmp_path, "\n " + aecg(waves()).replace("UTF-8", "UTF-16"))).n_samples == 500  # converted later


def test_a_scale_in_millivolts_an_origin_and_a_short_lead(tmp_path: Path) -> None:
    text = aecg(waves(2, 4), ("II", "V1"))
    digits = text.split("<digits>")[2].split("</digits>")[0]
    text = text.replace('<origin value="0" unit="uV"/><scale value="2.5" unit="uV"/>',
                        '<origin value="1.5" unit="mV"/><scale value="0.01" unit="mV"/>')  # fmt: skip
    record = read(written(tmp_path, text.replace(f"<digits>{digits}", "<digits>10\n\t-10 ")))
    np.testing.assert_allclose(record.lead("V1"), [1.6, 1.4, np.nan, np.nan], rtol=1e-6)
    assert record.missing == {"II": 0, "V1": 2}
    assert "V1: 2 of 4 samples are missing" in record.notes


def test_representative_beat_and_annotations_are_kept_apart(tmp_path: Path) -> None:
    stored, beat = waves(seed=2), waves(n=300, seed=3)
    record = read(written(tmp_path, aecg(stored, beat=beat)))
    assert record.n_samples == 500
    cart = record.cart
    assert cart is not None
    assert cart.measured() == {"pr_ms": 148.0, "qt_ms": 420.0, "qrs_axis_deg": -61.0}
    assert cart.statements == ("Sinus rhythm",)  # without the line that names a person
    assert cart.median is not None
    assert (cart.median.leads, cart.median.fs) == (LEADS_12, 500.0)
    np.testing.assert_array_equal(cart.median.signal, (beat * 0.0025).astype(np.float32))


def test_the_longest_sequence_set_is_read_with_a_note(tmp_path: Path) -> None:
    one = aecg(waves(3, 100), ("I", "II", "V1"))
    more = "<component><sequenceSet>" + one.split("<sequenceSet>")[1].split("</sequenceSet>")[0].replace(
        "<digits>", "<digits>7 8 9 "
    )
    record = read(written(tmp_path, aecg(waves(3, 100), ("I", "II", "V1"), extra=more + "</sequenceSet></component>")))
    assert (record.n_samples, record.notes) == (103, ("of 2 sequence sets the longest is read",))


def test_columns_of_a_page_are_put_together_by_their_times(tmp_path: Path) -> None:
    def column(stored: np.ndarray, leads: tuple[str, ...], second: str) -> str:
        text = aecg(stored, leads).replace("20210304050607.500", f"202103040506{second}")
        inner = text.split("<sequenceSet>")[1].split("</sequenceSet>")[0]
        return f"<component><sequenceSet>{inner}</sequenceSet></component>"

    limbs, chest, rhythm = waves(2, 100, seed=30), waves(2, 100, seed=31), waves(1, 300, seed=32)
    extra = column(limbs, ("I", "II"), "07.300") + column(chest, ("V1", "V2"), "07.700")
    record = read(written(tmp_path, aecg(rhythm, ("II",), extra=extra)))
    assert (record.leads, record.n_samples) == (("II", "I", "V1", "V2"), 400)
    assert record.start == datetime(2021, 3, 4, 5, 6, 7, 300_000)
    assert record.missing == {"II": 100, "I": 300, "V1": 300, "V2": 300}
    for lead, stored, first in (("II", rhythm[0], 100), ("I", limbs[0], 0), ("V1", chest[0], 200)):
        values = (stored * 0.0025).astype(np.float32)
        np.testing.assert_array_equal(record.lead(lead)[first : first + len(values)], values)
    assert "leads of another sequence set, which starts 0.2 s earlier: I" in record.notes
    named = column(limbs, ("I", "II"), "07.700").replace('LEAD_I"', 'LEAD_' + "X&#10;Y " * 500 + '"')
    notes = read(written(tmp_path, aecg(rhythm, ("II",), extra=named))).notes
    assert any("which starts 0.2 s later: X Y" in note for note in notes)
    assert all("\n" not in note and len(note) < 200 for note in notes)
    far = aecg(rhythm, ("II",), extra=column(limbs, ("I", "II"), "07.300").replace("20210304", "20200304"))
    assert read(written(tmp_path, far)).leads == ("II",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<digits>", "<digits>1 2 3,4 ", "the samples of lead I are not a list of numbers"),
        ("<digits>", "<digits>nonsense ", "the samples of lead I are not a list of numbers"),
        ('<increment value="0.002" unit="s"/>', "", "state no sampling interval"),
        ('<increment value="0.002"', '<increment value="1e-9"', "state no sampling interval"),
        ('<increment value="0.002"', '<increment value="10"', "0.1 Hz is outside"),
        ('<scale value="2.5"', '<scale value="0"', "the amplitude step of lead I is 0"),
        ('<scale value="2.5"', '<scale value="nan"', "lead I states no usable scale"),
        ('<origin value="0" unit="uV"', '<origin value="3" unit="mV"', "states no usable scale and origin"),
        ("</sequenceSet>", "", "not well-formed"),
        ("UTF-8", "no-such-code", "not well-formed"),
        ('unit="uV"', 'unit="mm[Hg]"', "none of its channels is an ECG lead"),
    ],
)
def test_unusable_values(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refused(written(tmp_path, aecg(waves(2, 100), ("I", "II")).replace(old, new)))


def test_numbers_beyond_floats_are_missing(tmp_path: Path) -> None:
    record = read(written(tmp_path, aecg(waves(2, 100), ("I", "II")).replace("<digits>", "<digits>1e400 1e60 nan ")))
    assert record.missing == {"I": 3, "II": 3}
    assert "I: 3 of 103 samples are missing" in record.notes


def test_entities_and_outside_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1 2 3")
    body = aecg(waves(1, 20), ("II",)).split("?>", 1)[1]
    bomb = '<!DOCTYPE AnnotatedECG [<!ENTITY a "1 1 1 1">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for doctype, use in (
        (bomb + "]>", "&i;"),
        (f'<!DOCTYPE AnnotatedECG [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>', "&e;"),
        (f'<!DOCTYPE AnnotatedECG [<!ENTITY % p SYSTEM "file://{tmp_path}/secret"> %p;]>', ""),
    ):
        begin = time.process_time()
        assert "declares entities" in refused(written(tmp_path, doctype + body.replace("<digits>", f"<digits>{use}")))
        assert time.process_time() - begin < 1
    assert read(written(tmp_path, f'<!DOCTYPE AnnotatedECG SYSTEM "file://{tmp_path}/secret">' + body)).n_samples == 20


def test_deep_and_crowded_xml_is_refused(tmp_path: Path) -> None:
    for inner in ("<a>" * 100_000, "<b/>" * 600_000):
        begin = time.process_time()
        assert "elements or is deeper" in refused(written(tmp_path, f"<AnnotatedECG>{inner}"))
        assert time.process_time() - begin < 3


def test_the_hl7_example(carts_dir: Path) -> None:
    record = read(carts_dir / "aecg_hl7" / "ecg_hl7.xml")
    assert (set(record.leads), record.fs, record.n_samples) == (set(LEADS_12), 500.0, 5000)
    assert (record.meta.age, record.meta.sex, record.start) == (46, "male", datetime(2002, 11, 22, 9, 10))
    assert not any(record.missing.values())
    # Einthoven holds within the rounding of 2.5 µV steps
    np.testing.assert_allclose(record.lead("II"), record.lead("I") + record.lead("III"), atol=0.0051)
    assert record.cart is not None
    assert record.cart.measured()["qt_ms"] == 420.0
    assert record.cart.statements == ("Sinus Rhythm",)
    assert record.cart.median is not None
    assert record.cart.median.signal.shape == (12, 599)


@pytest.mark.parametrize(("text", "values", "dtype"), [
    ("1 -2  3\n", [1, -2, 3], "i4"), ("1 2.5", [1, 2.5], "f8"), ("1e3 2", [1000, 2], "i4"), ("+7 -0", [7, 0], "i4"),
    ("2147483647 0", [2147483647, 0], "i4"), ("2147483648 0", [2147483648, 0], "f8"),
    ("99999999999999999999 1", [1e20, 1], "f8"),  # beyond what an integer of 64 bits holds
])
def test_numbers_are_integers_where_all_of_them_are(text: str, values: list[float], dtype: str) -> None:
    found = numbers(text, "f.xml", "lead I")
    assert found.dtype == dtype
    assert found.tolist() == values


@pytest.mark.parametrize("text", ["1 x", "1 2,3", "0x10", "1 2 nan?", "1.5.2 3"])
def test_what_is_no_number_is_an_error(text: str) -> None:
    with pytest.raises(ReadError, match=r"f\.xml: the samples of lead I are not a list of numbers"):
        numbers(text, "f.xml", "lead I")
