"""EDF, EDF+ and BDF → Record, with pyedflib; discontinuous EDF+D and BDF+D, which it does not open, with edf_pieces.

Standard: https://www.edfplus.info/specs/edf.html. The header is checked against the
file's size before pyedflib sees it. Signals of different rates are not resampled: the
rate that most ECG signals share is read, the others are noted.
"""

from __future__ import annotations

import itertools
import os
import re
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.blocks import INT24, Blocks, shared_rate
from ecglm.records.channels import build_record, choose, clean
from ecglm.records.edf_pieces import Piece, fill, onsets, pieces, scale_of
from ecglm.records.leads import canonical_lead
from ecglm.records.patient import day, patient
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, Request

FAILURES = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ArithmeticError,
    AssertionError,
    UnicodeError,
    MemoryError,
    RuntimeError,
    EOFError,
)
AGE_FIELD = "age="  #: of ecglm's own writer, among the patient's additional subfields
SAMPLES_FIELD = "samples="  #: among the recording's additional subfields: what follows pads the last data record
FIELD_BYTES = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # bytes per signal of each header field, in file order


_FULL_DATE = re.compile(r"Startdate (\d{1,2}-[A-Za-z]{3}-\d{4}) ")


class _Signal(NamedTuple):
    label: str
    unit: str
    per_record: int
    limits: list[bytes]  #: physical minimum and maximum, digital minimum and maximum


class _Layout(NamedTuple):
    """What the header says, after it has been compared with the file's size."""

    kind: str
    signals: tuple[_Signal, ...]
    n_records: int
    record_s: float
    meta: RecordMeta
    n_samples: int | None  #: where the header states it beside the data records
    fraction_us: int | None  #: of the second at which it starts, None when the start is not known
    head: bytes
    discontinuous: bool

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return 3 if self.kind == "bdf" else 2


def read_edf(request: Request) -> Record:
    """The ECG signals of an EDF or BDF file. Raises ReadError."""
    path = request.path
    layout = _layout(path)
    request.refuse_overrides(layout.kind.upper())
    import pyedflib

    try:
        if layout.discontinuous:
            return _read(request, None, layout)
        with pyedflib.EdfReader(path, annotations_mode=pyedflib.DO_NOT_READ_ANNOTATIONS) as reader:
            return _read(request, reader, layout)
    except FAILURES as problem:
        raise ReadError(
            path,
            f"it is not a valid {layout.kind.upper()} file ({clean(str(problem).replace(path, ''), 90).lstrip(': ')})",
            "export it again",
        ) from None


def _read(request: Request, reader: Any, layout: _Layout) -> Record:
    data = [row for row, signal in enumerate(layout.signals) if not signal.label.endswith("Annotations")]
    names = [lead_name(layout.signals[row].label) for row in data]
    selection = choose(request, names, [layout.signals[row].unit for row in data])
    rates = [layout.signals[data[row]].per_record / layout.record_s for row in selection.rows]
    keep, notes = shared_rate(request, selection.leads, rates)
    if notes:
        selection = selection._replace(
            rows=tuple(selection.rows[i] for i in keep),
            leads=tuple(selection.leads[i] for i in keep),
            per_mv=tuple(selection.per_mv[i] for i in keep),
        )
    per_record = layout.signals[data[selection.rows[0]]].per_record
    fs = per_record / layout.record_s
    if reader is None:
        stored, runs = _time_line(request.path, layout, fs, per_record)
        total, gaps = runs[-1].begin + runs[-1].length, len(runs) - 1
        missing_s = total / fs - layout.n_records * layout.record_s
        notes = [*notes, f"{gaps} gap{'s' * (gaps > 1)}, {missing_s:g} s in all: missing samples"] if gaps else notes
    else:
        total = layout.n_records * per_record
        if layout.n_samples is not None and 0 < total - layout.n_samples < per_record:
            total = layout.n_samples
    first, count = request.window(fs, total, len(keep))
    signal = np.empty((len(keep), count), np.float32)
    channel_of = {row: channel for channel, row in enumerate(data)}  # pyedflib does not count annotation signals
    for place, (row, factor) in enumerate(zip(selection.rows, selection.per_mv, strict=True)):
        if reader is None:
            step, origin = scale_of(layout.signals[data[row]].limits, request.path, selection.leads[place])
            fill(stored[data[row]], runs, step / factor, origin / factor, first, signal[place])
            continue
        physical_N = reader.readSignal(channel_of[data[row]], first, count)
        if len(physical_N) != count:
            raise ReadError(
                request.path,
                f"lead {selection.leads[place]} has {len(physical_N)} of {count} samples",
                "it was cut short; get it again",
            )
        with np.errstate(over="ignore"):
            signal[place] = physical_N if factor == 1.0 else physical_N / factor
    start: datetime | None = None
    if layout.fraction_us is not None:
        begin = _start(layout.head) if reader is None else reader.getStartdatetime()
        start = begin.replace(microsecond=layout.fraction_us)
    return build_record(
        request, signal, selection, notes, fs=fs, first=first, start=start, meta=layout.meta, format_name=layout.kind
    )


