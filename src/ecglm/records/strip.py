"""Decoded channels → Record: what the formats of ECG carts and Holters share.

Windows before anything of float size is allocated, scales to millivolts, pads the shorter
channels with missing samples, and computes the limb leads that a file leaves to its reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError, argument
from ecglm.records.cart import CartReading, MedianBeat
from ecglm.records.channels import build_record, choose, clean, unit_per_mv
from ecglm.records.leads import LIMB_LEADS, canonical_lead
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, Request

#: Limb leads in terms of I and II (Einthoven, Goldberger).
_DERIVED = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
#: Missing samples that pad the shorter channels: none of a few MB are worth an error; beyond, a page of
#: columns has 3 for each stored one.
_FREE_SAMPLES, _PADDED, _PADDING = 1 << 20, 16, 32 << 20
_BLOCK = 1 << 20  #: samples scaled at a time: a day of Holter is not held as float64


class Samples(Protocol):
    """What a channel's samples must be able to do: an array, or a reader of slices of a file."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Channel:
    """Stored samples of one channel: value in unit = sample x scale + origin.

    missing is the stored value that stands for no sample, late the number of samples that
    come before the first stored one. mix, instead of samples, is a weighted sum of other
    channels: (place in the list, weight).
    """

    name: str
    samples: Samples
    scale: float = 1.0
    unit: str = "uV"
    origin: float = 0.0
    missing: float | None = None
    late: int = 0
    mix: tuple[tuple[int, float], ...] = ()


def record_of(
    request: Request,
    format_name: str,
    channels: Sequence[Channel],
    fs: float,
    *,
    start: datetime | None = None,
    meta: RecordMeta | None = None,
    cart: CartReading | None = None,
    notes: Sequence[str] = (),
) -> Record:
    """The asked-for window and leads of these channels. Raises ReadError."""
    path = request.path
    check_channels(path, channels)
    selection = choose(request, [channel.name for channel in channels], [channel.unit for channel in channels])
    n_samples = max(_length(channels, row) for row in selection.rows)
    first, count = request.window(fs, n_samples, len(selection.rows))
    if _wasteful(channels, selection.rows, count):
        raise ReadError(
            path,
            f"its {len(selection.rows)} leads are of so different lengths that most of {n_samples} samples would be missing",
            f"read fewer with {argument('leads')} or a part with {argument('start_s')} and {argument('duration_s')}",
        )
    signal = np.empty((len(selection.rows), count), np.float32)
    for place, (row, factor) in enumerate(zip(selection.rows, selection.per_mv, strict=True)):
        for at in range(0, count, _BLOCK):
            part = signal[place, at : at + _BLOCK]
            with np.errstate(over="ignore", invalid="ignore"):
                part[:] = _values(channels, row, first + at, len(part)) / factor
            part[~np.isfinite(part)] = np.nan  # a number that no float32 holds is no sample
    meta = meta or RecordMeta()
    return build_record(
        request, signal, selection, notes, fs=fs, first=first, start=start, meta=meta, format_name=format_name, cart=cart
    )


def check_channels(path: str, channels: Sequence[Channel]) -> None:
    """Raise ReadError when there are no channels, too many, or one with an unusable scale."""
    if not 0 < len(channels) <= MAX_CHANNELS:
        raise ReadError(path, f"it describes {len(channels)} leads", "it holds no readable rhythm strip; export it again")
    for channel in channels:
        if not (np.isfinite(channel.scale) and np.isfinite(channel.origin) and channel.scale != 0):
            raise ReadError(
                path,
                f"the amplitude step of lead {clean(channel.name)} is {channel.scale:g} with origin {channel.origin:g}",
                "it is damaged; export it again",
            )


def with_limb_leads(
    channels: Sequence[Channel], wanted: Sequence[str] | None = None
) -> tuple[list[Channel], tuple[str, ...]]:
    """The channels with the limb leads that can be computed from I and II, and a note on that.

    Only leads that the file lacks (and, where wanted says which, that are wanted) are added;
    they stand after the stored ones.
    """
    listed = list(channels)
    names = [canonical_lead(channel.name) for channel in listed]
    absent = [lead for lead in _DERIVED if lead not in names and (wanted is None or lead in wanted)]
    if not absent or "I" not in names or "II" not in names:
        return listed, ()
    one, two = names.index("I"), names.index("II")
    if listed[one].unit != listed[two].unit:
        return listed, ()
    after = 1 + max(place for place, lead in enumerate(names) if lead in LIMB_LEADS)  # I and II keep their places
    added = [
        replace(listed[one], name=lead, missing=None, mix=((one, _DERIVED[lead][0]), (two, _DERIVED[lead][1])))
        for lead in absent
    ]
    return [*listed[:after], *added, *listed[after:]], (f"computed from I and II, not stored: {', '.join(absent)}",)


def median_of(channels: Sequence[Channel], fs: float | None) -> MedianBeat | None:
    """The median beat in these channels, or None when it is not usable (it is never worth an error)."""
    known = [c for c in channels if len(c.samples) or c.mix]
    if fs is None or not 20 <= fs <= 50_000 or not 0 < len(known) <= MAX_CHANNELS or len(known) != len(channels):
        return None
    n_samples = max(_length(channels, row) for row in range(len(channels)))
    factors = [factor for channel in channels if (factor := unit_per_mv(channel.unit)) is not None]
    names = tuple(canonical_lead(channel.name) or clean(channel.name) for channel in channels)
    if len(factors) < len(channels) or n_samples > 5 * fs or len(set(names)) < len(names):
        return None
    if _wasteful(channels, range(len(channels)), n_samples):
        return None
    signal = np.empty((len(channels), n_samples), np.float32)
    for row, factor in enumerate(factors):
        with np.errstate(over="ignore", invalid="ignore"):
            signal[row] = _values(channels, row, 0, n_samples) / factor
    signal[~np.isfinite(signal)] = np.nan
    held = np.flatnonzero(~np.isnan(signal).all(axis=0))  # some writers fill the place of a shorter beat
    return MedianBeat(signal[:, : held[-1] + 1], fs, names) if len(held) else None


def _wasteful(channels: Sequence[Channel], rows: Sequence[int], count: int) -> bool:
    """Whether rows of count samples would be large and hold next to nothing."""
    held = sum(
        max(len(channels[source].samples) for source, _ in channels[row].mix) if channels[row].mix else len(channels[row].samples)
        for row in rows
    )
    padded = len(rows) * count
    return padded > _FREE_SAMPLES and (padded > _PADDED * held or padded - held > _PADDING)


def _length(channels: Sequence[Channel], row: int) -> int:
    mix = channels[row].mix
    return max(_end(channels[source]) for source, _ in mix) if mix else _end(channels[row])


def _end(channel: Channel) -> int:
    return channel.late + len(channel.samples)


def _values(channels: Sequence[Channel], row: int, first: int, count: int) -> NDArray[np.float64]:
    """count samples from first in the channel's unit, float64, NaN where there are none."""
    channel = channels[row]
    if channel.mix:
        total = np.zeros(count)
        for source, weight in channel.mix:
            total += weight * _values(channels, source, first, count)
        return total
    values = np.full(count, np.nan)
    before = min(max(channel.late - first, 0), count)
    begin = max(first - channel.late, 0)
    stored = np.asarray(channel.samples[begin : begin + count - before], np.float64)
    there = values[before : before + len(stored)]
    there[:] = stored * channel.scale + channel.origin
    if channel.missing is not None:
        there[stored == channel.missing] = np.nan
    return values
