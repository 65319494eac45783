"""What the pages of a Parquet file unfold to, by their headers: pyarrow allocates whatever these claim.

Standard: Apache Parquet format, parquet.thrift (PageHeader), in the Thrift compact protocol.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 11, 12
_UNFOLDED, _STORED = 2, 3  # fields of a page header: bytes of the page before and after compression
_MAX_HEADER, _MAX_PAGES, _MAX_DEPTH = 64 << 10, 100_000, 8


def unfolded_bytes(path: str, chunks: list[tuple[int, int]]) -> int:
    """Sum over the pages of column chunks, each given as (offset, stored bytes). Raises ValueError for damaged headers."""
    total = pages = 0
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        for first, length in chunks:
            at, end = first, first + length
            if not 0 < first < end <= size:
                raise ValueError(f"a column of {length} bytes at {first} lies outside the file")
            while at < end:
                stream.seek(at)
                fields, used = _struct(stream.read(min(_MAX_HEADER, end - at)), 0, 0)
                unfolded, stored = fields.get(_UNFOLDED, -1), fields.get(_STORED, -1)
                pages += 1
                if unfolded < 0 or stored < 0 or pages > _MAX_PAGES:
                    raise ValueError(f"page {pages} has no valid size")
                total += unfolded
                at += used + stored
    return total


def chunks_of(metadata: Any, columns: set[str]) -> Iterator[tuple[int, int]]:
    """Offset and stored bytes of the chunks of these columns."""
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for place in range(row_group.num_columns):
            column = row_group.column(place)
            if column.path_in_schema in columns:
                first = column.data_page_offset
                if column.has_dictionary_page and 0 < column.dictionary_page_offset < first:
                    first = column.dictionary_page_offset
                yield first, column.total_compressed_size


def _struct(raw: bytes, at: int, depth: int) -> tuple[dict[int, int], int]:
    """The integer fields of a struct by id, and where it ends."""
    if depth > _MAX_DEPTH:
        raise ValueError("a page header is nested too deep")
    fields: dict[int, int] = {}
    number = 0
    while at < len(raw):
        head = raw[at]
        at += 1
        kind = head & 15
        if kind == 0:
            return fields, at
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(raw, at)
        if kind in _INTEGERS:
            fields[number], at = _integer(raw, at)
        elif kind not in _BOOLEANS:  # of which the field's type is the value
            at = _skip(raw, at, kind, depth)
    raise ValueError("a page header is cut short")


def _skip(raw: bytes, at: int, kind: int, depth: int) -> int:
    if kind == _STRUCT:
        return _struct(raw, at, depth + 1)[1]
    if kind == _BINARY:
        length, at = _varint(raw, at)
        return at + length
    if kind in (_BYTE, *_BOOLEANS):
        return at + 1
    if kind == _DOUBLE:
        return at + 8
    if kind in _INTEGERS:
        return _varint(raw, at)[1]
    if kind in _LISTS and at < len(raw):
        count, item = raw[at] >> 4, raw[at] & 15
        at += 1
        if count == 15:
            count, at = _varint(raw, at)
        if count > _MAX_HEADER or item in _LISTS or item == _MAP:
            raise ValueError("a page header holds a list that is not read")
        for _ in range(count):
            at = _skip(raw, at, item, depth)
        return at
    raise ValueError(f"a page header holds a field of type {kind}")


def _integer(raw: bytes, at: int) -> tuple[int, int]:
    """A signed number in zigzag order, and where it ends."""
    value, at = _varint(raw, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(raw) and shift < 70:
        value |= (raw[at] & 127) << shift
        at += 1
        if raw[at - 1] < 128:
            return value, at
        shift += 7
    raise ValueError("a page header is cut short")
