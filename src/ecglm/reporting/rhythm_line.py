"""The rhythm as a report says it: the statement of `signal.rhythm`, held against the P waves that could be marked."""

from __future__ import annotations

import re

import numpy as np

from ecglm.schema import Measurements
from ecglm.signal.rhythm_name import PAUSE_S

#: Reasons for which P waves are not measured, though something alike stands before the QRS complexes.
_NO_P = ("P waves can be marked before only", "the same atrial wave comes")
_PAUSES = re.compile(r"(\d+) pauses?")
_OTHER_SHAPE = re.compile(r"\d+ of \d+ beats of another shape")


def rhythm_line(measured: Measurements) -> str | None:
    """The statement; without "P wave before every QRS" where the table says that P waves could not be marked, and of the QRS of
    the usual shape where there are others, before which nobody looked for P waves; and with "pause" for what a Holter report
    would call one, where the statement counts all that are long beside their neighbours. None without a rhythm."""
    if measured.rhythm is None:
        return None
    parts = measured.rhythm.split(", ")
    if (measured.pr.reason or "").startswith(_NO_P):
        parts = [part for part in parts if not part.startswith("P wave before")]
    if any(_OTHER_SHAPE.fullmatch(part) for part in parts):
        parts = [f"{part} of the usual shape" if part.startswith("P wave before") else part for part in parts]
    long = int((np.diff(measured.r_peaks_s) > PAUSE_S).sum())
    return ", ".join(_PAUSES.sub(lambda found: _long(int(found[1]), long), part) for part in parts)


def _long(count: int, pauses: int) -> str:
    if pauses:
        return f"{pauses} pause{'s' if pauses > 1 else ''}"
    return "1 RR interval longer than those around it" if count == 1 else f"{count} RR intervals longer than those around them"
