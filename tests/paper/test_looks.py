"""Orders of leads, chosen leads, headers and styles: everything that makes pages of different carts look different."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest

from ecglm.errors import UsageError
from ecglm.paper import ARRANGEMENTS, LAYOUT_NAMES, ORDERS, STYLES, PageHeader, render
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record

FULL = {"age": 63, "sex": "male", "heart_rate": 72, "pr": 160, "qrs": 92, "qt": 380, "qtc": 416, "axis": -30,
        "date": datetime(2026, 3, 1, 14, 5), "text": ("Chest pain since 2 h", "ED bay 4", "unconfirmed")}


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1", "3x4+3R"])
def test_cabrera_order_turns_avr_over_and_goes_round_the_plane(real: Record, layout: str) -> None:
    truth = render(real, layout=layout, order="cabrera", dpi=100).truth
    cells = sorted((p for p in truth.pieces if p.role == "cell"), key=lambda p: (round(p.box.left), p.box.top))
    assert tuple(p.lead for p in cells) == ORDERS["cabrera"]
    assert "-aVR" in [text.text for text in truth.texts if text.kind == "lead"]
    turned = next(p for p in cells if p.lead == "-aVR")
    first, last = turned.samples
    drawn = (turned.baseline_y - turned.y) / truth.px_per_mm / truth.gain + turned.offset
    np.testing.assert_allclose(drawn, -real.lead("aVR")[first:last], atol=0.002)


def test_cabrera_without_avr_leaves_its_cell_empty(spikes: Record) -> None:
    truth = render(spikes.select([lead for lead in STANDARD_12 if lead != "aVR"]), order="cabrera", dpi=60).truth
    assert not truth.piece("-aVR").drawn
    assert truth.piece("aVL").drawn


@pytest.mark.parametrize(("leads", "layout", "rows", "columns"), [
    (["II"], "3x4", 1, 1), (["II", "V1", "V5"], "3x4", 3, 1), (["I", "II", "V1", "V5"], "3x4", 1, 4),
    (["I", "II", "V1", "V5"], "6x2", 2, 2),
    (["V1", "V2", "V3", "V4", "V5"], "3x4", 2, 3), (["V1", "V2", "V3", "V4", "V5", "V6", "II"], "12x1", 7, 1)])
def test_chosen_leads_fill_the_columns_in_their_order(spikes: Record, leads: list[str], layout: str, rows: int,
                                                      columns: int) -> None:
    truth = render(spikes, leads=leads, layout=layout, rhythm=(), dpi=60).truth
    pieces = sorted(truth.pieces, key=lambda p: (p.box.left, p.box.top))
    assert [p.lead for p in pieces] == leads
    assert all(p.drawn for p in pieces)
    assert len({round(p.box.top) for p in pieces}) == rows
    assert len({round(p.box.left) for p in pieces}) == columns
    assert len(truth.calibration) == rows


def test_chosen_leads_keep_the_strip_only_when_it_is_among_them(spikes: Record) -> None:
    def strips(leads: list[str]) -> list[str]:
        return [p.lead for p in render(spikes, leads=leads, dpi=60).truth.pieces if p.role == "rhythm"]

    assert strips(["I", "II", "V1", "V2"]) == ["II"]
    assert strips(["I", "V4", "V1", "V2"]) == []
    asked = render(spikes, leads=["V1", "V2", "V3", "V4"], rhythm=["V1", "V6"], dpi=60).truth.pieces
    assert [p.lead for p in asked if p.role == "rhythm"] == ["V1", "V6"]


@pytest.mark.parametrize(("wrong", "says"), [({"leads": ["V9"]}, "V9"), ({"leads": "II"}, "list"), ({"leads": []}, "list"),
                                             ({"order": "cabrerra"}, "cabrera"), ({"seed": -1}, "seed")])
def test_leads_and_orders_that_do_not_exist_are_refused(spikes: Record, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        render(spikes, dpi=60, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_every_arrangement_prints_every_fact_on_the_sheet_and_nothing_over_another(spikes: Record, arrangement: str) -> None:
    page = render(spikes, header=PageHeader(**FULL, arrangement=arrangement))  # type: ignore[arg-type]
    header = [text for text in page.truth.texts if text.kind == "header"]
    words = " ".join(text.text for text in header)
    for fact in ("63 years", "male", "72 /min", "160 ms", "92 ms", "380 ms", "416 ms", "-30 deg", "2026-03-01 14:05"):
        assert fact in words
    assert all(line in words for line in ("Chest pain since 2 h", "ED bay 4", "unconfirmed"))
    boxes = [text.box for text in header]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    sheet = page.truth
    assert all(b.left >= 0 and b.top >= 0 and b.right <= sheet.width and b.bottom < sheet.grid.top for b in boxes)
    for text in header:
        box = text.box
        here = page.image[round(box.top):round(box.bottom) + 1, round(box.left):round(box.right) + 1, 1]
        assert here.min() < 80, text.text


def test_arrangements_differ_and_an_empty_header_prints_nothing(spikes: Record) -> None:
    headers = {a: PageHeader(**FULL, arrangement=a) for a in ARRANGEMENTS}  # type: ignore[arg-type]
    drawn = {a: render(spikes, dpi=60, header=header).image.tobytes() for a, header in headers.items()}
    assert len(set(drawn.values())) == len(ARRANGEMENTS) >= 4
    for arrangement in ARRANGEMENTS:
        page = render(spikes, dpi=60, header=PageHeader(arrangement=arrangement))
        assert not [text for text in page.truth.texts if text.kind == "header"]


def test_free_text_comes_from_the_caller_only_and_is_made_printable(real: Record) -> None:
    assert PageHeader.of(real).text == ()
    assert PageHeader.of(real).date is None
    page = render(real, dpi=60, header=PageHeader(text=("‮bold\x1b[31m\n" + "x" * 500,), date=date(2026, 1, 2)))
    printed = [text.text for text in page.truth.texts if text.kind == "header"]
    assert printed[0] == "2026-01-02"
    assert len(printed[1]) <= 60
    assert printed[1].isascii()
    for wrong in ({"text": "one string"}, {"text": ("a",) * 4}, {"date": "2026-01-02"}, {"arrangement": "fancy"}):
        with pytest.raises(UsageError, match="header"):
            PageHeader(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dpi", [100, 400])
def test_ink_and_grid_of_every_style_at_low_and_high_resolution(spikes: Record, style: str, dpi: int) -> None:
    page = render(spikes, style=style, dpi=dpi, gain=20.0, speed=50.0)
    truth, ink = page.truth, STYLES[style]
    strip = truth.piece("II", "rhythm")
    peak = int(np.nanargmin(strip.y))
    x, y = round(float(strip.x[peak])), round(float(strip.y[peak]))
    assert np.abs(page.image[y - 1:y + 2, x - 1:x + 2].astype(int) - ink.trace).max(axis=2).min() < 40
    row, left = round(truth.grid.top + 2.5 * truth.px_per_mm), truth.grid.left
    line = page.image[row, round(left + 10 * truth.px_per_mm)].astype(int)
    assert np.abs(line - ink.major).max() < 60
    assert np.abs(line - ink.ground).max() > 40 or style == "bw"


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_every_layout_in_every_order_draws_all_twelve(spikes: Record, layout: str) -> None:
    for order, names in ORDERS.items():
        truth = render(spikes, layout=layout, order=order, dpi=60).truth
        assert {p.lead for p in truth.pieces if p.role == "cell" and p.drawn} == set(names)
