"""Recordings by way of a page: drawn, and opened as `ecglm ask` opens it, for benchmarks that want images."""

from __future__ import annotations

import os
from typing import Any

from ecglm.paper import render
from ecglm.records.record import Record


def read_back(image: str | os.PathLike[str] | bytes | Any) -> Record:
    """The recording on an image, or what stands for a page that can only be looked at. Raises PageError for a page that is
    refused."""
    from ecglm.inference import open_page

    return open_page(image)


def through_page(record: Record, preset: str, seed: int = 0) -> Record:
    """A recording drawn as a 3x4 page with a rhythm strip, distorted by a preset ("none", "scan", "photo"), and read back."""
    return read_back(render(record, layout="3x4+1R", seed=seed, distort=preset).image)
