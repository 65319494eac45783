"""`watch`: the steps of a stream, each told from the samples up to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import numpy as np

from ecglm.answers import Forecast
from ecglm.inference.monitor.alarms import Alarm, Levels
from ecglm.inference.monitor.rolling import CONTEXT_S, Rolling, View, usable
from ecglm.inference.monitor.sources import Stream
from ecglm.signal.holter import BeatSeries
from ecglm.signal.holter.result import clock
from ecglm.signal.missing import FloatArray

#: Beats of so long (s) before the present are kept, for forecasts and ectopy.
KEPT_S = 660.0
#: Ectopic beats are counted over so long (s).
ECTOPY_S = 60.0
#: An arrhythmia that was there before so long (s) without signal is taken to have gone on when it is there after it.
BRIDGED_S = 120.0
#: A forecast needs so much (s).
LEAST_S = 60.0
_PRESENT = ("af", "aflutter")
NAMES = {"sinus": "no AF", "af": "atrial fibrillation", "aflutter": "atrial flutter"}


class Forecasts(Protocol):
    """What forecasts from the beats so far: `ecglm.forecast` with its event, horizon and window chosen."""

    def __call__(self, series: BeatSeries, /) -> Forecast: ...


@dataclass(frozen=True)
class Step:
    """What is told at at_s, seconds of the stream (clock: the same as time of day, or from its beginning).

    rhythm: "sinus" (whatever is neither of the others), "af" or "aflutter"; None: it cannot be read, and reason says why.
    since_s: from when on af or aflutter lasts. quality: of the best lead, 0..1; leads: those that can be read; unread_s: seconds
    of the step in which none can. rate_bpm; ventricular, supraventricular: such beats per minute over the last minute that can
    be read. probability, interval: of the forecast; abstained: why there is none. alarm: whether it is on; events: of "raised",
    "cleared" (the alarm), "began", "ended" (the arrhythmia). notes: what changed in the signal.
    """

    at_s: float
    clock: str
    rhythm: str | None
    since_s: float | None
    since: str | None
    quality: float
    leads: tuple[str, ...]
    unread_s: float
    rate_bpm: float | None
    ventricular: float | None
    supraventricular: float | None
    probability: float | None
    interval: tuple[float, float] | None
    abstained: str | None
    alarm: bool
    events: tuple[str, ...]
    reason: str | None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The object of its line in ``--json``."""
        def short(value: float | None, digits: int = 1) -> float | None:
            return None if value is None else round(value, digits)

        return {"at_s": round(self.at_s, 3), "clock": self.clock, "rhythm": self.rhythm, "since_s": short(self.since_s, 2),
                "since": self.since, "quality": round(self.quality, 3), "leads": list(self.leads),
                "unread_s": round(self.unread_s, 2), "rate_bpm": short(self.rate_bpm),
                "ventricular_per_min": short(self.ventricular),
                "supraventricular_per_min": short(self.supraventricular), "probability": short(self.probability, 4),
                "interval": None if self.interval is None else [round(end, 4) for end in self.interval],
                "abstained": self.abstained, "alarm": self.alarm, "events": list(self.events), "reason": self.reason,
                "notes": list(self.notes)}


@dataclass
class _Past:
    """The beats, gaps and arrhythmia of the last KEPT_S."""

    times: FloatArray = field(default_factory=lambda: np.empty(0))
    kinds: Any = field(default_factory=lambda: np.empty(0, "U1"))
    p: Any = field(default_factory=lambda: np.empty((0, 3), np.float32))
    leads: Any = field(default_factory=lambda: np.empty(0, np.int64))
    gaps: FloatArray = field(default_factory=lambda: np.empty((0, 2)))
    present: FloatArray = field(default_factory=lambda: np.empty((0, 2)))

    def add(self, view: View) -> None:
        self.times = np.r_[self.times, view.times_B]
        self.kinds = np.r_[self.kinds, view.kinds_B]
        self.p = np.r_[self.p, view.p_B3]
        self.leads = np.r_[self.leads, view.leads_B]
        self.gaps = _touching(np.r_[self.gaps, view.unread])
        kept = self.times > view.stop_s - KEPT_S
        self.times, self.kinds, self.p, self.leads = (of[kept] for of in (self.times, self.kinds, self.p, self.leads))
        self.gaps, self.present = (spans[spans[:, 1] > view.stop_s - KEPT_S] for spans in (self.gaps, self.present))

    def series(self, stop_s: float) -> BeatSeries:
        p, p_s, pr_s = np.asarray(self.p, float).T
        begin = max(0.0, stop_s - KEPT_S)
        return BeatSeries(begin, stop_s, self.times, self.kinds, p, 1000 * p_s, 1000 * pr_s, self.gaps.clip(begin, stop_s),
                          self.present, self.leads)

    def ectopy(self, stop_s: float, in_arrhythmia: bool) -> tuple[float | None, float | None]:
        """Ventricular and supraventricular beats per readable minute; the latter cannot be told in fibrillation."""
        begin = max(0.0, stop_s - ECTOPY_S)
        lost = np.maximum(0, self.gaps.clip(begin, stop_s)[:, 1] - self.gaps.clip(begin, stop_s)[:, 0]).sum()
        minutes = (stop_s - begin - lost) / 60
        if minutes < 1 / 6:
            return None, None
        recent = self.kinds[self.times >= begin]
        return float((recent == "V").sum() / minutes), None if in_arrhythmia else float((recent == "S").sum() / minutes)


