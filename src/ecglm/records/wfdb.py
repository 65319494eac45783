"""WFDB records (PhysioNet): header + signal files → Record.

Single- and multi-segment, one or several signal files, any window without reading the
rest. Physical values equal those of ``wfdb.rdrecord`` rounded to float32. Several
samples per frame are averaged to the frame rate as ``smooth_frames=True`` does there;
a frame with a missing sample is missing (wfdb averages the marker in).
"""

from __future__ import annotations

import os
from datetime import timedelta

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.channels import Selection, choose, finish, unit_per_mv
from ecglm.records.record import FloatArray, Record, Unit
from ecglm.records.request import Request, file_inside
from ecglm.records.wfdb_header import SHARED_SCALE, Header, parse_header, patient
from ecglm.records.wfdb_signals import infer_length, open_signal, read_channels

MAX_HEADER_BYTES = 16 << 20


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
        total = header.n_samples or infer_length(header, folder, path)
        first, count = request.window(header.fs, total, len(selection.rows))
        signal = np.empty((len(selection.rows), count), np.float32)
        read_channels(header.channels, selection.rows, selection.per_mv, folder, path, total, first, signal)
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
        limb_scale_shared=unit != "mV" and any(line.strip("# \t") == SHARED_SCALE for line in header.comments),
        start=start,
        meta=patient(header.comments),
        source=path,
        format="wfdb",
        notes=notes,
    )


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
        read_channels(segment.channels, rows, per_mv, folder, path, segment.n_samples or length, first, part)
        out_LT[places] = part


def _segment_header(name: str, folder: str, path: str, fs: float) -> Header:
    file = file_inside(folder, f"{name}.hea", path)
    fd = open_signal(file, path)
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
