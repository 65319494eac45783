"""`ecglm monitor` on MIT-BIH as a user would run it: onsets told and warned of, and what it raised in vain, per hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from ecglm.bench.stats import Bootstrap, Interval, interval
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.rhythms import Rhythms, mitdb_rhythms
from ecglm.inference.monitor import Levels, from_windows
from ecglm.inference.monitor.session import BASE_RATE, Session, forecaster
from ecglm.inference.monitor.summary import Summary
from ecglm.records.windows import open_windows

#: A told episode lies at a marked onset when it begins within so long (s) of it; only marked episodes of LONG_S count as onsets.
TOLD_S, LONG_S = 60.0, 30.0


class Watched(NamedTuple):
    """A record: hours without arrhythmia, alarms and those in vain, minutes told falsely; of its long marked episodes that begin
    after the first step how many there are, were told in time, were warned of."""

    name: str
    subject: str
    hours: float
    alarms: int
    false_alarms: int
    false_min: float
    onsets: int
    told: int
    warned: int
    arrhythmia: bool


def run(seed: int, draws: int, progress: bool, step_s: float = 30.0, horizon_s: float = 300.0, window_s: float = 600.0,
        workers: int = 2) -> Study:
    """Every record of MIT-BIH, in steps of step_s, with forecasts over horizon_s from windows of window_s."""
    from rich.progress import track

    records = list(mitdb_rhythms())
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        jobs = [pool.submit(watched, one, step_s, horizon_s, window_s) for one in records]
        rows = [job.result() for job in track(jobs, "Watching", disable=not progress)]
    notes = (
        f"Steps of {step_s:g} s, forecasts over {horizon_s:g} s from {window_s:g} s, base rate {BASE_RATE:g}, alarms from 50 % "
        "until two steps below 30 %: the defaults. An alarm is in vain when no marked fibrillation or flutter begins while it is "
        "on or within the horizon, and none was there when it was raised. The forecaster learned from simulated people alone; "
        "the spans of fibrillation and the kinds of beats learned from these records.",
        f"Onsets: marked episodes of {LONG_S:g} s and more that begin after the first step; told: a told episode begins within "
        f"{TOLD_S:g} s. Intervals of 95 %, people drawn anew (201 and 202 are one).")
    return Study([table(rows, draws, seed)], len(rows), len({row.subject for row in rows}),
                 digest([[one.name, np.round(one.spans, 3).tolist()] for one in records]), notes,
                 {"records": [row._asdict() for row in rows]})


def watched(one: Rhythms, step_s: float, horizon_s: float, window_s: float) -> Watched:
    """One record, from its beginning to its end."""
    asked = forecaster("any", horizon_s, window_s, BASE_RATE, None)
    with Session(from_windows(open_windows(one.path), step_s), asked, Levels(), horizon_s, path=str(one.path)) as session:
        for _ in session.steps():
            pass
    return counted(one.name, one.subject, session.summary, step_s)


def counted(name: str, subject: str, summary: Summary, step_s: float) -> Watched:
    """The row of a watch that has marks."""
    onsets = [on for on in summary.onsets() if on["at_s"] > step_s and on["stop_s"] - on["at_s"] >= LONG_S]
    told = sum(on["told_from_s"] is not None and abs(on["told_from_s"] - on["at_s"]) <= TOLD_S for on in onsets)
    return Watched(name, subject, summary.free_s / 3600, len(summary.alarms), summary.false_alarms() or 0,
                   summary.said_falsely_s / 60, len(onsets), told, sum(on["warned"] for on in onsets),
                   summary.marks is not None and summary.marks.overlap(0, summary.watched_s) > 0)


def table(rows: Sequence[Watched], draws: int, seed: int) -> Table:
    """People with a marked arrhythmia, and the others."""
    out = []
    for name, some in (("with fibrillation or flutter", [row for row in rows if row.arrhythmia]),
                       ("without", [row for row in rows if not row.arrhythmia])):
        if not some:
            continue
        alarms, minutes = (_per_hour(some, draws, seed, of) for of in (lambda row: row.false_alarms, lambda row: row.false_min))
        onsets, told, warned = (sum(getattr(row, key) for row in some) for key in ("onsets", "told", "warned"))
        out.append([name, str(len(some)), f"{sum(row.hours for row in some):.1f}", str(sum(row.alarms for row in some)),
                    *(f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]" for value in (alarms, minutes)),
                    *((f"{told} of {onsets}", f"{warned} of {onsets}") if onsets else ("–", "–"))])
    return Table("MIT-BIH, watched as a stream", (
        "records", "n", "hours without arrhythmia", "alarms", "in vain, per hour", "minutes of arrhythmia told falsely, per hour",
        "onsets told", "onsets warned of"), out)


def _per_hour(rows: Sequence[Watched], draws: int, seed: int, of: Callable[[Watched], float]) -> Interval:
    counts, hours = np.array([of(row) for row in rows], np.float64), np.array([row.hours for row in rows])
    sums = Bootstrap([row.subject for row in rows], draws, seed).sums(np.stack([counts, hours], axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return interval(float(counts.sum() / hours.sum()), sums[:, 0] / sums[:, 1])
