"""Marks lie where their times say, and words cover neither each other nor the traces."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.paper import Caliper, Marks, Page, mark, render
from ecglm.paper.marks import CALIPER_INK, MAX_LINES, WAVE_COLOURS, rhythm_piece
from ecglm.paper.truth import LeadTruth, covered
from ecglm.records.record import Record


def x_of(page: Page, piece: LeadTruth, second: float) -> int:
    return round(float(np.interp(second * page.truth.fs, np.arange(*piece.samples), piece.x)))


def spans(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, float)


@pytest.mark.parametrize("name", WAVE_COLOURS)
def test_a_wave_is_tinted_from_onset_to_offset_in_its_lead_alone(spikes: Record, name: str) -> None:
    plain = render(spikes)
    page = mark(plain, Marks(waves={name: {"V1": spans((5.4, 5.6))}}))
    piece = page.truth.piece("V1")
    left, right = x_of(page, piece, 5.4), x_of(page, piece, 5.6)
    changed = (page.image != plain.image).any(axis=2)[round(page.truth.grid.top):]
    columns = np.flatnonzero(changed.any(axis=0))
    assert (columns[0], columns[-1]) == (pytest.approx(left, abs=2), pytest.approx(right, abs=2))
    rows = np.flatnonzero(changed.any(axis=1)) + round(page.truth.grid.top)
    assert piece.box.top < rows[0] < piece.baseline_y < rows[-1] < piece.box.bottom
    tint = np.array(WAVE_COLOURS[name][0]) / 255
    paper = (plain.image[rows[0] + 3, (left + right) // 2] * tint).astype(int)
    np.testing.assert_allclose(page.image[rows[0] + 3, (left + right) // 2], paper, atol=1)


def test_ink_stays_ink_and_the_page_given_stays_as_it_was(spikes: Record) -> None:
    plain = render(spikes)
    before = plain.image.copy()
    page = mark(plain, Marks(waves={"qrs": {lead: spans((0.4, 0.6), (0.45, 0.65)) for lead in spikes.leads}}))
    np.testing.assert_array_equal(plain.image, before)
    piece = page.truth.piece("II", "rhythm")
    for x, y in zip(piece.x[200:300:7], piece.y[200:300:7], strict=True):
        assert page.image[round(float(y)) - 1: round(float(y)) + 2, round(float(x)), 1].min() < 100


def test_overlapping_tints_are_no_darker_than_one(spikes: Record) -> None:
    one = mark(render(spikes), Marks(waves={"t": {"V1": spans((5.6, 5.9))}}))
    two = mark(render(spikes), Marks(waves={"t": {"V1": spans((5.6, 5.9), (5.65, 5.85))}}))
    assert (two.image[:, x_of(one, one.truth.piece("V1"), 5.75)] == one.image[:, x_of(one, one.truth.piece("V1"), 5.75)]).all()


def test_calipers_are_as_long_as_their_intervals(spikes: Record) -> None:
    calipers = (Caliper("PR 160 ms", 5.34, 5.5), Caliper("QRS 20 ms", 5.5, 5.52), Caliper("QT 400 ms", 5.5, 5.9))
    page = mark(render(spikes), Marks(calipers=calipers))
    strip = page.truth.piece("II", "rhythm")
    inked = (page.image == np.array(CALIPER_INK)).all(axis=2)
    rows = np.flatnonzero(inked.sum(axis=1) > 0.35 * 25 * page.truth.px_per_mm)  # only the line of the QT is so long
    columns = np.flatnonzero(inked[rows[0]])
    assert columns[0] == pytest.approx(x_of(page, strip, 5.5), abs=2)
    line = columns[:np.flatnonzero(np.diff(columns) > 1)[0] + 1]  # beside it stands its value
    assert line[-1] == pytest.approx(x_of(page, strip, 5.9), abs=2)
    assert strip.box.top < rows[0] < strip.box.bottom
    words = {text.text: text.box for text in page.truth.texts}
    for caliper in calipers:
        assert covered(words[caliper.text], page.truth.pieces) == 0


def test_calipers_that_the_page_does_not_show_are_left_out(spikes: Record) -> None:
    plain = render(spikes)
    np.testing.assert_array_equal(mark(plain, Marks(calipers=(Caliper("QT 400 ms", 9.8, 10.2),))).image, plain.image)


def test_beats_are_named_over_their_qrs(spikes: Record) -> None:
    page = mark(render(spikes), Marks(beats=((3.51, "PVC"), (7.51, "V"), (12.0, "F"))))
    strip = page.truth.piece("II", "rhythm")
    named = {text.text: text.box for text in page.truth.texts if text.kind == "caption"}
    assert set(named) == {"PVC", "V"}
    for second, name in ((3.51, "PVC"), (7.51, "V")):
        assert (named[name].left + named[name].right) / 2 == pytest.approx(x_of(page, strip, second), abs=3)
        assert named[name].bottom < np.nanmin(strip.y)
        assert covered(named[name], page.truth.pieces) == 0


def test_words_overlap_no_other_words_and_stay_on_the_sheet(spikes: Record) -> None:
    lines = [f"{k} " + "many words that do not fit on one line " * 8 for k in range(4)]
    page = mark(render(spikes), Marks(
        waves={name: {lead: spans((0.4, 0.6)) for lead in spikes.leads} for name in WAVE_COLOURS}, lines=tuple(lines),
        beats=tuple((k + 0.51, "PVC") for k in range(10)), legend=("PVC premature ventricular",),
        leads=dict.fromkeys(spikes.leads, "reversed?")))
    boxes = [text.box for text in page.truth.texts]
    assert not [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
    assert all(box.left >= 0 and box.top >= 0 and box.right <= page.truth.width for box in boxes)
    above = [text.text for text in page.truth.texts if text.kind == "caption" and text.box.bottom < page.truth.grid.top - 20]
    assert len(above) == MAX_LINES
    assert above[0].startswith("0 many")
    assert any(line.endswith("...") for line in above)
    assert sum(text.text == "reversed?" for text in page.truth.texts) >= 12  # the strip shows II again


def test_beats_and_calipers_go_where_most_time_is_shown(spikes: Record) -> None:
    def chosen(**how: object) -> tuple[str, str]:
        piece = rhythm_piece(render(spikes, **how))  # type: ignore[arg-type]
        assert piece is not None
        return piece.lead, piece.role

    assert chosen(layout="3x4") == ("II", "rhythm")
    assert chosen(layout="3x4+3R") == ("II", "rhythm")
    assert chosen(layout="6x2") == ("II", "cell")
    assert chosen(layout="12x1") == ("II", "cell")
