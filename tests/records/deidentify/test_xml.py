"""XML of carts: documents built anew; planted elements, attributes, comments, CDATA and instructions do not survive."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglm.records import read
from ecglm.records.deidentify import deidentify

from ..carts import LEADS_8, aecg, cardiology, muse, sierra, waves
from .planted import ALL, BORN, FIRST, KEY, MRN, NAME, SEEN, SITE, assert_clean, assert_same_signal

BEAT = waves(8, 300, seed=4) // 4
BEAT_12 = waves(12, 300, seed=4) // 4
WRITERS: dict[str, Callable[[], str]] = {
    "aecg": lambda: aecg(waves(), beat=BEAT_12),
    "muse": lambda: muse(waves(8), beat=BEAT),
    "cardiology": lambda: cardiology(waves(), beat=BEAT_12),
    "disclosure": lambda: cardiology(None, disclosure=waves(12, 1500)),
    "sierra 1.03": lambda: sierra(waves(), version="1.03", beat=BEAT_12),
    "sierra 1.04": lambda: sierra(waves(), beat=BEAT_12),
    "sierra plain": lambda: sierra(waves(), packed=False),
}
#: Dates that the writers of the tests use, as they appear in files.
DATES = ("20210304", "02-03-2021", "2011-12-01", "19600305")


def planted(text: str) -> str:
    """A planted element, CDATA, comment, instruction in every element that has children, attributes in all, and around."""
    more = (
        f"<!-- {ALL} --><?note {ALL}?><{NAME}Field a='{MRN}'>{ALL}<x><![CDATA[{ALL} <tag>]]></x></{NAME}Field>"
        f"<Comment>{ALL} {BORN:%Y-%m-%d} {SEEN:%d.%m.%Y}</Comment><PatientLastName>{NAME}</PatientLastName><name>{FIRST}</name>"
    )
    declaration, body = re.match(r"(<\?xml.*?\?>\s*(?:<!DOCTYPE[^>]*>\s*)?)(.*)", text, re.S).groups()  # type: ignore[union-attr]
    body = re.sub(r"<([A-Za-z]+)((?:\s[^<>]*?)?)(?<!/)>", rf'<\1\2 operator="{NAME}" xml:id="{MRN}">', body)
    parents = "series|RestingECG|CardiologyXML|restingecgdata|AnnotatedECG|PatientInfo|Waveform|patient|StripData"
    body = re.sub(rf"<(?:{parents})\b[^>]*>", lambda found: found[0] + more, body)
    body = re.sub(rf"</(?:{parents})>", lambda found: more + found[0], body)
    return f"{declaration}<!-- {ALL} --><?pi {ALL}?>{body}<!-- {ALL} -->"


@pytest.mark.parametrize("kind", WRITERS)
def test_nothing_planted_survives_and_samples_beats_and_measurements_do(tmp_path: Path, kind: str) -> None:
    source = tmp_path / f"{NAME}.xml"
    source.write_text(planted(WRITERS[kind]()), encoding="utf-8")
    report = deidentify(source, tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out", *DATES, "Doe", "Smith", "4711", "PageWriter", "CardioSoft", "MAC55", "Maker")
    old, new = assert_same_signal(source, report.target)
    assert new.meta.age == old.meta.age
    assert (new.start is None) == (old.start is None)
    if old.start is not None and new.start is not None:
        assert new.start.time() == old.start.time()
        assert 365 <= abs((new.start - old.start).days) <= 3650
    if old.cart is not None:
        assert new.cart is not None
        assert new.cart.measured() == old.cart.measured()
        assert (new.cart.statements, new.cart.withheld) == (old.cart.statements, 0)
        if old.cart.median is not None:
            np.testing.assert_array_equal(new.cart.median.signal, old.cart.median.signal)  # type: ignore[union-attr]
    assert report.removed["Comment"] >= 2
    assert report.removed["comment"] >= 3
    assert report.removed["processing instruction"] >= 3
    assert not any(text.lower() in str(report.to_dict()).lower() for text in (NAME, FIRST, MRN, SITE))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    text = planted(muse(waves(8))).replace("ISO-8859-1", encoding.removesuffix("-sig"))
    (tmp_path / "m.xml").write_bytes(text.encode(encoding))
    report = deidentify(tmp_path / "m.xml", tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out", "Doe")
    assert_same_signal(tmp_path / "m.xml", report.target)


@pytest.mark.parametrize(
    ("age", "unit", "kept"), [("89", "YEARS", 89), ("90", "YEARS", 90), ("101", "YEARS", 90), ("6", "WEEKS", 0)]
)
def test_ages_over_89_are_one(tmp_path: Path, age: str, unit: str, kept: int) -> None:
    text = muse(waves(8)).replace("<PatientAge>67<", f"<PatientAge>{age}<").replace("<AgeUnits>YEARS<", f"<AgeUnits>{unit}<")
    (tmp_path / "m.xml").write_text(text)
    assert read(deidentify(tmp_path / "m.xml", tmp_path / "out", key=KEY).files[0].target).meta.age == kept


def test_what_hides_behind_the_samples_is_left_out(tmp_path: Path) -> None:
    text = muse(waves(8), leads=LEADS_8)
    source = tmp_path / "m.xml"
    source.write_text(text.replace("<LeadID>V6<", f"<LeadID>{NAME}<").replace("<LeadOff>FALSE", f"<LeadOff>{FIRST}"))
    report = deidentify(source, tmp_path / "out", key=KEY).files[0]
    assert_clean(tmp_path / "out")
    old, new = read(source), read(report.target)
    np.testing.assert_array_equal(old.signal, new.signal)
    assert new.leads[:-1] == old.leads[:-1]
    assert new.leads[-1] == "Chan 8"


def test_bytes_behind_packed_leads_are_left_out(tmp_path: Path) -> None:
    text = sierra(waves())
    stored = re.search(r"<parsedwaveforms[^>]*>([^<]*)<", text)[1]  # type: ignore[index]
    longer = base64.b64encode(base64.b64decode(stored) + ALL.encode()).decode()
    (tmp_path / "s.xml").write_text(text.replace(stored, longer))
    target = Path(deidentify(tmp_path / "s.xml", tmp_path / "out", key=KEY).files[0].target)
    assert_same_signal(tmp_path / "s.xml", target)
    written = re.search(r"<parsedwaveforms[^>]*>([^<]*)<", target.read_text())[1]  # type: ignore[index]
    assert base64.b64decode(written) == base64.b64decode(stored)


def test_samples_of_carts_survive(carts_dir: Path, tmp_path: Path) -> None:
    files = [path for path in sorted(carts_dir.glob("*/*")) if path.suffix.lower() == ".xml"]
    assert len(files) >= 6
    for path in files:
        old, new = assert_same_signal(path, deidentify(path, tmp_path).files[0].target)
        assert old.notes == new.notes or "edited" in str(old.notes)
        assert new.meta.age == old.meta.age
        assert old.cart is not None
        assert new.cart is not None
        assert (old.cart.measured(), old.cart.statements) == (new.cart.measured(), new.cart.statements)


def test_a_number_longer_than_a_setting_needs_is_none(tmp_path: Path) -> None:
    text = muse(waves(8)).replace("<LeadTimeOffset>0<", "<LeadTimeOffset>5551234567<")
    text = text.replace("<NumberofLeads>8<", "<NumberofLeads>8829431<").replace("<QTInterval>452<", "<QTInterval>8829431<")
    (tmp_path / "m.xml").write_text(text)
    deidentify(tmp_path / "m.xml", tmp_path / "out", key=KEY)
    assert_clean(tmp_path / "out", "5551234567")
