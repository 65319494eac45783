"""What a watch came to: minutes, episodes, alarms; and where experts marked the rhythm, which alarms were false."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecglm.errors import ReadError
from ecglm.inference.monitor.watch import Step
from ecglm.records.annotations import ARRHYTHMIAS, read_annotations, rhythm_marks
from ecglm.signal.holter.result import clock


@dataclass(frozen=True)
class Marked:
    """Spans (s) of fibrillation or flutter as experts marked them, those that touch as one."""

    spans: tuple[tuple[float, float], ...]

    def overlap(self, begin: float, stop: float) -> float:
        """Seconds of them between two times."""
        return sum(max(0.0, min(stop, b) - max(begin, a)) for a, b in self.spans)

    def begins(self, begin: float, stop: float) -> bool:
        """Whether one begins between two times."""
        return any(begin < a <= stop for a, _ in self.spans)


def marked(path: str | os.PathLike[str], fs: float, begin_s: float = 0.0) -> Marked:
    """The rhythm marks of a WFDB annotation file, each until the next or until ")". begin_s: where in its record the watch
    begins. Raises ReadError for one without any."""
    marks = [(max(0.0, sample / fs - begin_s), code) for sample, code in rhythm_marks(read_annotations(path))]
    if not any(code for _, code in marks):
        raise ReadError(os.fspath(path), "it marks no rhythm", "pass the file whose notes are (N, (AFIB, (AFL")
    spans: list[tuple[float, float]] = []
    for (begin, code), stop in zip(marks, [*(time for time, _ in marks[1:]), float("inf")], strict=True):
        if code in ARRHYTHMIAS and stop > begin:
            if spans and spans[-1][1] == begin:
                begin = spans.pop()[0]
            spans.append((begin, stop))
    return Marked(tuple(spans))


def beside(path: str) -> Path | None:
    """The annotation file of a WFDB record, where there is one that marks rhythms."""
    found = Path(path).with_suffix(".atr")
    if not found.is_file():
        return None
    try:
        marks = rhythm_marks(read_annotations(found))
    except ReadError:
        return None
    return found if any(code for _, code in marks) else None


@dataclass
class Summary:
    """Counts over all steps, in constant memory but for one entry for each alarm and episode."""

    horizon_s: float
    marks: Marked | None = None
    watched_s: float = 0.0
    unread_s: float = 0.0
    free_s: float = 0.0  #: readable and marked as neither fibrillation nor flutter
    said_s: dict[str, float] = field(default_factory=lambda: {"af": 0.0, "aflutter": 0.0})
    said_falsely_s: float = 0.0
    alarms: list[tuple[float, float]] = field(default_factory=list)  #: from when to when each was on
    episodes: list[tuple[float, float]] = field(default_factory=list)  #: of fibrillation or flutter, as told
    _on: bool = False

    def add(self, step: Step) -> None:
        """One more step."""
        begin, stop = self.watched_s, step.at_s
        self.watched_s = stop
        self.unread_s += step.unread_s if step.rhythm is not None else stop - begin
        if step.rhythm in self.said_s:
            self.said_s[step.rhythm] += stop - begin
            since = begin if step.since_s is None else step.since_s
            if "began" in step.events or not self.episodes:
                self.episodes.append((since, stop))
            else:
                self.episodes[-1] = (self.episodes[-1][0], stop)
        if self.marks is not None and step.rhythm is not None:
            free = stop - begin - self.marks.overlap(begin, stop)
            self.free_s += free
            self.said_falsely_s += free if step.rhythm in self.said_s else 0.0
        if "raised" in step.events:
            self.alarms.append((stop, stop))
        elif self._on and self.alarms:
            self.alarms[-1] = (self.alarms[-1][0], stop)
        self._on = step.alarm

    def false_alarms(self) -> int | None:
        """Alarms that no marked onset followed while they were on or within the horizon, and that were not raised in a marked
        arrhythmia; None without marks."""
        if self.marks is None:
            return None
        marks, horizon = self.marks, self.horizon_s
        return sum(not (marks.begins(raised, max(stop, raised + horizon)) or marks.overlap(raised - 1, raised) > 0)
                   for raised, stop in self.alarms)

    def onsets(self) -> list[dict[str, Any]]:
        """Of each marked onset: when the nearest told episode began, and whether an alarm came within the horizon before."""
        out: list[dict[str, Any]] = []
        for begin, stop in self.marks.spans if self.marks is not None else ():
            if begin > self.watched_s:
                break
            stop = min(stop, self.watched_s)
            near = [a for a, b in self.episodes if a < stop and b > begin]
            best = min(near, key=lambda a: abs(a - begin), default=None)
            warned = any(raised <= begin <= max(end, raised + self.horizon_s) for raised, end in self.alarms)
            out.append({"at_s": round(begin, 2), "stop_s": round(stop, 2),
                        "told_from_s": None if best is None else round(best, 2), "warned": warned})
        return out

    def to_dict(self) -> dict[str, Any]:
        """The last line of ``--json``."""
        false = self.false_alarms()
        hours = self.free_s / 3600
        return {"summary": {
            "watched_s": round(self.watched_s, 3), "unread_s": round(self.unread_s, 2),
            "af_s": round(self.said_s["af"], 1), "aflutter_s": round(self.said_s["aflutter"], 1),
            "episodes": [[round(a, 2), round(b, 2)] for a, b in self.episodes], "alarms": len(self.alarms),
            "horizon_s": self.horizon_s, "false_alarms": false,
            "false_alarms_per_hour": None if false is None or not hours else round(false / hours, 3),
            "false_arrhythmia_min_per_hour": None if false is None or not hours else round(self.said_falsely_s / 60 / hours, 3),
            "marked_onsets": self.onsets() if self.marks is not None else None}}

    def lines(self) -> list[str]:
        """The same for people."""
        out = [f"watched {clock(self.watched_s)}, of which {clock(self.unread_s)} cannot be read",
               f"atrial fibrillation {self.said_s['af'] / 60:.1f} min, flutter {self.said_s['aflutter'] / 60:.1f} min, in "
               f"{len(self.episodes)} episode{'' if len(self.episodes) == 1 else 's'}; {len(self.alarms)} alarm"
               f"{'' if len(self.alarms) == 1 else 's'}"]
        said = self.to_dict()["summary"]
        if self.marks is not None:
            for one in said["marked_onsets"]:
                told = "not told" if one["told_from_s"] is None else f"told from {clock(one['told_from_s'])}"
                out.append(f"marked onset at {clock(one['at_s'])}: {told}{', after an alarm' if one['warned'] else ''}")
            if said["false_alarms_per_hour"] is not None:
                out.append(f"{said['false_alarms']} false alarms in {self.free_s / 3600:.2f} hours without arrhythmia: "
                           f"{said['false_alarms_per_hour']:.2f} per hour; arrhythmia told falsely for "
                           f"{said['false_arrhythmia_min_per_hour']:.2f} min per hour")
        return out
