"""A writer of GDF 1.25 and 2.20 files for the tests, field by field from the published tables."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime

import numpy as np

TYPES = {1: "<i1", 3: "<i2", 5: "<i4", 16: "<f4", 17: "<f8"}
UNITS = {"uV": 4275, "mV": 4274, "V": 4256, "": 512}


def fixed_date(when: datetime) -> bytes:
    days = (when - datetime(1, 1, 1)).total_seconds() / 86400 + 367
    return struct.pack("<Q", round(days * 2**32))


def gdf(
    signals: Sequence[tuple[str, str, int, np.ndarray]],
    version: str = "2.20",
    kind: int = 3,
    records: int = 4,
    step: float = 0.5,
    origin: float = 3.0,
    seconds: tuple[int, int] = (1, 2),
    stated_records: int | None = None,
) -> bytes:
    """signals are (label, unit, samples per record, stored integers); records last seconds[0]/seconds[1] s."""
    n = len(signals)
    second = version >= "1.9"
    count = records if stated_records is None else stated_records
    head = f"GDF {version}".encode().ljust(8)
    if second:
        head += b"4711 Doe".ljust(66) + bytes(10) + bytes(3) + b"\2" + b"recording".ljust(64) + bytes(16)
        head += fixed_date(datetime(2021, 3, 4, 5, 6, 7)) + fixed_date(datetime(1960, 3, 5))
        head += struct.pack("<H", n + 1) + bytes(6 + 8 + 6 + 6 + 12 + 12)
        head += struct.pack("<qIIHH", count, *seconds, n, 0)
    else:
        head += b"4711 Doe".ljust(80) + b"recording".ljust(80) + b"2021030405060700"
        head += struct.pack("<q", 256 * (n + 1)) + bytes(8 + 8 + 8 + 20) + struct.pack("<qIII", count, *seconds, n)
    assert len(head) == 256
    size = 24 if kind == 279 else 8 * np.dtype(TYPES[kind]).itemsize
    low, high = (-(2.0 ** (size - 1)), 2.0 ** (size - 1) - 1) if kind < 16 or kind == 279 else (-1e6, 1e6)
    limits = "<d" if second else "<q"
    convert = float if second else int
    fields = (
        [label.encode().ljust(16, b"\0") for label, *_ in signals],
        [bytes(80)] * n,
        [b"" if second else unit.encode().ljust(8) for _, unit, *_ in signals],
        [bytes(6) if second else b""] * n,
        [struct.pack("<H", UNITS[unit]) if second else b"" for _, unit, *_ in signals],
        [struct.pack("<d", low * step + origin)] * n,
        [struct.pack("<d", high * step + origin)] * n,
        [struct.pack(limits, convert(low))] * n,
        [struct.pack(limits, convert(high))] * n,
        [bytes(80)] * n,
        [struct.pack("<I", per) for _, _, per, _ in signals],
        [struct.pack("<I", kind)] * n,
        [bytes(32)] * n,
    )
    out = head + b"".join(b"".join(column) for column in fields)
    for record in range(records):
        for _, _, per, stored in signals:
            part = stored[record * per : (record + 1) * per]
            if kind == 279:
                out += b"".join(int(value).to_bytes(3, "little", signed=True) for value in part)
            else:
                out += part.astype(TYPES[kind]).tobytes()
    return out
