"""Windows of a recording → minutes at one rate, each judged: what can be read of which lead, and why the rest cannot.

The minutes, and the samples at FS, lie on a grid of the whole recording: how long the windows are that are read from disk
changes neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.records.windows import Windows
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.quality import USABLE, assess
from ecglm.signal.resample import rational_ratio, resample

#: Rate (Hz) at which long recordings are analysed, and its samples in a minute.
FS, MINUTE = 250.0, 15000
#: A rest of the recording shorter than this (s) belongs to the minute before.
SHORTEST_REST_S = 10.0
#: A lead that stands still for as long (s) has no signal there, whatever its level.
HELD_S = 1.0
#: Read (s) on either side of a window for the filter that changes the rate.
MARGIN_S = 2.0
#: Most samples of all leads in a window: many leads at a high rate are read in shorter windows.
WINDOW_SAMPLES = 16 << 20


@dataclass(frozen=True, eq=False)
class Minute:
    """A minute of a recording (the last may be longer or shorter). signal_LT: float32 at FS, missing where the file has no
    samples or a lead stands still; quality_L; verdict: why none of it can be read, or None."""

    signal_LT: NDArray[np.float32]
    quality_L: FloatArray
    verdict: str | None

    @property
    def usable_L(self) -> BoolArray:
        """Which leads can be read."""
        usable: BoolArray = self.quality_L >= USABLE
        return usable if self.verdict is None else np.zeros_like(usable)


def count(windows: Windows) -> int:
    """Minutes of a recording."""
    whole, rest = divmod(windows.duration_s, 60.0)
    return max(1, int(whole) + (rest >= SHORTEST_REST_S))


def read_minutes(windows: Windows, window_s: float) -> Iterator[Minute]:
    """All minutes in order, from windows of about window_s. Raises ReadError."""
    total, fs = count(windows), windows.first.fs
    each = int(min(window_s, WINDOW_SAMPLES / (fs * len(windows.first.leads))) // 60)
    for first in range(0, total, max(1, each)):
        yield from _read(windows, first, min(total, first + max(1, each)), total)


def _read(windows: Windows, first: int, last: int, total: int) -> Iterator[Minute]:
    """Minutes first .. last of total, by one call of the reader."""
    fs = windows.first.fs
    ratio = rational_ratio(fs, FS)
    end = round(windows.duration_s * fs)

    def native(minute: int) -> int:
        return round(minute * MINUTE / ratio) if minute < total else end

    # The window begins where a sample of the file and one at FS coincide, so that both grids stay those of the whole.
    begin = int(max(0.0, native(first) - MARGIN_S * fs)) // ratio.denominator * ratio.denominator
    stop = min(end, native(last) + round(MARGIN_S * fs))
    record = windows.read(begin / fs, (stop - begin) / fs)
    live = blanked(record.signal, fs)
    at_fs = resample(live, fs, FS).astype(np.float32)
    offset = int(begin * ratio)
    for minute in range(first, last):
        part = record.signal[:, native(minute) - begin: native(minute + 1) - begin]
        judged = assess(Record(part, fs, record.leads, record.unit))
        place = slice(minute * MINUTE - offset, (minute + 1) * MINUTE - offset if minute + 1 < total else None)
        yield Minute(at_fs[:, place], np.array([judged.quality[lead] for lead in record.leads]), judged.verdict)


def blanked(signal_LT: NDArray[np.float32], fs: float) -> NDArray[np.float32]:
    """The signal with NaN where a lead stands still for HELD_S or longer; the signal itself when none does."""
    least = max(2, round(HELD_S * fs))
    out = signal_LT
    for row, lead in enumerate(signal_LT):
        still = np.zeros(len(lead) + 1, np.int8)
        np.equal(lead[1:], lead[:-1], out=still[1:-1], casting="unsafe")
        change = np.flatnonzero(np.diff(still))
        starts, stops = change[::2], change[1::2] + 1
        for start, stop in zip(starts[stops - starts >= least], stops[stops - starts >= least], strict=True):
            out = signal_LT.copy() if out is signal_LT else out
            out[row, start:stop] = np.nan
    return out