def _time_line(path: str, layout: _Layout, fs: float, per_record: int) -> tuple[list[Blocks], list[Piece]]:
    """The stored samples of every signal, and where the data records of a discontinuous file lie."""
    sizes = [signal.per_record * layout.width for signal in layout.signals]
    begins = [0, *itertools.accumulate(sizes)]
    shape = (layout.n_records, begins[-1])
    records_RB = np.memmap(path, np.uint8, "r", 256 * (len(sizes) + 1), shape)
    kind = INT24 if layout.kind == "bdf" else "<i2"
    stored = [Blocks(records_RB, begin, size // layout.width, kind) for begin, size in zip(begins[:-1], sizes, strict=True)]
    timed = next((row for row, signal in enumerate(layout.signals) if signal.label.endswith("Annotations")), None)
    if timed is None:
        raise ReadError(path, "it is discontinuous and does not say when its data records begin", "export it again")
    seconds = onsets(records_RB, begins[timed], sizes[timed], path)
    return stored, pieces(seconds, fs, per_record, path)


def _start(head: bytes) -> datetime:
    """Date and time of the header; its year has four digits only in the recording field. Raises ValueError."""
    two = datetime.strptime(head[168:184].decode("latin-1"), "%d.%m.%y%H.%M.%S")
    two = two.replace(year=1985 + (two.year - 1985) % 100)
    dated = _FULL_DATE.match(head[88:168].decode("latin-1"))
    stated = day(dated[1]) if dated else None
    return datetime.combine(stated, two.time()) if stated is not None else two


def lead_name(label: str) -> str:
    """EDF+ labels are a type, a blank and a specification: ``ECG II``, ``EKG V1-Ref``."""
    text = re.sub(r"[-_ ](?:ref|gnd|avg)$", "", label.strip(), flags=re.IGNORECASE)
    return text if canonical_lead(text) else label.strip()


def _layout(path: str) -> _Layout:
    """Parse the header. Raises ReadError when it does not fit the file."""
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        head = stream.read(256)
        kind, width = ("bdf", 3) if head.startswith(b"\xff") else ("edf", 2)

        def number(raw: bytes, what: str) -> float:
            try:
                value = float(raw.decode("ascii").strip())
            except (UnicodeDecodeError, ValueError):
                raise ReadError(
                    path,
                    f"its {what} {clean(raw.decode('latin-1'), 12)!r} is not a number",
                    "the header is damaged; get it again",
                ) from None
            if not -1 <= value < 1e15:
                raise ReadError(path, f"its {what} {value:g} is absurd", "the header is damaged; get it again")
            return value

        if len(head) < 256:
            raise ReadError(
                path, f"it has {size} bytes, an {kind.upper()} header has 256", "it was cut short; get it again"
            )
        n_signals = int(number(head[252:256], "number of signals"))
        if not 0 < n_signals <= MAX_CHANNELS:
            raise ReadError(
                path,
                f"it claims {n_signals} signals (1 to {MAX_CHANNELS} are read)",
                "the header is damaged; get it again",
            )
        header_bytes = 256 * (n_signals + 1)
        fields = stream.read(256 * n_signals)
    if len(fields) < 256 * n_signals:
        raise ReadError(path, f"it has {size} bytes, its header alone {header_bytes}", "it was cut short; get it again")
    columns: list[list[bytes]] = []
    at = 0
    for field_width in FIELD_BYTES:
        columns.append([fields[at + i * field_width : at + (i + 1) * field_width] for i in range(n_signals)])
        at += field_width * n_signals
    signals = tuple(
        _Signal(label.decode("latin-1").strip(), unit.decode("latin-1").strip(), int(number(n, "samples per record")), limits)
        for label, unit, n, *limits in zip(columns[0], columns[2], columns[8], *columns[3:7], strict=True)
    )
    n_records, record_s = int(number(head[236:244], "number of data records")), number(head[244:252], "record duration")
    if n_records <= 0 or record_s <= 0 or any(signal.per_record <= 0 for signal in signals):
        raise ReadError(
            path,
            f"it claims {n_records} data records of {record_s:g} s",
            "the recording was not finished; export it again",
        )
    need = header_bytes + n_records * width * sum(signal.per_record for signal in signals)
    if size < need:
        raise ReadError(path, f"it has {size} bytes where its header promises {need}", "it was cut short; get it again")
    fraction_us = None if head[88:168].startswith(b"Startdate X ") else _fraction(path, signals, header_bytes, width)
    stated = re.search(rf" {SAMPLES_FIELD}(\d{{1,12}}) ".encode(), head[88:168] + b" ")
    n_samples = int(stated[1]) if stated else None
    discontinuous = head[192:197] in (b"EDF+D", b"BDF+D")
    return _Layout(kind, signals, n_records, record_s, _meta(head), n_samples, fraction_us, head, discontinuous)


def _fraction(path: str, signals: tuple[_Signal, ...], header_bytes: int, width: int) -> int:
    """Microseconds of the start: EDF+ gives the first data record an onset below a second, ``+0.25`` and a mark."""
    labels = [signal.label for signal in signals]
    where = next((place for place, label in enumerate(labels) if label.endswith("Annotations")), None)
    if where is None:
        return 0
    with open(path, "rb") as stream:
        stream.seek(header_bytes + width * sum(signal.per_record for signal in signals[:where]))
        onset = re.match(rb"\+0?\.(\d{1,6})\d*\x14", stream.read(32))
    return int(onset[1].ljust(6, b"0")) if onset else 0


def _meta(head: bytes) -> RecordMeta:
    """Sex, age at recording and equipment, from the EDF+ patient and recording fields."""
    person = head[8:88].decode("latin-1").split()
    recording = head[88:168].decode("latin-1").split()
    dated = len(recording) > 1 and recording[0] == "Startdate"
    device = recording[4].replace("_", " ") if dated and len(recording) > 4 else ""
    ages = [int(field.removeprefix(AGE_FIELD)) for field in person[4:] if re.fullmatch(rf"{AGE_FIELD}\d{{1,3}}", field)]
    return patient(
        age=ages[0] if ages else None,
        born=day(person[2]) if len(person) > 2 else None,
        seen=day(recording[1]) if dated else None,
        sex=person[1] if len(person) > 2 else "",
        device="" if device == "X" else device,
    )
