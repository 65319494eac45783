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
from ecglm.records.vocabulary import DATE, is_report

MAX_STATEMENTS = 50
MAX_CHARACTERS = 160
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
    are the device's words, one line each, made of nothing but words of ECG reports; withheld
    is the number of lines that hold anything else (people, numbers, unknown words).
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
    withheld: int = 0
    median: MedianBeat | None = None

    def measured(self) -> dict[str, float]:
        """The stored measurements by field name."""
        others = ("statements", "withheld", "median")
        return {key: value for key, value in vars(self).items() if key not in others and value is not None}

    def to_dict(self) -> dict[str, Any]:
        """The ``cart`` object of ``ecglm info --json``."""
        median = None
        if self.median is not None:
            n_samples = self.median.signal.shape[1]
            median = {"leads": list(self.median.leads), "fs": self.median.fs, "n_samples": n_samples}
        said = {"statements": list(self.statements), "withheld": self.withheld}
        return {**self.measured(), **said, "median_beat": median}


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
    said, withheld = _statements(statements)
    if not kept and not said and not withheld and median is None:
        return None
    return CartReading(**kept, statements=said, withheld=withheld, median=median)


def _statements(texts: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """One-line statements in order and without repeats, and how many lines are withheld.

    Only what is_report knows is kept: no list of titles, names and forms of dates is complete.
    """
    said: dict[str, None] = {}
    withheld = 0
    for text in islice(texts, 20 * MAX_STATEMENTS):
        if len(said) == MAX_STATEMENTS:
            break
        whole = text[: 8 * MAX_CHARACTERS]
        # A text of several lines is wrapped, or a list of which a line may name somebody.
        parts = [whole] if _shown(whole) else whole.splitlines()
        for part in parts:
            line = _shown(part)
            if line:
                said.setdefault(line)
            elif any(c.isalnum() for c in part):
                withheld += 1
    return tuple(said)[:MAX_STATEMENTS], withheld


def _shown(text: str) -> str:
    """The line without its dates when it is a statement, else nothing."""
    line = _DATE.sub(DATE, clean(text, 2 * MAX_CHARACTERS))
    return line[:MAX_CHARACTERS] if is_report(line) else ""
