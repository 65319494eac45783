"""Which files are recordings, and which belong to one."""

from __future__ import annotations

import contextlib
import os

from ecglm.errors import EcglmError, ReadError, UsageError
from ecglm.records.deidentify import wfdb
from ecglm.records.reader import read
from ecglm.records.sniff import HEAD_BYTES, sniff

#: Kind of `sniff` -> module of this folder.
WRITERS = {
    "wfdb": "wfdb", "dicom": "dicom", "edf": "edf", "bdf": "edf",
    "aecg": "aecg", "muse": "muse", "cardiology": "cardiology", "sierra": "sierra",
}  # fmt: skip
#: Formats that `read` knows and that are not written here.
_READ_ONLY = {
    "scp": "SCP-ECG", "ishne": "ISHNE", "gdf": "GDF", "mfer": "MFER", "mat": "MAT", "npy": "NPY", "npz": "NPZ", "table": "CSV",
    "mat73": "MATLAB 7.3", "hdf5": "HDF5", "parquet": "Parquet",
}  # fmt: skip


def kind_of(path: str) -> str:
    """The kind of a file as `sniff` names it, "" for what is no recording. Raises OSError."""
    with open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
        return sniff(head, os.fstat(stream.fileno()).st_size, os.path.splitext(path)[1].lower())[0]


def one(path: str) -> tuple[str, str]:
    """The recording that a path means, and its kind. Raises ReadError for what cannot be de-identified."""
    if not os.path.exists(path) and os.path.isfile(path + ".hea"):
        path += ".hea"
    if not os.path.isfile(path):
        raise UsageError(f"{path}: there is no such file or folder; check the spelling")
    header = os.path.splitext(path)[0] + ".hea"
    with contextlib.suppress(EcglmError):  # another recording's header of the same name may be damaged
        if header != path and os.path.isfile(header) and os.path.abspath(path) in map(os.path.abspath, wfdb.parts(header)):
            path = header
    try:
        kind = kind_of(path)
    except OSError as problem:
        raise ReadError(
            path, f"it cannot be read ({problem.strerror or problem})", "check the file and its permissions"
        ) from None
    if kind in WRITERS:
        return path, kind
    if kind in _READ_ONLY:
        raise ReadError(
            path, f"{_READ_ONLY[kind]} files are not de-identified as they are",
            "convert it to WFDB or EDF first",
        )  # fmt: skip
    raise ReadError(path, "it is not a recording that can be de-identified", "pass WFDB, DICOM, EDF, BDF or XML of a cart")


def inside(folder: str) -> tuple[list[str], list[str]]:
    """The recordings below a folder, and the files that are none and belong to none, both sorted."""
    found: list[str] = []
    left_out: list[str] = []
    for at, folders, names in os.walk(folder):
        folders.sort()
        paths = [os.path.join(at, name) for name in sorted(names)]
        members: set[str] = set()
        for path in paths:
            if path.endswith(".hea"):
                try:
                    members.update(wfdb.parts(path)[1:])
                except (EcglmError, OSError):  # it will be told when its turn comes
                    continue
        for path in paths:
            if path in members:
                continue
            try:
                kind = kind_of(path) if os.path.isfile(path) else ""
            except OSError:
                kind = "unreadable"
            nothing = not kind or kind in ("binary", "flac") or (kind == "table" and not _is_recording(path))
            (left_out if nothing else found).append(path)
    return found, left_out


def _is_recording(path: str) -> bool:
    """Whether a text file can be read as one: most beside recordings are lists and notes."""
    try:
        read(path, duration_s=1.0)
    except EcglmError:
        return False
    return True
