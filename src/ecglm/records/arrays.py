"""NPY and NPZ files → Record, and `write_npz`, the way back.

Nothing is unpickled. Shapes are compared with the bytes that are there before anything
of that size is allocated.
"""

from __future__ import annotations

import io
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.errors import EcglmError, ReadError
from ecglm.records.channels import clean
from ecglm.records.plain import build
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_RAW_BYTES, BoundedFile, Request

SIGNAL_KEYS = ("signal", "ecg", "ECG", "val", "data", "arr_0")
FS_KEYS = ("fs", "Fs", "FS", "sfreq", "sampling_rate", "frequency", "sample_rate")
LEAD_KEYS = ("leads", "lead_names", "sig_name")
UNIT_KEYS = ("unit", "units")

_NPY_FAILURES = (
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    EOFError,
    OverflowError,
    RecursionError,
    MemoryError,
    struct.error,
    tokenize.TokenError,
    AttributeError,
    IndexError,
)
_MAX_HEADER = 10_012  # numpy's limit of 10,000 and what stands before it
_MAX_CHARACTER = 0x10FFFF
_ZIP_FAILURES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
    IndexError,
)


def _npy_header(stream: BinaryIO, size: int, path: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type of an NPY stream of `size` bytes, whose data must be all there."""
    head = io.BytesIO(stream.read(_MAX_HEADER))  # of which no length, however damaged, makes numpy ask for more
    try:
        with warnings.catch_warnings():  # numpy says that a header is of Python 2
            warnings.simplefilter("ignore")
            version = np.lib.format.read_magic(head)
            if version == (1, 0):
                shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
            else:
                shape, fortran, dtype = np.lib.format.read_array_header_2_0(head)
    except _NPY_FAILURES as problem:
        raise ReadError(
            path, f"its NPY header cannot be read ({clean(str(problem), 60)})", "save it again with np.save"
        ) from None
    stream.seek(head.tell())
    if dtype.hasobject or dtype.kind not in "iufUSb":
        raise ReadError(
            path, f"it holds {clean(str(dtype), 30)} objects", "save an array of numbers; pickles are never read"
        )
    need = math.prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or need > size - stream.tell():
        raise ReadError(
            path,
            f"it has {size - stream.tell()} bytes of data where its header promises {need}",
            "it was cut short; save it again",
        )
    return shape, fortran, dtype


def read_npy(request: Request) -> Record:
    """An ``.npy`` array ``[lead, time]`` or ``[time, lead]``. Only the window is read from disk."""
    path = request.path
    with open(path, "rb") as stream:
        shape, fortran, dtype = _npy_header(stream, os.path.getsize(path), path)
        offset = stream.tell()
    if dtype.kind not in "iuf" or not 0 < len(shape) <= 2 or 0 in shape:
        raise ReadError(
            path, f"its array has shape {shape} and type {dtype}", "a record is a non-empty 2-D array of numbers"
        )
    data = np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")
    return build(request, np.asarray(data), "npy", fs=None, names=None)


def read_npz(request: Request) -> Record:
    """An ``.npz`` archive with `signal` and, where known, `fs`, `leads`, `unit`, `start`, `age`, `sex`, `device`."""
    path = request.path
    try:
        with BoundedFile(path) as stream, zipfile.ZipFile(stream) as archive:
            entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist()[:1000]}
            wanted = [
                next((key for key in keys if key in entries), None)
                for keys in (SIGNAL_KEYS, FS_KEYS, LEAD_KEYS, UNIT_KEYS)
            ]
            if wanted[0] is None:
                raise ReadError(
                    path,
                    f"it has no array named signal (it has {clean(', '.join(entries), 80) or 'nothing'})",
                    "save it with np.savez(path, signal=..., fs=..., leads=..., unit=...)",
                )
            found = {
                key: _npz_member(archive, entries[key], path)
                for key in (*wanted, "start", "age", "sex", "device", "limb_scale_shared")
                if key is not None and key in entries
            }
    except _ZIP_FAILURES as problem:
        raise ReadError(path, f"its ZIP archive is damaged ({clean(str(problem), 60)})", "get it again") from None
    return describe(request, found[wanted[0]], found, "npz")


def _npz_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> NDArray[Any]:
    if info.file_size > MAX_RAW_BYTES:
        raise ReadError(
            path,
            f"its array {clean(info.filename)} has {info.file_size} bytes, the limit is {MAX_RAW_BYTES}",
            "save a shorter record, or as .npy, of which a part can be read",
        )
    if info.file_size > 1100 * max(info.compress_size, 1):
        raise ReadError(
            path, f"its array {clean(info.filename)} claims to be compressed beyond what ZIP can", "get it again"
        )
    with archive.open(info) as stream:
        raw = io.BytesIO(stream.read(info.file_size))
    shape, fortran, dtype = _npy_header(raw, len(raw.getbuffer()), path)
    data = np.frombuffer(raw.getbuffer(), dtype, math.prod(shape), raw.tell())
    if dtype.kind == "U" and (data.view(dtype.str[0] + "u4") > _MAX_CHARACTER).any():  # Python would make broken strings of them
        raise ReadError(path, f"the text in {clean(info.filename)} is not Unicode", "it is damaged; save it again")
    return data.reshape(shape, order="F" if fortran else "C")


def describe(
    request: Request, data: NDArray[Any], found: Mapping[str, Any], format_name: str, notes: Sequence[str] = ()
) -> Record:
    """Build a record of an array and the small arrays that describe it."""
    fs = _number(found, FS_KEYS, request.path)
    unit = _texts(found, UNIT_KEYS)
    start = None
    if text := _texts(found, ("start",)):
        try:
            start = datetime.fromisoformat(text[0])
        except ValueError:
            start = None
    age, sex, device = _number(found, ("age",), request.path), _texts(found, ("sex",)), _texts(found, ("device",))
    meta = RecordMeta(
        age=int(age) if age is not None and 0 <= age <= 120 else None,
        sex=sex[0] if sex and sex[0] in ("female", "male") else None,  # type: ignore[arg-type]
        device=clean(device[0]) or None if device else None,
    )
    leads = _texts(found, LEAD_KEYS)
    return build(
        request,
        data,
        format_name,
        fs=fs,
        names=leads,
        units=None if not unit else unit[0] if len(unit) == 1 else unit,
        start=start,
        meta=meta,
        limb_scale_shared=bool(_number(found, ("limb_scale_shared",), request.path)),
        notes=notes,
    )


def _number(found: Mapping[str, Any], keys: tuple[str, ...], path: str) -> float | None:
    for key in keys:
        value = found.get(key)
        if isinstance(value, np.ndarray) and value.size:
            if value.size != 1 or value.dtype.kind not in "iuf":
                raise ReadError(path, f"its {key} is not one number", "save it as a scalar")
            return float(value.reshape(-1)[0])
    return None


def _texts(found: Mapping[str, Any], keys: tuple[str, ...]) -> list[str] | None:
    """Strings of the first of these arrays that is text."""
    for key in keys:
        value = found.get(key)
        if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "US":
            flat = value.reshape(-1)[:1000].tolist()
            return [(item.decode("utf-8", "replace") if isinstance(item, bytes) else item).strip() for item in flat]
    return None


def write_npz(record: Record, path: str | os.PathLike[str]) -> None:
    """Write a record so that `read` gives it back. The file appears whole or not at all.

    Raises EcglmError when the place cannot be written.
    """
    target = os.fspath(path)
    described: dict[str, Any] = {
        "signal": record.signal,
        "fs": np.float64(record.fs),
        "leads": np.array(record.leads),
        "unit": np.array(record.unit),
    }
    if record.limb_scale_shared:
        described["limb_scale_shared"] = np.array(1)
    if record.start is not None:
        described["start"] = np.array(record.start.isoformat())
    described |= {key: np.array(value) for key, value in vars(record.meta).items() if value is not None}
    try:
        with replacing(target) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **described)
    except (OSError, ValueError) as problem:
        raise EcglmError(
            f"{target}: cannot be written ({getattr(problem, 'strerror', None) or problem}); choose another place"
        ) from None
