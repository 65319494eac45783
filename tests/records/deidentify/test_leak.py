"""The last check finds what was removed, however it is written."""

from __future__ import annotations

import pytest

from ecglm.records.deidentify.leak import left_in, needles


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("text", ["Doe^JANE", "jane", "MRN-4471 9"])
def test_names_and_ids_are_found_in_any_case_and_encoding(text: str, encoding: str) -> None:
    written = b"\0\x01..." + "id doe^jane mrn-4471 9 end".encode(encoding)
    assert left_in(written, needles(text))
    assert not left_in(b"nothing of it", needles(text))


@pytest.mark.parametrize("name", ["Müller", "Żółw", "山田太郎", "Иванов"])
def test_names_in_other_scripts_are_found(name: str) -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert left_in(b"<name>" + name.encode(encoding) + b"</name>", needles(name))


@pytest.mark.parametrize(
    "written",
    ["19530508", "1953-05-08", "08.05.1953", "05/08/1953", "08 May 1953", "08-MAY-1953", "May 08, 1953", "19530508120000"],
)
@pytest.mark.parametrize("stated", ["19530508", "1953-05-08", "born 08-MAY-1953", "19530508123456.000"])
def test_dates_are_found_in_other_spellings(stated: str, written: str) -> None:
    assert left_in(written.encode(), needles(stated))
    assert not left_in(b"19530509 1953-05-09", needles(stated))


def test_numbers_count_whole_only_and_short_texts_not_at_all() -> None:
    assert left_in(b"id 98765.", needles("98765"))
    assert not left_in(b"samples 1987651", needles("98765"))
    assert list(needles("V2 42 ECG 0.05 2011")) == ["v2 42 ecg 0.05 2011"]
