"""Files → `Record`.

In: the path of a file in a format of `reader.FORMATS`, treated as hostile until parsed.
Out: a `Record` in millivolts with canonical lead names and notes on every decision taken.
`Record.save` is the way back; the folder `deidentify` writes files again without identifiers.
Libraries for a format load when a file of that format is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecglm.records.cart import CartReading, MedianBeat
from ecglm.records.leads import CHEST_LEADS, LIMB_LEADS, STANDARD_12, canonical_lead, display_order
from ecglm.records.reader import read
from ecglm.records.record import Record, RecordMeta

if TYPE_CHECKING:
    from ecglm.records.arrays import write_npz

__all__ = [
    "CHEST_LEADS",
    "LIMB_LEADS",
    "STANDARD_12",
    "CartReading",
    "MedianBeat",
    "Record",
    "RecordMeta",
    "canonical_lead",
    "display_order",
    "read",
    "write_npz",
]


def __getattr__(name: str) -> Any:
    if name == "write_npz":
        from ecglm.records.arrays import write_npz

        return write_npz
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
