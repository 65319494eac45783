"""What a Parquet file would unfold to, by its footer and the headers of its pages, before pyarrow sees it.

pyarrow allocates whatever a page header claims, and ends the process when its footer's parts do not fit together.
Standard: Apache Parquet format, parquet.thrift, in the Thrift compact protocol.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO

from ecglm.records.request import MAX_CHANNELS

_MAX_FOOTER, _MAX_PAGE_HEADER = 1 << 20, 64 << 10
_MAX_PAGES, _MAX_DEPTH, _MAX_ITEMS = 50_000, 12, 100_000
# Field numbers: of the footer, of a schema element, of a row group, of a column chunk, of its metadata, of a page header.
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
_REPETITION, _CHILDREN = 3, 5
_COLUMNS, _GROUP_ROWS = 1, 3
_FILE, _META = 1, 3
_PATH, _VALUES, _STORED, _DATA_AT, _DICTIONARY_AT = 3, 5, 7, 9, 11
_PAGE_UNFOLDED, _PAGE_STORED = 2, 3
_NAME = 4


def sizes(path: str) -> tuple[int, int, int]:
    """Rows and columns of the table, and bytes that its pages unfold to.

    Raises ValueError for a footer that is damaged, or describes anything but a flat table within this file.
    """
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        stream.seek(max(size - 8, 0))
        tail = stream.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or not 0 < length <= min(size - 12, _MAX_FOOTER):
            raise ValueError(f"its footer of {length} bytes is not whole or larger than {_MAX_FOOTER}")
        stream.seek(size - 8 - length)
        footer = _Reader(stream.read(length)).struct()
        names = _names(footer)
        rows, groups = _of(footer, _ROWS, int), _of(footer, _GROUPS, list)
        if rows == 0:
            return 0, len(names), 0
        total = pages = held = 0
        for group in groups:
            columns = _of(group, _COLUMNS, list)
            held += _of(group, _GROUP_ROWS, int)
            if len(columns) != len(names) or _of(group, _GROUP_ROWS, int) < 0:
                raise ValueError(f"a row group has {len(columns)} columns of {len(names)}")
            for name, column in zip(names, columns, strict=True):
                meta = _of(column, _META, dict)
                if _FILE in column or _of(meta, _PATH, list) != [name] or _of(meta, _VALUES, int) != _of(group, _GROUP_ROWS, int):
                    raise ValueError("a column is not that of the schema, or lies in another file")
                begin = min(_of(meta, _DATA_AT, int), meta.get(_DICTIONARY_AT) or size)
                unfolded, count = _pages(stream, begin, begin + _of(meta, _STORED, int), size - 8 - length)
                total, pages = total + unfolded, pages + count
                if pages > _MAX_PAGES:
                    raise ValueError(f"it has more than {_MAX_PAGES} pages")
    if held != rows:
        raise ValueError(f"its row groups hold {held} of {rows} rows")
    return rows, len(names), total


def _names(footer: dict[int, Any]) -> list[bytes]:
    """The columns of a schema without nested or repeated ones."""
    root, *leaves = _of(footer, _SCHEMA, list) or [{}]
    if not 0 < len(leaves) <= MAX_CHANNELS + 2 or _of(root, _CHILDREN, int) != len(leaves):
        raise ValueError(f"it has {len(leaves)} columns (1 to {MAX_CHANNELS} are read, nested ones are not)")
    names = [_of(leaf, _NAME, bytes) for leaf in leaves]
    if any(leaf.get(_CHILDREN) or leaf.get(_REPETITION) not in (0, 1) for leaf in leaves):
        raise ValueError("it has nested columns, which are not read")
    return names


def _pages(stream: BinaryIO, at: int, end: int, limit: int) -> tuple[int, int]:
    """Unfolded bytes and number of the pages between two offsets."""
    if not 4 <= at < end <= limit:
        raise ValueError(f"a column at {at} to {end} lies outside the data")
    total = count = 0
    while at < end and count <= _MAX_PAGES:
        stream.seek(at)
        reader = _Reader(stream.read(min(_MAX_PAGE_HEADER, end - at)))
        header = reader.struct()
        unfolded, stored = _of(header, _PAGE_UNFOLDED, int), _of(header, _PAGE_STORED, int)
        if unfolded < 0 or stored < 0:
            raise ValueError("a page has no valid size")
        total, count, at = total + unfolded, count + 1, at + reader.at + stored
    return total, count


def _of(fields: Any, number: int, kind: type) -> Any:
    value = fields.get(number) if isinstance(fields, dict) else None
    if not isinstance(value, kind):
        raise ValueError(f"a header lacks its field {number}")
    return value


class _Reader:
    """Values of the Thrift compact protocol from `at` on: structs as dictionaries by field number."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.items = 0
        self.depth = 0
        self._by_kind: dict[int, Callable[[], Any]] = {
            1: self._boolean, 2: self._boolean, 3: self._byte, 4: self._integer, 5: self._integer, 6: self._integer,
            7: lambda: self._bytes(8), 8: lambda: self._bytes(self._varint()), 9: self._list, 10: self._list, 12: self.struct,
        }  # fmt: skip

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = head & 15 == 1 if head & 15 in (1, 2) else self._value(head & 15)
        return fields

    def _value(self, kind: int) -> Any:
        self.items += 1
        self.depth += 1
        if kind not in self._by_kind or self.items > _MAX_ITEMS or self.depth > _MAX_DEPTH:
            raise ValueError("a header holds what no Parquet header does")
        value = self._by_kind[kind]()
        self.depth -= 1
        return value

    def _list(self) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        return [self._value(head & 15) for _ in range(min(count, _MAX_ITEMS + 1))]

    def _boolean(self) -> bool:
        return self._byte() == 1

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a header holds a number that is too long")

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        part = self.raw[self.at : self.at + count]
        if len(part) < count:
            raise ValueError("a header is cut short")
        self.at += count
        return part
