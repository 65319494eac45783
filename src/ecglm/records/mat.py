"""MATLAB level 4 and 5 files → Record.

Reads what a recording needs (real matrices, text, cell arrays of text) and skips the rest.
Own parsing, because scipy.io.loadmat can crash the process on damaged files; tests
compare with scipy. Formats: MathWorks, "MAT-File Format" (R2020b), chapters 1 and 2.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.arrays import FS_KEYS, LEAD_KEYS, SIGNAL_KEYS, UNIT_KEYS, describe
from ecglm.records.channels import clean
from ecglm.records.record import Record
from ecglm.records.request import MAX_RAW_BYTES, Request

WANTED = frozenset((*SIGNAL_KEYS, *FS_KEYS, *LEAD_KEYS, *UNIT_KEYS))
_MATRIX, _COMPRESSED = 14, 15
_CELL, _CHAR, _NUMERIC = 1, 4, range(6, 16)
_COMPLEX = 0x0800
#: Number types of level 5 data elements and of level 4 matrices.
_TYPES5 = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TYPES4 = {0: "f8", 1: "f4", 2: "i4", 3: "i2", 4: "u2", 5: "u1"}
_TEXT5 = {16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MAX_VARIABLES = 10_000
_PEEK = 4096  # enough for the flags, shape and name of a variable

_FAILURES = (ValueError, struct.error, zlib.error, OverflowError, MemoryError, UnicodeError)


def read_mat(request: Request) -> Record:
    """A MATLAB file with one matrix of samples named val, ecg, ECG, signal or data. Raises ReadError."""
    path = request.path
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(128)
            level5 = head[124:128] in (b"\0\1IM", b"\1\0MI")
            stream.seek(128 if level5 else 0)
            found, listed = _level5(stream, size, head[126:128] == b"IM") if level5 else _level4(stream, size)
    except _FAILURES as problem:
        raise ReadError(
            path,
            f"it is not a usable MATLAB file ({clean(str(problem), 80)})",
            "it is damaged; save it again with save -v7",
        ) from None
    name = next((key for key in SIGNAL_KEYS if key in found), None)
    if name is None:
        raise ReadError(
            path,
            f"it has no matrix named {', '.join(SIGNAL_KEYS[:5])} (it has {clean(', '.join(listed), 80) or 'nothing'})",
            "rename the variable in MATLAB",
        )
    data = found[name]
    if data.ndim == 2 and 1 in data.shape:
        data = data.reshape(-1)
    return describe(request, data, found, "mat")


def _take(shape: tuple[int, ...], dtype: np.dtype[Any], raw: bytes) -> NDArray[Any]:
    """A column-major array, after its shape has been compared with the bytes that are there."""
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize > len(raw):
        raise ValueError(f"a matrix of shape {shape} has {len(raw)} bytes of data")
    return np.frombuffer(raw, dtype, math.prod(shape)).reshape(shape, order="F")


def _level4(stream: BinaryIO, size: int) -> tuple[dict[str, NDArray[Any]], list[str]]:
    found: dict[str, NDArray[Any]] = {}
    listed: list[str] = []
    while len(listed) < _MAX_VARIABLES and size - stream.tell() >= 20:
        raw = stream.read(20)
        order = "<" if int.from_bytes(raw[:4], "little") < 1000 else ">"
        kind, rows, columns, imaginary, length = struct.unpack(order + "5I", raw)
        precision, text = kind % 100 // 10, kind % 10
        if precision not in _TYPES4 or text > 2 or not 0 < length <= 64:
            raise ValueError(f"variable {len(listed) + 1} has no valid header")
        name = stream.read(length).rstrip(b"\0").decode("latin-1")
        dtype = np.dtype(order + _TYPES4[precision])
        need = rows * columns * dtype.itemsize
        if need * (2 if imaginary else 1) > size - stream.tell():
            raise ValueError(f"{clean(name)} of shape ({rows}, {columns}) has {size - stream.tell()} bytes of data")
        listed.append(name)
        if name in WANTED and text != 2 and not imaginary:
            values = _take((rows, columns), dtype, stream.read(need))
            found[name] = values if text == 0 else np.array(rows_of_text(values))
        else:
            stream.seek(need * (2 if imaginary else 1), os.SEEK_CUR)
    return found, listed


def _level5(stream: BinaryIO, size: int, little: bool) -> tuple[dict[str, NDArray[Any]], list[str]]:
    order = "<" if little else ">"
    found: dict[str, NDArray[Any]] = {}
    listed: list[str] = []
    while len(listed) < _MAX_VARIABLES and size - stream.tell() >= 8:
        kind, length = struct.unpack(order + "II", stream.read(8))
        start = stream.tell()
        if length > min(size - start, MAX_RAW_BYTES):
            raise ValueError(f"variable {len(listed) + 1} has {size - start} bytes where {length} are promised")
        if kind in (_MATRIX, _COMPRESSED):
            packed = kind == _COMPRESSED
            peek = stream.read(min(length, _PEEK))
            if packed:
                peek = zlib.decompressobj().decompress(peek, _PEEK)[8:]
            name = _matrix_head(peek, order)[3]
            listed.append(name)
            if name in WANTED:
                stream.seek(start)
                body = stream.read(length)
                if packed:
                    body = _inflate(body)[8:]
                values = _matrix(body, order, 0)
                if values is not None:
                    found[name] = values
        stream.seek(start + length)
    return found, listed


def _inflate(packed: bytes) -> bytes:
    """A compressed variable, unless it expands beyond the limit."""
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(packed, MAX_RAW_BYTES)
    if not unpacker.eof:
        raise ValueError(f"a variable is cut short or expands to more than {MAX_RAW_BYTES} bytes")
    return body


def _element(raw: bytes, at: int, order: str) -> tuple[int, bytes, int]:
    """Type, data and end of the data element at `at`."""
    kind, length = struct.unpack_from(order + "II", raw, at)
    if kind >> 16:  # up to four bytes are kept within the tag
        kind, length = kind & 0xFFFF, kind >> 16
        if length > 4:
            raise ValueError(f"a small element claims {length} bytes")
        return kind, raw[at + 4 : at + 4 + length], at + 8
    return kind, raw[at + 8 : at + 8 + length], at + 8 + length + -length % 8


def _matrix_head(raw: bytes, order: str) -> tuple[int, int, tuple[int, ...], str, int]:
    """Class, flags, shape, name of a matrix, and where its data begins."""
    _, flags, at = _element(raw, 0, order)
    _, shape, at = _element(raw, at, order)
    _, name, at = _element(raw, at, order)
    word = struct.unpack_from(order + "I", flags)[0]
    if not 8 <= len(shape) <= 32 * 4:
        raise ValueError(f"a matrix has {len(shape) // 4} dimensions")
    sizes = struct.unpack(f"{order}{len(shape) // 4}i", shape[: len(shape) // 4 * 4])
    return word & 0xFF, word, sizes, name.decode("latin-1"), at


def _matrix(raw: bytes, order: str, depth: int) -> NDArray[Any] | None:
    """A real matrix, text, or a cell array of text; None for everything else."""
    cls, flags, shape, _, at = _matrix_head(raw, order)
    if cls == _CELL and depth == 0:
        count = math.prod(shape)
        if not 0 < count <= 1000:
            return None
        texts: list[str] = []
        for _ in range(count):
            _, inner, at = _element(raw, at, order)
            item = _matrix(inner, order, 1)
            if item is None or item.dtype.kind != "U" or item.size != 1:
                return None
            texts.append(str(item[0]))
        return np.array(texts)
    if flags & _COMPLEX or (cls != _CHAR and cls not in _NUMERIC):
        return None
    kind, data, _ = _element(raw, at, order)
    if cls == _CHAR:
        if kind in _TEXT5:
            coded = data.decode(_TEXT5[kind] + ("" if kind == 16 else "-le" if order == "<" else "-be"), "replace")
            values: NDArray[Any] = np.array([ord(letter) for letter in coded], np.uint32)
            if values.size != math.prod(shape):
                raise ValueError(f"text of shape {shape} has {values.size} letters")
            return np.array(rows_of_text(values.reshape(shape, order="F")))
        return np.array(rows_of_text(_take(shape, np.dtype(order + _TYPES5.get(kind, "u1")), data)))
    if kind not in _TYPES5:
        raise ValueError(f"a matrix has data of type {kind}")
    return _take(shape, np.dtype(order + _TYPES5[kind]), data)


def rows_of_text(codes: NDArray[Any]) -> list[str]:
    """Text of a matrix of character codes, one string per row."""
    if codes.ndim != 2 or codes.size > 100_000:
        raise ValueError(f"text has shape {codes.shape}")
    if not codes.size:  # of any number of rows
        return []
    return ["".join(chr(int(c)) if 0 <= c < 0x110000 else "?" for c in row).rstrip() for row in codes]
