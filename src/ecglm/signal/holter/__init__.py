"""Long recordings: a file or Record of any length → `Holter`, in constant memory (two dozen bytes are kept of each beat).

`minutes` reads window by window and judges every minute, `beats` finds and names the beats of half an hour at a time,
`summary` counts. `Holter` is the result, `BeatSeries` its beats.
"""

from ecglm.signal.holter.result import Episode, Holter, Hrv, Span
from ecglm.signal.holter.series import BeatSeries, beat_series
from ecglm.signal.holter.stream import holter

__all__ = ["BeatSeries", "Episode", "Holter", "Hrv", "Span", "beat_series", "holter"]
