"""The signal files of one WFDB record → millivolts, rows of float32.

Knows channels, files and windows; nothing about segments, lead names or notes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.record import FloatArray
from ecglm.records.request import file_inside
from ecglm.records.wfdb_decode import (
    FLAC_FORMATS,
    FORMATS,
    IntArray,
    byte_count,
    check_raw,
    read_flac,
    read_frames,
    value_count,
)
from ecglm.records.wfdb_header import Channel, Header

_BLOCK_VALUES = 1 << 18  # samples decoded at a time: bounds the memory used beside the result
_FLAC_VALUES = 1 << 22  # opening a stream and seeking in it is dear
_EXACT = 1 << 24  # whole numbers up to here are exact in float32


def read_channels(
    channels: Sequence[Channel],
    rows: Sequence[int],
    per_mv: Sequence[float],
    folder: str,
    path: str,
    total: int,
    first: int,
    out_LT: FloatArray,
) -> None:
    """Decode the channels `rows`, frames first .. first + out's length, into out in mV."""
    files = [channel.file for channel in channels]
    for name in dict.fromkeys(files):
        places = [place for place, row in enumerate(rows) if files[row] == name]
        if not places:
            continue
        group, picked, factors = channels, rows, per_mv
        if len(places) < len(rows) or files.count(name) < len(files):
            members = [index for index, file in enumerate(files) if file == name]
            group = [channels[index] for index in members]
            picked = [members.index(rows[place]) for place in places]
            factors = [per_mv[place] for place in places]
        _read_file(group, picked, places, factors, file_inside(folder, name, path), path, total, first, out_LT)


