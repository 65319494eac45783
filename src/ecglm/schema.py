"""What is measured and seen on a record, as everyone in ecglm speaks of it: measurements, problems, evidence, rhythm.

Plain frozen dataclasses without numpy or torch, so that any part may import them. `to_dict`
of each is what ``--json`` prints; its keys are a contract (docs/json.md). What ecglm says on it is in `ecglm.answers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Cause = Literal["flat", "missing", "saturated", "disconnected", "mains", "baseline", "emg", "gain", "mislabelled",
                "limb_reversal", "chest_swap"]
Severity = Literal["minor", "major"]
TShape = Literal["upright", "inverted", "biphasic", "flat"]
#: What spans and forecasts tell apart, in the order of every array: whatever is neither of the others, fibrillation, flutter.
ATRIAL_RHYTHMS = ("sinus", "af", "aflutter")

#: What people call the fields of `Measurements`, in the order in which they are shown.
LABELS = {
    "heart_rate": "Heart rate", "rr": "RR interval", "rr_sd": "RR standard deviation (SDNN)", "rmssd": "RMSSD",
    "p_duration": "P duration", "pr": "PR interval", "qrs": "QRS duration", "qt": "QT interval", "qtc_bazett": "QTc, Bazett",
    "qtc_fridericia": "QTc, Fridericia", "qtc_framingham": "QTc, Framingham", "qtc_hodges": "QTc, Hodges",
    "p_axis": "P axis", "axis": "QRS axis", "t_axis": "T axis", "sokolow_lyon": "Sokolow-Lyon voltage",
    "cornell": "Cornell voltage",
}
#: Their units: ms where nothing else is said.
UNITS = dict.fromkeys(LABELS, "ms") | {"heart_rate": "bpm"} | dict.fromkeys(("p_axis", "axis", "t_axis"), "deg") \
    | dict.fromkeys(("sokolow_lyon", "cornell"), "mV")
#: Why a value of these units has no confidence.
NO_CONFIDENCE = {"ms": "not compared with annotated data", "deg": "no annotated axes to compare with",
                 "mV": "no annotated amplitudes to compare with"}
#: Digits after the point that a value of a unit is worth.
DECIMALS = {"mV": 2}


@dataclass(frozen=True)
class Measurement:
    """One measured value, or None with the reason why it cannot be given.

    spread is the standard deviation over beats in the same unit (None for values that
    are not measured per beat); beats is how many beats were used; leads names the
    leads it was measured in. confidence is the probability that a cardiologist's value lies
    within `knowledge.precision.SAME_WITHIN` of this one; None where no annotated data tell (`NO_CONFIDENCE`).
    """

    value: float | None
    unit: str
    leads: tuple[str, ...] = ()
    beats: int = 0
    spread: float | None = None
    reason: str | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.reason is not None):
            raise ValueError("a Measurement has a value or a reason, not both and not neither")


def _measurement(data: Mapping[str, Any]) -> Measurement:
    return Measurement(**{**data, "leads": tuple(data["leads"])})


@dataclass(frozen=True)
class LeadValues:
    """The waves of one lead of the median beat, in mV from the level before the QRS (P: from the level before P).

    q, r, s and r_prime are signed heights; a QS complex is a q without r. t is the larger phase, t_shape how it looks
    (None when t is). st_j, st_j60, st_j80: the ST segment at the J point, 60 and 80 ms later. *_duration: ms.
    """

    p: Measurement
    q: Measurement
    r: Measurement
    s: Measurement
    r_prime: Measurement
    t: Measurement
    st_j: Measurement
    st_j60: Measurement
    st_j80: Measurement
    q_duration: Measurement
    r_duration: Measurement
    s_duration: Measurement
    t_shape: TShape | None = None

    @property
    def qrs_height(self) -> Measurement:
        """From the lowest to the highest point of the QRS complex, mV."""
        known = [m for m in (self.q, self.r, self.s, self.r_prime) if m.value is not None]
        if not known:
            return self.r
        heights = [m.value for m in known if m.value is not None]
        return replace(max(known, key=lambda m: m.spread or 0.0), value=max([0.0, *heights]) - min([0.0, *heights]))

    def named(self) -> dict[str, Measurement]:
        """All measurements by field name."""
        return {name: value for name, value in vars(self).items() if name != "t_shape"}

    @staticmethod
    def of(data: Mapping[str, Any]) -> LeadValues:
        """The inverse of `dataclasses.asdict`, also by way of JSON."""
        values: dict[str, Any] = {name: _measurement(v) if isinstance(v, Mapping) else v for name, v in data.items()}
        return LeadValues(**values)

    def to_dict(self) -> dict[str, Any]:
        """Values by name and unit, the beats they come from, their spread, and why those that are null cannot be given."""
        named = self.named()
        return {**{_key(name, m): _shown(m) for name, m in named.items()}, "t_shape": self.t_shape,
                "beats": max(m.beats for m in named.values()), **_about(named)}


@dataclass(frozen=True)
class LeadProblem:
    """What is wrong with these leads, by name. "minor": they are used all the same; "major": they are not, or values
    that rest on them are withheld. span_s: the seconds concerned, where it is a stretch."""

    cause: Cause
    leads: tuple[str, ...]
    severity: Severity
    text: str
    span_s: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"cause": self.cause, "leads": list(self.leads), "severity": self.severity, "text": self.text,
                "span_s": None if self.span_s is None else list(self.span_s)}


#: What older versions did not measure: their files are read all the same.
_OLD = "not measured by the version that wrote this"
_NO_MS, _NO_DEG, _NO_MV = (Measurement(None, unit, reason=_OLD) for unit in ("ms", "deg", "mV"))


@dataclass(frozen=True)
class Measurements:
    """What ecglm measures on a record. Times in ms, rate in beats per minute, axes in degrees, voltages in mV.

    rr_sd_ms is SDNN, rmssd_ms the root mean square of successive differences (Task Force
    of ESC/NASPE 1996, 10.1161/01.CIR.93.5.1043). qtc_* follow Bazett, Fridericia, Framingham
    and Hodges. axis is that of the QRS. r_peaks_s are beat times in seconds. rhythm is a short
    statement derived from the numbers alone. problems: what is wrong with which leads.
    not_checked: why exchanged electrodes were not looked for, by "limb leads" and "chest leads".
    axis_as_trained: the QRS axis as encoders were trained with it, by rules alone and even where limb leads look
    reversed. by_lead: the waves of every lead of the record.
    """

    heart_rate: Measurement
    rr: Measurement
    rr_sd: Measurement
    rmssd: Measurement
    pr: Measurement
    qrs: Measurement
    qt: Measurement
    qtc_bazett: Measurement
    qtc_fridericia: Measurement
    qtc_framingham: Measurement
    axis: Measurement
    rhythm: str | None
    r_peaks_s: tuple[float, ...] = ()
    quality: dict[str, float] = field(default_factory=dict)
    problems: tuple[LeadProblem, ...] = ()
    not_checked: dict[str, str] = field(default_factory=dict)
    axis_as_trained: float | None = None
    qtc_hodges: Measurement = _NO_MS
    p_duration: Measurement = _NO_MS
    p_axis: Measurement = _NO_DEG
    t_axis: Measurement = _NO_DEG
    sokolow_lyon: Measurement = _NO_MV
    cornell: Measurement = _NO_MV
    by_lead: dict[str, LeadValues] = field(default_factory=dict)

    def named(self) -> dict[str, Measurement]:
        """All measurements by field name, without those of single leads."""
        return {name: getattr(self, name) for name in LABELS}

    @staticmethod
    def of(data: Mapping[str, Any]) -> Measurements:
        """The inverse of `dataclasses.asdict`, also by way of JSON. Fields that are absent get their defaults."""
        values: dict[str, Any] = {
            name: _measurement(value) if isinstance(value, Mapping) and "unit" in value
            else tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        problems = [{**item, "leads": tuple(item["leads"]), "span_s": item["span_s"] and (item["span_s"][0], item["span_s"][1])}
                    for item in data.get("problems", ())]
        by_lead = {lead: LeadValues.of(item) for lead, item in data.get("by_lead", {}).items()}
        return Measurements(**{**values, "problems": tuple(LeadProblem(**item) for item in problems), "by_lead": by_lead})

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm measure --json`` prints."""
        named = self.named()
        return {
            "heart_rate_bpm": _shown(self.heart_rate), "rr_ms": _shown(self.rr),
            "rr_sd_ms": _shown(self.rr_sd), "rmssd_ms": _shown(self.rmssd),
            "p_ms": _shown(self.p_duration), "pr_ms": _shown(self.pr), "qrs_ms": _shown(self.qrs), "qt_ms": _shown(self.qt),
            "qtc_ms": {
                "bazett": _shown(self.qtc_bazett), "fridericia": _shown(self.qtc_fridericia),
                "framingham": _shown(self.qtc_framingham), "hodges": _shown(self.qtc_hodges),
            },
            "axis_deg": _shown(self.axis), "p_axis_deg": _shown(self.p_axis), "t_axis_deg": _shown(self.t_axis),
            "sokolow_lyon_mv": _shown(self.sokolow_lyon), "cornell_mv": _shown(self.cornell),
            "rhythm": self.rhythm, "beats": len(self.r_peaks_s), **_about(named),
            "leads": {k: list(m.leads) for k, m in named.items() if m.leads},
            "beats_used": {k: m.beats for k, m in named.items() if m.beats},
            "by_lead": {lead: values.to_dict() for lead, values in self.by_lead.items()},
            "problems": [problem.to_dict() for problem in self.problems], "not_checked": dict(self.not_checked),
        }


