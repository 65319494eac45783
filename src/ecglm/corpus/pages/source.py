"""The recordings that pages are made of: the files below a folder, or the rows of a data set."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecglm.corpus import LICENCES
from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError, UsageError
from ecglm.records.record import Record

#: Data sets that are one packed file, those without recordings of their own, and where the others keep theirs if not everywhere.
_PACKED, _NO_RECORDS = ("ptbxl",), ("ecgqa",)
_BELOW = {"challenge2021": "records", "ludb": "data", "mitdb": "records"}


@dataclass(frozen=True)
class Source:
    """name: of the data set, or the folder as it was given. place: the same as any worker finds it. keys: of its recordings,
    sorted. licence: of the data, None when nobody said."""

    name: str
    place: str
    keys: tuple[str, ...]
    licence: str | None


def open_source(name: str, licence: str | None = None) -> Source:
    """List a data set by its name or a folder by its path. Raises UsageError when there is nothing in it, ReadError for a data
    set that is not here."""
    packed = name in _PACKED
    if packed:
        from ecglm.corpus import ptbxl

        keys, place = tuple(str(ecg_id) for ecg_id in ptbxl.load().ecg_id), name
    else:
        from ecglm.records.deidentify.find import inside

        folder = _folder(name).absolute()
        place = os.fspath(folder)
        below = "" if Path(name).is_dir() else _BELOW.get(name, "")
        keys = tuple(Path(path).relative_to(folder).as_posix() for path in inside(os.fspath(folder / below))[0])
    if not keys:
        raise UsageError(f"{name}: no recordings in it; name a folder of recordings or one of {', '.join(_names())}")
    return Source(name, place, keys, licence or LICENCES.get(name))


def read_one(place: str, key: str, start: float, page_s: float) -> tuple[Record, float]:
    """One recording, of a long one a page's length at a share `start` of what may be its beginning, and where it begins (s).

    Raises ReadError for what cannot be read.
    """
    if place in _PACKED:
        from ecglm.corpus import ptbxl

        return ptbxl.load().record(_rows()[key]), 0.0
    from ecglm.records import read
    from ecglm.records.windows import length_s

    path = Path(place) / key
    length = length_s(path)
    if length <= page_s + 1.0:
        return read(path), 0.0
    begin = round(start * (length - page_s), 1)
    return read(path, start_s=begin, duration_s=page_s), begin


def _names() -> list[str]:
    return [name for name in LICENCES if name not in _NO_RECORDS]


def _folder(name: str) -> Path:
    if name in _names() and not Path(name).is_dir():
        return data_folder(name)
    folder = Path(name)
    if not folder.is_dir():
        raise ReadError(name, "is no folder and no data set", f"name a folder of recordings or one of {', '.join(_names())}")
    return folder


@lru_cache(maxsize=1)
def _rows() -> dict[str, int]:
    from ecglm.corpus import ptbxl

    return {str(ecg_id): row for row, ecg_id in enumerate(ptbxl.load().ecg_id)}
