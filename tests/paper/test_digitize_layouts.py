"""Pages of fewer than the twelve leads are read as what is printed on them, or refused: no lead is made of two, none invented."""

from __future__ import annotations

import numpy as np
import pytest

import ecglm
from ecglm.errors import PageError
from ecglm.paper import render
from ecglm.paper.digitize.calibrate import Span
from ecglm.paper.digitize.layout import Plan, plan
from ecglm.paper.digitize.trace import Trace
from ecglm.paper.digitize.words import Word
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")


def sinus() -> Record:
    return simulate("normal", 1, seed=5)[0].record


@pytest.mark.parametrize(("leads", "layout", "shown"), [(LIMB, "12x1", "6x1"), (LIMB[:3], "12x1", "3x1"), (LIMB, "6x2", "3x2")])
def test_fewer_leads_are_read_as_they_are_printed(leads: tuple[str, ...], layout: str, shown: str) -> None:
    found = ecglm.digitize(render(sinus(), layout=layout, leads=leads, dpi=200 if len(leads) < 6 else 150).image, text=False)
    assert found.leads == leads
    assert found.reading is not None
    assert found.reading.layout == shown
    for lead in leads:
        read, drawn = found.lead(lead), sinus().lead(lead)[:found.n_samples]
        known = np.isfinite(read[:len(drawn)])
        assert known.mean() > (0.97 if layout == "12x1" else 0.45)
        assert np.corrcoef(read[:len(drawn)][known], drawn[known])[0, 1] > 0.9, lead


def planned(*rows: str) -> Plan:
    """The plan of a page whose rows have these words, each where a quarter of the row begins; "?": one that cannot be read."""
    px, nowhere = 8.0, np.zeros(2200, bool)
    traces, spans, words = [], [], []
    for row, names in enumerate(rows):
        level = 200.0 + 240.0 * row
        line = np.random.default_rng(row).normal(level, 5.0, 2200)
        traces.append(Trace(line, line, line, nowhere, line, nowhere, level))
        spans.append(Span(100.0, 2100.0, ()))
        for place, name in enumerate(names.split()):
            left = 110.0 + 500.0 * place
            if name != ".":
                right, lead = left + (6 if name == "I" else 30), None if name in "?I" else name
                words.append(Word(left, level - 70, right, level - 50, lead))
    return plan(traces, spans, words, px, None)


def leads_of(*rows: str) -> list[str]:
    return [piece.lead for piece in planned(*rows).pieces]


def test_rows_that_are_named_at_their_start_alone_are_one_lead_each() -> None:
    assert leads_of("V1", "II", "V5") == ["V1", "II", "V5"]
    assert leads_of("I", "?", "III", "aVR", "?") == list(LIMB[:5])
    assert leads_of("V1", "?", "V5") == ["V1", "II", "V5"]  # the usual strips
    assert leads_of("V1", "aVL", "?", "II") == []  # no order says what the third one is
    assert not planned("V1", "?", "V5").sure
    assert leads_of("?", "?", "?") == []


def test_twelve_leads_whose_names_are_not_read_or_in_part_are_still_read() -> None:
    usual = ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6"]
    assert leads_of("", "", "") == leads_of("?", "", "?") == usual
    assert leads_of("? ? ? ?", "? ? ? ?", "? ? ? ?") == usual
    assert leads_of("? aVR ? V4", "II ? V2 .", "III . ? V6") == usual


def test_a_row_with_two_names_is_not_one_lead() -> None:
    assert leads_of("V1 . V4", "V2 . V5", "V3 . V6") == ["V1", "V4", "V2", "V5", "V3", "V6"]
    assert leads_of("I . aVR", "II . aVL", "III . aVR") == ["I", "aVR", "II", "aVL", "III", "aVF"]  # one of a name was misread
    assert leads_of("V1 II V5 V6") == []
    assert leads_of("V1 . V6", "II") == []


def test_a_page_of_other_leads_is_refused_and_not_looked_at() -> None:
    with pytest.raises(PageError) as caught:
        ecglm.digitize(render(sinus(), layout="3x4", leads=["V1", "II", "V5", "V6"], dpi=150).image, text=False)
    assert caught.value.reason == "layout"
    assert not caught.value.twelve
    assert planned(*["?"] * 11).twelve  # one row was missed
