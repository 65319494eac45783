"""What a long recording holds: `Holter`, of `Span`s (all of it, and every hour) and `Episode`s. Times are seconds from the
beginning of what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.knowledge.precision import with_confidence
from ecglm.schema import UNITS, Measurement, Measurements, Rhythm
from ecglm.signal.missing import FloatArray

#: Kinds of beats as they are named in tables, by AAMI class.
KINDS = {"N": "normal", "S": "supraventricular", "V": "ventricular", "F": "fusion"}


@dataclass(frozen=True)
class Episode:
    """A stretch of the recording, what was seen there, and its number: beats of a run, seconds of a pause."""

    start_s: float
    stop_s: float
    text: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Hrv:
    """Variability of normal-to-normal (NN) intervals (Task Force of ESC/NASPE 1996, 10.1161/01.CIR.93.5.1043), ms and %.

    sdnn: their standard deviation. rmssd: root mean square of the differences of successive ones. pnn50: share of these
    differences over 50 ms. intervals: how many there were. None where there are fewer than `summary.LEAST_NN` of either.
    """

    sdnn_ms: float | None
    rmssd_ms: float | None
    pnn50_pct: float | None
    intervals: int


@dataclass(frozen=True)
class Span:
    """A recording or an hour of it. beats: by `KINDS`. Rates in beats per minute: mean of all RR intervals, least and largest of
    eight in a row. couplets, runs (three ventricular beats or more), bigeminy (episodes), pauses: how many begin here.
    longest_rr_s at longest_rr_at_s. usable_min, unusable_min, af_min: minutes. Without beats numbers are None."""

    start_s: float
    stop_s: float
    beats: Mapping[str, int]
    mean_bpm: float | None
    least_bpm: float | None
    largest_bpm: float | None
    couplets: int
    runs: int
    longest_run: int
    bigeminy: int
    pauses: int
    longest_rr_s: float | None
    longest_rr_at_s: float | None
    af_min: float
    usable_min: float
    unusable_min: float
    hrv: Hrv

    @property
    def total(self) -> int:
        """Beats of all kinds."""
        return sum(self.beats.values())

    def to_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        shown = {name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(self).items()}
        hrv = {name: value if value is None else round(value, 1) for name, value in asdict(self.hrv).items()}
        return shown | {"beats": {"total": self.total} | {KINDS[kind]: n for kind, n in self.beats.items()}, "hrv": hrv}


@dataclass(frozen=True, eq=False)
class Holter:
    """A long recording in numbers. start: ISO 8601, or None. least_bpm_at_s and largest_bpm_at_s: when, or None. pauses, runs,
    bigeminy, af, unusable, flutter: episodes in order of time. times_s, types: every beat and its AAMI class; p: the P wave
    before it (`atrial.COLUMNS`); leads_B: a number for the leads that it was seen in. reason: why there is nothing, or None."""

    duration_s: float
    leads: tuple[str, ...]
    start: str | None
    overall: Span
    hours: tuple[Span, ...]
    least_bpm_at_s: float | None
    largest_bpm_at_s: float | None
    pauses: tuple[Episode, ...]
    runs: tuple[Episode, ...]
    bigeminy: tuple[Episode, ...]
    af: tuple[Episode, ...]
    unusable: tuple[Episode, ...]
    times_s: FloatArray
    types: NDArray[np.str_]
    p: NDArray[np.float32]
    reason: str | None = None
    flutter: tuple[Episode, ...] = ()
    leads_B: NDArray[np.int64] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm measure --json`` prints: the keys of any recording, and ``ambulatory``."""
        why = "not named over a long recording: measure a part of it"
        return self.measurements().to_dict() | {
            "beats": self.overall.total, "rhythm_name": Rhythm(None, (), (), why).to_dict(), "ambulatory": self._ambulatory()}

    def _ambulatory(self) -> dict[str, Any]:
        def listed(episodes: tuple[Episode, ...], name: str | None = None) -> list[dict[str, Any]]:
            return [{"start_s": round(e.start_s, 3), "stop_s": round(e.stop_s, 3), "at": clock(e.start_s)}
                    | ({} if name is None else {name: e.text if name == "reason" else e.value}) for e in episodes]

        return {"duration_s": round(self.duration_s, 3), "leads": list(self.leads), "start": self.start,
                "overall": self.overall.to_dict(), "hours": [hour.to_dict() for hour in self.hours],
                "least_bpm_at_s": _rounded(self.least_bpm_at_s), "largest_bpm_at_s": _rounded(self.largest_bpm_at_s),
                "pauses": listed(self.pauses, "rr_s"), "runs": listed(self.runs, "beats"),
                "bigeminy": listed(self.bigeminy, "beats"), "af": listed(self.af), "flutter": listed(self.flutter),
                "unusable": listed(self.unusable, "reason"), "reason": self.reason}

    def measurements(self) -> Measurements:
        """Rate and RR as `measure` gives them; the rest is not measured over hours, with the reason."""
        why = "not measured over a long recording: measure a part of it"
        values: dict[str, Any] = {name: Measurement(None, unit, reason=why) for name, unit in UNITS.items()}
        rate, beats = self.overall.mean_bpm, self.overall.total
        for name, value in (("heart_rate", rate), ("rr", rate and 60000 / rate)):
            values[name] = Measurement(None, UNITS[name], reason=self.reason) if value is None \
                else Measurement(value, UNITS[name], self.leads, beats)
        return Measurements(**with_confidence(values), rhythm=None)

    def rows(self) -> list[tuple[str, str]]:
        """The whole recording as a table of two columns."""
        o, h = self.overall, self.overall.hrv
        rows = [("duration", f"{clock(self.duration_s)}, {len(self.leads)} lead{'s' * (len(self.leads) > 1)}"
                             + (f", from {self.start}" if self.start else "")),
                ("usable", f"{_long(o.usable_min)} ({100 * o.usable_min / max(o.usable_min + o.unusable_min, 1e-9):.1f} %)")]
        if self.reason is not None:
            return [*rows, ("not given", self.reason), *_listed("unusable", self.unusable)]
        kinds = ", ".join(f"{n} {KINDS[kind]} ({100 * n / max(1, o.total):.1f} %)" for kind, n in o.beats.items())
        rows += [
            ("beats", f"{o.total}: {kinds}"),
            ("rate", f"mean {_number(o.mean_bpm)} bpm, least {_number(o.least_bpm)} at {_clock(self.least_bpm_at_s)}, "
                     f"largest {_number(o.largest_bpm)} at {_clock(self.largest_bpm_at_s)}"),
            ("ventricular", f"{o.couplets} couplets, {o.runs} runs" + f" (longest {o.longest_run} beats)" * bool(o.runs)
             + f", {o.bigeminy} of bigeminy"),
            ("longest RR", "not given" if o.longest_rr_s is None else f"{o.longest_rr_s:.2f} s at {_clock(o.longest_rr_at_s)}"),
            ("pauses > 2 s", str(o.pauses)), ("atrial fibrillation", f"{_long(o.af_min)} in {len(self.af)} episodes"),
            ("HRV", "not given: too few intervals between normal beats" if h.sdnn_ms is None else
             f"SDNN {h.sdnn_ms:.0f} ms, RMSSD {h.rmssd_ms:.0f} ms, pNN50 {h.pnn50_pct:.1f} % of {h.intervals} NN intervals"),
        ]
        for name, episodes in (("ventricular run", self.runs), ("bigeminy", self.bigeminy), ("pause", self.pauses),
                               ("fibrillation", self.af), ("flutter", self.flutter), ("unusable", self.unusable)):
            rows += _listed(name, episodes)
        return rows

    def hour_rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows of the table by the hour."""
        head = ("from", "beats", "mean", "least", "largest", "V", "S", "couplets", "runs", "bigeminy", "pauses", "longest RR s",
                "AF min", "unusable min", "SDNN", "RMSSD", "pNN50 %")
        return head, [(
            clock(s.start_s), str(s.total), *map(_number, (s.mean_bpm, s.least_bpm, s.largest_bpm)),
            *map(str, (s.beats["V"], s.beats["S"], s.couplets, s.runs, s.bigeminy, s.pauses)), _number(s.longest_rr_s, 2),
            f"{s.af_min:.1f}", f"{s.unusable_min:.1f}", _number(s.hrv.sdnn_ms), _number(s.hrv.rmssd_ms),
            _number(s.hrv.pnn50_pct, 1)) for s in self.hours]


#: Episodes of one kind that the table lists, the first of them; --json has all.
LISTED = 10


def _listed(name: str, episodes: tuple[Episode, ...]) -> list[tuple[str, str]]:
    rows = [(name, f"{clock(e.start_s)} - {clock(e.stop_s)}" + (f"  {e.text}" if e.text else "")) for e in episodes[:LISTED]]
    return rows + ([(name, f"and {len(episodes) - LISTED} more (--json lists them)")] if len(episodes) > LISTED else [])


def clock(seconds: float) -> str:
    """Seconds from the beginning as hours:minutes:seconds."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _clock(seconds: float | None) -> str:
    return "-" if seconds is None else clock(seconds)


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _long(minutes: float) -> str:
    return f"{minutes:.1f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
