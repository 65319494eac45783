"""`forecast`: will an atrial arrhythmia begin, from the beats of the minutes before; or why that cannot be said."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecglm.answers import Forecast, percent
from ecglm.config import closest
from ecglm.errors import UsageError, argument
from ecglm.inference.forecast_evidence import evidence, likeness
from ecglm.models.forecast import CLASSES
from ecglm.models.forecast.calibration import EVENTS, rebased, score
from ecglm.models.forecast.forecaster import SHIPPED, Forecaster
from ecglm.records.record import Record
from ecglm.records.windows import Windows, open_windows
from ecglm.schema import Evidence
from ecglm.signal.holter import BeatSeries, beat_series
from ecglm.signal.holter.result import clock

#: Lengths (s) of windows and horizons that may be asked for: the published grid, and what lies between.
WINDOW_S, HORIZON_S = (10.0, 600.0), (60.0, 600.0)
#: Share of the window that must be readable, and of its last minute.
READABLE, READABLE_LAST = 0.5, 0.3
#: Share of the window that may be unreadable without a note.
LOST_TOLD = 0.05
#: Atria that fibrillated within this time (s) of the moment are not going to begin to.
PRESENT_S = 30.0
_NAMES = {"af": "atrial fibrillation", "aflutter": "atrial flutter", "any": "atrial fibrillation or flutter"}


def forecast(recording: str | os.PathLike[str] | Record | Windows | BeatSeries, event: str = "af", horizon_s: float = 300.0,
             window_s: float = 600.0, *, at_s: float | None = None, base_rate: float | None = None,
             model: Forecaster | str | Path = SHIPPED, progress: bool = False) -> Forecast:
    """How probable it is that an event begins within horizon_s after at_s (None: the end), by the window_s before.

    event: "af", "aflutter" or "any" of the two. base_rate: how often the event follows such windows among those the recording
    is one of; None: as often as in the simulated people who calibrated the forecaster. A window is shortened where the recording
    begins later, with a note. Of a file or Record nothing after at_s is read, so what follows cannot change what is said; a
    BeatSeries is taken as it was found. Abstains where the arrhythmia is there already and where too little can be read. Raises
    UsageError and ReadError.
    """
    check(event, horizon_s, window_s, base_rate)
    forecaster = model if isinstance(model, Forecaster) else Forecaster.load(model)
    if isinstance(recording, BeatSeries):
        series = recording
        now = _moment(series.start_s, series.stop_s, at_s, "the beats")
    else:
        windows = recording if isinstance(recording, Windows) else open_windows(recording)
        now = _moment(0.0, windows.duration_s, at_s, windows.first.source or "the recording")
        series = beat_series(windows.until(now), progress=progress)
    begin = max(series.start_s, now - window_s)
    length_s = now - begin
    window = series.cut(begin, now)
    note = None if length_s >= window_s - 1 else \
        f"the recording begins {length_s:.0f} s before this moment: the window is that long, not {window_s:g} s"
    already = _already(series, now)
    if already or (already := _unreadable(window)):
        return Forecast(None, None, (), already, event, horizon_s, length_s, now, True, already, (), forecaster.id, note)
    prob = forecaster.probabilities(window, horizon_s)
    told = forecaster.calibration
    p, low, high = told.interval(event, float(score(event, prob)), length_s, horizon_s)
    rate = sum(told.rates[CLASSES.index(name)] for name in EVENTS[event])
    if base_rate is not None:
        p, low, high = (rebased(value, rate, base_rate) for value in (p, low, high))
    found = (*evidence(window), likeness(forecaster.signs(window, horizon_s)))
    asked = rate if base_rate is None else base_rate
    return Forecast(p, (low, high), told.classes(prob.tolist(), length_s, horizon_s),
                    _text(event, horizon_s, p, (low, high), asked, base_rate is None, found), event, horizon_s, length_s, now,
                    False, None, found, forecaster.id, "; ".join(filter(None, (note, _partly(window)))) or None)


def check(event: str, horizon_s: float, window_s: float, base_rate: float | None) -> None:
    """Raises UsageError for what `forecast` cannot be asked."""
    if event not in EVENTS:
        raise UsageError(f"{argument('event', event)} is unknown; {closest(str(event), EVENTS)}")
    for name, value, (low, high) in (("horizon_s", horizon_s, HORIZON_S), ("window_s", window_s, WINDOW_S)):
        if not low <= value <= high:
            raise UsageError(f"{argument(name, value)} s is outside {low:g}-{high:g} s")
    if base_rate is not None and not 0 < base_rate < 1:
        raise UsageError(f"{argument('base_rate', base_rate)} must lie between 0 and 1")


def _moment(start_s: float, stop_s: float, at_s: float | None, name: str) -> float:
    """When a forecast of what lasts from start_s to stop_s is made. Raises UsageError where that is too early or beyond it."""
    if at_s is None:
        if stop_s - start_s < WINDOW_S[0]:
            raise UsageError(f"{name}: {stop_s - start_s:g} s long; a forecast needs {WINDOW_S[0]:g} s, give a longer recording")
        return stop_s
    if not start_s + WINDOW_S[0] <= at_s <= stop_s + 1e-6:
        raise UsageError(f"{name}: {argument('at_s', at_s)} s must leave {WINDOW_S[0]:g} s of recording before it and lie within "
                         f"{stop_s:g} s; give another moment or a longer recording")
    return float(at_s)


def _already(series: BeatSeries, now: float) -> str | None:
    """That either arrhythmia has begun, and when."""
    for start, stop in series.af:
        if start < now and stop > now - PRESENT_S:
            return f"already in atrial fibrillation or flutter since {clock(start)} after the beginning: nothing is forecast"
    return None


def _partly(window: BeatSeries) -> str | None:
    lost = 1 - window.readable_s / window.duration_s
    return f"{100 * lost:.0f} % of the window cannot be read and is left out" if lost > LOST_TOLD else None


def _unreadable(window: BeatSeries) -> str | None:
    readable = window.readable_s / window.duration_s
    if readable < READABLE:
        return f"only {100 * readable:.0f} % of the window can be read: nothing is forecast"
    last = window.cut(max(window.start_s, -60.0), 0.0)
    if last.readable_s / last.duration_s < READABLE_LAST:
        return "the last minute of the window cannot be read: nothing is forecast"
    if len(window.times_B) < 5:
        return "fewer than five beats in the window: nothing is forecast"
    return None


def _text(event: str, horizon_s: float, p: float, interval: tuple[float, float], rate: float, as_trained: bool,
          found: Sequence[Evidence]) -> str:
    """Evidence before the verdict."""
    seen = "; ".join(item.text for item in found)
    likelier = np.inf if p >= 1 else p / (1 - p) / (rate / (1 - rate))
    how = "more likely than" if likelier > 1.5 else "less likely than" if likelier < 1 / 1.5 else "about as likely as"
    among = "in the simulated people of its calibration" if as_trained else "as given"
    return (f"{seen[0].upper()}{seen[1:]}. {_NAMES[event].capitalize()} within {horizon_s / 60:g} min: {percent(p)} "
            f"({100 * interval[0]:.0f}-{100 * interval[1]:.0f} %), {how} without looking ({100 * rate:.0f} % {among}).")
