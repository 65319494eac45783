"""Pages of the demo's recording are answered as the recording is, and docs/read_back.md says what they are."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import pytest

import ecglm
from ecglm.errors import CheckpointError
from ecglm.models import base
from ecglm.paper.digitize import ReadPage

DOCS = Path(__file__).resolve().parents[1] / "docs"
sys.path.insert(0, str(DOCS))

import write_read_back as written  # noqa: E402

read = cache(written.read)


def test_the_page_is_up_to_date() -> None:
    try:
        base.resolve("smollm2-135m", progress=False)
    except CheckpointError as error:
        pytest.skip(f"the base language model is not here and could not be fetched: {error}")
    now, then = (re.sub(r"\d+", "0", text) for text in (written.page(read()), written.PAGE.read_text(encoding="utf-8")))
    assert now == then, "run `make docs`"  # another processor may round otherwise
    assert written.PICTURE.stat().st_size < 600_000


def test_a_photo_measures_as_its_recording_or_says_that_it_cannot() -> None:
    whole = ecglm.measure(written.recording())
    for preset, one in read().items():
        if isinstance(one, ReadPage):
            found = ecglm.measure(one.record)
            assert abs(found.heart_rate.value - whole.heart_rate.value) < 2, preset
            assert abs(found.qrs.value - whole.qrs.value) < 10, preset
        else:
            assert preset in ("heavy", "photo")
            assert one.reason
