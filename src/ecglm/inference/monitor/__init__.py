"""Watching a recording or a live stream: blocks of samples in, one `Step` for each, from the samples up to its end alone.

`sources` gives blocks, `rolling` finds beats and rhythm in the last two minutes, `alarms` raises and clears, `watch` joins them,
`summary` counts false alarms where experts marked the rhythm, `timeline` draws.
"""

from ecglm.inference.monitor.alarms import Levels
from ecglm.inference.monitor.sources import Stream, from_raw, from_windows
from ecglm.inference.monitor.watch import Step, watch

__all__ = ["Levels", "Step", "Stream", "from_raw", "from_windows", "watch"]
