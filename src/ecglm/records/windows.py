"""`open_windows`: a recording of any length as windows, read one by one.

Formats of `WINDOWED` are read from disk window by window; any other file is read once, within the limits of `read`, and
cut in memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.reader import read, read_request
from ecglm.records.record import Record, checked_record
from ecglm.records.request import Request, make_request, read_a_part

#: Formats whose readers take a window from disk without decoding the rest.
WINDOWED = frozenset({"wfdb", "edf", "bdf", "gdf", "ishne", "mfer"})
#: Longest recording (days) that is gone through from beginning to end; patches last two weeks, and a clock that was set while it
#: recorded leaves a gap of years.
MAX_DAYS = 31
#: Read (s) to learn the format and the leads.
_LOOK_S = 1.0


@dataclass(frozen=True, eq=False)
class Windows:
    """A recording, or the stretch of it that was asked for. Times are seconds from its beginning.

    first: how it begins, a second of it (for leads, fs, start, meta). whole: all of it, where it had to be read at once.
    begin_s: where in the file it begins. options: further arguments of `read`.
    """

    duration_s: float
    first: Record
    whole: Record | None = None
    begin_s: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)

    def read(self, start_s: float, duration_s: float) -> Record:
        """A window with the leads of `first`, shorter where the recording ends. Raises ReadError."""
        if self.whole is not None:
            return self.whole.crop(start_s, duration_s)
        duration_s = min(duration_s, self.duration_s - start_s)
        part = read(self.first.source, **self.options, start_s=self.begin_s + start_s, duration_s=duration_s)
        if part.leads == self.first.leads:
            return part
        # Of channels of one name those alike in a window are one; which are, may differ from window to window.
        signal = np.full((len(self.first.leads), part.n_samples), np.nan, np.float32)
        for row, lead in enumerate(self.first.leads):
            if lead in part.leads:
                signal[row] = part.lead(lead)
        return replace(part, signal=signal, leads=self.first.leads)

    def until(self, stop_s: float) -> Windows:
        """The same up to stop_s: nothing after it can be read any more."""
        stop_s = min(stop_s, self.duration_s)
        return replace(self, duration_s=stop_s, whole=None if self.whole is None else self.whole.crop(0, stop_s))


def open_windows(
    recording: str | os.PathLike[str] | Record,
    *,
    start_s: float | None = None,
    duration_s: float | None = None,
    leads: Sequence[str] | str | None = None,
    fs: float | None = None,
    unit: str | None = None,
    record: str | int | None = None,
) -> Windows:
    """The windows of a file (arguments as in `read`, whose limit of 24 hours does not apply to `WINDOWED` formats) or of a
    Record, which takes no further arguments. Raises ReadError as `read` does, and for more than MAX_DAYS."""
    if not isinstance(recording, (str, os.PathLike)):
        whole = checked_record(recording)
        return Windows(whole.duration_s, whole.crop(0, _LOOK_S), whole)
    options = {"leads": leads, "fs": fs, "unit": unit, "record": record}
    total_s = length_s(recording, start_s=start_s, duration_s=duration_s, **options)  # type: ignore[arg-type]
    if total_s > MAX_DAYS * 86400:
        raise ReadError(os.fspath(recording), f"it lasts {total_s / 86400:.6g} days from first to last sample, the limit is "
                        f"{MAX_DAYS}: its clock may have jumped", read_a_part())
    look_s = min(_LOOK_S, total_s)
    first = read(recording, start_s=start_s, duration_s=look_s, **options)  # type: ignore[arg-type]
    if first.format in WINDOWED:
        return Windows(total_s, first, None, start_s or 0.0, options)
    whole = read(recording, start_s=start_s, duration_s=duration_s, **options)  # type: ignore[arg-type]
    return Windows(whole.duration_s, first, whole, start_s or 0.0)


def length_s(
    path: str | os.PathLike[str],
    *,
    start_s: float | None = None,
    duration_s: float | None = None,
    leads: Sequence[str] | str | None = None,
    fs: float | None = None,
    unit: str | None = None,
    record: str | int | None = None,
) -> float:
    """How many seconds `read` with these arguments would give if it had no limits; no signal is decoded of `WINDOWED`
    formats. Raises ReadError as `read` does."""
    asked = make_request(os.fspath(path), start_s, duration_s, leads, fs, unit, record)
    try:
        found = read_request(_LengthRequest(**{name: getattr(asked, name) for name in Request.__slots__}))
    except _KnownError as known:
        return known.seconds
    return found.duration_s


class _KnownError(Exception):
    """The length of a file, on its way out of a reader."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _LengthRequest(Request):
    """A request that wants nothing but the length, which every reader knows when it asks for its window."""

    __slots__ = ()

    def window(self, fs: float, n_samples: int, n_leads: int) -> tuple[int, int]:
        self.check_rate(fs)
        rest = n_samples - round((self.start_s or 0.0) * fs)
        if rest <= 0:
            return Request.window(self, fs, n_samples, n_leads)  # raises: there is nothing to read
        raise _KnownError(rest / fs if self.duration_s is None else min(rest / fs, self.duration_s))
