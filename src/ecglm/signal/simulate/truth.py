"""What is true of a simulated record, by construction: fiducials, intervals, events, labels, statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.knowledge.statements import BY_KEY
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.conditions import Condition
from ecglm.signal.simulate.schedule import Atrial, Beat, Event

#: PTB-XL's superclass of each subclass (Wagner et al. 2020, 10.1038/s41597-020-0495-6).
SUPER_CLASS: dict[str, tuple[str, ...]] = {
    "NORM": ("NORM",), "MI": ("AMI", "IMI", "LMI", "PMI"), "STTC": ("STTC", "ISC", "ISCI", "ISCA", "NST"),
    "CD": ("CLBBB", "CRBBB", "ILBBB", "IRBBB", "LAFB/LPFB", "IVCD", "WPW", "AVB"),
    "HYP": ("LVH", "RVH", "LAO/LAE", "RAO/RAE", "SEHYP"),
}
_PLACE = {key: place for place, key in enumerate(BY_KEY)}
_SINUS = ("rhythm:SR", "rhythm:SBRAD", "rhythm:STACH", "rhythm:SARRH")
_BEAT_NAMES: dict[int, str] = {Beat.USUAL: "usual", Beat.ECTOPIC: "ventricular", Beat.PACED: "paced"}
_ATRIAL_NAMES = {Atrial.SINUS: "sinus", Atrial.ECTOPIC: "ectopic", Atrial.RETROGRADE: "retrograde", Atrial.PACED: "paced"}


@dataclass(frozen=True, eq=False)
class Onset:
    """What preceded an onset in a long record, see `onset.table`.

    target: what begins ("sinus": nothing); mechanism: how it announces itself; onset_s: when f or flutter waves begin (s),
    None for sinus. strength: of the mechanism's effect, 0 for "none". manners, strengths, levels: of each channel, whether it
    is a progression or was there without meaning; levels ``[minute]`` 0..1 at the beginning of each minute.
    """

    target: str
    mechanism: str
    onset_s: float | None
    strength: float
    manners: dict[str, str]
    strengths: dict[str, float]
    levels: dict[str, FloatArray]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"target": self.target, "mechanism": self.mechanism, "strength": round(self.strength, 4),
                "onset_s": None if self.onset_s is None else round(self.onset_s, 4),
                "channels": {name: {"manner": manner, "strength": round(self.strengths[name], 4),
                                    "level_by_minute": [round(float(v), 3) for v in self.levels[name]]}
                             for name, manner in self.manners.items()}}


@dataclass(frozen=True, eq=False)
class Truth:
    """Times in seconds of the record (a wave may begin before 0 or end after the last sample), NaN for what is not there.

    condition: as asked for; conditions: its parts. labels: keys of `knowledge.statements`. beats: per ventricular
    complex its kind ("usual", "ventricular", "paced") and the global onset, peak and end of its QRS and T wave and of
    the P wave that led to it. atrial: kind and onset of every P wave, conducted or not. spikes_s: pacing spikes.
    intervals: medians over the beats of the record, named as in `Measurements`; None where they do not exist. onset: of a
    record made by `simulate_onset`.
    """

    condition: str
    conditions: tuple[str, ...]
    labels: tuple[str, ...]
    statements: tuple[str, ...]
    kind: tuple[str, ...]
    p_on: FloatArray
    p_peak: FloatArray
    p_off: FloatArray
    qrs_on: FloatArray
    r_peak: FloatArray
    qrs_off: FloatArray
    t_peak: FloatArray
    t_off: FloatArray
    atrial_kind: tuple[str, ...]
    atrial_on: FloatArray
    spikes_s: FloatArray
    events: tuple[Event, ...]
    intervals: dict[str, float | None]
    onset: Onset | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Kind of each beat as Holter tables have it: "N", "S" (led to by an ectopic P wave), "V", "P" (paced)."""
        ectopic = {round(float(t), 6) for t, kind in zip(self.atrial_on, self.atrial_kind, strict=True) if kind == "ectopic"}
        return tuple("V" if kind == "ventricular" else "P" if kind == "paced" else "S" if round(float(on), 6) in ectopic else "N"
                     for kind, on in zip(self.kind, self.p_on, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """JSON values: what a line of truth.jsonl holds beside the file's name."""
        def listed(values: FloatArray) -> list[float | None]:
            return [None if np.isnan(v) else round(float(v), 4) for v in values]

        waves = ("p_on", "p_peak", "p_off", "qrs_on", "r_peak", "qrs_off", "t_peak", "t_off")
        return {
            "condition": self.condition, "conditions": list(self.conditions), "labels": list(self.labels),
            "statements": list(self.statements), "intervals": self.intervals,
            "beats": {"kind": list(self.kind), **{name: listed(getattr(self, name)) for name in waves}},
            "atrial": {"kind": list(self.atrial_kind), "on": listed(self.atrial_on)}, "spikes_s": listed(self.spikes_s),
            "events": [{"name": e.name, "start_s": round(e.start_s, 4), "stop_s": round(e.stop_s, 4)} for e in self.events],
            **({} if self.onset is None else {"onset": self.onset.to_dict()}),
        }


def beat_names(kinds: NDArray[np.int64]) -> tuple[str, ...]:
    """Kinds of beats in words."""
    return tuple([_BEAT_NAMES[k] for k in kinds.tolist()])


def atrial_names(kinds: list[Atrial]) -> tuple[str, ...]:
    """Kinds of P waves in words."""
    return tuple(_ATRIAL_NAMES[k] for k in kinds)


def intervals_of(qrs_on: FloatArray, r_peak: FloatArray, qrs_off: FloatArray, t_off: FloatArray, pr_s: FloatArray,
                 p_s: FloatArray, usual: NDArray[np.bool_], axis_deg: float | None) -> dict[str, float | None]:
    """Rate, RR, P, PR, QRS, QT and QTc (ms, as in `Measurements`) over the beats given; the last four over the usual."""
    rr = np.diff(r_peak)
    mean = float(rr.mean()) if len(rr) else None
    out: dict[str, float | None] = {
        "heart_rate": None if mean is None else round(60 / mean, 2), "rr": None if mean is None else round(1000 * mean, 1)}

    def median(values: FloatArray) -> float | None:
        known = sorted(v for v in values.tolist() if v == v)
        return round(500 * (known[len(known) // 2] + known[(len(known) - 1) // 2]), 1) if known else None

    out |= {"p": median(p_s[usual]), "pr": median(pr_s[usual]), "qrs": median((qrs_off - qrs_on)[usual]),
            "qt": median((t_off - qrs_on)[usual])}
    qt = out["qt"]
    out["qtc_bazett"] = None if qt is None or mean is None else round(qt / float(np.sqrt(mean)), 1)
    out["qtc_fridericia"] = None if qt is None or mean is None else round(qt / float(np.cbrt(mean)), 1)
    out["axis"] = None if axis_deg is None else round(axis_deg, 1)
    return out


def sinus_label(rate: float | None) -> tuple[str, ...]:
    """The name of a sinus rhythm by its rate, none where that is unknown."""
    return () if rate is None else ("rhythm:SBRAD" if rate < 60 else "rhythm:STACH" if rate > 100 else "rhythm:SR",)


def labels_of(conditions: tuple[Condition, ...], sinus: bool, intervals: dict[str, float | None]) -> tuple[str, ...]:
    """Statement keys of these conditions, with the superclass of each and the name of a sinus rhythm by its rate.

    A normal heart under an abnormal rhythm is not a normal ECG, and what is abnormal elsewhere neither.
    """
    keys = [key for condition in conditions for key in condition.labels]
    abnormal = [k for k in keys if k.startswith("sub_class:") and k != "sub_class:NORM"]
    odd_rhythm = not sinus or any(k.startswith("form:") and k != "form:HVOLT" for k in keys)
    if abnormal or odd_rhythm:
        keys = [k for k in keys if k != "sub_class:NORM"]
    rate = intervals["heart_rate"]
    if sinus and not any(k in keys for k in _SINUS):
        keys += sinus_label(rate)
    pr = intervals["pr"]
    if sinus and pr is not None and pr > 200 and "form:LPR" not in keys and "sub_class:AVB" not in keys:
        keys.append("form:LPR")
    subs = {k.split(":")[1] for k in keys if k.startswith("sub_class:")}
    keys += [f"super_class:{name}" for name, members in SUPER_CLASS.items() if subs & set(members)]
    return tuple(sorted(set(keys), key=_PLACE.__getitem__))


def statements_of(conditions: tuple[Condition, ...], sinus: bool, intervals: dict[str, float | None]) -> tuple[str, ...]:
    """What a cardiologist would write, one sentence each."""
    rate = intervals["heart_rate"]
    out = []
    if sinus and rate is not None:
        out.append(f"Sinus {'bradycardia' if rate < 60 else 'tachycardia' if rate > 100 else 'rhythm'}, {rate:.0f}/min.")
    elif rate is not None:
        out.append(f"Ventricular rate {rate:.0f}/min.")
    told = [c for c in conditions if not (c.name in ("sinus_bradycardia", "sinus_tachycardia") and sinus)]
    return (*out, *(f"{c.title[0].upper()}{c.title[1:]}: {c.criterion}." for c in told))
