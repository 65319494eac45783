"""A watch from beginning to end: steps, then the picture and the summary, after an interruption as well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from ecglm.errors import UsageError
from ecglm.inference.forecast import check, forecast
from ecglm.inference.monitor.alarms import Levels
from ecglm.inference.monitor.lines import line
from ecglm.inference.monitor.sources import Stream
from ecglm.inference.monitor.summary import Summary, beside, marked
from ecglm.inference.monitor.timeline import Timeline
from ecglm.inference.monitor.watch import Forecasts, Step, watch
from ecglm.models.forecast.forecaster import SHIPPED, Forecaster

#: How often an event follows, unless told otherwise. Of .1 to .67 the rate at which alarms of simulated people who calibrated the
#: forecaster found most onsets for what they raised in vain (docs/monitor.md).
BASE_RATE = 0.2


def forecaster(event: str, horizon_s: float, window_s: float, base_rate: float | None, model: str | None) -> Forecasts:
    """`forecast` of the beats so far. Raises UsageError for what cannot be asked and CheckpointError without a model."""
    check(event, horizon_s, window_s, base_rate)
    known = Forecaster.load(SHIPPED if model is None else model)
    return partial(forecast, event=event, horizon_s=horizon_s, window_s=window_s, base_rate=base_rate, model=known)


class Session:
    """Watches a stream. On leaving its `with` block the picture is written; Ctrl-C ends the steps and sets `interrupted`, a
    reader that has gone sets `left`."""

    def __init__(self, stream: Stream, forecasts: Forecasts | None, levels: Levels, horizon_s: float,
                 picture: str | None = None, annotations: str | None = None, path: str | None = None, event: str = "any") -> None:
        if picture is not None and Path(picture).suffix.lower() != ".png":
            raise UsageError(f"{picture}: a timeline is saved as .png; change the extension")
        found = annotations or (beside(path) if path is not None else None)
        marks = None if found is None else marked(found, stream.fs, stream.begin_s)
        self._stream, self._forecasts, self._levels, self._horizon_s = stream, forecasts, levels, horizon_s
        self._picture, self._marks, self._event = picture, marks, event
        start = stream.start
        self._drawn = Timeline(None if start is None else start.hour * 3600.0 + start.minute * 60 + start.second)
        self.summary = Summary(horizon_s, marks)
        self.interrupted = self.left = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> bool:
        if self._picture is not None and self.summary.watched_s:
            name = os.path.basename(self._stream.name)
            self._drawn.save(self._picture, self._levels, self._horizon_s, "standard input" if name == "-" else name, self._marks)
        self.interrupted, self.left = kind is KeyboardInterrupt, kind is BrokenPipeError
        return self.interrupted or self.left

    def steps(self) -> Iterator[Step]:
        """Every step, counted and drawn."""
        for step in watch(self._stream, self._forecasts, self._levels):
            self.summary.add(step)
            self._drawn.add(step)
            yield step

    def line(self, step: Step) -> str:
        """A step for people."""
        return line(step, self._horizon_s, self._event)

    def lines(self) -> list[str]:
        """The summary for people."""
        return ["", *self.summary.lines(), *(f"note: {note}" for note in self._stream.notes)]

    def to_dict(self) -> dict[str, Any]:
        """The last object of ``--json``."""
        return self.summary.to_dict() | {"notes": list(self._stream.notes), "interrupted": self.interrupted}
