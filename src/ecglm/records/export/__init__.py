"""`Record` → file: WFDB, EDF+, DICOM, CSV and NPZ, by the extension of its name.

Written are the signal, rate, lead names, start, age and sex, where the format has a place for it the device, and
nothing else: no notes, nothing of the cart's reading, no path. `read` gives the record back, CSV and NPZ bit by bit,
the others with every sample within half of its lead's amplitude step. What a format cannot hold is refused.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

from ecglm.errors import EcglmError, ReadError, UsageError
from ecglm.records.channels import choose
from ecglm.records.record import Record
from ecglm.records.request import Request

#: Extension -> module and function; a module (and the library behind it) loads when it is needed.
_WRITERS = {
    ".hea": "export.wfdb:write_wfdb",
    ".edf": "export.edf:write_edf",
    ".dcm": "export.dicom:write_dicom",
    ".csv": "export.text:write_csv",
    ".npz": "arrays:write_npz",
}


def check_format(path: str | os.PathLike[str]) -> str:
    """The extension of a format that is written. Raises UsageError for any other."""
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise UsageError(f"{os.fspath(path)}: a record is saved as {', '.join(_WRITERS)} (.hea is WFDB); change the extension")
    return suffix


def save(record: Record, path: str | os.PathLike[str]) -> None:
    """Write the record in the format that the extension names; a file that is there is replaced, whole or not at all.

    Raises UsageError for what the format cannot hold and for the file that the record was read from, EcglmError when
    the place cannot be written.
    """
    target = os.fspath(path)
    module, function = _WRITERS[check_format(target)].split(":")
    _check_names(record, target)
    if record.source and os.path.exists(target) and os.path.exists(record.source) and os.path.samefile(target, record.source):
        raise UsageError(f"{target}: the record was read from this file; choose another name")
    try:
        getattr(import_module(f"ecglm.records.{module}"), function)(record, target)
    except OSError as problem:
        raise EcglmError(f"{target}: cannot be written ({problem.strerror or problem}); choose another place") from None


def _check_names(record: Record, target: str) -> None:
    """Raise UsageError for leads that `read` would not take for leads, such as one named RESP."""
    try:
        kept = choose(Request(target), record.leads, [record.unit] * len(record.leads)).leads
    except ReadError:
        kept = ()
    lost = [lead for lead in record.leads if lead not in kept]
    if lost:
        raise UsageError(f"{target}: {', '.join(lost[:8])} would not be read back as ECG leads; leave them out or rename them")
