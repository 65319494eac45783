"""Chunks of an HDF5 array → samples, undone here filter by filter.

HDF5 itself unfolds a chunk without a limit and trusts its length: it has crashed on a chunk shorter than its checksum.
Here every chunk must be as long as the array's shape says. Filters: HDF5 File Format Specification 3.0, IV.A.2.l;
LZF as in Lehmann's liblzf.
"""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError

MAX_UNFOLDED_BYTES = 256 << 20  #: of the chunks of one record
MAX_LZF_BYTES = 8 << 20  #: which are undone one reference at a time
_MAX_CHUNKS = 20_000
_GZIP, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32_000  # plug-ins are never loaded
_FILL_DEFAULT = 1  # H5D_FILL_VALUE_DEFAULT: 0
_DAMAGED = "it is damaged; get it again"


def unfold(dataset: Any, parts: list[slice], path: str) -> NDArray[Any]:
    """This part of a chunked array. Raises ReadError for filters that are not read and chunks of another length."""
    shape, dtype = dataset.chunks, dataset.dtype
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(place)[0] for place in range(plist.get_nfilters())]
    if len(set(filters)) < len(filters) or not set(filters) <= {_GZIP, _SHUFFLE, _FLETCHER32, _LZF}:
        raise ReadError(path, f"its filters {filters} are not read", "save it with gzip or without compression")
    size = math.prod(shape) * dtype.itemsize
    places = [range(part.start // step * step, part.stop, step) for part, step in zip(parts, shape, strict=True)]
    count = math.prod(len(place) for place in places)
    most = MAX_LZF_BYTES if _LZF in filters else MAX_UNFOLDED_BYTES
    if size * count > most or count > _MAX_CHUNKS:
        raise ReadError(path, f"its {count} chunks of {shape} are too many or too large", "save it in one piece")
    out = np.zeros([part.stop - part.start for part in parts], dtype)
    for place in itertools.product(*places):
        held = dataset.id.get_chunk_info_by_coord(place)
        if held.byte_offset is None:  # never written
            if plist.fill_value_defined() != _FILL_DEFAULT:  # HDF5 crashes when it is asked for one that is damaged
                raise ReadError(path, f"its chunk at {place} was never written", "write all samples, missing ones as NaN")
            continue
        if held.size > most:
            raise ReadError(path, f"a chunk of {size} bytes is stored in {held.size}", _DAMAGED)
        skipped, raw = dataset.id.read_direct_chunk(place)
        for bit in reversed(range(len(filters))):
            if not skipped >> bit & 1:
                raw = _undone(filters[bit], raw, size, dtype.itemsize)
        if len(raw) != size:
            raise ReadError(path, f"a chunk of {size} bytes unfolds to {len(raw)}, or more", _DAMAGED)
        chunk = np.frombuffer(raw, dtype).reshape(shape)
        inside = [slice(max(part.start - at, 0), part.stop - at) for part, at in zip(parts, place, strict=True)]
        there = [slice(max(at - part.start, 0), at - part.start + n) for part, at, n in zip(parts, place, shape, strict=True)]
        out[tuple(there)] = chunk[tuple(inside)]
    return out


def _undone(code: int, raw: bytes, size: int, itemsize: int) -> bytes:
    """What one filter was given. Raises ValueError and zlib.error; of what is longer than size and a checksum a part."""
    if code == _GZIP:
        return zlib.decompressobj().decompress(raw, size + 5)
    if code == _SHUFFLE:
        n = len(raw) // itemsize
        return np.frombuffer(raw, np.uint8, n * itemsize).reshape(itemsize, n).T.tobytes() + raw[n * itemsize :]
    if code == _LZF:
        return _lzf(raw, size + 5)
    if len(raw) < 4 or _fletcher32(raw[:-4]) != tuple(half % 65535 for half in struct.unpack("<HH", raw[-4:])):
        raise ValueError("a chunk fails its checksum")
    return raw[:-4]


def _fletcher32(raw: bytes) -> tuple[int, int]:
    """Both sums of the big-endian words, modulo 65535 (where HDF5 may write 65535 for 0)."""
    words = np.frombuffer(raw + b"\0" * (len(raw) % 2), ">u2").astype(np.int64)
    weights = np.arange(len(words), 0, -1) % 65535
    return int(words.sum() % 65535), int(words @ weights % 65535)


def _lzf(raw: bytes, most: int) -> bytes:
    """Runs of 1 to 32 bytes, and references of 3 to 264 bytes to what has been written."""
    out = bytearray()
    at = 0
    while at < len(raw) and len(out) < most:
        control = raw[at]
        if control < 32:
            out += raw[at + 1 : at + 2 + control]
            at += 2 + control
            continue
        length, back = control >> 5, (control & 31) << 8
        if length == 7:
            at += 1
            length += raw[at]
        length, back, at = length + 2, back + raw[at + 1] + 1, at + 2
        if back > len(out):
            raise ValueError("an LZF reference leads before the beginning")
        begin = len(out) - back
        piece = out[begin : begin + length]
        out += (piece * (length // len(piece) + 1))[:length]
    return bytes(out)
