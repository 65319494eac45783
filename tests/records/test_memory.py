"""What the largest and the emptiest files cost: the peak memory of a process of its own that reads one."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import ReadError
from ecglm.records import read
from ecglm.records.strip import Channel, median_of
from ecglm.records.xmltree import MAX_XML_BYTES, numbers, unbase64

from .carts import aecg, muse, sierra, waves
from .peak import MAX_PEAK, cost_of


def room(text: str) -> int:
    return MAX_XML_BYTES - len(text) - 100


def padded_leads() -> str:
    """511 leads of one sample and one of 260,000."""
    text = aecg(waves(1, 3), ("II",))
    one = text[text.index("<component><sequence><code code=\"MDC_ECG_LEAD"):].split("</sequence></component>")[0]
    one += "</sequence></component>"
    digits = one[one.index("<digits>") :].split("</digits>")[0] + "</digits>"
    rows = "".join(
        one.replace("LEAD_II", f"LEAD_{i}X").replace(digits, "<digits>1</digits>") for i in range(511)
    )
    return text.replace(one, one.replace(digits, "<digits>" + "1 " * 260_000 + "</digits>") + rows)


def long_digits() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<digits>", "<digits>" + "1 " * (room(text) // 2))


def long_fractions() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<digits>", "<digits>.5 " + "1 " * (room(text) // 2 - 2))


def one_number() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<digits>", "<digits>" + "1" * room(text))


def long_attribute() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<digits>", '<digits a="' + "x" * (room(text) - 10) + '">', 1)


def many_attributes() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<digits>", "<digits " + " ".join(f'a{i}=""' for i in range(50_000)) + ">", 1)


def described_elements() -> str:
    text = aecg(waves(1, 3), ("II",))
    one = "<x " + " ".join(f'a{i}="{i}{i}"' for i in range(900)) + "/>"
    return text.replace("<component>", one * (room(text) // len(one)) + "<component>", 1)


def many_elements() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<component>", "<x a='1' b='2'>y</x>" * 110_000 + "<component>", 1)


def long_comment() -> str:
    text = aecg(waves(1, 3), ("II",))
    return text.replace("<component>", "<!--" + "x" * room(text) + "--><component>", 1)


def blanks_in_base64() -> str:
    text = muse(waves(1, 3), ("II",))
    return text.replace("<WaveFormData>", "<WaveFormData>" + "A " * (room(text) // 2), 1)


def plain_samples() -> str:
    text = sierra(waves(12, 20), packed=False)
    size = room(text) // 4 * 3 // 12_000 * 12_000
    text = re.sub(r'durationperchannel="\d+"', f'durationperchannel="{size // 24 * 2}"', text)  # at 500 Hz
    first, last = text.index(">", text.index("<parsedwaveforms")) + 1, text.index("</parsedwaveforms>")
    return text[:first] + base64.b64encode(bytes(size)).decode() + text[last:]


FILES: dict[str, tuple[Callable[[], str], str]] = {
    "padded-leads": (padded_leads, "of so different lengths"),
    "long-digits": (long_digits, "aecg"),
    "long-fractions": (long_fractions, "aecg"),
    "one-number": (one_number, "not a list of numbers"),
    "long-attribute": (long_attribute, "a tag or comment of more than"),
    "many-attributes": (many_attributes, "more than 1000 attributes"),
    "described-elements": (described_elements, "attributes in an element or 240000 in all"),
    "many-elements": (many_elements, "aecg"),
    "long-comment": (long_comment, "a tag or comment of more than"),
    "blanks-in-base64": (blanks_in_base64, "are not base64"),
    "plain-samples": (plain_samples, "sierra"),
}


@pytest.mark.parametrize("name", FILES)
def test_no_xml_takes_more_than_512_mb(tmp_path: Path, name: str) -> None:
    make, expected = FILES[name]
    path = tmp_path / "x.xml"
    path.write_text(make())
    assert path.stat().st_size <= MAX_XML_BYTES
    cost = cost_of(path)
    assert expected in cost.said
    assert cost.peak < MAX_PEAK


def test_padding_is_bounded_only_where_it_is_large(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(padded_leads())
    with pytest.raises(ReadError, match="of so different lengths"):
        read(path)
    part = read(path, duration_s=1)
    assert len(part.leads) > 500
    assert read(path, leads=["II"]).n_samples >= 260_000
    short = [Channel("I", np.ones(1)), Channel("II", np.ones(2000))]
    assert median_of(short, 1000) is not None
    many = [Channel(f"x{i}", np.ones(1)) for i in range(300)]
    assert median_of([*many, Channel("I", np.ones(200_000))], 50_000) is None


def test_lists_of_numbers_are_the_same_in_pieces() -> None:
    values = np.arange(-300_000, 300_000)
    for separator in (" ", ","):
        found = numbers(separator.join(map(str, values)), "x", "y", separator)
        assert found.dtype == np.int32  # half the memory
        np.testing.assert_array_equal(found, values)
        halves = numbers(separator.join(map(str, values / 2)), "x", "y", separator)
        np.testing.assert_array_equal(halves, values / 2)
        for wrong in ("x", "1,,2"):
            with pytest.raises(ReadError, match="not a list of numbers"):
                numbers(separator.join([*map(str, values), wrong]), "x", "y", separator)
    assert unbase64(" QU\n JD ") == b"ABC"
