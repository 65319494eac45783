"""What the device that made a recording measured and said: shown to people, never used for answers.

An ecglm answer rests on the signal; a device's own reading would make it a copy of that
device's opinion. Knows no format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.records.channels import clean

MAX_STATEMENTS = 50
_PERSON = re.compile(
    r"\b(?:confirm|review|sign|edit|over-?read|read|interpret|refer|validat|verif|approv|order|request|perform|acquir)"
    r"\w*\s+(?:electronically\s+)?(?:by|on|for)\b|\b(?:dr|md|physician|tech\w*|operator|doctor|patient(?:\s+id)?|name)"
    r"\s*[.:]|\bm\.?d\.?$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b\d{1,2}(?:[-./]\d{1,2}[-./]|[-./ ][a-z]{3,9}[-./ ])\d{2,4}\b(?:,?\s+\d{1,2}:\d{2}(?::\d{2})?)?"
    r"|\b\d{4}[-./]\d{1,2}[-./]\d{1,2}(?!\d)(?:[t,]?\s*\d{1,2}:\d{2}(?::\d{2})?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """The device's average (or representative) beat: float32 millivolts ``[lead, time]``, Hz, one name per row."""

    signal: NDArray[np.float32]
    fs: float
    leads: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CartReading:
    """The measurements, statements and median beat that the recording device stored, None where it did not.

    Rate in beats per minute, times in ms, axes in degrees of the frontal plane. statements
    are the device's words, one line each, without lines that name people and without dates.
    """

    heart_rate_bpm: float | None = None
    rr_ms: float | None = None
    p_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qtc_ms: float | None = None
    p_axis_deg: float | None = None
    qrs_axis_deg: float | None = None
    t_axis_deg: float | None = None
    statements: tuple[str, ...] = ()
    median: MedianBeat | None = None

    def measured(self) -> dict[str, float]:
        """The stored measurements by field name."""
        return {
            key: value for key, value in vars(self).items() if key not in ("statements", "median") and value is not None
        }

    def to_dict(self) -> dict[str, Any]:
        """The ``cart`` object of ``ecglm info --json``."""
        median = None
        if self.median is not None:
            n_samples = self.median.signal.shape[1]
            median = {"leads": list(self.median.leads), "fs": self.median.fs, "n_samples": n_samples}
        return {**self.measured(), "statements": list(self.statements), "median_beat": median}


#: Values outside these ranges are codes for "not measured" (29999, -1, 0, 65535), or damage.
_RANGES = {"bpm": (5.0, 600.0), "ms": (1.0, 10_000.0), "deg": (-360.0, 360.0)}


def cart_reading(
    measured: dict[str, float | None], statements: Iterable[str] = (), median: MedianBeat | None = None
) -> CartReading | None:
    """A reading of what a file holds, or None when that is nothing. Impossible values are dropped."""
    kept: dict[str, Any] = {}
    for name, value in measured.items():
        low, high = _RANGES[name.rpartition("_")[2]]
        if value is not None and low <= value <= high:
            kept[name] = round(float(value), 3)
    said = _statements(statements)
    if not kept and not said and median is None:
        return None
    return CartReading(**kept, statements=said, median=median)


def _statements(texts: Iterable[str]) -> tuple[str, ...]:
    """One-line statements without people and dates, in order and without repeats."""
    said: dict[str, None] = {}
    for text in islice(texts, 20 * MAX_STATEMENTS):
        line = _DATE.sub("(date)", clean(text, 160))
        if any(c.isalpha() for c in line) and not _PERSON.search(line):
            said.setdefault(line)
        if len(said) == MAX_STATEMENTS:
            break
    return tuple(said)
