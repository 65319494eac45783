"""SCP-ECG → Record: the patient, the cart's measurements and statements, and the signal.

Standard: EN 1064:2005+A1 (ISO 11073-91064); section 1 in clause 5.4, sections 7 and 8 in
5.10 and 5.11.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime

from ecglm.errors import ReadError
from ecglm.records.cart import CartReading, cart_reading
from ecglm.records.patient import patient
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import Request
from ecglm.records.scp_sections import Sections, i16, load, u16
from ecglm.records.scp_signal import Coded, beats_of, reference_beats, rhythm_of
from ecglm.records.strip import median_of, record_of, with_limb_leads

_AGE_UNITS = {1: "years", 2: "months", 3: "weeks", 4: "days", 5: "hours"}
_SEXES = {1: "male", 2: "female"}
_NOT_MEASURED = 29999  #: from here on a time is a code, not a time


def read_scp(request: Request) -> Record:
    """The rhythm data of an SCP-ECG file. Raises ReadError."""
    request.refuse_overrides("SCP-ECG")
    sections = load(request.path)
    beats = reference_beats(sections)
    channels, fs = rhythm_of(sections, beats)
    channels, computed = with_limb_leads(channels, request.leads)
    meta, start = _patient(sections.bodies.get(1, b""))
    damaged = sorted(sections.failed - {2, 3, 6})
    notes = [*sections.notes, *computed]
    if damaged:
        notes.append(f"sections that fail their checksum: {', '.join(map(str, damaged))}")
    return record_of(
        request, "scp", channels, fs, start=start, meta=meta, cart=_cart(sections, beats), notes=notes
    )  # fmt: skip


def _tags(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value of each field of section 1, up to the terminator."""
    at = 0
    while at + 3 <= len(body) and body[at] != 255:
        length = u16(body, at + 1)
        yield body[at], body[at + 3 : at + 3 + length]
        at += 3 + length


def _day(raw: bytes) -> date | None:
    with contextlib.suppress(ValueError):
        return date(u16(raw, 0), raw[2], raw[3]) if len(raw) >= 4 else None
    return None


def _patient(body: bytes) -> tuple[RecordMeta, datetime | None]:
    fields: dict[int, bytes] = {}
    for tag, value in _tags(body):
        fields.setdefault(tag, value)
    age, sex, device, clock = (fields.get(tag, b"") for tag in (4, 8, 14, 26))
    taken = _day(fields.get(25, b""))
    start = None
    if taken is not None:
        start = datetime.combine(taken, datetime.min.time())
        with contextlib.suppress(ValueError):
            start = start.replace(hour=clock[0], minute=clock[1], second=clock[2]) if len(clock) >= 3 else start
    years = u16(age, 0) if len(age) >= 3 and age[2] in _AGE_UNITS else None
    meta = patient(
        age=years,
        age_unit=_AGE_UNITS[age[2]] if years is not None else "",
        born=_day(fields.get(5, b"")),
        seen=taken,
        sex=_SEXES.get(sex[0], "") if sex else "",
        device=device[8:14].split(b"\0")[0].decode("latin-1"),  # the model; names of people and places come later
    )
    return meta, start


def _cart(sections: Sections, beats: Coded | ReadError) -> CartReading | None:
    """What sections that pass their checksum say; damaged ones say nothing."""
    bodies = {number: body for number, body in sections.bodies.items() if number not in sections.failed}
    median = None
    if isinstance(beats, Coded):
        channels, rate = beats_of(sections, beats)
        median = median_of(with_limb_leads(channels)[0], rate)
    return cart_reading(_measured(bodies.get(7, b"")), _statements(bodies.get(8, b"")), median)


def _measured(body: bytes) -> dict[str, float | None]:
    """Section 7: the first block is the reference beat of type 0, times within it in ms."""
    if len(body) < 22 or body[0] == 0:
        return {}
    p_on, p_off, qrs_on, qrs_off, t_off = (u16(body, at) for at in range(6, 16, 2))
    axes = [i16(body, at) for at in range(16, 22, 2)]

    def between(first: int, last: int) -> float | None:
        return float(last - first) if first < last < _NOT_MEASURED else None

    # Blocks of 16 bytes per beat, 10 per pacemaker spike, and a list of QRS types come before the rates.
    at = 6 + 16 * body[0] + 10 * body[1]
    at += 2 + u16(body, at)
    rr = u16(body, 2)
    rate, qtc = u16(body, at), u16(body, at + 4)
    return {
        "heart_rate_bpm": float(rate) if rate < _NOT_MEASURED else None,
        "rr_ms": float(rr) if rr < _NOT_MEASURED else None,
        "p_ms": between(p_on, p_off),
        "pr_ms": between(p_on, qrs_on),
        "qrs_ms": between(qrs_on, qrs_off),
        "qt_ms": between(qrs_on, t_off),
        "qtc_ms": float(qtc) if qtc < _NOT_MEASURED else None,
        "p_axis_deg": axes[0],
        "qrs_axis_deg": axes[1],
        "t_axis_deg": axes[2],
    }


def _statements(body: bytes) -> list[str]:
    """Section 8: numbered lines of text after the date of the interpretation."""
    if len(body) < 9:
        return []
    lines = []
    at = 9
    for _ in range(body[8]):
        length = u16(body, at + 1)
        lines.append(body[at + 3 : at + 3 + length].split(b"\0")[0].decode("latin-1"))
        at += 3 + length
    return lines
