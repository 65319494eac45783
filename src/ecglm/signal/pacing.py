"""Which beats a pacemaker set off: those with a spike before them that is too narrow for a heart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import median_filter

from ecglm.records.record import Record
from ecglm.signal.missing import BoolArray, FloatArray

#: Height of a pacing spike over that of the QRS, and the share of QRS complexes that must have one. Set on LUDB, where four of
#: five paced recordings and none of the others are called so.
SPIKE, PACED = 0.25, 0.5
#: A median of so many seconds takes a spike away.
_NARROW_S = 0.014
#: Where a spike is looked for, from the onset of the QRS (s).
_BEFORE_S, _AFTER_S = 0.08, 0.03


def paced_beats(record: Record, leads: Sequence[str], qrs_B3: FloatArray) -> BoolArray:
    """Of QRS complexes (onset, peak, offset in s), those that a pacemaker set off ``[B]``; none where fewer than PACED of them
    begin with a spike, which may then be noise. leads: those that can be read."""
    signal, fs = np.nan_to_num(record.signal[[record.leads.index(lead) for lead in leads]].astype(np.float64)), record.fs
    spike = np.abs(signal - median_filter(signal, size=(1, 2 * max(2, round(_NARROW_S / 2 * fs)) + 1), mode="nearest"))
    rest = 6 * np.median(spike, axis=1)
    out = np.zeros(len(qrs_B3), bool)
    for number, (on, _, off) in enumerate(qrs_B3):
        first, start, stop = max(0, int((on - _BEFORE_S) * fs)), max(0, int(on * fs)), int(off * fs) + 1
        before = spike[:, first: int((on + _AFTER_S) * fs)]
        if before.shape[1] > 4:
            height = (before.max(axis=1) - rest) / (np.ptp(signal[:, start:stop], axis=1) + 1e-9)
            out[number] = np.sort(height)[-3:].mean() > SPIKE
    return out if len(out) and out.mean() >= PACED else np.zeros(len(out), bool)
