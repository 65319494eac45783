"""Scans and photos of real pages: a record with its confidence, or a refusal with the reason; there is no truth for them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import PageError
from ecglm.paper.digitize import read_page

FOLDER = Path(os.environ.get("ECGLM_DATA", "/nowhere")) / "images" / "scans"
needs_scans = pytest.mark.skipif(not FOLDER.is_dir(), reason="no real scans: set ECGLM_DATA to the folder of images/scans")


@needs_scans
@pytest.mark.parametrize("name", ["ecg00010.png", "ecg00032.jpg", "ecg00046.jpg", "ecg00048.jpg"])
def test_pages_that_are_read(name: str) -> None:
    page = read_page(FOLDER / name)
    reading = page.record.reading
    assert reading is not None
    assert reading.layout == "3x4+1R"
    assert (reading.gain, reading.gain_seen) == (10.0, True)
    assert page.record.duration_s == pytest.approx(10.0, abs=0.02)
    assert np.isfinite(page.record.lead("II")).mean() > 0.9
    assert reading.overall > 0.5


@needs_scans
@pytest.mark.parametrize("name", ["ecg00008.jpg", "ecg00054.png"])
def test_pages_that_are_refused(name: str) -> None:
    with pytest.raises(PageError, match=name):
        read_page(FOLDER / name)


@needs_scans
def test_two_rows_are_read_when_their_names_are_given() -> None:
    record = read_page(FOLDER / "ecg00008.jpg", leads=["V4", "V5"]).record
    assert record.leads == ("V4", "V5")
    assert record.duration_s > 3
