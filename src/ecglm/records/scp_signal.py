"""Sections 3 to 6 of SCP-ECG → channels: leads, Huffman codes, differences, reference beats.

Standard: EN 1064:2005+A1 (ISO 11073-91064), clauses 5.6 to 5.9 and annex C.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.leads import SCP_LEADS
from ecglm.records.request import MAX_CHANNELS
from ecglm.records.scp_huffman import HuffmanError, Table, decode, tables
from ecglm.records.scp_sections import Sections, u16, u32
from ecglm.records.strip import Channel

#: Of all leads of the rhythm (4 minutes of 12 leads at 500 Hz; a lead has 65,535 bytes) and of the reference beat.
MAX_SAMPLES = {6: 1_500_000, 5: 250_000}
MAX_BEAT_MS = 5000
MAX_ADDITIONS = 100_000  #: of the reference beat to a lead: 12 leads have 26,000 in 11 minutes at 200 per minute
_DAMAGED = "it is damaged; get it again"
_SUBTRACTED = 1  #: bit of section 3: a reference beat was subtracted


class Lead(NamedTuple):
    """A lead of section 3: name, number of its first sample, number of samples."""

    name: str
    first: int
    n_samples: int


class Coded(NamedTuple):
    """A section of samples (5 or 6): nV and us of one step, per lead its samples."""

    step_nv: int
    interval_us: int
    samples: list[NDArray[np.int64]]


def leads_of(sections: Sections) -> tuple[list[Lead], bool]:
    """The leads in stored order, and whether a reference beat was subtracted from them."""
    body = sections.get(3, "lead definition", 2 + 9)
    count = body[0]
    if not 0 < count <= MAX_CHANNELS or len(body) < 2 + 9 * count:
        raise ReadError(sections.path, f"its section 3 claims {count} leads in {len(body)} bytes", _DAMAGED)
    found = []
    for at in range(2, 2 + 9 * count, 9):
        first, last, code = u32(body, at), u32(body, at + 4), body[at + 8]
        if last < first:
            raise ReadError(sections.path, f"its lead {code} runs from sample {first} to {last}", _DAMAGED)
        found.append(Lead(SCP_LEADS.get(code, f"channel {code}"), first, last - first + 1))
    return found, bool(body[1] & _SUBTRACTED)


def reference_beats(sections: Sections) -> Coded | ReadError:
    """Section 5 decoded, or why it cannot be. It is needed for the rhythm and for the median: decode it once."""
    try:
        leads, _ = leads_of(sections)
        body = sections.get(5, "reference beat", 6)
        length_ms = u16(sections.get(4, "QRS locations", 6), 0)
        interval = u16(body, 2)
        if interval == 0 or not 0 < length_ms <= MAX_BEAT_MS:
            raise ReadError(sections.path, f"its reference beat lasts {length_ms} ms in steps of {interval} us", _DAMAGED)
        return _coded(sections, 5, body, [length_ms * 1000 // interval] * len(leads))
    except ReadError as problem:
        return problem


def rhythm_of(sections: Sections, beats: Coded | ReadError) -> tuple[list[Channel], float]:
    """The rhythm leads and their rate in Hz. Raises ReadError, that of the beats too where they were subtracted."""
    leads, subtracted = leads_of(sections)
    body = sections.get(6, "rhythm data", 6)
    if subtracted and isinstance(beats, ReadError):
        raise beats
    coded = _coded(sections, 6, body, [lead.n_samples for lead in leads])
    samples: list[NDArray[np.int64]] | list[NDArray[np.float64]] = coded.samples
    same_rate = isinstance(beats, Coded) and beats.interval_us == coded.interval_us
    # Both kinds of saving keep fewer samples of the residual than of the beat; no file at hand shows how.
    if body[5] == 1 and not same_rate:
        raise ReadError(sections.path, "bimodal compression is not read", "export it without, or as DICOM or EDF")
    if subtracted and isinstance(beats, Coded):
        if not same_rate:
            raise ReadError(
                sections.path, "its residual has another sampling rate than its reference beat", "export it as DICOM or EDF"
            )
        samples = _add_beats(sections, leads, coded, beats)
    start = min(lead.first for lead in leads)
    channels = [
        Channel(lead.name, row, coded.step_nv, "nV", late=lead.first - start)
        for lead, row in zip(leads, samples, strict=True)
    ]
    return channels, 1e6 / coded.interval_us


def beats_of(sections: Sections, beats: Coded) -> tuple[list[Channel], float]:
    """The reference beat of type 0 as channels, and its rate."""
    rows = zip(leads_of(sections)[0], beats.samples, strict=True)
    return [Channel(lead.name, row, beats.step_nv, "nV") for lead, row in rows], 1e6 / beats.interval_us


def _coded(sections: Sections, number: int, body: bytes, counts: list[int]) -> Coded:
    """Decode the leads of section 5 or 6: codes, then differences."""
    path = sections.path
    step_nv, interval_us, order = u16(body, 0), u16(body, 2), body[4]
    if step_nv == 0 or interval_us == 0 or order > 2:
        raise ReadError(
            path, f"its section {number} has steps of {step_nv} nV and {interval_us} us, differences of order {order}", _DAMAGED
        )
    if sum(counts) > MAX_SAMPLES[number]:
        limit = MAX_SAMPLES[number]
        raise ReadError(
            path, f"its section {number} claims {sum(counts)} samples, the limit is {limit}", "export a shorter recording"
        )
    if 2 in sections.bodies:
        sections.check(2, "Huffman tables")
    try:
        known = tables(sections.bodies.get(2))
        at = 6 + 2 * len(counts)
        samples = []
        for place, count in enumerate(counts):
            length = u16(body, 6 + 2 * place)
            packed = body[at : at + length]
            if len(packed) < length or count > 8 * length:
                raise HuffmanError(f"{count} samples are claimed to be in {len(packed)} of {length} bytes")
            samples.append(_integrate(_values(packed, known, count), order))
            at += length
    except HuffmanError as problem:
        raise ReadError(path, f"its section {number} cannot be decoded ({problem})", _DAMAGED) from None
    return Coded(step_nv, interval_us, samples)


def _values(packed: bytes, known: list[Table] | None, count: int) -> NDArray[np.int64]:
    if known is not None:
        return np.array(decode(packed, known, count), np.int64)
    if len(packed) < 2 * count:
        raise HuffmanError(f"the data ends after {len(packed) // 2} of {count} samples")
    return np.frombuffer(packed, "<i2", count).astype(np.int64)


def _integrate(values: NDArray[np.int64], order: int) -> NDArray[np.int64]:
    """Undo differences of order 1 or 2; the first order samples are stored as they are."""
    if order == 2 and len(values) > 2:
        values = np.concatenate((values[:1], np.cumsum(np.concatenate(([values[1] - values[0]], values[2:])))))
        return np.cumsum(values)
    return np.cumsum(values) if order == 1 else values


def _add_beats(sections: Sections, leads: list[Lead], residual: Coded, beats: Coded) -> list[NDArray[np.float64]]:
    """Add the reference beat where section 4 says that it was subtracted.

    Sample numbers count from 1; the beat's fiducial point lies on each QRS's own.
    """
    body = sections.get(4, "QRS locations", 6)
    fiducial, n_beats = u16(body, 2), u16(body, 4)
    if len(body) < 6 + 14 * n_beats:
        raise ReadError(sections.path, f"its section 4 claims {n_beats} QRS complexes in {len(body)} bytes", _DAMAGED)
    longest = max(lead.n_samples for lead in leads)
    first_of_all, last_of_all = min(lead.first for lead in leads), max(lead.first + lead.n_samples for lead in leads)
    spans = []  # (number of the beat's sample 0, first and last sample to add to)
    for at in range(6, 6 + 14 * n_beats, 14):
        kind, first, centre, last = u16(body, at), u32(body, at + 2), u32(body, at + 6), u32(body, at + 10)
        shift = centre - fiducial
        low, high = max(first, shift + 1, first_of_all), min(last, shift + len(beats.samples[0]), last_of_all - 1)
        if kind == 0 and high >= low:
            spans.append((shift, low, high))
    # Beats follow each other; where they lie on one another the additions would take minutes.
    if sum(high - low + 1 for _, low, high in spans) > 4 * longest or len(spans) * len(leads) > MAX_ADDITIONS:
        raise ReadError(sections.path, f"its section 4 has {len(spans)} beats in {longest} samples", _DAMAGED)
    whole = []
    for lead, row, beat in zip(leads, residual.samples, beats.samples, strict=True):
        out = row.astype(np.float64)
        scaled = beat * (beats.step_nv / residual.step_nv)
        for shift, low, high in spans:
            begin, end = max(low, lead.first), min(high, lead.first + lead.n_samples - 1)
            if end >= begin:
                out[begin - lead.first : end - lead.first + 1] += scaled[begin - shift - 1 : end - shift]
        whole.append(out)
    return whole
