"""XLI, the compression of Philips Sierra XML: LZW with 10-bit codes over second differences.

Layout as documented by the sierra-ecg-tools project: per lead a header of 8 bytes (size of
the packed data, a code, the first difference) and LZW codes that unpack to the high bytes
of all words followed by their low bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CODE_BITS = 10
_END = (1 << CODE_BITS) - 1
_BIAS = 64  #: subtracted from every stored difference after the first
HEADER = 8
MAX_LEAD_BYTES = 2 << 20  #: half an hour at 500 Hz; carts store 11 s
MAX_BYTES = 32 << 20  #: of all leads together


class XliError(ValueError):
    """The packed data is not XLI."""


def decode(data: bytes, n_leads: int) -> list[NDArray[np.int64]]:
    """The samples of n_leads leads of equal length. Raises XliError."""
    leads: list[NDArray[np.int64]] = []
    at = total = 0
    for lead in range(n_leads):
        size = int.from_bytes(data[at : at + 4], "little")
        first = int.from_bytes(data[at + 6 : at + HEADER], "little", signed=True)
        at += HEADER
        if not 0 < size <= len(data) - at:
            raise XliError(f"lead {lead + 1} claims {size} packed bytes of {max(len(data) - at, 0)}")
        unpacked = unlzw(data[at : at + size], MAX_LEAD_BYTES + 1)
        if len(unpacked) % 2 or not 0 < len(unpacked) <= MAX_LEAD_BYTES:
            raise XliError(f"lead {lead + 1} unpacks to {len(unpacked)} bytes")
        total += len(unpacked)
        if total > MAX_BYTES:
            raise XliError(f"its leads unpack to more than {MAX_BYTES} bytes")
        leads.append(_integrate(_words(unpacked), first))
        at += size
    if len({len(row) for row in leads}) > 1:
        raise XliError(f"its leads unpack to {min(map(len, leads))} to {max(map(len, leads))} samples")
    return leads


def unlzw(packed: bytes, limit: int) -> bytes:
    """Unpack LZW codes of 10 bits, most significant bit first, up to the end code or limit bytes."""
    strings = [bytes((value,)) for value in range(256)]
    known = len(strings)
    out: list[bytes] = []
    total = 0
    previous = b""
    for code in _codes(packed[: (limit + 1) * CODE_BITS // 8 + 1]).tolist():  # each stands for a byte at least
        if code == _END:
            break
        if code < known:
            current = strings[code]
        elif code == known and previous:
            current = previous + previous[:1]  # the string that this very code defines
        else:
            raise XliError(f"code {code} comes before its definition")
        if previous and known < _END:
            strings.append(previous + current[:1])
            known += 1
        out.append(current)
        total += len(current)
        if total >= limit:
            break
        previous = current
    return b"".join(out)[:limit]


def _codes(packed: bytes) -> NDArray[np.uint16]:
    """The whole codes in some bytes: four in every five of them."""
    data = np.frombuffer(packed + bytes(-len(packed) % 5), np.uint8).astype(np.uint16).reshape(-1, 5)
    codes = np.empty((len(data), 4), np.uint16)
    codes[:, 0] = data[:, 0] << 2 | data[:, 1] >> 6
    codes[:, 1] = (data[:, 1] & 63) << 4 | data[:, 2] >> 4
    codes[:, 2] = (data[:, 2] & 15) << 6 | data[:, 3] >> 2
    codes[:, 3] = (data[:, 3] & 3) << 8 | data[:, 4]
    return codes.ravel()[: len(packed) * 8 // CODE_BITS]


def _words(unpacked: bytes) -> NDArray[np.int64]:
    """Signed 16-bit words: high bytes in the first half, low bytes in the second."""
    halves = np.frombuffer(unpacked, np.uint8).reshape(2, -1)
    return np.frombuffer(halves.T.tobytes(), ">i2").astype(np.int64)


def _integrate(words: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """x[i] = 2 x[i-1] - x[i-2] - d[i], where d[i] is stored one place early and biased."""
    if len(words) < 3:
        return words
    second = np.concatenate(([-first], _BIAS - words[2:-1]))
    slope = words[1] - words[0] + np.cumsum(second)
    return np.concatenate((words[:2], words[1] + np.cumsum(slope)))
