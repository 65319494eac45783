"""Recordings by way of a page: drawn, and opened as `ecglm ask` opens it, for benchmarks that want images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecglm.paper import render
from ecglm.paper.layout import plan
from ecglm.records.record import Record


def shown_on(record: Record, layout: str, strips: Sequence[str] | None = None) -> Record:
    """What a page of a layout ("3x4+1R") shows of a recording: all else of it is NaN. strips: leads that are shown throughout;
    None: those of the layout."""
    signal = np.full_like(record.signal, np.nan)
    for cell in plan(record.leads, layout, strips):
        row, (start, stop) = record.leads.index(cell.lead), (round(share * record.n_samples) for share in (cell.start, cell.stop))
        signal[row, start:stop] = record.signal[row, start:stop]
    return replace(record, signal=signal)


def read_back(image: str | os.PathLike[str] | bytes | Any) -> Record:
    """The recording on an image, or what stands for a page that can only be looked at. Raises PageError for a page that is
    refused."""
    from ecglm.inference import open_page

    return open_page(image)


def through_page(record: Record, preset: str, seed: int = 0) -> Record:
    """A recording drawn as a 3x4 page with a rhythm strip, distorted by a preset ("none", "scan", "photo"), and read back."""
    return read_back(render(record, layout="3x4+1R", seed=seed, distort=preset).image)
