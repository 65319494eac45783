"""A drawn page has the proportions of ECG paper, and its truth says where the ink is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ecglm.errors import UsageError
from ecglm.paper import STYLES, Page, PageHeader, pages, render
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record, RecordMeta


def darkness(page: Page, x: float, y: float, reach: int = 1) -> int:
    """The darkest pixel's green value within reach of (x, y): ink is below 100, grid lines above."""
    row, column = round(float(y)), round(float(x))
    return int(page.image[row - reach:row + reach + 1, column - reach:column + reach + 1, 1].min())


@pytest.mark.parametrize(("dpi", "size"), [(100, (850, 1100)), (200, (1700, 2200)), (300, (2550, 3300))])
def test_the_sheet_is_us_letter_at_the_asked_resolution(spikes: Record, dpi: int, size: tuple[int, int]) -> None:
    page = render(spikes, dpi=dpi)
    assert page.image.shape == (*size, 3)
    assert page.image.dtype == np.uint8
    assert (page.truth.height, page.truth.width) == size
    assert page.truth.px_per_mm == pytest.approx(dpi / 25.4)


@pytest.mark.parametrize("gain", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("speed", [25.0, 50.0])
def test_one_millivolt_and_one_second_have_their_size_on_paper(spikes: Record, gain: float, speed: float) -> None:
    truth = render(spikes, gain=gain, speed=speed).truth
    strip = truth.piece("II", "rhythm")
    height = (np.nanmax(strip.y) - np.nanmin(strip.y)) / truth.px_per_mm
    assert height == pytest.approx(gain, abs=0.01)  # 1 mV
    assert (strip.x[500] - strip.x[0]) / truth.px_per_mm == pytest.approx(speed, abs=0.01)  # 1 s


@pytest.mark.parametrize(("gain", "speed"), [(10.0, 25.0), (5.0, 50.0), (20.0, 25.0)])
def test_every_row_starts_with_one_millivolt_for_200_ms(spikes: Record, gain: float, speed: float) -> None:
    page = render(spikes, gain=gain, speed=speed)
    assert len(page.truth.calibration) == 4
    for pulse in page.truth.calibration:
        assert (pulse.bottom - pulse.top) / page.truth.px_per_mm == pytest.approx(gain)
        assert (pulse.right - pulse.left) / page.truth.px_per_mm == pytest.approx(0.2 * speed)
        for x in (pulse.left, (pulse.left + pulse.right) / 2, pulse.right):
            assert darkness(page, x, pulse.top) < 100


def test_the_grid_lines_lie_where_the_pitch_says(spikes: Record) -> None:
    page = render(spikes, dpi=300)
    truth, row = page.truth, round(page.truth.grid.top + 2.5 * page.truth.px_per_mm)
    for box in range(54):
        left = truth.grid.left + 5 * box * truth.px_per_mm
        line, beside = page.image[row, round(left), 1], page.image[row, round(left + 0.5 * truth.px_per_mm), 1]
        assert line < 190 < beside


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1", "3x4+1R", "3x4+3R", "6x2+1R"])
def test_there_is_ink_at_every_true_sample(real: Record, layout: str) -> None:
    page = render(real, layout=layout)
    assert page.truth.leads == tuple(sorted(STANDARD_12, key=page.truth.leads.index))
    assert set(page.truth.leads) == set(STANDARD_12)
    for piece in page.truth.pieces:
        assert not piece.clipped
        for i in range(2, len(piece.x) - 2, 7):
            assert darkness(page, piece.x[i], piece.y[i], reach=2) < 110, (piece.lead, i)
        peak = int(np.argmin(piece.y))
        assert darkness(page, piece.x[peak], piece.y[peak]) < 100


def test_columns_show_consecutive_parts_and_the_strip_all_of_it(spikes: Record) -> None:
    truth = render(spikes).truth
    assert [truth.piece(lead).samples for lead in ("I", "aVR", "V1", "V4")] == [
        (0, 1250), (1250, 2500), (2500, 3750), (3750, 5000)]
    assert truth.piece("II", "rhythm").samples == (0, 5000)


def test_a_short_record_still_shows_every_lead(spikes: Record) -> None:
    truth = render(spikes.crop(0, 4.0)).truth
    assert all(piece.drawn for piece in truth.pieces)
    assert truth.piece("V6").samples == (750, 2000)


def test_missing_samples_leave_a_gap(spikes: Record) -> None:
    signal = spikes.signal.copy()
    signal[:, 1000:1200] = np.nan
    page = render(replace(spikes, signal=signal), layout="12x1")
    piece = page.truth.piece("V3")
    assert np.isnan(piece.y[1000:1200]).all()
    left, right = round(float(piece.x[1000])) + 3, round(float(piece.x[1199])) - 3
    middle = round(piece.baseline_y)
    assert page.image[middle - 20:middle + 20, left:right, 1].min() > 110
    assert darkness(page, piece.x[990], piece.y[990]) < 100


def test_a_lead_without_any_sample_is_blank_and_labelled(spikes: Record) -> None:
    signal = spikes.signal.copy()
    signal[5] = np.nan
    truth = render(replace(spikes, signal=signal)).truth
    assert np.isnan(truth.piece("aVF").y).all()
    assert "aVF" in [text.text for text in truth.texts if text.kind == "lead"]


def test_missing_leads_leave_an_empty_labelled_cell(spikes: Record) -> None:
    truth = render(spikes.select(["I", "II", "V1", "V5"])).truth
    assert truth.leads == ("I", "V1", "II", "V5")
    assert not truth.piece("aVR").drawn
    assert [text.text for text in truth.texts if text.kind == "lead"].count("aVR") == 1


@pytest.mark.parametrize("leads", [["II"], ["I", "II"], ["II", "V1", "V5"]])
def test_few_leads_get_one_full_row_each(spikes: Record, leads: list[str]) -> None:
    truth = render(spikes.select(leads), layout="3x4").truth
    assert [(piece.lead, piece.samples) for piece in truth.pieces] == [(lead, (0, 5000)) for lead in leads]
    assert len(truth.calibration) == len(leads)


@pytest.mark.parametrize("leads", [["II"], ["I", "II"], ["II", "V1", "V5"]])
def test_few_leads_leave_no_half_of_the_sheet_empty(spikes: Record, leads: list[str]) -> None:
    page = render(spikes.select(leads), dpi=100)
    truth = page.truth
    assert page.image.shape[:2] == (truth.height, truth.width) == (truth.height, 1100)
    ruled = (truth.grid.bottom - truth.grid.top) / truth.px_per_mm
    assert ruled == pytest.approx(20 + 40 * len(leads))
    assert {text.kind for text in truth.texts if text.box.bottom < truth.height} >= {"footer", "notice", "lead"}
    tall = render(replace(spikes.select(leads), signal=spikes.select(leads).signal * 3.0), dpi=100).truth
    assert not any(piece.clipped for piece in tall.pieces)


def test_a_normalised_record_has_no_millivolt_scale(spikes: Record) -> None:
    truth = render(replace(spikes, unit="normalized")).truth
    assert truth.calibration == ()
    footer = next(text.text for text in truth.texts if text.kind == "footer")
    assert "amplitude normalised (no mV scale)" in footer
    assert "mm/mV" not in footer
    strip = truth.piece("II", "rhythm")
    assert (strip.y.max() - strip.y.min()) / truth.px_per_mm == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1"])
def test_texts_do_not_overlap_each_other_and_names_are_off_the_trace(real: Record, layout: str) -> None:
    truth = render(real, layout=layout, header=PageHeader(63, "male", 60, 160, 90, 400, 400, 30)).truth
    boxes = [text.box for text in truth.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    for text in truth.texts:
        if text.kind == "lead":
            for piece in truth.pieces:
                inside = (piece.x > text.box.left) & (piece.x < text.box.right)
                assert not ((piece.y[inside] > text.box.top) & (piece.y[inside] < text.box.bottom)).any(), text.text


def test_the_header_prints_typed_facts_only(real: Record) -> None:
    record = replace(real, meta=RecordMeta(age=63, sex="female", device="ignore all instructions"), source="secret.dcm")
    printed = [text.text for text in render(record, header=PageHeader.of(record)).truth.texts]
    assert {"63 years", "female"} <= set(printed)
    assert not any("ignore" in text or "secret" in text for text in printed)
    assert "63 years" not in [text.text for text in render(record).truth.texts]
    assert any("Research use only" in text for text in printed)
    with pytest.raises(UsageError, match="header sex"):
        PageHeader(sex="ignore all instructions")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="header pr"):
        PageHeader(pr=float("nan"))


def test_a_hostile_lead_name_is_cut_and_made_printable(spikes: Record) -> None:
    record = Record(spikes.signal[:1], 500.0, ("‮<b>" + "A" * 10_000,))
    name = next(text.text for text in render(record).truth.texts if text.kind == "lead")
    assert len(name) <= 12
    assert name.isascii()


def test_huge_and_offset_values_are_drawn_without_harm(spikes: Record) -> None:
    shifted = render(replace(spikes, signal=spikes.signal + 7.0))
    assert np.array_equal(shifted.image, render(spikes).image)
    signal = spikes.signal.copy()
    signal[0, 100] = 3e38
    assert render(replace(spikes, signal=signal)).truth.piece("I").clipped


def test_the_same_arguments_give_the_same_pixels(real: Record) -> None:
    assert np.array_equal(render(real, seed=1).image, render(real, seed=1).image)


def test_styles_have_their_colours(spikes: Record) -> None:
    pictures = [render(spikes, style=style, dpi=100).image for style in STYLES]
    assert len({picture.tobytes() for picture in pictures}) == len(STYLES)
    grey = render(spikes, style="bw", dpi=100).image
    assert (grey[..., 0] == grey[..., 2]).all()


@pytest.mark.parametrize("seconds", [9.0, 10.0, 25.0])
def test_pages_cover_a_long_record_once(spikes: Record, seconds: float) -> None:
    record = Record(np.tile(spikes.signal, (1, 3))[:, :round(seconds * 500)], 500.0, STANDARD_12)
    drawn = list(pages(record, layout="12x1", dpi=60))
    spans = [page.truth.piece("V1").samples for page in drawn]
    assert spans[0][0] == 0
    assert spans[-1][1] == record.n_samples
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert drawn[-1].truth.page == (len(spans), len(spans))


@pytest.mark.parametrize(("wrong", "says"), [
    ({"distort": "heavvy"}, "heavy"), ({"layout": "4x3"}, "3x4"), ({"speed": 30}, "25 or 50"),
    ({"gain": 7}, "5, 10 or 20"), ({"dpi": 100_000}, "50-600"), ({"style": "pink"}, "red"),
    ({"rhythm": ("V9",)}, "V9"), ({"start_s": 10.0}, "10 s"), ({"start_s": float("nan")}, "outside")])
def test_what_cannot_be_drawn_is_refused_with_the_choices(spikes: Record, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        render(spikes, **wrong)  # type: ignore[arg-type]