def _shown(m: Measurement) -> float | None:
    return None if m.value is None else round(m.value, _digits(m))


def _digits(m: Measurement) -> int:
    return 1 + DECIMALS.get(m.unit, 0)


def _key(name: str, m: Measurement) -> str:
    """``q_duration`` in ms as ``q_ms``, ``q`` in mV as ``q_mv``."""
    return f"{name.removesuffix('_duration')}_{m.unit.lower()}"


def _about(named: Mapping[str, Measurement]) -> dict[str, Any]:
    return {"spread": {k: round(m.spread, _digits(m)) for k, m in named.items() if m.spread is not None},
            "confidence": {k: round(m.confidence, 2) for k, m in named.items() if m.confidence is not None},
            "no_confidence": {k: NO_CONFIDENCE[m.unit] for k, m in named.items() if m.value is not None and m.confidence is None},
            "reasons": {k: m.reason for k, m in named.items() if m.reason is not None}}


@dataclass(frozen=True)
class Evidence:
    """One fact an answer rests on: text for people, and where it was seen."""

    text: str
    leads: tuple[str, ...] = ()
    value: float | None = None
    unit: str | None = None
    span_s: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"text": self.text, "leads": list(self.leads), "value": self.value, "unit": self.unit,
                "span_s": None if self.span_s is None else list(self.span_s)}


@dataclass(frozen=True)
class Rhythm:
    """A rhythm statement: name, what else was seen (blocks, ectopic beats, pauses), the numbers it rests on, or the reason
    why there is none."""

    name: str | None
    also: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    reason: str | None = None

    @property
    def text(self) -> str:
        """In one line."""
        return "; ".join((self.name, *self.also)) if self.name else f"not given: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "also": list(self.also), "evidence": [e.to_dict() for e in self.evidence],
                "reason": self.reason}
