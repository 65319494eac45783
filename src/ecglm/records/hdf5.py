"""HDF5 files → Record, with h5py: one recording, or one of many by its id.

Layouts: CODE-15 % and its relatives (`tracings` ``[record, time, lead]``, `exam_id`), SPH (`ecg` ``[lead, time]`` in
float16), and any file whose root holds one array of samples with rate, leads and unit as attributes or small arrays.
Nothing outside the file is opened: links other than hard ones are not followed, arrays with external or virtual
storage are refused. Arrays stored in one piece are memory-mapped, chunks are unfolded by hdf5_chunks.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError, argument
from ecglm.records.arrays import FS_KEYS, LEAD_KEYS, SIGNAL_KEYS, UNIT_KEYS, describe
from ecglm.records.channels import clean
from ecglm.records.hdf5_chunks import MAX_UNFOLDED_BYTES, unfold
from ecglm.records.hdf5_heaps import heaps_are_sound
from ecglm.records.leads import CHEST_LEADS
from ecglm.records.record import Record
from ecglm.records.request import Request

_ABOUT = (*FS_KEYS, *LEAD_KEYS, *UNIT_KEYS, "start", "age", "sex", "device", "limb_scale_shared")
_ID_KEYS = ("exam_id", "record_id", "ecg_id", "id")
_ID_TYPES = ("i4", "i8", "u4", "u8", *(f"S{n}" for n in range(1, 65)))
_MAX_NAMES, _MAX_RECORDS, _MAX_SMALL_BYTES, _MAX_VARIABLE = 1000, 1_000_000, 64 << 10, 32
#: Unfolded bytes that any file may have, and more of them per stored byte than samples of an ECG ever fold.
_FREE_BYTES, _UNFOLDED = 16 << 20, 64
_COMPACT = 0  # H5D_COMPACT
_PLAIN = "iufSb"  # kinds of types that are numbers and texts of fixed length
_DAMAGED = "it is damaged; get it again"
FAILURES = (
    OSError, ValueError, KeyError, RuntimeError, TypeError, MemoryError, OverflowError, AttributeError, IndexError,
    UnicodeError, NotImplementedError, zlib.error,
)  # fmt: skip

# CODE: Ribeiro et al., Zenodo 4916206 (CODE-15 %) and 3765780 (CODE-test): 400 Hz, padded with zeros on both sides.
# Their augmented leads come in two orders, and their unit is stated as "1e-4V, to be multiplied by 1000", which
# contradicts itself; measured amplitudes are about twice those of millivolts. So: relative amplitudes.
_CODE_FS = 400.0
_CODE_ORDERS = (("aVR", "aVL", "aVF"), ("aVL", "aVF", "aVR"))
_GOLDBERGER = {"aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
# SPH: Liu et al., Scientific Data 9:272 (2022): 12 leads of 500 Hz, 10 to 60 s, in mV.
_SPH_FS = 500.0


def read_hdf5(request: Request) -> Record:
    """The recording, or that with the id request.record. Raises ReadError."""
    path = request.path
    h5py = request.library("h5py", "HDF5")
    try:
        with h5py.File(path, "r", locking=False) as file:
            datasets = datasets_of(h5py, file, path)
            name = _signal_name(datasets, path)
            signal = datasets[name]
            check_kind(signal, path)
            found = _about(h5py, file, signal, datasets, path)
            if signal.ndim < 3:
                request.refuse_record()
                row, notes = None, []
            else:
                row, said = _find(request, signal.shape[0], datasets)
                notes = [said]
            data = samples(signal, row, path)
    except FAILURES as problem:
        raise ReadError(path, f"it is not a usable HDF5 file ({clean(str(problem).replace(path, ''), 90)})", _DAMAGED) from None
    if name == "tracings" and data.ndim == 2 and data.shape[1] == 12 and not found.keys() & set(LEAD_KEYS):
        data = _as_code(request, data, found, notes)
    elif name == "ecg" and data.dtype == np.float16 and data.shape[0] == 12 and not found.keys() & {*FS_KEYS, *UNIT_KEYS}:
        found |= {"fs": np.array(_SPH_FS), "unit": np.array("mV")}
        notes.append("laid out as the SPH data set: 500 Hz and mV are its own")
    return describe(request, data, found, "hdf5", notes)


def datasets_of(h5py: Any, file: Any, path: str) -> dict[str, Any]:
    """The arrays of the root. Soft and external links may lead anywhere and are not followed."""
    names = list(itertools.islice(file, _MAX_NAMES + 1))
    if len(names) > _MAX_NAMES:
        raise ReadError(path, f"it has more than {_MAX_NAMES} objects", "save one recording with its rate, leads and unit")
    hard = [name for name in names if isinstance(file.get(name, getlink=True), h5py.HardLink)]
    return {name: file[name] for name in hard if file.get(name, getclass=True) is h5py.Dataset}


def _signal_name(datasets: Mapping[str, Any], path: str) -> str:
    for key in ("tracings", *SIGNAL_KEYS):
        if key in datasets:
            return key
    arrays = [name for name, dataset in datasets.items() if not is_elsewhere(dataset) and dataset.ndim in (2, 3)]
    if len(arrays) != 1:
        listed = clean(", ".join(datasets), 80) or "none"
        raise ReadError(path, f"it has no array named signal (it has {listed})", "name the array of samples signal")
    return arrays[0]


def is_elsewhere(dataset: Any) -> bool:
    """Whether the samples lie in other files (asked of the creation properties, which open none)."""
    return bool(dataset.id.get_create_plist().get_external_count()) or dataset.is_virtual


def in_header(dataset: Any) -> bool:
    """Whether the values lie beside the description (a compact array)."""
    return bool(dataset.id.get_create_plist().get_layout() == _COMPACT)


def check_kind(dataset: Any, path: str) -> None:
    if is_elsewhere(dataset):
        raise ReadError(path, "its samples lie in other files", "copy them into one file, as with h5repack")
    plain = dataset.dtype.kind in "iuf" and dataset.dtype.itemsize == dataset.id.get_type().get_size() <= 8
    if not plain or dataset.ndim not in (1, 2, 3) or 0 in dataset.shape:
        raise ReadError(
            path,
            f"its array has shape {dataset.shape} and type {clean(str(dataset.dtype), 20)}",
            "a recording is an array of numbers [lead, time], many of them [record, time, lead]",
        )


def _about(h5py: Any, file: Any, signal: Any, datasets: Mapping[str, Any], path: str) -> dict[str, NDArray[Any]]:
    """Rate, leads, unit and the typed facts: attributes of the array before those of the file, before small arrays.

    Numbers and texts are read, of what else there is in HDF5 nothing: it has crashed on damaged types within types.
    """
    found: dict[str, NDArray[Any]] = {}
    sound = functools.cache(lambda: heaps_are_sound(file, path))

    def usable(dtype: np.dtype[Any]) -> bool:
        return dtype.kind in _PLAIN or (h5py.check_string_dtype(dtype) is not None and sound())

    for key in _ABOUT:
        for owner in (signal, file):
            if key not in found and key in owner.attrs:
                kind = owner.attrs.get_id(key)
                check_small(path, key, kind.shape, kind.dtype)
                if usable(kind.dtype):
                    found[key] = _plain(owner.attrs[key])
        dataset = datasets.get(key)
        if key not in found and dataset is not None and not is_elsewhere(dataset):
            check_small(path, key, dataset.shape, dataset.dtype)
            if usable(dataset.dtype) and (in_header(dataset) or dataset.id.get_offset() is not None):
                found[key] = _plain(dataset[()])
            elif dataset.dtype.kind in _PLAIN and dataset.chunks is not None:
                found[key] = _plain(unfold(dataset, [slice(0, n) for n in dataset.shape], path))
    return found


def check_small(path: str, key: str, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> None:
    """Raise ReadError for a description of many bytes; texts of variable length may all be the same long one."""
    count = math.prod(shape or (0,))
    if count * dtype.itemsize > _MAX_SMALL_BYTES or (dtype.kind == "O" and count > _MAX_VARIABLE):
        raise ReadError(
            path, f"its {key} has {count} values of {clean(str(dtype), 12)}", "write one value, or texts of fixed length"
        )


def _plain(value: Any) -> NDArray[Any]:
    """Numbers and texts as plain arrays; whatever else HDF5 holds becomes an empty one."""
    array = np.asarray(value)
    if array.dtype.kind == "O":
        texts = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in array.reshape(-1).tolist()]
        array = np.array(texts if all(isinstance(text, str) for text in texts) else [])
    return array if array.dtype.kind in "iufUSb" else np.array([])


def _find(request: Request, n_records: int, datasets: Mapping[str, Any]) -> tuple[int, str]:
    """The row of the record asked for, and a note on which it is. Raises ReadError that says how to name one."""
    path = request.path
    ids = next((datasets[key] for key in _ID_KEYS if key in datasets), None)
    if n_records > _MAX_RECORDS:
        raise ReadError(path, f"it claims {n_records} records, the limit is {_MAX_RECORDS}", _DAMAGED)
    names: list[str] | range = range(n_records)
    if ids is not None and not is_elsewhere(ids) and ids.shape == (n_records,) and ids.dtype.str[1:] in _ID_TYPES:
        names = [_text(item) for item in samples(ids, None, path).tolist()]
    if request.record is None:
        if n_records == 1:
            return 0, f"the file's only record is {names[0]}"
        shown = ", ".join(str(name) for name in names[:3])
        raise ReadError(path, f"it holds {n_records} recordings ({shown}, ...)", f"name one with {argument('record', names[0])}")
    rows = [row for row, name in enumerate(names) if str(name) == request.record]
    if not rows:
        shown = f"{names[0]} to {names[-1]}" if isinstance(names, range) else ", ".join(names[:5]) + ", ..."
        raise ReadError(path, f"none of its {n_records} recordings is {clean(request.record)}", f"it has {shown}")
    twice = f"; {len(rows)} have this id, the first is read" if len(rows) > 1 else ""
    return rows[0], f"record {clean(request.record)} of {n_records} in the file{twice}"


def _text(item: int | bytes) -> str:
    return item.decode("utf-8", "replace").strip() if isinstance(item, bytes) else str(item)


def samples(dataset: Any, row: int | None, path: str) -> NDArray[Any]:
    """The whole array, or one row of its first axis. Raises ReadError for what would unfold to too much."""
    offset = dataset.id.get_offset()
    if offset is not None:  # in one piece
        mapped = np.memmap(path, dataset.dtype, "r", offset, dataset.shape)
        return np.asarray(mapped if row is None else mapped[row])
    parts = [slice(0, n) for n in dataset.shape]
    if row is not None:
        parts[0] = slice(row, row + 1)
    wanted = math.prod(part.stop - part.start for part in parts) * dataset.dtype.itemsize
    stored = min(dataset.id.get_storage_size(), os.path.getsize(path))
    if wanted > max(_FREE_BYTES, _UNFOLDED * stored) or wanted > MAX_UNFOLDED_BYTES:
        raise ReadError(
            path,
            f"its samples unfold to {wanted} bytes (at most {MAX_UNFOLDED_BYTES >> 20} MB, and {_UNFOLDED} for each stored one)",
            "save it in one piece (without chunks), of which a part can be read",
        )
    if dataset.chunks is None and not in_header(dataset):
        raise ReadError(path, "its samples were never written", "write them")
    values: NDArray[Any] = dataset[tuple(parts)] if dataset.chunks is None else unfold(dataset, parts, path)
    return values if row is None else values[0]


def _as_code(request: Request, data_NL: NDArray[Any], found: dict[str, NDArray[Any]], notes: list[str]) -> NDArray[Any]:
    """A row of `tracings` without its padding, its leads named, its unit as far as it is known."""
    held = np.flatnonzero((data_NL != 0).any(axis=1))
    if not len(held):
        raise ReadError(request.path, f"record {request.record or 0} holds nothing but zeros", "read another")
    padding = len(data_NL) - (held[-1] + 1 - held[0])
    if padding:
        data_NL = data_NL[held[0] : held[-1] + 1]
        notes.append(f"padding with zeros left out: {held[0]} samples before, {padding - held[0]} after")
    order, sure = _code_order(data_NL)
    if not sure:
        notes.append("whether its leads are in the order I, II, III, aVR, aVL, aVF, V1-V6 cannot be told from the signal")
    elif order != _CODE_ORDERS[0]:
        notes.append("its augmented leads are in the order aVL, aVF, aVR, as the signal shows")
    found["leads"] = np.array(["I", "II", "III", *order, *CHEST_LEADS])
    if not found.keys() & set(FS_KEYS) and request.fs is None:
        found["fs"] = np.array(_CODE_FS)
        notes.append("laid out as the CODE data sets: 400 Hz is their rate")
    if not found.keys() & set(UNIT_KEYS) and request.unit is None:
        found |= {"unit": np.array("normalized"), "limb_scale_shared": np.array(int(sure))}
        notes.append(f"CODE's authors contradict themselves about the amplitude unit: pass {argument('unit')} if you know it")
    return data_NL


def _code_order(data_NL: NDArray[Any]) -> tuple[tuple[str, ...], bool]:
    """The order of columns 4 to 6 in which Goldberger's relations hold best, and whether they do."""
    with np.errstate(all="ignore"):  # damaged floats
        values = data_NL[:, :6].astype(np.float64)
        values -= values.mean(axis=0)
        computed = {lead: values[:, :2] @ np.array(weights) for lead, weights in _GOLDBERGER.items()}
        missed = [
            max(float(np.abs(values[:, 3 + place] - computed[lead]).mean()) for place, lead in enumerate(order))
            for order in _CODE_ORDERS
        ]
        sure = min(missed) < 0.1 * float(np.abs(values).mean())
    return _CODE_ORDERS[int(sure and missed[1] < missed[0])], sure
