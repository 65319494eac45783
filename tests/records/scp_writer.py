"""A writer of SCP-ECG files for the tests, from EN 1064: sections, Huffman codes, differences, reference beats."""

from __future__ import annotations

import binascii
from collections.abc import Sequence

import numpy as np

from .carts import LEADS_8

CODES = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def le(value: int, size: int) -> bytes:
    return int(value).to_bytes(size, "little", signed=value < 0)


def crc_ccitt(data: bytes) -> int:
    """Bit by bit, as annex B describes it; megabytes by the standard library, which a test compares with this."""
    if len(data) > 50_000:
        return binascii.crc_hqx(data, 0xFFFF)
    crc = 0xFFFF
    for byte in data:
        for bit in range(8):
            high = crc >> 15 ^ (byte >> (7 - bit) & 1)
            crc = (crc << 1 & 0xFFFF) ^ (0x1021 if high else 0)
    return crc


def default_code(value: int) -> str:
    if -8 <= value <= 8:
        return "0" if value == 0 else "1" * abs(value) + "0" + ("0" if value > 0 else "1")
    if -128 <= value <= 127:
        return "1111111110" + f"{value & 0xFF:08b}"
    return "1111111111" + f"{value & 0xFFFF:016b}"


def switching_code(values: Sequence[int]) -> str:
    """Two tables: the first has 0 and literals of 8 and 16 bits, the second literals of 12; switches between them."""
    bits, table = "", 1
    for value in values:
        wants_second = value != 0 and -2048 <= value <= 2047 and not -128 <= value <= 127
        if wants_second and table == 1:
            bits, table = bits + "10", 2
        elif not wants_second and table == 2:
            bits, table = bits + "0", 1
        if table == 2:
            bits += f"1{value & 0xFFF:012b}"
        elif value == 0:
            bits += "0"
        else:
            bits += f"110{value & 0xFF:08b}" if -128 <= value <= 127 else f"111{value & 0xFFFF:016b}"
    return bits


def structure(prefix: str, total: int, switch: bool, value: int) -> bytes:
    """One code of section 2; the first bit of the prefix is the lowest of the stored code."""
    code = sum(1 << place for place, bit in enumerate(prefix) if bit == "1")
    return bytes((len(prefix), total, 0 if switch else 1)) + le(value, 2) + le(code, 4)


SWITCHING_TABLES = (
    le(2, 2)
    + le(4, 2) + structure("0", 1, False, 0) + structure("10", 2, True, 2)
    + structure("110", 11, False, 0) + structure("111", 19, False, 0)
    + le(2, 2) + structure("0", 1, True, 1) + structure("1", 13, False, 0)
)  # fmt: skip


def packed(row: Sequence[int], coding: str) -> bytes:
    if coding == "raw":
        return b"".join(le(value, 2) for value in row)
    bits = switching_code(row) if coding == "tables" else "".join(default_code(value) for value in row)
    bits += "0" * (-len(bits) % 16)  # sections have even lengths
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def differences(row: np.ndarray, order: int) -> list[int]:
    if order == 0:
        return row.tolist()
    if order == 1:
        return [int(row[0]), *np.diff(row).tolist()]
    return [int(row[0]), int(row[1]), *np.diff(row, 2).tolist()]


def samples(stored: np.ndarray, step_nv: int, interval_us: int, order: int, coding: str, bimodal: int = 0) -> bytes:
    rows = [packed(differences(row, order), coding) for row in stored]
    head = le(step_nv, 2) + le(interval_us, 2) + bytes((order, bimodal)) + b"".join(le(len(row), 2) for row in rows)
    return head + b"".join(rows)


def section(number: int, body: bytes) -> bytes:
    rest = le(number, 2) + le(len(body) + 16, 4) + b"\x14\x14" + bytes(6) + body
    return le(crc_ccitt(rest), 2) + rest


