"""`holter`: minutes into stretches, stretches into beats, beats into the summary; nothing but beats and gaps is kept."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from ecglm.errors import UsageError, argument
from ecglm.records.record import Record
from ecglm.records.windows import Windows, open_windows
from ecglm.signal.beats import REFRACTORY_S
from ecglm.signal.holter.beats import Part, analyse
from ecglm.signal.holter.minutes import FS, Minute, count, read_minutes
from ecglm.signal.holter.result import Holter
from ecglm.signal.holter.summary import Seen, summarise

#: Stretches that are analysed while the next one is read: two cores are busy, and no more than three stretches are in memory.
AHEAD = 2
#: Minutes of a stretch, whose beats are compared with its dominant beat: as long as a recording of MIT-BIH.
STRETCH = 30
#: A beat that one stretch puts before its end and the next one after its beginning lies this close (samples) to the join.
_JOIN = round(0.1 * FS)


def holter(recording: str | os.PathLike[str] | Record | Windows, *, window_s: float = 600.0, progress: bool = False) -> Holter:
    """Beats, rates, ectopy, pauses, atrial fibrillation and HRV of a recording of any length and leads, by the hour.

    A file is read in windows of window_s, where its format can be (`records.windows.WINDOWED`); the result does not depend
    on it. progress: show a bar on stderr. Raises ReadError for a file that cannot be read, as `read` does; poor signal
    raises nothing, it is time that is counted as unusable.
    """
    return summarise(*gather(recording, window_s, progress))


def gather(recording: str | os.PathLike[str] | Record | Windows, window_s: float = 600.0, progress: bool = False,
           ) -> tuple[Seen, Windows]:
    """What `holter` sums up, and the recording it is of. Arguments and errors are those of `holter`."""
    if not window_s >= 60:
        raise UsageError(f"{argument('window_s', window_s)} is not usable; give 60 s or more")
    windows = recording if isinstance(recording, Windows) else open_windows(recording)
    total = count(windows)
    edges = np.linspace(0, total, max(1, round(total / STRETCH)) + 1).round().astype(int)
    minutes = _shown(read_minutes(windows, window_s), total, progress)
    seen = Seen(windows.duration_s)
    kept: list[Minute] = []  # minutes from the margin before a stretch on
    at = 0
    found: deque[Future[Part]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool:
        for begin, end in pairwise(edges):
            margin = int(begin > 0)
            while at + len(kept) < min(total, end + 1):
                minute = next(minutes)
                if minute.verdict is not None:
                    seen.reasons[at + len(kept)] = minute.verdict
                kept.append(minute)
            if len(found) == AHEAD:
                _join(seen, found.popleft().result())
            found.append(pool.submit(analyse, kept, windows.first.leads, at, margin, len(kept) - int(end - at)))
            kept, at = kept[end - 1 - at:], int(end) - 1
        while found:
            _join(seen, found.popleft().result())
    for _ in minutes:  # the bar ends
        pass
    return seen, windows


def _join(seen: Seen, part: Part) -> None:
    """Add the beats of a stretch that are not those of the one before."""
    last = seen.times[-1][-1] if seen.times and len(seen.times[-1]) else -np.inf
    new = (part.times_B >= part.first - _JOIN) & (part.times_B >= last + REFRACTORY_S * FS) & (part.times_B < part.stop)
    seen.times.append(part.times_B[new])
    seen.types.append(part.types_B[new])
    seen.p.append(part.p_B3[new])
    seen.leads.append(part.leads_B[new])
    seen.gaps.append(part.gaps)
    seen.evidence.append(part.seen.at(new))


def _shown(minutes: Iterator[Minute], total: int, progress: bool) -> Iterator[Minute]:
    if not progress:
        yield from minutes
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(minutes, "Reading", total=total, console=Console(stderr=True), transient=True)
