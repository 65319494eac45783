"""`read`: any supported file → `Record`. The only door into this folder.

Opens the file once, lets `sniff` name its format, hands over to that format's reader and
turns whatever goes wrong into one `ReadError`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from ecglm.errors import ReadError, RecordError
from ecglm.records.record import Record
from ecglm.records.request import Request, make_request, read_a_part
from ecglm.records.sniff import HEAD_BYTES, sniff
from ecglm.records.wfdb import MAX_HEADER_BYTES, read_wfdb
from ecglm.registry import READERS

#: What a user is told can be read.
FORMATS = (
    "WFDB, DICOM, SCP-ECG, HL7 aECG, GE MUSE XML, GE CardiologyXML, Philips Sierra XML, EDF, BDF, GDF, ISHNE, MFER, "
    "CSV, TSV, NPY, NPZ, MAT, HDF5, Parquet, and images of ECG pages (PNG, JPEG, TIFF, BMP, WebP, GIF, PDF)"
)
#: Kind of `sniff` -> module and function; a module (and the library behind it) loads when it is needed.
_READERS = {
    "dicom": "dicom:read_dicom",
    "edf": "edf:read_edf",
    "bdf": "edf:read_edf",
    "table": "table:read_table",
    "npy": "arrays:read_npy",
    "npz": "arrays:read_npz",
    "mat": "mat:read_mat",
    "mat73": "mat73:read_mat73",
    "aecg": "aecg:read_aecg",
    "muse": "muse:read_muse",
    "cardiology": "cardiology:read_cardiology",
    "sierra": "sierra:read_sierra",
    "scp": "scp:read_scp",
    "ishne": "ishne:read_ishne",
    "gdf": "gdf:read_gdf",
    "mfer": "mfer:read_mfer",
    "hdf5": "hdf5:read_hdf5",
    "parquet": "parquet:read_parquet",
}
#: Of files that a folder is likely to be about, for a hint.
_EXTENSIONS = (
    ".hea", ".dcm", ".scp", ".xml", ".edf", ".bdf", ".gdf", ".ecg", ".mwf", ".mfer", ".mfr",
    ".csv", ".tsv", ".npy", ".npz", ".mat", ".h5", ".hdf5", ".parquet", ".png", ".jpg", ".jpeg",
)  # fmt: skip


def read(
    path: str | os.PathLike[str],
    *,
    start_s: float | None = None,
    duration_s: float | None = None,
    leads: Sequence[str] | str | None = None,
    fs: float | None = None,
    unit: str | None = None,
    record: str | int | None = None,
) -> Record:
    """Read an ECG file of any format in `FORMATS`; its content decides which one it is.

    start_s and duration_s select a stretch (what is outside is not decoded where the
    format allows), leads selects and orders leads by name. fs (Hz) and unit ("mV", "uV",
    "nV", "V", "normalized") fill in what CSV, NPY, NPZ, MAT, HDF5 and Parquet files do not state. record
    names one of the recordings in an HDF5 file that holds several.

    Returns a Record in mV; ``unit="normalized"`` when the source has no voltage unit.
    Raises ReadError (one line: file, problem, remedy) for whatever is wrong with the
    file, UsageError for unusable arguments.
    """
    try:
        name = os.fspath(path)
    except TypeError:
        raise ReadError(repr(path)[:80], "this is not a path", "pass the name of a file") from None
    if not isinstance(name, str):
        raise ReadError(repr(name)[:80], "this is not a text path", "pass a str or a Path")
    return read_request(make_request(name, start_s, duration_s, leads, fs, unit, record))


def read_request(request: Request) -> Record:
    """What `read` does with its arguments. Raises ReadError."""
    name = request.path
    try:
        return _read(request)
    except RecordError as problem:
        raise ReadError(name, str(problem)) from None
    except OSError as problem:
        raise ReadError(
            name, f"it cannot be read ({problem.strerror or problem})", "check the file and its permissions"
        ) from None
    except MemoryError:
        raise ReadError(name, "there is not enough memory to read it", read_a_part()) from None


def _read(request: Request) -> Record:
    path = request.path
    fd = _open(path)
    if fd is None:  # a WFDB record is named without its extension
        path += ".hea"
        request = replace(request, path=path)
        fd = _open(path)
        assert fd is not None
    try:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise ReadError(path, "this is a folder", _folder_hint(path))
        if not stat.S_ISREG(status.st_mode):
            raise ReadError(path, "this is not a regular file", "pass the name of a recording")
        head = os.pread(fd, HEAD_BYTES, 0)
        extension = os.path.splitext(path)[1].lower()
        kind, problem, remedy = sniff(head, status.st_size, extension)
        if kind == "wfdb":
            if status.st_size > MAX_HEADER_BYTES:
                raise ReadError(path, f"its header has {status.st_size} bytes", "it is damaged; get it again")
            if status.st_size > len(head):
                head = os.pread(fd, status.st_size, 0)
    finally:
        os.close(fd)
    if kind != "hdf5":
        request.refuse_record()
    if kind == "wfdb":
        return read_wfdb(request, head.decode("utf-8", "replace").lstrip("\ufeff"))
    if kind == "":
        raise ReadError(path, problem, remedy)
    if kind in ("mat", "flac", "binary"):
        record = _beside_header(request, extension)
        if record is not None:
            return record
    if kind == "image":  # reading pages is no part of this folder
        image: Record = READERS.get(kind)(request)
        return image
    if kind in _READERS:
        module, function = _READERS[kind].split(":")
        record = getattr(import_module(f"ecglm.records.{module}"), function)(request)
        assert isinstance(record, Record)
        return record
    if kind == "flac":
        raise ReadError(
            path,
            "it is the signal file of a WFDB record without its header",
            "put the .hea file beside it and pass that",
        )
    raise ReadError(
        path,
        f"its format is not known (first bytes {head[:8].hex(' ')})",
        f"ecglm reads {FORMATS}; a WFDB signal file needs its .hea",
    )


def _open(path: str) -> int | None:
    """A descriptor, or None when `path` is a WFDB record name without ``.hea``. Never waits for a FIFO."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        if not path.endswith(".hea") and os.path.isfile(path + ".hea"):
            return None
        if not path:
            raise ReadError(repr(path), "the name of the file is empty", "pass the name of a recording") from None
        if os.path.islink(path):
            raise ReadError(path, "it is a link to a file that does not exist", "correct it, or pass the file itself") from None
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise ReadError(path, "there is no such file", f"the folder {folder} does not exist either") from None
        raise ReadError(path, "there is no such file", _near(path)) from None
    except ValueError:  # a NUL byte
        raise ReadError(repr(path), "this is not a usable path", "pass the name of a file") from None


