"""Data records that hold a block of samples per channel: what GDF and MFER share, and which rate they and EDF read.

Reads by slices, so that only a window leaves the disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError, argument
from ecglm.records.channels import clean, unit_per_mv
from ecglm.records.leads import canonical_lead
from ecglm.records.request import Request

#: Little-endian integers of three bytes, which numpy has no type for.
INT24, UINT24 = "<i3", "<u3"


def width(kind: str) -> int:
    """Bytes of one sample of a numpy type string, or of INT24 and UINT24."""
    return 3 if kind in (INT24, UINT24) else np.dtype(kind).itemsize


@dataclass(frozen=True, eq=False)
class Blocks:
    """The stored samples of a channel: per_record of them from byte `at` of every record.

    records_RB is uint8 ``[record, byte]`` (a memory map). Slices are float64; samples
    below low or above high are NaN.
    """

    records_RB: NDArray[np.uint8]
    at: int
    per_record: int
    kind: str
    low: float = -np.inf
    high: float = np.inf

    def __len__(self) -> int:
        return len(self.records_RB) * self.per_record

    def __getitem__(self, part: slice, /) -> NDArray[np.float64]:
        first, last, _ = part.indices(len(self))
        if last <= first:
            return np.empty(0)
        values = _numbers(self._bytes(first, last), self.kind)
        values[(values < self.low) | (values > self.high)] = np.nan
        return values

    def _bytes(self, first: int, last: int) -> bytes:
        """The bytes of these samples and no others: a file may be a single record of an hour."""
        size = width(self.kind)
        end = self.at + self.per_record * size
        (begin, before), (final, after) = divmod(first, self.per_record), divmod(last, self.per_record)
        head = self.at + before * size
        if begin == final:
            return self.records_RB[begin, head : self.at + after * size].tobytes()
        raw = self.records_RB[begin, head:end].tobytes() + self.records_RB[begin + 1 : final, self.at : end].tobytes()
        return raw + self.records_RB[final, self.at : self.at + after * size].tobytes() if after else raw


def _numbers(raw: bytes, kind: str) -> NDArray[np.float64]:
    if kind not in (INT24, UINT24):
        with np.errstate(invalid="ignore"):  # damaged floats may be signalling NaN
            return np.frombuffer(raw, kind).astype(np.float64)
    parts_N3 = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.int64)
    values: NDArray[np.int64] = parts_N3 @ np.array([1, 1 << 8, 1 << 16])
    if kind == INT24:
        values -= (values >> 23) << 24
    return values.astype(np.float64)


def one_rate(
    request: Request, names: Sequence[str], units: Sequence[str], rates: Sequence[float]
) -> tuple[list[int], list[str]]:
    """The rows that share the rate which most of the wanted leads have, and a note on the others.

    Without any known lead the voltage channels count, without any of those all; `choose`
    then says what there is. Raises ReadError as shared_rate does.
    """
    canonical = [canonical_lead(name) for name in names]
    rows = range(len(names))
    wanted = [row for row in rows if request.leads is None or (canonical[row] or names[row]) in request.leads]
    if not wanted:
        return list(rows), []
    leads = [row for row in wanted if canonical[row] is not None]
    volts = [row for row in wanted if unit_per_mv(units[row]) is not None]
    kept, notes = shared_rate(request, [names[i] for i in wanted], [rates[i] for i in wanted], [rates[i] for i in leads or volts])
    return [wanted[place] for place in kept], notes


def shared_rate(
    request: Request, names: Sequence[str], rates: Sequence[float], votes: Sequence[float] = ()
) -> tuple[list[int], list[str]]:
    """The places that have the commonest rate (among votes, where there are some), and a note on the others.

    Nothing is resampled. Raises ReadError where leads were asked for by name and differ.
    """
    rate = Counter(votes or rates).most_common(1)[0][0]
    lost = [f"{clean(name)} ({of:g} Hz)" for name, of in zip(names, rates, strict=True) if of != rate]
    if lost and request.leads is not None:
        raise ReadError(
            request.path,
            f"the leads asked for have different sampling rates ({', '.join(lost[:12])} and {rate:g} Hz)",
            f"read them one by one with {argument('leads')}",
        )
    notes = [f"sampled at another rate, left out: {', '.join(lost[:12])}"] if lost else []
    return [place for place, of in enumerate(rates) if of == rate], notes
