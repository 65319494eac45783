"""`Record`: one ECG in memory, the type every other part of ecglm takes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import RecordError, UsageError
from ecglm.records.leads import canonical_lead

if TYPE_CHECKING:
    from ecglm.records.cart import CartReading
    from ecglm.records.reading import PageLooked, PageReading

Unit = Literal["mV", "normalized"]
FloatArray = NDArray[np.float32]

#: Sampling rates outside this range are refused: below, no wave shape is left; above, no ECG device exists.
FS_RANGE = (20.0, 50_000.0)


@dataclass(frozen=True)
class RecordMeta:
    """The only patient and device facts that leave a file. Free text never does (a cart's is in `Record.cart`).

    age in years (0-120), sex "female" or "male", the rest as the device wrote them.
    """

    age: int | None = None
    sex: Literal["female", "male"] | None = None
    device: str | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """A multi-lead ECG.

    signal: float32 ``[lead, time]``, millivolts (or standard deviations when
    ``unit="normalized"``), missing samples NaN. fs: Hz. leads: one name per row;
    known synonyms are made canonical. Raises RecordError for shapes, rates or names
    that do not fit together.
    """

    signal: FloatArray
    fs: float
    leads: tuple[str, ...]
    unit: Unit = "mV"
    limb_scale_shared: bool = False  #: normalized, but the limb leads keep their ratios: the axis is valid
    start: datetime | None = None
    meta: RecordMeta = field(default_factory=RecordMeta)
    source: str = ""            #: where it came from, for messages; never enters a prompt
    format: str = "array"       #: name of the format it was read from
    notes: tuple[str, ...] = () #: what the reader had to decide or repair
    cart: CartReading | None = None  #: what the recording device measured and said; shown, never used for answers
    reading: PageReading | PageLooked | None = None  #: how it was read off an image of a page; None for a recording

    def __post_init__(self) -> None:
        signal = np.asarray(self.signal, dtype=np.float32)
        if signal.ndim != 2 or 0 in signal.shape:
            raise RecordError(f"a record needs a signal of shape [lead, time], got {signal.shape}; pass a 2-D array")
        if not math.isfinite(self.fs) or not FS_RANGE[0] <= self.fs <= FS_RANGE[1]:
            raise RecordError(f"sampling rate {self.fs} Hz is outside {FS_RANGE[0]:g}-{FS_RANGE[1]:g} Hz; "
                              "check the file's header")
        if self.unit not in ("mV", "normalized"):
            raise RecordError(f"unit {self.unit!r} is unknown; use 'mV' or 'normalized'")
        names = tuple([canonical_lead(name) or str(name).strip() for name in self.leads])
        if len(names) != signal.shape[0]:
            raise RecordError(f"{len(names)} lead names for {signal.shape[0]} signal rows; give one name per row")
        if len(set(names)) < len(names):
            repeated = sorted({name for name in names if names.count(name) > 1})
            raise RecordError(f"lead {', '.join(repeated)} appears more than once; keep one row per lead")
        # The extremes tell whether anything is infinite without an array of the signal's size;
        # NaN hides them, and only then everything is looked at.
        if not (math.isfinite(signal.max()) and math.isfinite(signal.min())) and np.isinf(signal).any():
            signal = np.where(np.isinf(signal), np.nan, signal).astype(np.float32)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "fs", float(self.fs))
        object.__setattr__(self, "leads", names)

    @property
    def axis_known(self) -> bool:
        """Whether limb amplitudes can be compared with each other (true for every mV record)."""
        return self.unit == "mV" or self.limb_scale_shared

    @property
    def n_samples(self) -> int:
        """Samples per lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    @property
    def quality(self) -> dict[str, float]:
        """How surely each lead was read off an image of a page, 0..1; empty for a recording."""
        return {} if self.reading is None else {lead: self.reading.confidence[lead] for lead in self.leads}

    @property
    def missing(self) -> dict[str, int]:
        """Missing (NaN) samples per lead."""
        return {lead: int(n) for lead, n in zip(self.leads, np.isnan(self.signal).sum(axis=1), strict=True)}

    def lead(self, name: str) -> FloatArray:
        """The samples of one lead, by name or synonym. Raises RecordError when absent."""
        wanted = canonical_lead(name) or name
        if wanted not in self.leads:
            raise RecordError(f"lead {name} is not in this record, which has {', '.join(self.leads)}")
        row: FloatArray = self.signal[self.leads.index(wanted)]
        return row

    def select(self, leads: Sequence[str]) -> Record:
        """A record with these leads only, in this order."""
        rows = np.stack([self.lead(name) for name in leads]) if leads else np.empty((0, 0), np.float32)
        return replace(self, signal=rows, leads=tuple(canonical_lead(name) or name for name in leads))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as WFDB (.hea), EDF+ (.edf), DICOM (.dcm), .csv or .npz; see `ecglm.records.export`."""
        from ecglm.records.export import save

        save(self, path)

    def crop(self, start_s: float, duration_s: float) -> Record:
        """The part from start_s, at most duration_s long. Raises RecordError when nothing is left."""
        first = max(0, round(start_s * self.fs))
        last = min(self.n_samples, first + round(duration_s * self.fs))
        if last <= first:
            raise RecordError(f"no signal between {start_s:g} s and {start_s + duration_s:g} s; "
                              f"the record lasts {self.duration_s:g} s")
        return replace(self, signal=self.signal[:, first:last])


def checked_record(given: object) -> Record:
    """The record itself. Raises UsageError for anything else, such as a path."""
    if not isinstance(given, Record):
        raise UsageError(f"{str(given)[:80]!r} is not a Record; read the file first, as in ecglm.read(path)")
    return given


def checked_records(given: Record | Iterable[Record]) -> list[Record]:
    """One or several records as a list. Raises UsageError for none of them, and for anything else."""
    if not isinstance(given, Iterable) or isinstance(given, (str, os.PathLike)):
        return [checked_record(given)]
    group = [checked_record(item) for item in given]
    if not group:
        raise UsageError("no recording given; pass at least one Record")
    return group
