"""Records whose leads were recorded one group after another, as on paper: 2.5 s of each column, ten of a strip.

Such a record has NaN where a lead was not recorded; read as a whole, three quarters of every lead would count as missing. So it
is judged, measured (`measured_parts`) and encoded group by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecglm.records.record import Record

#: Longest record that is looked at; a longer one with gaps is a recording whose leads came off.
LONGEST_S = 60.0
#: A lead that covers this share of the record is a strip; one that covers at most that is part of a group.
STRIP, GROUPED = 0.9, 0.6
#: Share of its stretch that must have been recorded, and how far ends of one group may lie apart (s).
WHOLE, TOGETHER_S = 0.8, 0.25


@dataclass(frozen=True)
class Part:
    """Leads that were recorded from start_s for duration_s (s); strip: throughout the record."""

    leads: tuple[str, ...]
    start_s: float
    duration_s: float
    strip: bool

    def of(self, record: Record) -> Record:
        """This part of a record."""
        return record.select(self.leads).crop(self.start_s, self.duration_s)


def unrecorded_share(record: Record, parts: tuple[Part, ...]) -> float:
    """The share of a record's time, 0 to 1, in which its leads were not recorded since others were: the mean over the leads of
    its parts; 0 without parts."""
    known = sum(len(part.leads) * min(part.duration_s / record.duration_s, 1.0) for part in parts)
    return 1.0 - known / sum(len(part.leads) for part in parts) if parts else 0.0


def recorded_parts(record: Record) -> tuple[Part, ...]:
    """The parts of a record, strips first, then groups by their time; () where the leads were recorded together."""
    if record.duration_s > LONGEST_S or record.n_samples < 2 or not np.isnan(record.signal).any():
        return ()
    known = ~np.isnan(record.signal)
    strips: list[str] = []
    groups: list[tuple[float, float, list[str]]] = []
    for lead, row in zip(record.leads, known, strict=True):
        at = np.flatnonzero(row)
        if not len(at):
            continue
        start, end = at[0] / record.fs, (at[-1] + 1) / record.fs
        share = (end - start) / record.duration_s
        if len(at) < WHOLE * (at[-1] - at[0] + 1) or GROUPED < share < STRIP:
            return ()
        if share >= STRIP:
            strips.append(lead)
            continue
        for first, last, leads in groups:
            if abs(first - start) <= TOGETHER_S and abs(last - end) <= TOGETHER_S:
                leads.append(lead)
                break
        else:
            groups.append((start, end, [lead]))
    groups.sort()
    apart = any(later[0] >= earlier[1] - TOGETHER_S for earlier, later in pairwise(groups))
    if not apart:
        return ()
    parts = [Part(tuple(leads), start, end - start, False) for start, end, leads in groups]
    return (Part(tuple(strips), 0.0, record.duration_s, True), *parts) if strips else tuple(parts)
