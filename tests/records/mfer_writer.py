"""A writer of MFER files for the tests: definitions as tag, length, value; one frame or more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .carts import LEADS_12

CODES = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64}


def definition(tag: int, value: bytes = b"", channel: int | None = None) -> bytes:
    head = bytes((tag,)) if channel is None else bytes((tag, channel))
    size = len(value)
    if size < 0x80:
        return head + bytes((size,)) + value
    raw = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return head + bytes((0x80 | len(raw),)) + raw + value


def mfer(
    stored: np.ndarray,
    leads: Sequence[str] = LEADS_12,
    *,
    little: bool = True,
    kind: str = "i2",
    block: int = 50,
    interval: tuple[int, int, int] = (1, -3, 2),
    step: tuple[int, int, int] = (0, -6, 5),
    beat: np.ndarray | None = None,
    missing: int | None = None,
    extra: bytes = b"",
    others: Sequence[tuple[int, np.ndarray]] = (),
    wave: int = 1,
) -> bytes:
    """interval and step are (unit, exponent, mantissa); samples lie as sequences x channels x blocks.

    others are further frames, (kind of wave, rows).
    """
    order = "little" if little else "big"
    types = {"i2": 0, "u2": 1, "i4": 2, "u1": 3, "i1": 5, "u4": 6, "f4": 7, "f8": 8}

    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order, signed=value < 0)  # type: ignore[arg-type]

    def scaled(unit: int, exponent: int, mantissa: int) -> bytes:
        return bytes((unit, exponent & 0xFF)) + number(mantissa, 2)

    def frame(rows: np.ndarray, of: int) -> bytes:
        n_blocks = rows.shape[1] // block
        data = rows.reshape(len(rows), n_blocks, block).transpose(1, 0, 2)
        data = data.astype(("<" if little else ">") + kind)
        return (
            definition(0x08, number(of, 2)) + definition(0x04, number(block, 4)) + definition(0x05, number(len(rows), 2))
            + definition(0x06, number(n_blocks, 2)) + definition(0x0A, bytes((types[kind],)))
            + b"".join(
                definition(0x3F, definition(0x09, number(CODES[lead], 2) if lead in CODES else b"\0\0" + lead.encode()), i)
                for i, lead in enumerate(leads)
            )
            + (definition(0x12, number(missing, 2)) if missing is not None else b"")
            + extra + definition(0x1E, data.tobytes())
        )  # fmt: skip

    return (
        definition(0x40, b"MFR Standard 12 leads ECG".ljust(32)) + b"\0"
        + definition(0x01, bytes((1 if little else 0,))) + definition(0x02, b"\1\0\0")
        + definition(0x17, b"Maker^Model 9^1.0^123") + definition(0x81, b"Doe^^Jane") + definition(0x82, b"4711")
        + definition(0x83, b"\x3c\0\0" + number(1960, 2) + b"\x03\x05") + definition(0x84, b"\2")
        + definition(0x85, number(2021, 2) + bytes((3, 4, 5, 6, 7)) + bytes(4))
        + definition(0x0B, scaled(*interval)) + definition(0x0C, scaled(*step))
        + frame(stored, wave) + b"".join(frame(rows, other) for other, rows in others)
        + (frame(beat, 9) if beat is not None else b"") + b"\x80\0"
    )  # fmt: skip
