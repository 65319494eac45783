"""What the caller of `read` asked for, and the limits every reader applies before it allocates.

Knows nothing about any format.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ecglm.errors import ReadError, UsageError, argument
from ecglm.records.leads import canonical_lead
from ecglm.records.record import FS_RANGE

MAX_SECONDS = 24 * 3600.0  #: longest stretch returned by one call
MAX_DECODED_BYTES = 512 << 20  #: largest float32 array returned by one call
MAX_RAW_BYTES = 1 << 30  #: most file bytes decoded for one call
MAX_CHANNELS = 512  #: more channels than any ECG or EEG recorder writes


def checked_size(path: str, most: int, form: str, remedy: str) -> int:
    """Bytes of a file. Raises ReadError for more than `most`, the limit of this form of file."""
    size = os.path.getsize(path)
    if size > most:
        raise ReadError(path, f"{size} bytes are more than the limit of {most} for {form}", remedy)
    return size


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `read`: the file, the window in seconds, the wanted leads, fs/unit overrides, the record's id."""

    path: str
    start_s: float | None = None
    duration_s: float | None = None
    leads: tuple[str, ...] | None = None
    fs: float | None = None
    unit: str | None = None
    record: str | None = None

    def window(self, fs: float, n_samples: int, n_leads: int) -> tuple[int, int]:
        """First sample and number of samples to read of n_samples at fs Hz.

        Raises ReadError when the rate is absurd, the window is empty, or the result
        would pass 24 hours or 512 MB.
        """
        self.check_rate(fs)
        first = 0 if self.start_s is None else round(self.start_s * fs)
        count = n_samples - first
        if self.duration_s is not None:
            count = min(count, round(self.duration_s * fs))
        if n_samples <= 0:
            raise ReadError(self.path, "it holds no samples", "the file is empty or was cut short; get it again")
        if count <= 0:
            raise ReadError(
                self.path,
                f"there is no signal at {self.start_s or 0:g} s" + (f" for {self.duration_s:g} s" if self.duration_s else ""),
                f"it lasts {n_samples / fs:g} s; choose {argument('start_s')} and {argument('duration_s')} within it",
            )
        if count > MAX_SECONDS * fs:
            raise ReadError(
                self.path,
                f"{count / fs / 3600:.6g} hours of signal are more than the limit of 24 hours",
                read_a_part(),
            )
        if count * n_leads * 4 > MAX_DECODED_BYTES:
            raise ReadError(
                self.path,
                f"{count} samples of {n_leads} leads are more than the limit of {MAX_DECODED_BYTES >> 20} MB decoded",
                read_a_part(),
            )
        return first, count

    def check_rate(self, fs: float) -> None:
        """Raise ReadError when fs is not a rate at which an ECG is sampled."""
        if not (math.isfinite(fs) and FS_RANGE[0] <= fs <= FS_RANGE[1]):
            raise ReadError(
                self.path,
                f"its sampling rate of {fs:g} Hz is outside {FS_RANGE[0]:g}-{FS_RANGE[1]:g} Hz",
                f"correct the rate in the file, or pass {argument('fs')} for a format that does not state it",
            )

    def library(self, module: str, format_name: str) -> Any:
        """The library of a format that not every installation needs. Raises ReadError when it is not installed."""
        try:
            return import_module(module)
        except ImportError:
            raise ReadError(
                self.path, f"reading {format_name} needs {module.split('.')[0]}", "pip install 'ecglm[formats]'"
            ) from None

    def refuse_record(self) -> None:
        """Raise UsageError when record= was given for a file that holds one."""
        if self.record is not None:
            raise UsageError(
                f"{self.path}: {argument('record')} is for files of several recordings, and this is one; leave it out"
            )

    def refuse_overrides(self, format_name: str) -> None:
        """Raise UsageError when fs= or unit= was given for a format that states them itself."""
        for key, value in (("fs", self.fs), ("unit", self.unit)):
            if value is not None:
                raise UsageError(
                    f"{self.path}: {argument(key)} is for files that do not state it, and {format_name} does; leave it out"
                )


def read_a_part() -> str:
    """The remedy where a whole recording is too much."""
    return f"read a part of it with {argument('start_s')} and {argument('duration_s')}"


class BoundedFile(io.BufferedReader):
    """A file of which no more is asked than it has: for a damaged length of 4 GB Python would allocate them first."""

    def __init__(self, path: str) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.path.getsize(path)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None else min(size, self._size))


def make_request(
    path: str,
    start_s: float | None,
    duration_s: float | None,
    leads: Sequence[str] | str | None,
    fs: float | None,
    unit: str | None,
    record: str | int | None = None,
) -> Request:
    """Check the arguments of `read`. Raises UsageError for values that cannot be meant."""
    for key, value, lowest in (("start_s", start_s, 0.0), ("duration_s", duration_s, None), ("fs", fs, None)):
        if value is None:
            continue
        good = isinstance(value, (int, float)) or hasattr(value, "__float__")
        number = float(value) if good and not isinstance(value, str) else math.nan
        if not math.isfinite(number) or (number < lowest if lowest is not None else number <= 0):
            raise UsageError(
                f"{path}: {argument(key, value)} is not usable; give "
                + ("seconds from the start, 0 or more" if key == "start_s" else "a number above 0")
            )
    if leads is not None:
        leads = (leads,) if isinstance(leads, str) else tuple(leads)
        if not leads or not all(isinstance(name, str) and name.strip() for name in leads):
            raise UsageError(f"{path}: {argument('leads', leads)} names no lead; give names such as II and V1, or leave it out")
        leads = tuple(dict.fromkeys(canonical_lead(name) or name.strip() for name in leads))
    if unit is not None and not isinstance(unit, str):
        raise UsageError(f"{path}: {argument('unit', unit)} is not a unit; use 'mV', 'uV', 'nV', 'V' or 'normalized'")
    return Request(
        path,
        None if start_s is None else float(start_s),
        None if duration_s is None else float(duration_s),
        leads,
        None if fs is None else float(fs),
        unit,
        None if record is None else str(record).strip(),
    )


def file_inside(folder: str, name: str, path: str) -> str:
    """The path of a file that a header names, if it is a plain file of the header's own folder.

    Raises ReadError for names with separators, ``..`` or NUL, links that leave the folder,
    and anything that is not a regular file. path is the header, for the message.
    """
    if not name or "/" in name or "\\" in name or "\0" in name or name in (".", "..") or ":" in name:
        raise ReadError(
            path,
            f"it names the file {name[:80]!r}, which is not a plain file name",
            "put the signal files beside the header and name them without a folder",
        )
    full = os.path.join(folder, name)
    if os.path.islink(full):
        inside = os.path.realpath(folder)
        if os.path.dirname(os.path.realpath(full)) != inside:
            raise ReadError(
                path, f"its signal file {name} is a link that leaves the folder", "replace the link by the file itself"
            )
    return full