def assemble(bodies: dict[int, bytes], mark: bytes = b"SCPECG") -> bytes:
    """The file of these section bodies: directory first, checksums everywhere."""
    numbers = range(12)
    length = 16 + 10 * len(numbers)
    blocks = {number: section(number, body) for number, body in bodies.items()}
    pointers, at = le(0, 2) + le(length, 4) + le(7, 4), 6 + length + 1
    for number in numbers[1:]:
        block = blocks.get(number, b"")
        pointers += le(number, 2) + le(len(block), 4) + le(at if block else 0, 4)
        at += len(block)
    rest = le(0, 2) + le(length, 4) + b"\x14\x14" + mark.ljust(6, b"\0") + pointers
    body = le(crc_ccitt(rest), 2) + rest + b"".join(blocks.get(number, b"") for number in numbers)
    body = le(len(body) + 6, 4) + body
    return le(crc_ccitt(body), 2) + body


def tag(number: int, value: bytes) -> bytes:
    return bytes((number,)) + le(len(value), 2) + value


def patient() -> bytes:
    device = bytes(8) + b"CART1\0" + bytes(28)
    return (
        tag(0, b"Doe\0") + tag(2, b"4711\0") + tag(4, le(67, 2) + b"\x01") + tag(8, b"\x02") + tag(14, device)
        + tag(25, le(2020, 2) + bytes((2, 29))) + tag(26, bytes((13, 14, 15))) + tag(255, b"")
    )  # fmt: skip


def measured() -> bytes:
    """Section 7: one beat (P 100-200, QRS 240-330, T to 640 ms), a spike, two QRS types, rate 72, QTc 431."""
    beat = b"".join(le(value, 2) for value in (100, 200, 240, 330, 640, 45, -30, 999))
    spikes = le(5, 2) + le(-300, 2) + bytes(6)
    rates = le(72, 2) + le(29999, 2) + le(431, 2) + bytes(3)
    return b"\x01\x01" + le(833, 2) + le(29999, 2) + beat + spikes + le(2, 2) + b"\0\0" + rates


def statements(*texts: bytes) -> bytes:
    lines = b"".join(bytes((i + 1,)) + le(len(text) + 1, 2) + text + b"\0" for i, text in enumerate(texts))
    return b"\x01" + le(2020, 2) + bytes((2, 29, 13, 20, 0)) + bytes((len(texts),)) + lines


def scp(
    stored: np.ndarray,
    leads: Sequence[str] = LEADS_8,
    *,
    step_nv: int = 2500,
    interval_us: int = 2000,
    order: int = 2,
    coding: str = "default",
    beat: np.ndarray | None = None,
    beat_step_nv: int = 2500,
    qrs: Sequence[tuple[int, int, int, int]] = (),
    fiducial: int = 1,
    bimodal: int = 0,
    firsts: Sequence[int] | None = None,
    mark: bytes = b"SCPECG",
) -> bytes:
    """An SCP-ECG file. qrs is (type, first, fiducial, last) per complex: there the beat is subtracted."""
    residual = stored.copy()
    if beat is not None:
        for kind, first, centre, last in qrs:
            for sample in range(first, last + 1):
                place = sample - (centre - fiducial) - 1
                if kind == 0 and 0 <= place < beat.shape[1] and 1 <= sample <= stored.shape[1]:
                    residual[:, sample - 1] -= beat[:, place] * (beat_step_nv // step_nv)
    begin = firsts or [1] * len(leads)
    flags = (1 if qrs else 0) | 4 | len(leads) << 3 & 0xF8
    bodies = {
        1: patient(),
        3: bytes((len(leads), flags))
        + b"".join(
            le(first, 4) + le(first + stored.shape[1] - 1, 4) + bytes((CODES[lead],))
            for lead, first in zip(leads, begin, strict=True)
        ),
        6: samples(residual, step_nv, interval_us, order, coding, bimodal),
        7: measured(),
        8: statements(b"Sinus rhythm", b"Confirmed by Dr. Smith", b"Left axis deviation"),
    }
    if coding != "raw":
        bodies[2] = SWITCHING_TABLES if coding == "tables" else le(19999, 2)
    if beat is not None:
        length_ms = beat.shape[1] * interval_us // 1000
        bodies[4] = le(length_ms, 2) + le(fiducial, 2) + le(len(qrs), 2) + b"".join(
            le(kind, 2) + le(first, 4) + le(centre, 4) + le(last, 4) for kind, first, centre, last in qrs
        )
        bodies[5] = samples(beat, beat_step_nv, interval_us, order, coding)
    return assemble(bodies, mark)