def _read_file(
    group: Sequence[Channel],
    picked: Sequence[int],
    places: Sequence[int],
    per_mv: Sequence[float],
    file: str,
    path: str,
    total: int,
    first: int,
    out_LT: FloatArray,
) -> None:
    """Decode the picked channels of one signal file into the rows `places` (ascending) of out, block by block."""
    fmt, offset = group[0].fmt, group[0].offset
    storage = FORMATS.get(fmt) or FLAC_FORMATS.get(fmt)
    if storage is None:
        raise ReadError(path, f"its storage format {fmt} is not a WFDB format", "correct the header")
    if {channel.fmt for channel in group} != {fmt}:
        raise ReadError(path, f"it gives several storage formats for {os.path.basename(file)}", "correct the header")
    frame = sum([channel.per_frame for channel in group])
    skew = max([group[index].skew for index in picked])
    if skew > total:
        raise ReadError(path, f"its skew of {skew} samples is longer than the record", "correct the header")
    count = out_LT.shape[1]
    fd = open_signal(file, path)
    try:
        have = os.fstat(fd).st_size
        if fmt in FORMATS:
            need = offset + byte_count(fmt, total * frame)
            if have < need:
                raise ReadError(
                    path,
                    f"its signal file {os.path.basename(file)} has {have} bytes where the header promises {need}",
                    "it was cut short; get it again",
                )
        # Format 8 has to be summed from its start, so it is taken in one piece.
        step = max(1, count if fmt == 8 else (_FLAC_VALUES if fmt in FLAC_FORMATS else _BLOCK_VALUES) // frame)
        for begin in range(0, count, step):
            out_part = out_LT if step >= count else out_LT[:, begin : begin + step]
            at = first + begin
            # Skewed channels read on; what would lie past the end is missing.
            n_frames = min(at + out_part.shape[1] + skew, total) - at
            if fmt in FLAC_FORMATS:
                data_NF = _read_flac_frames(file, path, group, at, n_frames)
            elif fmt == 8:
                data_NF = _read_format_8(fd, path, group, at, n_frames)
            else:
                data_NF = read_frames(fd, fmt, offset, frame, at, n_frames)
            with np.errstate(over="ignore"):  # an absurd gain gives infinities, which Record makes missing
                _to_physical(data_NF, group, picked, places, per_mv, storage.missing, skew, out_part)
    finally:
        os.close(fd)


def _read_flac_frames(file: str, path: str, group: Sequence[Channel], first: int, count: int) -> IntArray:
    """Frames of a FLAC file in the order of other formats: a stream has one row per sample, not per frame."""
    n = group[0].per_frame
    if any(channel.per_frame != n for channel in group):
        raise ReadError(path, "its FLAC signal file mixes samples per frame", "correct the header")
    data_NC = read_flac(file, path, group[0].fmt, len(group), group[0].offset, first * n, count * n)
    if n == 1:
        return data_NC
    return data_NC.reshape(count, n, len(group)).transpose(0, 2, 1).reshape(count, n * len(group))


def _read_format_8(fd: int, path: str, group: Sequence[Channel], first: int, count: int) -> IntArray:
    if any(channel.per_frame != 1 for channel in group):
        raise ReadError(path, "format 8 with several samples per frame is not read", "convert it with xform")
    check_raw(path, (first + count) * len(group))
    initial = [channel.initial for channel in group]
    return read_frames(fd, 8, group[0].offset, len(group), first, count, initial)


def _to_physical(
    data_NF: IntArray,
    group: Sequence[Channel],
    picked: Sequence[int],
    places: Sequence[int],
    per_mv: Sequence[float],
    missing: int | None,
    skew: int,
    out_LT: FloatArray,
) -> None:
    # float32 division of exact numbers rounds once, as float64 division then float32 does
    # (double rounding is harmless: 53 >= 2 * 24 + 2), so it may be used where inputs are exact.
    if skew == 0 and data_NF.dtype.itemsize <= 2 and data_NF.shape[1] == len(group) and len(picked) == len(out_LT):
        gains = [group[index].gain for index in picked]
        baselines = [group[index].baseline for index in picked]
        exact_L = np.array(gains, np.float32)
        small = max(baselines) < _EXACT // 2 and min(baselines) > -_EXACT // 2
        if small and set(per_mv) == {1.0} and exact_L.tolist() == gains:
            # No temporary arrays: fresh memory costs more than the arithmetic (a page fault per 4 kB).
            part_NL = data_NF if list(picked) == list(range(len(group))) else data_NF[:, picked]
            np.copyto(out_LT, part_NL.T)
            if any(baselines):
                out_LT -= np.array(baselines, np.float32)[:, None]
            out_LT /= exact_L[:, None]
            if missing is not None and part_NL.min() == missing:
                out_LT[np.equal(part_NL.T, missing)] = np.nan
            return
    count = out_LT.shape[1]
    begins = np.concatenate([[0], np.cumsum([channel.per_frame for channel in group])]).tolist()
    for index, place, factor in zip(picked, places, per_mv, strict=True):
        channel = group[index]
        part_NK = data_NF[channel.skew : channel.skew + count, begins[index] : begins[index + 1]]
        if channel.per_frame == 1:
            value_N = part_NK[:, 0]
            gap_N = value_N == missing
        else:
            # wfdb averages digital samples and stores the mean in an integer, towards zero
            value_N = np.trunc(part_NK.sum(axis=1, dtype=np.int64) / channel.per_frame).astype(np.int64)
            gap_N = (part_NK == missing).any(axis=1)
        physical_N = (value_N.astype(np.float64) - channel.baseline) / channel.gain
        if factor != 1.0:
            physical_N /= factor
        if missing is not None and gap_N.any():
            physical_N[gap_N] = np.nan
        out_LT[place, : len(physical_N)] = physical_N
        out_LT[place, len(physical_N) :] = np.nan


def open_signal(file: str, path: str) -> int:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ReadError(
            path, f"its signal file {os.path.basename(file)} is missing", "put it beside the header"
        ) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ReadError(path, f"its signal file {os.path.basename(file)} is not a regular file", "correct the header")
    return fd


def _size(file: str, path: str) -> int:
    fd = open_signal(file, path)
    try:
        return os.fstat(fd).st_size
    finally:
        os.close(fd)


def infer_length(header: Header, folder: str, path: str) -> int:
    """Frames in the first signal file, for a header that does not state the length."""
    lead = header.channels[0]
    frame = sum(channel.per_frame for channel in header.channels if channel.file == lead.file)
    file = file_inside(folder, lead.file, path)
    size = _size(file, path)
    if lead.fmt in FLAC_FORMATS:
        import soundfile

        try:
            frames = soundfile.info(file).frames
        except (RuntimeError, TypeError, ValueError):
            raise ReadError(path, "its FLAC signal file cannot be decoded", "it is damaged; get it again") from None
        return max(0, int(frames) - lead.offset) // lead.per_frame
    if lead.fmt not in FORMATS:
        raise ReadError(path, f"its storage format {lead.fmt} is not a WFDB format", "correct the header")
    return value_count(lead.fmt, max(0, size - lead.offset)) // frame
