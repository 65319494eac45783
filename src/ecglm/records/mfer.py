"""MFER (Medical waveform Format Encoding Rules) → Record.

Standard: ISO 22077-1 (ISO/TS 11073-92001): definitions as tag, length and value; a frame of
samples is laid out as sequences x channels x blocks. The longest frame of an ECG is read,
a frame of the dominant beat is the median beat; other kinds of wave are left out.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.blocks import Blocks, one_rate, width
from ecglm.records.cart import MedianBeat, cart_reading
from ecglm.records.channels import clean
from ecglm.records.leads import SCP_LEADS
from ecglm.records.patient import patient
from ecglm.records.record import Record
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.strip import Channel, check_channels, median_of, record_of

MAX_DEFINITIONS = 20_000  #: a file of one-byte definitions would take minutes
MAX_DEPTH = 4  #: groups within groups
MAX_FRAMES = 500
BYTE_ORDER, BLOCK, CHANNELS, SEQUENCES, KIND_OF_WAVE = 0x01, 0x04, 0x05, 0x06, 0x08
LEAD, SAMPLE_TYPE, INTERVAL, STEP, OFFSET, COMPRESSION, NO_SAMPLE = 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x12
MAKER, WAVE, OF_CHANNEL, GROUP, END, AGE, SEX, TIME = 0x17, 0x1E, 0x3F, 0x67, 0x80, 0x83, 0x84, 0x85
_DOMINANT_BEAT = 9
#: Kinds of wave: 12 leads, long-term, vector, exercise; then those in which the names of the leads must tell.
_ECG, _MAYBE_ECG = (1, 2, 3, 4), (0, 20, 21)
_OTHERS = {5: "intracardiac", 6: "body surface map", 7: "late potentials", 8: "late potentials", 30: "sound", 31: "pulse"}
_OTHERS |= dict.fromkeys(range(40, 44), "EEG")
_TYPES = {0: "i2", 1: "u2", 2: "i4", 3: "u1", 5: "i1", 6: "u4", 7: "f4", 8: "f8"}
_DAMAGED = "it is damaged; get it again"
_HZ, _SECONDS, _VOLT = 0, 1, 0  #: unit codes of INTERVAL and STEP


@dataclass
class _State:
    """The definitions in force: of the file, and of single channels."""

    path: str
    order: str = ">"
    n_channels: int = 1
    common: dict[int, bytes] = field(default_factory=dict)
    single: dict[int, dict[int, bytes]] = field(default_factory=dict)
    frames: list[tuple[int, list[Channel], list[float]]] = field(default_factory=list)
    maker: str = ""
    sex: str = ""
    born: date | None = None
    start: datetime | None = None

    def unsigned(self, raw: bytes) -> int:
        if len(raw) > 8:
            raise ReadError(self.path, f"it has a number of {len(raw)} bytes", _DAMAGED)
        return int.from_bytes(raw, "big" if self.order == ">" else "little")

    def decimal(self, raw: bytes) -> tuple[int, float] | None:
        """Unit code and mantissa x 10^exponent of INTERVAL or STEP."""
        if not 3 <= len(raw) <= 10:
            return None
        exponent = int.from_bytes(raw[1:2], "big", signed=True)
        mantissa = int.from_bytes(raw[2:], "big" if self.order == ">" else "little", signed=True)
        return raw[0], float(f"{mantissa}e{exponent}")


def read_mfer(request: Request) -> Record:
    """The longest ECG frame of an MFER file; only the window is read from disk. Raises ReadError."""
    request.refuse_overrides("MFER")
    path = request.path
    state = _State(path)
    if os.path.getsize(path) < 8:
        raise ReadError(path, f"it has {os.path.getsize(path)} bytes", "it was cut short; get it again")
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _walk(state, data, 0, len(data), None, [MAX_DEFINITIONS])
    waves = [frame for frame in state.frames if frame[0] != _DOMINANT_BEAT]
    others = sorted({_OTHERS.get(kind, f"kind {kind}") for kind, _, _ in waves if kind not in _ECG + _MAYBE_ECG})
    if not waves:
        raise ReadError(path, "it holds no waveform", "export the ECG again with its waveforms")
    rhythms = [frame for frame in waves if frame[0] in _ECG] or [frame for frame in waves if frame[0] in _MAYBE_ECG]
    if not rhythms:
        raise ReadError(path, f"its waves are no ECG ({', '.join(others[:12])})", "export the ECG")
    _, channels, rates = max(rhythms, key=lambda frame: max(len(channel.samples) for channel in frame[1]))
    notes = [f"of {len(rhythms)} frames the longest is read"] if len(rhythms) > 1 else []
    notes += [f"waves that are no ECG, left out: {', '.join(others[:12])}"] if others else []
    rows, lost = one_rate(request, [c.name for c in channels], [c.unit for c in channels], rates)
    meta = patient(
        born=state.born, seen=state.start.date() if state.start else None, sex=state.sex, device=state.maker
    )  # fmt: skip
    return record_of(
        request,
        "mfer",
        [channels[row] for row in rows],
        rates[rows[0]],
        start=state.start,
        meta=meta,
        cart=cart_reading({}, (), _median(state)),
        notes=[*notes, *lost],
    )


def _median(state: _State) -> MedianBeat | None:
    for kind, channels, rates in state.frames:
        if kind == _DOMINANT_BEAT and len(set(rates)) == 1:
            with contextlib.suppress(ReadError):  # a damaged beat does not cost the recording
                check_channels(state.path, channels)
                return median_of(channels, rates[0])
    return None


def _definitions(state: _State, data: mmap.mmap, at: int, end: int, budget: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """(tag, channel, first byte, last byte + 1) of each definition between two places."""
    while at < end:
        budget[0] -= 1
        if budget[0] < 0:
            raise ReadError(state.path, f"it has more than {MAX_DEFINITIONS} definitions", _DAMAGED)
        tag, channel = data[at], 0
        at += 1
        if tag == 0:  # padding without a length
            continue
        if tag == END:
            return
        while tag == OF_CHANNEL and at < end:
            channel = (channel << 7 | data[at] & 0x7F) & 0xFFFFFF
            at += 1
            if not data[at - 1] & 0x80:
                break
        length, at = (data[at], at + 1) if at < end else (0xFF, at)
        if length >= 0x80:
            size = length & 0x7F
            if not 0 < size <= 8 or at + size > end:
                raise ReadError(state.path, f"definition {tag:#04x} has no usable length", _DAMAGED)
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if length > end - at:
            raise ReadError(
                state.path, f"definition {tag:#04x} claims {length} bytes of {end - at}", "it was cut short; get it again"
            )
        yield tag, channel, at, at + length
        at += length


def _walk(state: _State, data: mmap.mmap, at: int, end: int, within: int | None, budget: list[int], depth: int = 0) -> None:
    """Take the definitions of the file or, within, of one channel."""
    if depth > MAX_DEPTH:
        raise ReadError(state.path, f"its definitions are nested deeper than {MAX_DEPTH}", _DAMAGED)
    for tag, channel, first, last in _definitions(state, data, at, end, budget):
        if tag == WAVE:
            if last > first:
                _frame(state, first, last)
        elif tag in (OF_CHANNEL, GROUP):
            if within is None and channel < MAX_CHANNELS:
                _walk(state, data, first, last, channel if tag == OF_CHANNEL else None, budget, depth + 1)
        elif last - first > 4096:
            continue  # notes and pictures
        elif within is None and tag == CHANNELS:
            state.n_channels, state.single = state.unsigned(data[first:last]), {}
        elif tag == BYTE_ORDER:
            state.order = "<" if data[first:last] == b"\1" else ">"
        elif within is None and tag in (MAKER, AGE, SEX, TIME):
            _about(state, tag, data[first:last])
        else:
            (state.common if within is None else state.single.setdefault(within, {}))[tag] = data[first:last]


def _frame(state: _State, first: int, last: int) -> None:
    """Describe the samples between two bytes by the definitions in force."""
    path = state.path
    if len(state.frames) == MAX_FRAMES:
        raise ReadError(path, f"it has more than {MAX_FRAMES} frames", "export a part of the recording")
    if not 0 < state.n_channels <= MAX_CHANNELS:
        raise ReadError(path, f"it claims {state.n_channels} channels (1 to {MAX_CHANNELS} are read)", _DAMAGED)
    if state.unsigned(state.common.get(COMPRESSION, b"")[:2]):
        raise ReadError(path, "its samples are compressed", "export it without compression")
    layout: list[tuple[str, int, dict[int, bytes]]] = []
    for channel in range(state.n_channels):
        known = {tag: raw for tag, raw in state.common.items() if tag != LEAD or state.n_channels == 1}
        known |= state.single.get(channel, {})
        code = known.get(SAMPLE_TYPE, b"\0")[:1]
        if code and code[0] not in _TYPES:
            raise ReadError(path, f"channel {channel + 1} has sample type {code[0]}", "export it with 16-bit samples")
        layout.append((state.order + _TYPES[code[0] if code else 0], state.unsigned(known.get(BLOCK, b"\1")), known))
    record_bytes = sum(width(kind) * block for kind, block, _ in layout)
    n_records = (last - first) // record_bytes if record_bytes else 0
    stated = state.unsigned(state.common.get(SEQUENCES, b"")) or n_records
    if n_records == 0 or stated > n_records or min(block for _, block, _ in layout) == 0:
        need = f"{stated} x {record_bytes}"
        raise ReadError(
            path, f"its waveform has {last - first} bytes where {need} are promised", "it was cut short; get it again"
        )
    records_RB = np.memmap(path, np.uint8, "r", first, (stated, record_bytes))
    channels, rates = [], []
    at = 0
    for place, (kind, block, known) in enumerate(layout):
        channels.append(_channel(state, place, Blocks(records_RB, at, block, kind), known))
        rates.append(_rate(state, known, place))
        at += width(kind) * block
    state.frames.append((state.unsigned(state.common.get(KIND_OF_WAVE, b"")[:2]), channels, rates))


def _channel(state: _State, place: int, samples: Blocks, known: dict[int, bytes]) -> Channel:
    """value = (sample + offset) x step; a sample equal to NO_SAMPLE is none."""
    lead, step = known.get(LEAD, b""), state.decimal(known.get(STEP, b""))
    code = state.unsigned(lead[:2]) if lead else 0
    name = SCP_LEADS.get(code) or clean(lead[2:].split(b"\0")[0].decode("latin-1")) or f"channel {place + 1}"
    unit, scale = ("adu", 1.0) if step is None else ("V" if step[0] == _VOLT else f"unit {step[0]}", step[1])
    offset, missing = (_value(known.get(tag, b""), samples.kind) for tag in (OFFSET, NO_SAMPLE))
    return Channel(name, samples, scale, unit, (offset or 0.0) * scale, missing)


def _value(raw: bytes, kind: str) -> float | None:
    """A number of the sample type."""
    if len(raw) != width(kind):
        return None
    value = float(np.frombuffer(raw, kind)[0])
    return value if np.isfinite(value) else None


def _rate(state: _State, known: dict[int, bytes], place: int) -> float:
    interval = state.decimal(known.get(INTERVAL, b""))
    if interval is not None and interval[0] == _HZ and 0 < interval[1] < 1e12:
        return interval[1]
    if interval is not None and interval[0] == _SECONDS and 1e-12 < interval[1] < 1e12:
        return round(1 / interval[1], 6)
    raise ReadError(state.path, f"channel {place + 1} states no sampling rate", "it is damaged; export it again")


def _about(state: _State, tag: int, raw: bytes) -> None:
    """Maker and model, date of birth, sex, time of the recording; nothing else about anyone."""
    with contextlib.suppress(ValueError):
        if tag == MAKER:
            state.maker = " ".join(raw.split(b"\0")[0].decode("latin-1").split("^")[:2])
        elif tag == SEX and raw:
            state.sex = {1: "male", 2: "female"}.get(raw[0], "")
        elif tag == AGE and len(raw) >= 7:
            state.born = date(state.unsigned(raw[3:5]), raw[5], raw[6])
        elif tag == TIME and len(raw) >= 7:
            state.start = datetime(state.unsigned(raw[:2]), *raw[2:7])
