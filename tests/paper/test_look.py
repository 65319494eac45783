"""The picture that looking sees: of one size whatever the image was, ink without paper, the same sheet on a table."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecglm.paper import PageHeader, render
from ecglm.paper.look import SIZE, picture_of
from ecglm.signal.simulate import simulate_one

RECORD = simulate_one("normal", seed=1).record


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (120, 120), (2400, 1000)])
@pytest.mark.parametrize("grey", [0, 255])
def test_a_blank_image_of_any_size_shows_no_ink(shape: tuple[int, int], grey: int) -> None:
    found = picture_of(np.full((*shape, 3), grey, np.uint8))
    assert found.shape == SIZE
    assert found.dtype == np.uint8
    assert found.max() <= 2


def test_ink_is_kept_and_the_ruling_is_not() -> None:
    page = render(RECORD, layout="3x4+1R", dpi=150)
    found = picture_of(page.image)
    blank = picture_of(render(RECORD, layout="3x4+1R", dpi=150, style="bw").image)
    assert (found > 120).mean() > 0.005
    assert np.median(found) == 0
    grid = page.truth.grid  # above the first row there is ruling and nothing else
    scale = SIZE[0] / page.truth.height
    top = found[round(grid.top * scale) + 2: round((grid.top + 12) * scale) + 2, 20:-20]
    assert top.mean() < 12
    assert blank.shape == SIZE


def test_the_scale_of_the_image_changes_little() -> None:
    small, large = (picture_of(render(RECORD, layout="3x4+1R", dpi=dpi).image).astype(float) for dpi in (100, 200))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.85


def test_a_sheet_on_a_dark_table_is_cut_out() -> None:
    page = render(RECORD, layout="3x4+1R", dpi=100).image
    height, width = page.shape[:2]
    table = np.full((height + 300, width + 400, 3), (60, 40, 25), np.uint8)
    table[150:150 + height, 200:200 + width] = page
    found, plain = (cv2.blur(picture_of(image), (9, 9)).astype(float) for image in (table, page))
    assert np.corrcoef(found[30:-30, 30:-30].ravel(), plain[30:-30, 30:-30].ravel())[0, 1] > 0.6


def test_a_header_changes_the_picture_only_where_it_is_printed() -> None:
    head = PageHeader(70, "male", 187.0, text=("ATRIAL FIBRILLATION",))
    bare, printed = (picture_of(render(RECORD, layout="3x4+1R", dpi=150, header=h).image).astype(int) for h in (None, head))
    changed = np.abs(bare - printed) > 40
    assert changed[:70].any()
    assert changed[90:].mean() < 0.001
