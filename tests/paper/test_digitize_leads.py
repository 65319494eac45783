"""What is read of each lead: its narrow peaks, and how surely."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import ecglm
from ecglm.paper import render
from ecglm.paper.digitize.confidence import lead_by_lead
from ecglm.paper.digitize.layout import Piece, _strips
from ecglm.paper.digitize.pen import line_of
from ecglm.paper.digitize.trace import Trace
from ecglm.paper.digitize.turned import avr_is_turned
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate

HEIGHTS = np.linspace(0.4, 1.7, 12)


@cache
def peaks() -> Record:
    """R waves of 24 ms in a wide, low T wave, in each lead of another height (mV); 10 s, 500 Hz."""
    t = np.arange(5000) / 500 % 1.0
    r = np.clip(1 - np.abs(t - 0.4) / 0.024, 0, None)
    wave = 0.2 * np.exp(-0.5 * ((t - 0.7) / 0.05) ** 2)
    return Record(np.array([height * r + wave for height in HEIGHTS], np.float32), 500.0, STANDARD_12)


def test_narrow_peaks_are_as_high_as_they_were_drawn() -> None:
    found = ecglm.digitize(render(peaks(), layout="12x1").image, text=False)
    heights = np.array([np.nanpercentile(found.lead(lead), 99.7) for lead in STANDARD_12])
    true = np.array([np.percentile(peaks().lead(lead), 99.7) for lead in STANDARD_12])
    assert np.all(np.abs(heights / true - 1) < 0.08), heights / true


def test_the_line_of_a_narrow_peak_is_found_from_the_edges_of_its_ink() -> None:
    pen, at, fine = 2.2, np.arange(400), np.arange(-20, 4200) / 10
    true = 100 - 70 * np.clip(1 - np.abs(fine - 200.3) / 6, 0, None)
    around = np.arange(-22, 23)[:, None]
    rim = np.sqrt(np.maximum(pen ** 2 - (around / 10) ** 2, 0))
    laid = true[np.clip(20 + 10 * at + around, 0, len(true) - 1)]
    y, off = line_of((laid - rim).min(axis=0), (laid + rim).max(axis=0), np.full(400, np.nan), np.zeros(400, bool), pen, 8.0)
    exact = np.interp(at, fine, true)
    assert abs(y.min() - true.min()) < 0.04 * 70
    assert np.abs(y - exact)[190:211].mean() < 1.5
    assert np.abs(y - exact)[:180].max() < 0.1
    assert np.nanmax(off[:180]) < 0.1


def test_leads_that_stand_out_less_are_less_sure_and_the_page_is_as_sure_as_before() -> None:
    sure = lead_by_lead(dict.fromkeys("abc", 0.8), {"a": 8.0, "b": 11.0, "c": 12.0})
    assert sure["a"] < sure["b"] < sure["c"]
    assert sure["b"] == 0.8
    assert lead_by_lead({"a": 0.0, "b": 0.97}, {"a": 20.0, "b": 5.0})["a"] == 0.0
    assert max(lead_by_lead(dict.fromkeys("abc", 0.97), {"a": 0.0, "b": 5.0, "c": 30.0}).values()) <= 0.99


def test_each_lead_of_a_page_has_its_own_confidence() -> None:
    quality = ecglm.digitize(render(peaks(), layout="12x1", distort="scan", seed=1).image, text=False).quality
    assert len({round(sure, 4) for sure in quality.values()}) > 3


def sinus() -> Record:
    return simulate("normal", 1, seed=5)[0].record


def as_drawn(found: Record, lead: str) -> float:
    """Correlation of a lead that was read with the one that was drawn."""
    x, y = found.lead(lead), sinus().lead(lead)[:len(found.lead(lead))]
    known = np.isfinite(x[:len(y)])
    return float(np.corrcoef(x[:len(y)][known], y[known])[0, 1])


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_the_turned_lead_of_cabreras_order_is_turned_back(layout: str) -> None:
    found = ecglm.digitize(render(sinus(), layout=layout, order="cabrera").image, text=False)
    assert min(as_drawn(found, lead) for lead in ("I", "aVL", "aVR", "III", "V2")) > 0.9
    assert found.reading is not None
    assert "aVR is printed turned over and was turned back" in found.reading.text


def test_avr_is_turned_unless_the_other_limb_leads_say_that_it_is_not() -> None:
    i, ii, avr, avl = (sinus().lead(lead) for lead in ("I", "II", "aVR", "aVL"))
    assert avr_is_turned({"I": i, "II": ii, "aVR": -avr})
    assert not avr_is_turned({"I": i, "II": ii, "aVR": avr})
    elsewhere = np.full_like(ii, np.nan)  # II in another column
    assert avr_is_turned({"I": i, "II": elsewhere, "aVL": avl, "aVR": -avr})
    assert not avr_is_turned({"I": i, "II": elsewhere, "aVL": avl, "aVR": avr})
    assert avr_is_turned({"aVR": avr})


def test_a_lead_that_is_named_as_turned_over_is_turned_back() -> None:
    given = ["aVL", "I", "-aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6"]
    image = render(sinus(), layout="12x1", order="cabrera").image
    found = ecglm.digitize(image, leads=given, text=False)
    assert as_drawn(found, "aVR") > 0.9
    assert as_drawn(ecglm.digitize(image, leads=[lead.strip("-") for lead in given], text=False), "aVR") < -0.9


def test_strips_that_are_alike_are_different_leads() -> None:
    """The third row is a little more like II than like V5: it is V5 because the second one can only be II."""
    nowhere, t = np.zeros(1000, bool), np.arange(1000) / 9
    lead = {"V1": np.sin(1.7 * t), "II": np.sin(t), "V5": np.sin(t + 0.2)}
    waves = [*lead.values(), lead["V1"], lead["II"], np.sin(t + 0.09)]
    traces = [Trace(y, y, y, nowhere, y, nowhere, 0.0) for y in waves]
    pieces = [Piece(name, row, 0, 1000, False) for row, name in enumerate(lead)]
    notes: list[str] = []
    assert _strips([3, 4, 5], pieces, traces, [[]] * 6, notes) == ["V1", "II", "V5"]
    assert _strips([4, 5], pieces, traces, [[]] * 6, notes) == ["II", "V5"]
    assert not notes


def test_a_strip_that_is_left_out_is_said() -> None:
    nowhere = np.zeros(1000, bool)
    waves = [np.sin(np.arange(1000) / 9 + phase) for phase in (0.0, 0.0, 0.1)]
    traces = [Trace(y, y, y, nowhere, y, nowhere, 0.0) for y in waves]
    notes: list[str] = []
    assert _strips([1, 2], [Piece("II", 0, 0, 1000, False)], traces, [[], [], []], notes) == ["II", ""]
    assert any("most like lead II" in note for note in notes)