def _touching(spans: FloatArray) -> FloatArray:
    """Spans in order, those that touch as one."""
    if len(spans) < 2:
        return spans
    apart = spans[1:, 0] > spans[:-1, 1] + 1e-6
    return np.stack([spans[np.r_[True, apart], 0], spans[np.r_[apart, True], 1]], axis=1)


class _Present:
    """Since when an arrhythmia lasts, told from step to step."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.since_s: float | None = None
        self._seen_s = 0.0

    def update(self, view: View) -> list[str]:
        """What began or ended with this step."""
        if view.rhythm is None:  # it may go on unseen, for a while
            if self.name is not None and view.stop_s - self._seen_s > BRIDGED_S:
                return self._end()
            return []
        now = view.rhythm if view.rhythm in _PRESENT else None
        events = []
        if self.name is not None and now is None:
            events = self._end()
        elif now is not None:
            if self.name is None:
                self.since_s = view.since_s if view.since_s is not None else max(0.0, view.stop_s - CONTEXT_S)
                events = ["began"]
            elif view.since_s is not None and self.since_s is not None:
                self.since_s = min(self.since_s, view.since_s)  # what follows may show that it began before
            self.name = now
        self._seen_s = view.stop_s
        return events

    def _end(self) -> list[str]:
        self.name = self.since_s = None
        return ["ended"]


def watch(stream: Stream, forecasts: Forecasts | None = None, levels: Levels | None = None) -> Iterator[Step]:
    """A step for every block. forecasts None: rhythm only. Keeps the last minutes alone, however long the stream. Raises what
    the stream does where it cannot be read from the beginning."""
    rolling, past, alarm, present = Rolling(stream.leads, stream.fs), _Past(), Alarm(levels or Levels()), _Present()
    leads: tuple[str, ...] | None = None
    begin_s = seen_s = 0.0
    for block in stream.blocks:
        view = rolling.add(block)
        past.add(view)
        events = present.update(view)
        if present.since_s is not None and view.rhythm is not None:
            past.present = _touching(np.r_[past.present, [[present.since_s if "began" in events else begin_s, view.stop_s]]])
        probability, interval, abstained = _outlook(forecasts, past, view, present)
        if "began" in events or (view.rhythm is None and view.stop_s - seen_s > BRIDGED_S):
            events += [done for done in [alarm.end()] if done]
        elif (done := alarm.update(probability)) is not None:
            events.append(done)
        there = tuple(lead for lead, can in zip(stream.leads, usable(view), strict=True) if can)
        notes = _changes(leads, there) if leads is not None else ()
        leads, seen_s = there, view.stop_s if view.rhythm is not None else seen_s
        unread = float((view.unread[:, 1] - view.unread[:, 0]).sum())
        ventricular, supra = past.ectopy(view.stop_s, present.name is not None)
        yield Step(
            view.stop_s, _clock(stream, view.stop_s), view.rhythm, present.since_s,
            None if present.since_s is None else _clock(stream, present.since_s), float(view.quality_L.max(initial=0.0)), there,
            unread, view.rate_bpm, ventricular, supra, probability, interval, abstained, alarm.on, tuple(events),
            _reason(view, unread), notes)
        begin_s = view.stop_s


def _outlook(forecasts: Forecasts | None, past: _Past, view: View, present: _Present,
             ) -> tuple[float | None, tuple[float, float] | None, str | None]:
    """Probability, interval, or why there is none."""
    if forecasts is None:
        return None, None, None
    if present.since_s is not None:
        return None, None, f"already in {NAMES[str(present.name)]}"
    if view.stop_s < LEAST_S:
        return None, None, f"fewer than {LEAST_S:g} s seen"
    if view.rhythm is None:
        return None, None, "this step cannot be read"
    found = forecasts(past.series(view.stop_s))
    return found.probability, found.interval, found.reason


def _changes(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    """Leads that went and came."""
    return tuple([f"lead {lead} cannot be read" for lead in before if lead not in now]
                 + [f"lead {lead} can be read again" for lead in now if lead not in before])


def _reason(view: View, unread_s: float) -> str | None:
    """Why the rhythm is not told."""
    if view.rhythm is not None:
        return None
    return view.reason or ("no clear QRS complexes: noise, or ventricular fibrillation" if unread_s else "too few beats")


def _clock(stream: Stream, at_s: float) -> str:
    """Time of day where it is known, else from the beginning."""
    if stream.start is None:
        return clock(at_s)
    return (stream.start + timedelta(seconds=round(at_s))).strftime("%H:%M:%S")