def _near(path: str) -> str:
    """A hint for a misspelt name: paths, as this one was given."""
    import difflib

    folder, name = os.path.split(path)
    try:
        names = sorted(os.listdir(folder or "."))[:5000]
    except OSError:
        names = []
    close = [os.path.join(folder, near) for near in difflib.get_close_matches(name, names, n=3)]
    return f"did you mean {' or '.join(close)}?" if close else "check the spelling"


def _folder_hint(path: str) -> str:
    try:
        inside = [
            name
            for name in sorted(os.listdir(path))[:5000]
            if name.lower().endswith(_EXTENSIONS)
        ]
    except OSError:
        inside = []
    return f"pass one of its files, such as {os.path.join(path, inside[0])}" if inside else "pass a recording"


def _beside_header(request: Request, extension: str) -> Record | None:
    """The WFDB record whose header lies beside this signal file and names it, if there is one."""
    path = request.path
    header = os.path.splitext(path)[0] + ".hea"
    if extension == ".hea" or not os.path.isfile(header) or os.path.getsize(header) > MAX_HEADER_BYTES:
        return None
    with open(header, encoding="utf-8", errors="replace") as stream:
        text = stream.read(MAX_HEADER_BYTES)
    if not any(line.split()[:1] == [os.path.basename(path)] for line in text.splitlines()):
        if extension in (".mat", ".dat"):
            return None
        raise ReadError(
            path, "it belongs to a WFDB record and is not its header (an annotation file?)", f"pass {header}"
        )
    return read_wfdb(replace(request, path=header), text)
