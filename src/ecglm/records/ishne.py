"""ISHNE Holter files (ISHNE1.0) → Record.

Standard: Badilini, "The ISHNE Holter standard output file format", Ann Noninvasive
Electrocardiol 1998;3:263-266: a header of 512 bytes, text, then interleaved 16-bit samples.
"""

from __future__ import annotations

import binascii
import contextlib
import os
from datetime import date, datetime

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.patient import patient
from ecglm.records.record import Record
from ecglm.records.request import Request
from ecglm.records.strip import Channel, record_of

HEADER = 522  #: 8 bytes of signature, 2 of checksum, 512 of header
MAX_LEADS = 12  #: places for leads in the header
_LEADS = {2: "X", 3: "Y", 4: "Z", 5: "I", 6: "II", 7: "III", 8: "aVR", 9: "aVL", 10: "aVF"} | {
    10 + place: f"V{place}" for place in range(1, 7)
}
_SEXES = {1: "male", 2: "female"}


def read_ishne(request: Request) -> Record:
    """The samples of an ISHNE Holter file; only the window is read from disk. Raises ReadError."""
    request.refuse_overrides("ISHNE")
    path = request.path
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        head = stream.read(HEADER)
        if len(head) < HEADER:
            raise ReadError(path, f"it has {size} bytes, an ISHNE header {HEADER}", "it was cut short; get it again")
        text_bytes, stated, _, data_at = (_i32(head, at) for at in (10, 14, 18, 22))
        n_leads, fs = _u16(head, 156), float(_u16(head, 272))
        if not 0 < n_leads <= MAX_LEADS or not HEADER <= data_at <= size:
            raise ReadError(
                path,
                f"its header claims {n_leads} leads and data at byte {data_at} of {size}",
                "the header is damaged; get it again",
            )
        checked = head[10:] + stream.read(min(max(text_bytes, 0), data_at - HEADER))
    notes = []
    if _u16(head, 8) not in (0, binascii.crc_hqx(checked, 0xFFFF)):
        notes.append("the checksum of the header is wrong: it was changed after it was written")
    n_samples = _length(path, stated, (size - data_at) // (2 * n_leads), n_leads)
    request.window(fs, n_samples, n_leads)  # before anything is mapped
    stored_NC = np.memmap(path, "<i2", "r", data_at, (n_samples, n_leads))
    channels: list[Channel] = []
    unused: list[str] = []
    for place in range(n_leads):
        code, step_nv = _i16(head, 158 + 2 * place), _i16(head, 206 + 2 * place)
        name = _LEADS.get(code, f"channel {place + 1}")
        if step_nv <= 0:  # -9 and 0 stand for a place that is not used
            unused.append(name)
            continue
        channels.append(Channel(name, stored_NC[:, place], step_nv, "nV"))
    if not channels:
        raise ReadError(path, "none of its leads states an amplitude per step", "the header is damaged; get it again")
    if unused:
        notes.append(f"without a resolution, left out: {', '.join(unused)}")
    start = _moment(head)
    meta = patient(
        born=_day(head, 132),
        seen=start.date() if start is not None else None,
        sex=_SEXES.get(_u16(head, 128), ""),
        device=head[232:272].split(b"\0")[0].decode("latin-1"),
    )
    return record_of(request, "ishne", channels, fs, start=start, meta=meta, notes=notes)


def _length(path: str, stated: int, held: int, n_leads: int) -> int:
    """Samples per lead. Writers state them per lead or for all leads together."""
    if stated in (held, held * n_leads) or 0 < stated < held:
        return min(stated, held)
    raise ReadError(
        path, f"it holds {held} samples per lead where its header promises {stated}", "it was cut short; get it again"
    )


def _u16(head: bytes, at: int) -> int:
    return int.from_bytes(head[at : at + 2], "little")


def _i16(head: bytes, at: int) -> int:
    return int.from_bytes(head[at : at + 2], "little", signed=True)


def _i32(head: bytes, at: int) -> int:
    return int.from_bytes(head[at : at + 4], "little", signed=True)


def _day(head: bytes, at: int) -> date | None:
    """Day, month, year."""
    with contextlib.suppress(ValueError):
        return date(_u16(head, at + 4), _u16(head, at + 2), _u16(head, at))
    return None


def _moment(head: bytes) -> datetime | None:
    day = _day(head, 138)
    if day is None:
        return None
    start = datetime.combine(day, datetime.min.time())
    with contextlib.suppress(ValueError):
        return start.replace(hour=_u16(head, 150), minute=_u16(head, 152), second=_u16(head, 154))
    return start
