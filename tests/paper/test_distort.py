"""Distorted pages: what was asked for happens, is repeatable, and the truth says where everything went."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from ecglm.errors import UsageError
from ecglm.paper import Applied, Page, PageTruth, Style, annotate, mark, pages, render
from ecglm.paper.distort import DISTORTIONS, PRESETS, Stage, chosen, distort
from ecglm.paper.marks import Marks
from ecglm.records.record import Record
from ecglm.schema import Evidence

#: Distortions that take ink away or hide it on purpose.
LOSES_INK = {"fading", "broken_lines", "printer_rows"}


@pytest.fixture(scope="module")
def clean(real: Record) -> Page:
    return render(real)


def inked(page: Page, reach: int = 1) -> float:
    """The share of true sample positions of the strip and of V3 at which it is darker than around."""
    green, hits, total = page.image[..., 1], 0, 0
    height, width = green.shape
    for piece in (page.truth.piece("II", "rhythm"), page.truth.piece("V3")):
        for x, y in zip(piece.x[::23], piece.y[::23], strict=True):
            i, j = round(float(y)), round(float(x))
            if not (20 <= i < height - 20 and 20 <= j < width - 20):
                continue
            around = green[i - 20:i + 21, j - 20:j + 21]
            total += 1
            hits += int(green[i - reach:i + reach + 1, j - reach:j + reach + 1].min()) < np.median(around) - 25
    assert total > 200
    return hits / total


@pytest.mark.parametrize("name", [name for name in DISTORTIONS if name not in LOSES_INK])
def test_there_is_ink_where_the_truth_says_after_every_distortion(clean: Page, name: str) -> None:
    page = distort(clean, name, seed=1)
    assert page.image.dtype == np.uint8
    assert page.image.shape == (page.truth.height, page.truth.width, 3)
    assert [applied.name for applied in page.truth.distortions] == [name]
    assert not np.array_equal(page.image, clean.image)
    assert inked(page) == 1.0


@pytest.mark.parametrize("name", sorted(LOSES_INK))
def test_faded_and_broken_traces_lie_where_they_lay(clean: Page, name: str) -> None:
    page = distort(clean, name, seed=1)
    assert 0.85 < inked(page) <= 1.0
    assert (page.image.astype(int) - clean.image).min() >= 0  # ink is only taken away


@pytest.mark.parametrize("how", [name for name in PRESETS if name != "none"])
def test_presets_leave_traces_at_their_true_places(clean: Page, how: str) -> None:
    for seed in range(4):
        assert inked(distort(clean, how, seed=seed)) > 0.93, seed


def test_ink_is_not_found_where_the_truth_does_not_say(clean: Page) -> None:
    """The check above can fail: with the clean page's coordinates it does."""
    page = distort(clean, "rotation:0.5", seed=1)
    assert inked(Page(page.image, clean.truth)) < 0.6


def test_the_grid_lies_where_the_inverse_map_says(clean: Page) -> None:
    """Undone with the dense inverse map, the grid lines of a bent and tilted page are straight again and where they were."""
    page = distort(clean, "curl:0.7,perspective:0.6,rotation:0.4,wrinkles:0.4,folds:0.4", seed=5)
    warp = page.truth.warp
    assert warp is not None
    y, x = np.mgrid[0:clean.truth.height, 0:clean.truth.width]
    there = warp.forward(np.stack([x.ravel(), y.ravel()], axis=1).astype(float)).reshape(*x.shape, 2).astype(np.float32)
    back = cv2.remap(page.image, there[..., 0], there[..., 1], cv2.INTER_LINEAR)
    grid, px = clean.truth.grid, clean.truth.px_per_mm
    checked = 0
    for row in grid.top + px * (2.5 + 5.0 * np.arange(36)):
        line = back[round(row) - 1:round(row) + 2, :, 1].mean(axis=0)
        for box in range(2, 52):
            left = grid.left + 5 * box * px
            here = np.s_[round(row) - 6:round(row) + 7, round(left) - 14:round(left) + 15]
            if clean.image[here][..., 1].min() > 110:  # no ink there
                assert abs(int(np.argmin(line[round(left) - 3:round(left) + 4])) - 3) <= 1, (row, box)
                checked += 1
    assert checked > 1000


