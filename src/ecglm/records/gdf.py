"""GDF 1.x and 2.x → Record: the ECG channels of a General Data Format file.

Standard: Schlögl, "GDF - a general dataformat for biosignals", arXiv:cs/0608052 (2.x) and
its first version of 1998 (1.x). As in EDF, data records hold a block per channel; nothing
is resampled: the rate that most ECG channels share is read.
"""

from __future__ import annotations

import contextlib
import math
import os
import struct
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.blocks import INT24, UINT24, Blocks, one_rate, width
from ecglm.records.channels import clean
from ecglm.records.edf import lead_name
from ecglm.records.patient import patient
from ecglm.records.record import Record
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.strip import Channel, record_of

_DAMAGED = "the header is damaged; get it again"
_TYPES = {1: "<i1", 2: "<u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<i8", 8: "<u8", 16: "<f4", 17: "<f8"} | {
    279: INT24,
    535: UINT24,
}
_VOLTS = {4256: "V", 4274: "mV", 4275: "uV", 4276: "nV"}  # ISO 11073-10101 units, with their decimal prefixes
#: Bytes per channel of the fields of the variable header, in file order: label, ..., samples, type, rest.
#: The unit is 8 bytes of text, in version 2 split into 6 of text, long obsolete, and a code.
_FIELDS_1 = (16, 80, 8, 0, 8, 8, 8, 8, 80, 4, 4, 32)
_FIELDS_2 = (16, 80, 6, 2, 8, 8, 8, 8, 80, 4, 4, 32)


class _Signal(NamedTuple):
    """A channel: value in unit = sample x scale + origin; its block begins at byte `at` of a data record."""

    label: str
    unit: str
    low: float
    high: float
    scale: float
    origin: float
    per_record: int
    kind: str
    at: int


def read_gdf(request: Request) -> Record:
    """The ECG channels of a GDF file; only the window is read from disk. Raises ReadError."""
    request.refuse_overrides("GDF")
    path = request.path
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        head = stream.read(256)
        second, n_signals, header_bytes = _frame(path, head)
        fields = stream.read(256 * n_signals)
    if len(fields) < 256 * n_signals or header_bytes < 256 * (n_signals + 1) or header_bytes > size:
        raise ReadError(path, f"it has {size} bytes, its header alone {header_bytes}", "it was cut short; get it again")
    signals = _signals(path, fields, n_signals, second)
    n_records, numerator, denominator = struct.unpack_from("<qII", head, 236)
    record_bytes = sum(signal.per_record * width(signal.kind) for signal in signals)
    if record_bytes == 0 or numerator == 0 or denominator == 0 or n_records < -1:
        raise ReadError(path, f"it claims {n_records} data records of {numerator}/{denominator} s", _DAMAGED)
    held = (size - header_bytes) // record_bytes
    if n_records > held:
        need = header_bytes + n_records * record_bytes
        raise ReadError(path, f"it has {size} bytes where its header promises {need}", "it was cut short; get it again")
    n_records = held if n_records == -1 else n_records
    names = [lead_name(signal.label) for signal in signals]
    rates = [signal.per_record * denominator / numerator for signal in signals]
    rows, notes = one_rate(request, names, [signal.unit for signal in signals], rates)
    fs = rates[rows[0]]
    request.window(fs, n_records * signals[rows[0]].per_record, 1)  # before anything is mapped
    records_RB = np.memmap(path, np.uint8, "r", header_bytes, (n_records, record_bytes))
    channels = []
    for row in rows:
        signal = signals[row]
        samples = Blocks(records_RB, signal.at, signal.per_record, signal.kind, signal.low, signal.high)
        channels.append(Channel(names[row], samples, signal.scale, signal.unit, signal.origin))
    start, born, sex = _about(head, second)
    meta = patient(born=born, seen=start.date() if start is not None else None, sex=sex)
    return record_of(request, "gdf", channels, fs, start=start, meta=meta, notes=notes)


def _frame(path: str, head: bytes) -> tuple[bool, int, int]:
    """Whether the layout is that of version 2, the number of signals, the bytes of the header."""
    if len(head) < 256:
        raise ReadError(path, f"it has {len(head)} bytes, a GDF header 256", "it was cut short; get it again")
    try:
        second = float(head[4:8]) >= 1.9
    except ValueError:
        raise ReadError(path, f"its GDF version is {clean(head[4:8].decode('latin-1'))!r}", _DAMAGED) from None
    n_signals = struct.unpack_from("<H" if second else "<I", head, 252)[0]
    header_bytes = 256 * struct.unpack_from("<H", head, 184)[0] if second else struct.unpack_from("<q", head, 184)[0]
    if not 0 < n_signals <= MAX_CHANNELS:
        raise ReadError(path, f"it claims {n_signals} signals (1 to {MAX_CHANNELS} are read)", _DAMAGED)
    return second, n_signals, header_bytes


def _signals(path: str, fields: bytes, n_signals: int, second: bool) -> list[_Signal]:
    columns: list[list[bytes]] = []
    at = 0
    for size in _FIELDS_2 if second else _FIELDS_1:
        columns.append([fields[at + i * size : at + (i + 1) * size] for i in range(n_signals)])
        at += size * n_signals
    found = []
    within = 0
    for label, _, unit, dimension, physical_low, physical_high, low, high, _, count, kind, _ in zip(*columns, strict=True):
        name = label.split(b"\0")[0].decode("latin-1").strip()
        limits = struct.unpack("<dd" if second else "<qq", low + high)
        physical = struct.unpack("<dd", physical_low + physical_high)
        per_record, code = struct.unpack("<II", count + kind)
        if code not in _TYPES:
            raise ReadError(path, f"its signal {clean(name)} has data type {code}", "export it with 16-bit samples")
        span = limits[1] - limits[0]
        scale = (physical[1] - physical[0]) / span if span and math.isfinite(span) else 0.0
        text = _VOLTS.get(int.from_bytes(dimension, "little"), "") or unit.split(b"\0")[0].decode("latin-1").strip()
        origin = physical[0] - float(limits[0]) * scale
        low_limit, high_limit = sorted(map(float, limits))  # an inverted channel may state them swapped
        signal = _Signal(name, text, low_limit, high_limit, scale, origin, per_record, _TYPES[code], within)
        within += per_record * width(signal.kind)
        found.append(signal)
    return found


def _about(head: bytes, second: bool) -> tuple[datetime | None, date | None, str]:
    """Start of the recording, date of birth, sex. Version 1 states only the start."""
    if not second:
        with contextlib.suppress(ValueError):
            return datetime.strptime(head[168:182].decode("latin-1"), "%Y%m%d%H%M%S"), None, ""
        return None, None, ""
    start, born = (_moment(*struct.unpack_from("<Q", head, at)) for at in (168, 176))
    sex = {1: "male", 2: "female"}.get(head[87] & 3, "")
    return start, born.date() if born is not None else None, sex


def _moment(fixed: Any) -> datetime | None:
    """Days since the year 0 with 32 binary places, to the nearest millisecond; 0 is unknown."""
    with contextlib.suppress(OverflowError):
        moment = datetime(1, 1, 1) + timedelta(milliseconds=round((fixed / 2**32 - 367) * 86_400_000))
        return moment if fixed else None
    return None
