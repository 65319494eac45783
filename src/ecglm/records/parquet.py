"""Parquet files → Record, with pyarrow: a column per lead, as in CSV.

Names, units and time columns mean what they mean in a text table; what ``# fs=500`` lines say there is said by
the schema's metadata (`statements`).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.channels import clean
from ecglm.records.parquet_sizes import sizes
from ecglm.records.plain import build
from ecglm.records.record import Record
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.statements import stated
from ecglm.records.table import units_in, without_time

MAX_VALUE_BYTES = 256 << 20  #: of the table as float64
#: As in HDF5: bytes that any file may unfold to, and more per stored byte than samples of an ECG ever fold.
_FREE_BYTES, _UNFOLDED = 16 << 20, 64
_MAX_THRIFT = 1 << 20  # bytes of a text and items of a list in the footer


def read_parquet(request: Request) -> Record:
    """A table with one row per sample; columns that are not numbers are left out. Raises ReadError."""
    path = request.path
    arrow = request.library("pyarrow", "Parquet")
    parquet = request.library("pyarrow.parquet", "Parquet")
    try:
        _check_size(path)
        with parquet.ParquetFile(
            path, pre_buffer=False, thrift_string_size_limit=_MAX_THRIFT, thrift_container_size_limit=_MAX_THRIFT
        ) as file:
            schema = file.schema_arrow
            names, others = _numeric(arrow, schema, path)
            table = file.read(columns=names, use_threads=False)
            data_NC = np.stack([_values(table.column(name)) for name in names], axis=1)
    except (arrow.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as problem:
        said = clean(str(problem).replace(path, ""), 90)
        raise ReadError(path, f"it is not a usable Parquet file ({said})", "write it again, a column per lead") from None
    notes = [f"columns without numbers, left out: {clean(', '.join(others), 80)}"] if others else []
    about = stated({_text(key): _text(value) for key, value in (schema.metadata or {}).items()}, path)
    data_NC, names, rate = without_time(data_NC, names, path, notes)
    names, units = units_in(names, about.unit)
    return build(
        request, data_NC, "parquet", fs=about.fs if about.fs is not None else rate, names=names, units=units, lead_major=False,
        start=about.start, meta=about.meta, limb_scale_shared=about.limb_scale_shared, notes=notes,
    )  # fmt: skip


def _numeric(arrow: Any, schema: Any, path: str) -> tuple[list[str], list[str]]:
    """Names of the columns that hold numbers, and of the others."""
    if len(schema) > MAX_CHANNELS + 2:
        raise ReadError(path, f"it has {len(schema)} columns, the limit is {MAX_CHANNELS}", "write one column per lead")
    numbers: list[str] = []
    others: list[str] = []
    for field in schema:
        if field.name.startswith("__index_level_"):
            continue  # of a data frame
        good = arrow.types.is_integer(field.type) or arrow.types.is_floating(field.type)
        (numbers if good else others).append(field.name)
    if not numbers or len({*numbers, *others}) < len(numbers) + len(others):
        raise ReadError(
            path, f"{len(numbers)} of its {len(schema)} columns hold numbers", "write one column per lead, each of its own name"
        )
    return numbers, others


def _check_size(path: str) -> None:
    """Raise ReadError for a table that is empty, too large, or claims far more than its bytes can hold."""
    rows, columns, unfolded = sizes(path)
    if rows <= 0:
        raise ReadError(path, "it has no rows", "get it again")
    unfolded = max(rows * columns * 8, unfolded)
    if unfolded > MAX_VALUE_BYTES or unfolded > max(_FREE_BYTES, _UNFOLDED * os.path.getsize(path)):
        raise ReadError(
            path,
            f"its {rows} rows of {columns} columns unfold to {unfolded} bytes (at most {MAX_VALUE_BYTES >> 20} MB, "
            f"and {_UNFOLDED} for each stored one)",
            "save a shorter part, or as .npy, of which a part can be read",
        )


def _values(column: Any) -> Any:
    """float64, NaN where a value is null."""
    return np.concatenate([chunk.cast("float64").to_numpy(zero_copy_only=False) for chunk in column.chunks] or [np.empty(0)])


def _text(raw: bytes) -> str:
    return raw[:1000].decode("utf-8", "replace")