def test_texts_and_boxes_move_with_the_page(clean: Page) -> None:
    page = distort(clean, "rotation:1", seed=2)
    before, after = clean.truth.piece("V6"), page.truth.piece("V6")
    assert after.box.corners is not None
    assert clean.truth.piece("V6").box.corners is None
    np.testing.assert_allclose(page.truth.to_page(np.array(after.box.quad)), before.box.quad, atol=0.01)
    np.testing.assert_allclose(page.truth.to_picture(np.array(before.box.quad)), after.box.quad, atol=0.01)
    xs, ys = zip(*after.box.quad, strict=True)
    assert (after.box.left, after.box.bottom) == (pytest.approx(min(xs), abs=0.01), pytest.approx(max(ys), abs=0.01))
    for text in page.truth.texts:
        around = page.image[round(text.box.top):round(text.box.bottom) + 1, round(text.box.left):round(text.box.right) + 1, 1]
        assert around.min() < 110, text.text
    assert len(page.truth.calibration) == len(clean.truth.calibration)
    assert page.truth.calibration[0].corners is not None


def test_a_mask_covers_the_trace_and_little_else(clean: Page) -> None:
    page = distort(clean, "perspective:0.5,curl:0.5", seed=4)
    mask = page.truth.mask("V2")
    assert mask.shape == page.image.shape[:2]
    piece = page.truth.piece("V2")
    assert all(mask[round(float(y)), round(float(x))] > 100 for x, y in zip(piece.x[::9], piece.y[::9], strict=True))
    assert np.median(page.image[mask > 200]) < 90
    box = piece.box
    inside = mask[max(0, int(box.top)) - 2:int(box.bottom) + 3, max(0, int(box.left) - 3):int(box.right) + 4]
    assert np.count_nonzero(inside) == np.count_nonzero(mask)
    both, strip, cell = (np.count_nonzero(page.truth.mask("II", role)) for role in (None, "rhythm", "cell"))
    assert both > strip > cell
    with pytest.raises(KeyError, match="V9"):
        page.truth.mask("V9")


