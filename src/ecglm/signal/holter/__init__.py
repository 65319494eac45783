"""Long recordings: a file or Record of any length → `Holter`, in constant memory (ten bytes are kept of each beat).

`minutes` reads window by window and judges every minute, `beats` finds and names the beats of half an hour at a time,
`summary` counts. `Holter` is the result.
"""

from ecglm.signal.holter.result import Episode, Holter, Hrv, Span
from ecglm.signal.holter.stream import holter

__all__ = ["Episode", "Holter", "Hrv", "Span", "holter"]
