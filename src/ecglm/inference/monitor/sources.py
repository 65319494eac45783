"""Where blocks of samples come from: a recording of any length, or raw samples that arrive on a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError, UsageError, argument
from ecglm.records.record import FS_RANGE
from ecglm.records.windows import Windows

#: Read from a file at once (s).
CHUNK_S = 600.0
#: Raw formats: type of a sample, little-endian, and how many units are a millivolt unless told.
FORMATS: dict[str, tuple[str, float]] = {"f32": ("<f4", 1.0), "i16": ("<i2", 200.0)}
#: What WFDB and many recorders write where there is no sample.
_MISSING_I16 = -32768


@dataclass
class Stream:
    """Blocks of float32 ``[lead, time]`` (mV) at fs (Hz), in order of time, as long as `length` samples but the last.

    start: when the first sample was taken, None where not known. begin_s: where in its file it begins. notes: what was wrong with
    the stream, filled while it is read.
    """

    name: str
    leads: tuple[str, ...]
    fs: float
    length: int
    blocks: Iterator[NDArray[np.float32]]
    start: datetime | None = None
    begin_s: float = 0.0
    notes: list[str] = field(default_factory=list)


def from_windows(windows: Windows, step_s: float) -> Stream:
    """The blocks of a recording. A file that ends before its header says gives the blocks until there, and a note."""
    fs = windows.first.fs
    length = _length(step_s, fs)
    stream = Stream(windows.first.source or "recording", windows.first.leads, fs, length, iter(()), windows.first.start,
                    windows.begin_s)
    stream.blocks = _read(windows, length, stream.notes.append)
    return stream


def _length(step_s: float, fs: float) -> int:
    if not 10 <= step_s <= 60:
        raise UsageError(f"{argument('step', step_s)} s is outside 10-60 s")
    return round(step_s * fs)


def _read(windows: Windows, length: int, note: Callable[[str], None]) -> Iterator[NDArray[np.float32]]:
    fs = windows.first.fs
    total = round(windows.duration_s * fs)
    begin, each = 0, max(1, int(CHUNK_S * fs / length)) * length
    while begin < total:
        stop = min(total, begin + each)
        try:
            signal = windows.read(begin / fs, (stop - begin) / fs).signal
        except ReadError as problem:
            if each > length:  # it may be whole for a while yet
                each = length
                continue
            if not begin:
                raise
            note(f"reading ended at {begin / fs:.0f} s: {problem}")
            return
        for first in range(0, signal.shape[1], length):
            yield signal[:, first:first + length]
        begin = stop


def from_raw(pipe: BinaryIO, leads: Sequence[str], fs: float, step_s: float, kind: str = "f32", gain: float | None = None,
             name: str = "-") -> Stream:
    """Samples as they arrive, all leads of one moment after the other. kind: one of FORMATS; gain: units per mV. NaN, and -32768
    in i16, are missing samples. A stream that ends within a moment gives what was whole, and a note; one without any sample
    raises ReadError when it is read."""
    if kind not in FORMATS:
        raise UsageError(f"{argument('format', kind)} is unknown; use {' or '.join(FORMATS)}")
    if not all(leads) or not leads or len(set(leads)) < len(leads):
        raise UsageError(f"{argument('leads', list(leads))} must name every lead of the stream, each once")
    if not FS_RANGE[0] <= fs <= FS_RANGE[1]:
        raise UsageError(f"{argument('fs', fs)} Hz is outside {FS_RANGE[0]:g}-{FS_RANGE[1]:g}")
    units = FORMATS[kind][1] if gain is None else gain
    if not (np.isfinite(units) and units > 0):
        raise UsageError(f"{argument('gain', gain)} must be a positive number of units per mV")
    length = _length(step_s, fs)
    stream = Stream(name, tuple(leads), float(fs), length, iter(()))
    stream.blocks = _some(_arriving(pipe, len(leads), length, np.dtype(FORMATS[kind][0]), units, stream.notes.append), name)
    return stream


def _some(blocks: Iterator[NDArray[np.float32]], name: str) -> Iterator[NDArray[np.float32]]:
    """The same. Raises ReadError where there is none."""
    empty = True
    for block in blocks:
        empty = False
        yield block
    if empty:
        raise ReadError(name, "not one sample arrived", "pipe raw samples of all leads to it")


def _arriving(pipe: BinaryIO, leads: int, length: int, kind: np.dtype[np.generic], units: float,
              note: Callable[[str], None]) -> Iterator[NDArray[np.float32]]:
    moment = leads * kind.itemsize
    wanted = length * moment
    while True:
        held = bytearray()
        while len(held) < wanted and (more := pipe.read(wanted - len(held))):
            held += more
        if rest := len(held) % moment:
            note(f"the stream ended in the middle of a sample: its last {rest} bytes are left out")
        raw = np.frombuffer(bytes(held[:len(held) - rest]), kind).reshape(-1, leads).T
        if raw.shape[1]:
            with np.errstate(invalid="ignore", over="ignore"):  # a signalling NaN is a missing sample as well
                signal = (raw / np.float32(units)).astype(np.float32)
            missing = raw == _MISSING_I16 if kind.kind == "i" else ~np.isfinite(signal)
            yield np.where(missing, np.float32(np.nan), signal)
        if len(held) < wanted:
            return
