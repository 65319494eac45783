"""Discontinuous EDF+D and BDF+D: where each data record lies in time, and the samples on a time line with gaps.

Standard: https://www.edfplus.info/specs/edfplus.html, 2.2.4: the first annotation of every data record is its onset.
pyedflib does not open these files, so samples are scaled here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.blocks import Blocks
from ecglm.records.channels import clean
from ecglm.records.record import FloatArray

_ONSET = re.compile(rb"([+-]\d{1,9}(?:\.\d{0,9})?)\x14")
_ONSET_BYTES = 24
_MAX_RECORDS = 1_000_000  # ten times as many as seconds in a day
_BLOCK = 1 << 20  # samples scaled at a time
_DAMAGED = "it is damaged; export it again"


class Piece(NamedTuple):
    """A run of data records without a gap: its first sample as stored, its first on the time line, and how many."""

    stored: int
    begin: int
    length: int


def scale_of(texts: Sequence[bytes], path: str, lead: str) -> tuple[float, float]:
    """Physical units of one step and of the stored 0, from the header's physical minimum and maximum, digital minimum
    and maximum. Raises ReadError.
    """
    try:
        low, high, digital_low, digital_high = (float(text.decode("ascii").strip()) for text in texts)
        step = (high - low) / (digital_high - digital_low)
    except (UnicodeDecodeError, ValueError, ArithmeticError):
        step = 0.0
    if not step or not math.isfinite(step) or not math.isfinite(digital_low * step):
        raise ReadError(path, f"the limits of lead {clean(lead)} give no amplitude step", "the header is damaged; get it again")
    return step, low - digital_low * step


def onsets(records_RB: NDArray[np.uint8], at: int, size: int, path: str) -> list[float]:
    """Seconds at which each data record begins, from the annotation signal of so many bytes at byte `at`."""
    if len(records_RB) > _MAX_RECORDS:
        raise ReadError(path, f"it has {len(records_RB)} data records, the limit is {_MAX_RECORDS}", "export a part of it")
    seconds: list[float] = []
    for row in records_RB[:, at : at + min(size, _ONSET_BYTES)]:
        found = _ONSET.match(row.tobytes())
        if found is None:
            raise ReadError(path, f"its data record {len(seconds) + 1} does not say when it begins", _DAMAGED)
        seconds.append(float(found[1]))
    return seconds


def pieces(seconds: Sequence[float], fs: float, per_record: int, path: str) -> list[Piece]:
    """The runs, each at its nearest sample. Raises ReadError where records overlap or go back in time."""
    found: list[Piece] = []
    first = end = 0  # of the run that grows: its first record, and where it ends so far
    for place, onset in enumerate([*seconds, math.inf]):
        begin = round((onset - seconds[0]) * fs) if math.isfinite(onset) else end + 2
        if begin < end - 1:
            raise ReadError(path, f"its data record {place + 1} begins before the one before it ends", _DAMAGED)
        if begin > end + 1:  # one sample is what rounding and clocks are off by
            length = (place - first) * per_record
            found.append(Piece(first * per_record, end - length, length))
            first, end = place, begin
        end += per_record
    return found


def fill(blocks: Blocks, runs: Sequence[Piece], step: float, origin: float, first: int, out_T: FloatArray) -> None:
    """Physical values of the samples first .. first + out's length of the time line, NaN in gaps."""
    out_T[:] = np.nan
    last = first + len(out_T)
    for stored, begin, length in runs:
        low, high = max(first, begin), min(last, begin + length)
        for at in range(low, high, _BLOCK):
            end = min(at + _BLOCK, high)
            with np.errstate(over="ignore"):
                out_T[at - first : end - first] = blocks[stored + at - begin : stored + end - begin] * step + origin