def test_the_same_seed_gives_the_same_page_and_another_seed_another(clean: Page) -> None:
    first, again, other = (distort(clean, "heavy", seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.image, again.image)
    assert first.truth.to_dict() == again.truth.to_dict()
    assert not np.array_equal(first.image, other.image)


def test_what_a_distortion_draws_depends_on_no_other() -> None:
    alone = {applied.name: applied for applied in chosen("stains", 9)}
    among = {applied.name: applied for applied in chosen("blur,stains,jpeg,curl", 9)}
    assert among["stains"] == alone["stains"]
    light = {applied.name: applied.seed for applied in chosen("light", 9)}
    assert light.items() <= {applied.name: applied.seed for applied in chosen("light,stains,curl", 9)}.items()
    in_turn = [applied.name for applied in chosen("jpeg,rotation,stains", 9)]
    assert in_turn == ["stains", "rotation", "jpeg"]  # as it happens to paper


def test_pages_of_one_record_are_not_distorted_alike(spikes: Record) -> None:
    record = Record(np.tile(spikes.signal, (1, 2)), 500.0, spikes.leads)
    angles = [page.truth.distortions[0].values["angle"] for page in pages(record, dpi=60, distort="rotation", seed=1)]
    assert len(set(angles)) == 2


@pytest.mark.parametrize("name", list(DISTORTIONS))
def test_values_are_within_their_documented_ranges_and_severity_orders_them(name: str) -> None:
    thing = DISTORTIONS[name]
    for seed in range(30):
        (applied,) = chosen(name, seed)
        assert set(applied.values) == set(thing.ranges)
        for key, value in applied.values.items():
            low, high = sorted((thing.ranges[key].mild, thing.ranges[key].severe))
            assert low <= (abs(value) if thing.ranges[key].either else value) <= high
    (mild,), (severe,) = chosen(f"{name}:0", 5), chosen(f"{name}:1", 5)
    for key, spread in thing.ranges.items():
        if not spread.free:
            assert abs(mild.values[key]) == pytest.approx(spread.mild)
            assert abs(severe.values[key]) == pytest.approx(spread.severe)


def test_what_was_done_is_in_the_truth_and_can_be_done_again(clean: Page) -> None:
    page = distort(clean, "heavy", seed=8)
    again = PageTruth.from_dict(json.loads(json.dumps(page.truth.to_dict())))
    assert again.to_dict() == page.truth.to_dict()
    assert again.distortions == page.truth.distortions
    assert np.array_equal(distort(clean, again.distortions).image, page.image)
    for strange in (Applied("ageing", {}, 0), Applied("blur", {"radius": 1.0}, 0)):
        with pytest.raises(UsageError, match="unknown here"):
            distort(clean, [strange])
    points = np.array([[100.0, 200.0], [900.0, 700.0]])
    np.testing.assert_allclose(again.to_page(points), page.truth.to_page(points))


def test_pulse_leaves_half_the_pages_clean_and_two_in_a_hundred_without_grid() -> None:
    drawn = [[applied.name for applied in chosen("pulse", seed)] for seed in range(3000)]
    clean = sum(not set(names) - {"missing_grid"} for names in drawn) / len(drawn)
    gone = sum("missing_grid" in names for names in drawn) / len(drawn)
    assert clean == pytest.approx(0.5, abs=0.04)
    assert gone == pytest.approx(0.02, abs=0.008)


def test_a_page_without_a_grid_has_none_but_all_of_its_ink(clean: Page) -> None:
    page = distort(clean, "missing_grid")
    grid = page.truth.grid
    inside = page.image[round(grid.top) + 3:round(grid.bottom) - 3, round(grid.left) + 3:round(grid.right) - 3]
    ground = np.array((255, 251, 250))
    assert ((np.abs(inside.astype(int) - ground) <= 2).all(axis=2)).mean() > 0.95
    assert page.image[..., 1][clean.image[..., 1] < 30].max() < 50


@pytest.mark.parametrize(("low", "high", "kind"), [
    ("blur:0", "blur:1", "sharp"), ("gaussian_noise:0", "gaussian_noise:1", "noise"),
    ("jpeg:0", "jpeg:1", "noise"), ("uneven_light:0", "uneven_light:1", "light")])
def test_severity_is_what_it_says(clean: Page, low: str, high: str, kind: str) -> None:
    mild, severe = (distort(clean, how, seed=1).image.astype(np.float64) for how in (low, high))
    if kind == "sharp":
        assert np.abs(np.diff(severe, axis=1)).mean() < 0.7 * np.abs(np.diff(mild, axis=1)).mean()
    elif kind == "noise":
        assert np.square(severe - clean.image).mean() > 2 * np.square(mild - clean.image).mean()
    else:
        assert severe.mean() < mild.mean() - 20


def test_noise_has_the_deviation_it_says(clean: Page) -> None:
    page = distort(clean, "underexposure:1,gaussian_noise:0.5", seed=2)  # dark enough that nothing is cut at white
    plain = distort(clean, "underexposure:1", seed=2)
    sigma = next(a.values["sigma"] for a in page.truth.distortions if a.name == "gaussian_noise")
    change = page.image.astype(int) - plain.image
    bare = plain.image > 120
    assert change[bare].std() == pytest.approx(sigma, rel=0.05)
    assert abs(change[bare].mean()) < 0.2
    rows = change[::50, :, 1].astype(float)
    assert np.abs(np.corrcoef(rows) - np.eye(len(rows))).max() < 0.2  # no row repeats another


@pytest.mark.parametrize("how", [
    "close_up:1", "close_up:0", "close_up:1,rotation:1,table:1", "close_up:0.5,curl:1,perspective:1,folds"])
def test_a_close_up_ends_around_the_grid_and_loses_no_sample(clean: Page, how: str) -> None:
    page = distort(clean, how, seed=3)
    grid, truth = page.truth.grid, page.truth
    margin = next(a.values["margin"] for a in truth.distortions if a.name == "close_up") * (grid.right - grid.left)
    around = (grid.left, grid.top, truth.width - 1 - grid.right, truth.height - 1 - grid.bottom)
    assert all(-1 <= room <= margin + 3 for room in around)
    for piece in truth.pieces:
        assert piece.x.min() >= -1
        assert piece.x.max() <= truth.width
        assert piece.y.min() >= -1
        assert piece.y.max() <= truth.height


def test_marks_of_people_are_in_the_truth_and_on_the_page(clean: Page) -> None:
    page = distort(clean, "handwriting:1,stamps:1", seed=6)
    added = [text for text in page.truth.texts if text.kind in ("handwriting", "stamp")]
    assert {text.kind for text in added} == {"handwriting", "stamp"}
    for text in added:
        here = np.s_[round(text.box.top):round(text.box.bottom) + 1, round(text.box.left):round(text.box.right) + 1]
        assert (page.image[here].astype(int) - clean.image[here]).min() < -40, text
    outside = np.ones(page.image.shape[:2], bool)
    for text in added:
        outside[round(text.box.top):round(text.box.bottom) + 1, round(text.box.left):round(text.box.right) + 1] = False
    assert np.array_equal(page.image[outside], clean.image[outside])


def test_a_custom_style_can_be_distorted(spikes: Record) -> None:
    mine = Style("mine", ground=(255, 255, 240), minor=(230, 230, 200), major=(180, 180, 120))
    page = render(spikes, style=mine, dpi=100, distort="fading,missing_grid")
    assert [applied.name for applied in page.truth.distortions] == ["missing_grid", "fading"]
    with pytest.raises(UsageError, match="pass the Style"):
        distort(render(spikes, style=mine, dpi=60), "fading")


@pytest.mark.parametrize("dpi", [60, 100, 400])
def test_every_resolution_can_be_distorted(real: Record, dpi: int) -> None:
    how = "folds,wrinkles,creases,stains,handwriting,stamps,table,perspective,shadow,moire,motion_blur,jpeg"
    page = render(real, dpi=dpi, distort=how, seed=2)
    assert page.image.shape[:2] == (page.truth.height, page.truth.width)


@pytest.mark.parametrize(("how", "says"), [
    ("heavi", "heavy"), ("rotatoin", "rotation"), ("blur:2", "0 to 1"), ("blur:x", "0 to 1"),
    ("heavy:0.5", "unknown"), ("", "unknown"), ("rotation,,blur", "unknown")])
def test_unknown_distortions_are_refused_with_the_nearest(spikes: Record, how: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        render(spikes, dpi=60, distort=how)


def test_a_distorted_page_is_not_distorted_or_marked_again(spikes: Record) -> None:
    page = render(spikes, dpi=60, distort="rotation")
    for again in (lambda: distort(page, "blur"), lambda: annotate(page, [Evidence("x", ("II",))]), lambda: mark(page, Marks())):
        with pytest.raises(UsageError, match="distorted"):
            again()


def test_every_stage_has_distortions_and_every_preset_names_some_that_exist() -> None:
    assert {thing.stage for thing in DISTORTIONS.values()} == set(Stage)
    for preset in PRESETS.values():
        assert set(preset.uses) | set(preset.always) <= set(DISTORTIONS)
