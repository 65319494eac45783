"""The heaps in which HDF5 keeps texts of variable length, checked before the library reads one.

In a damaged heap an object of no size makes HDF5 (2.0.0) go round for ever. Standard: HDF5 File Format Specification
3.0, III.E.
"""

from __future__ import annotations

import mmap
import os
from typing import Any

from ecglm.errors import ReadError

MAX_BYTES = 1 << 30  #: of a file that is searched for heaps
_MAX_OBJECTS = 1_000_000
_MARK = b"GCOL\x01"  # with the only version there is: HDF5 refuses others
_HEADER = 16  # bytes before the first object, and of an object before its data
_SMALLEST = 4096


def heaps_are_sound(file: Any, path: str) -> bool:
    """Walk through every heap of an open file as HDF5 does, False where the file is too large for that.

    Raises ReadError where HDF5 would not come to an end.
    """
    size = os.path.getsize(path)
    if size > MAX_BYTES or file.id.get_create_plist().get_sizes() != (8, 8):  # bytes of addresses and lengths
        return False
    seen = 0
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), size, access=mmap.ACCESS_READ) as data:
        begin = data.find(_MARK)
        while begin >= 0:
            end = begin + int.from_bytes(data[begin + 8 : begin + 16], "little")
            at = begin + _HEADER
            if end - begin < _SMALLEST or end > size:
                raise _damaged(path, begin)
            while at + _HEADER <= end:
                length = int.from_bytes(data[at + 8 : at + 16], "little")
                free = data[at : at + 2] == b"\0\0"  # the rest, and its header counts as part of it
                need = length if free else _HEADER + length + -length % 8
                seen += 1
                if not _HEADER <= need <= end - at or seen > _MAX_OBJECTS:
                    raise _damaged(path, at)
                at += need
            begin = data.find(_MARK, begin + 1)
    return True


def _damaged(path: str, at: int) -> ReadError:
    return ReadError(path, f"the texts at byte {at} are damaged", "get it again, or write texts of fixed length")
