"""WFDB records (PhysioNet): header + signal files → Record.

Single- and multi-segment, one or several signal files, any window without reading the
rest. Physical values equal those of ``wfdb.rdrecord`` rounded to float32. Several
samples per frame are averaged to the frame rate as ``smooth_frames=True`` does there;
a frame with a missing sample is missing (wfdb averages the marker in).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.channels import Selection, choose, finish, unit_per_mv
from ecglm.records.record import FloatArray, Record, Unit
from ecglm.records.request import Request, file_inside
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
from ecglm.records.wfdb_header import Channel, Header, parse_header, patient

MAX_HEADER_BYTES = 16 << 20
_EXACT = 1 << 24  # whole numbers up to here are exact in float32


def read_wfdb(request: Request, text: str) -> Record:
    """The record whose header has this text. Raises ReadError."""
    request.refuse_overrides("a WFDB header")
    path = request.path
    folder = os.path.dirname(path)
    header = parse_header(text, path)
    request.check_rate(header.fs)
    if header.segments:
        signal, leads, unit, notes, first = _read_segments(request, header, folder)
    else:
        if not header.channels:
            raise ReadError(path, "its header describes no signal", "it has annotations or a layout only")
        names = [channel.name for channel in header.channels]
        selection = choose(request, names, [channel.unit for channel in header.channels])
        total = header.n_samples or _infer_length(header, folder, path)
        first, count = request.window(header.fs, total, len(selection.rows))
        signal = np.empty((len(selection.rows), count), np.float32)
        _read_channels(header.channels, selection.rows, selection.per_mv, folder, path, total, first, signal)
        signal, leads, notes = finish(request, signal, selection, header.notes)
        unit = selection.unit
    start = header.start
    if start is not None and first:
        start += timedelta(seconds=first / header.fs)
    return Record(
        signal,
        header.fs,
        leads,
        unit=unit,
        start=start,
        meta=patient(header.comments),
        source=path,
        format="wfdb",
        notes=notes,
    )


def _read_channels(
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
    by_file: dict[str, list[int]] = {}
    for index, channel in enumerate(channels):
        by_file.setdefault(channel.file, []).append(index)
    place = {row: position for position, row in enumerate(rows)}
    for name, members in by_file.items():
        wanted = [index for index in members if index in place]
        if wanted:
            group = [channels[index] for index in members]
            picked = [
                index - members[0] if members[-1] - members[0] == len(members) - 1 else members.index(index)
                for index in wanted
            ]
            _read_file(
                group,
                picked,
                [place[index] for index in wanted],
                [per_mv[place[index]] for index in wanted],
                file_inside(folder, name, path),
                path,
                total,
                first,
                out_LT,
            )


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
    """Decode the picked channels of one signal file into the rows `places` of out."""
    lead = group[0]
    fmt, offset = lead.fmt, lead.offset
    storage = FORMATS.get(fmt) or FLAC_FORMATS.get(fmt)
    if storage is None:
        raise ReadError(path, f"its storage format {fmt} is not a WFDB format", "correct the header")
    per_frame = [channel.per_frame for channel in group]
    if any(channel.fmt != fmt for channel in group):
        raise ReadError(path, f"it gives several storage formats for {os.path.basename(file)}", "correct the header")
    frame = sum(per_frame)
    count = out_LT.shape[1]
    skew = max(group[index].skew for index in picked)
    if skew > total:
        raise ReadError(path, f"its skew of {skew} samples is longer than the record", "correct the header")
    last = min(first + count + skew, total)  # skewed channels read on; what is past the end is missing
    n_frames = last - first
    if fmt in FLAC_FORMATS:
        if any(n != per_frame[0] for n in per_frame):
            raise ReadError(path, "its FLAC signal file mixes samples per frame", "correct the header")
        _stat(file, path)
        check_raw(path, n_frames * frame * 4)
        n = per_frame[0]
        data_NC = read_flac(file, path, fmt, len(group), offset, first * n, n_frames * n)
        data_NF = (
            data_NC if n == 1 else data_NC.reshape(n_frames, n, len(group)).transpose(0, 2, 1).reshape(n_frames, frame)
        )
    else:
        need = offset + byte_count(fmt, total * frame)
        check_raw(path, byte_count(fmt, n_frames * frame) * 2 if fmt != 8 else byte_count(8, last * frame))
        fd = _open(file, path)
        try:
            have = os.fstat(fd).st_size
            if have < need:
                raise ReadError(
                    path,
                    f"its signal file {os.path.basename(file)} has {have} bytes where the header promises {need}",
                    "it was cut short; get it again",
                )
            data_NF = (
                _read_format_8(fd, group, frame, first, n_frames)
                if fmt == 8
                else read_frames(fd, fmt, offset, frame, first, n_frames)
            )
        finally:
            os.close(fd)
    _to_physical(data_NF, group, picked, places, per_mv, storage.missing, skew, out_LT)


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
    gains = [group[index].gain for index in picked]
    baselines = [group[index].baseline for index in picked]
    # float32 division of exact numbers rounds once, as float64 division then float32 does
    # (double rounding is harmless: 53 >= 2 * 24 + 2), so it may be used where inputs are exact.
    if (
        skew == 0
        and data_NF.dtype.itemsize <= 2
        and data_NF.shape[1] == len(group)
        and list(places) == list(range(len(out_LT)))
        and all(abs(b) < _EXACT >> 1 for b in baselines)
        and all(factor == 1.0 for factor in per_mv)
    ):
        gain_L = np.array(gains)
        exact_L = gain_L.astype(np.float32)
        if np.array_equal(gain_L, exact_L):
            # No temporary arrays: fresh memory costs more than the arithmetic (a page fault per 4 kB).
            part_NL = data_NF if len(picked) == len(group) else data_NF[:, picked]
            np.copyto(out_LT, part_NL.T)
            if any(baselines):
                out_LT -= np.array(baselines, np.float32)[:, None]
            out_LT /= exact_L[:, None]
            if part_NL.min() == missing:
                out_LT[part_NL.T == missing] = np.nan
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
        with np.errstate(over="ignore"):
            out_LT[place, : len(physical_N)] = physical_N
        out_LT[place, len(physical_N) :] = np.nan


def _read_format_8(fd: int, group: Sequence[Channel], frame: int, first: int, count: int) -> IntArray:
    if frame != len(group):
        raise ReadError(group[0].file, "format 8 with several samples per frame is not read", "convert it with xform")
    return read_frames(fd, 8, group[0].offset, frame, first, count, [channel.initial for channel in group])


def _open(file: str, path: str) -> int:
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


def _stat(file: str, path: str) -> int:
    fd = _open(file, path)
    try:
        return os.fstat(fd).st_size
    finally:
        os.close(fd)


def _infer_length(header: Header, folder: str, path: str) -> int:
    """Frames in the first signal file, for a header that does not state the length."""
    lead = header.channels[0]
    frame = sum(channel.per_frame for channel in header.channels if channel.file == lead.file)
    file = file_inside(folder, lead.file, path)
    size = _stat(file, path)
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


def _read_segments(
    request: Request, header: Header, folder: str
) -> tuple[FloatArray, tuple[str, ...], Unit, tuple[str, ...], int]:
    """Join the segments that the window touches. Gaps and channels that a segment lacks are NaN."""
    path = request.path
    segments = list(header.segments)
    total = sum(length for _, length in segments)
    if header.n_samples is not None and header.n_samples != total:
        raise ReadError(
            path,
            f"its header promises {header.n_samples} samples and its segments add up to {total}",
            "correct the header",
        )
    cache: dict[str, Header] = {}

    def load(name: str) -> Header:
        if name not in cache:
            cache[name] = _segment_header(name, folder, path, header.fs)
        return cache[name]

    variable = segments[0][1] == 0 and segments[0][0] != "~"
    named = [name for name, length in segments if name != "~" and (length or variable)]
    if not named:
        raise ReadError(path, "all its segments are empty", "get the record again")
    layout = load(named[0])
    selection = choose(
        request, [channel.name for channel in layout.channels], [channel.unit for channel in layout.channels]
    )
    first, count = request.window(header.fs, total, len(selection.rows))
    signal = np.full((len(selection.rows), count), np.nan, np.float32)
    at = 0
    for name, length in segments:
        begin, end = max(first, at), min(first + count, at + length)
        if name != "~" and begin < end:
            segment = load(name)
            if segment.n_samples is not None and segment.n_samples < length:
                raise ReadError(
                    path,
                    f"segment {name} has {segment.n_samples} samples where {length} are promised",
                    "it was cut short; get it again",
                )
            _fill(
                segment,
                layout,
                selection,
                variable,
                folder,
                path,
                begin - at,
                length,
                signal[:, begin - first : end - first],
            )
        at += length
        if at >= first + count:
            break
    signal, leads, notes = finish(request, signal, selection, (*header.notes, *layout.notes))
    return signal, leads, selection.unit, notes, first


def _fill(
    segment: Header,
    layout: Header,
    selection: Selection,
    variable: bool,
    folder: str,
    path: str,
    first: int,
    length: int,
    out_LT: FloatArray,
) -> None:
    """Decode one segment into its stretch of the record."""
    names = [channel.name for channel in segment.channels]
    if not variable and len(names) != len(layout.channels):
        raise ReadError(
            path,
            f"segment {segment.name} has {len(names)} signals where {len(layout.channels)} are promised",
            "correct the header",
        )
    rows, places, per_mv = [], [], []
    for place, row in enumerate(selection.rows):
        wanted = layout.channels[row].name
        source = row if not variable else names.index(wanted) if wanted in names else None
        if source is None:
            continue
        factor = unit_per_mv(segment.channels[source].unit) if selection.unit == "mV" else 1.0
        if factor is None:
            raise ReadError(
                path,
                f"segment {segment.name} gives {wanted} in {segment.channels[source].unit[:12]}, not a voltage",
                "correct the header",
            )
        rows.append(source)
        places.append(place)
        per_mv.append(factor)
    if rows:
        part = np.empty((len(rows), out_LT.shape[1]), np.float32)
        _read_channels(segment.channels, rows, per_mv, folder, path, segment.n_samples or length, first, part)
        out_LT[places] = part


def _segment_header(name: str, folder: str, path: str, fs: float) -> Header:
    file = file_inside(folder, f"{name}.hea", path)
    fd = _open(file, path)
    try:
        size = os.fstat(fd).st_size
        if size > MAX_HEADER_BYTES:
            raise ReadError(path, f"the header of segment {name} has {size} bytes", "it is damaged; get it again")
        text = os.pread(fd, size, 0).decode("utf-8", "replace")
    finally:
        os.close(fd)
    header = parse_header(text, path)
    if header.segments:
        raise ReadError(path, f"segment {name} has segments of its own", "a segment must be a single record")
    if header.fs != fs:
        raise ReadError(
            path, f"segment {name} is sampled at {header.fs:g} Hz and the record at {fs:g} Hz", "correct the header"
        )
    return header
