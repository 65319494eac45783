"""The results everyone in ecglm speaks: measurements, findings, evidence, answers.

Plain frozen dataclasses without numpy or torch, so that any part may import them. `to_dict`
of each is what ``--json`` prints; its keys are a contract (docs/json.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Cause = Literal["flat", "missing", "saturated", "disconnected", "mains", "baseline", "emg", "gain", "mislabelled",
                "limb_reversal", "chest_swap"]
Severity = Literal["minor", "major"]


@dataclass(frozen=True)
class Measurement:
    """One measured value, or None with the reason why it cannot be given.

    spread is the standard deviation over beats in the same unit (None for values that
    are not measured per beat); beats is how many beats were used; leads names the
    leads it was measured in.
    """

    value: float | None
    unit: str
    leads: tuple[str, ...] = ()
    beats: int = 0
    spread: float | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.reason is not None):
            raise ValueError("a Measurement has a value or a reason, not both and not neither")


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


@dataclass(frozen=True)
class Measurements:
    """What ecglm measures on a record. Times in ms, rate in beats per minute, axis in degrees.

    rr_sd_ms is SDNN, rmssd_ms the root mean square of successive differences (Task Force
    of ESC/NASPE 1996, 10.1161/01.CIR.93.5.1043). qtc_* follow Bazett, Fridericia and
    Framingham. r_peaks_s are beat times in seconds. rhythm is a short statement derived
    from the numbers alone. problems: what is wrong with which leads. not_checked: why exchanged
    electrodes were not looked for, by "limb leads" and "chest leads". axis_withheld: the value
    behind an axis that is not given because limb leads look reversed; encoders see it, as in training.
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
    axis_withheld: float | None = None

    def named(self) -> dict[str, Measurement]:
        """All measurements by field name."""
        return {key: value for key, value in vars(self).items() if isinstance(value, Measurement)}

    @staticmethod
    def of(data: Mapping[str, Any]) -> Measurements:
        """The inverse of `dataclasses.asdict`, also by way of JSON. Fields that are absent get their defaults."""
        values: dict[str, Any] = {
            name: Measurement(**{**value, "leads": tuple(value["leads"])}) if isinstance(value, Mapping) and "unit" in value
            else tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        problems = [{**item, "leads": tuple(item["leads"]), "span_s": item["span_s"] and (item["span_s"][0], item["span_s"][1])}
                    for item in data.get("problems", ())]
        return Measurements(**{**values, "problems": tuple(LeadProblem(**item) for item in problems)})

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm measure --json`` prints."""
        def shown(m: Measurement) -> float | None:
            return None if m.value is None else round(m.value, 1)

        return {
            "heart_rate_bpm": shown(self.heart_rate), "rr_ms": shown(self.rr),
            "rr_sd_ms": shown(self.rr_sd), "rmssd_ms": shown(self.rmssd),
            "pr_ms": shown(self.pr), "qrs_ms": shown(self.qrs), "qt_ms": shown(self.qt),
            "qtc_ms": {
                "bazett": shown(self.qtc_bazett), "fridericia": shown(self.qtc_fridericia),
                "framingham": shown(self.qtc_framingham),
            },
            "axis_deg": shown(self.axis), "rhythm": self.rhythm, "beats": len(self.r_peaks_s),
            "spread": {k: round(m.spread, 1) for k, m in self.named().items() if m.spread is not None},
            "leads": {k: list(m.leads) for k, m in self.named().items() if m.leads},
            "reasons": {k: m.reason for k, m in self.named().items() if m.reason is not None},
            "problems": [problem.to_dict() for problem in self.problems], "not_checked": dict(self.not_checked),
        }


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


@dataclass(frozen=True)
class Finding:
    """A statement about the ECG: SCP-ECG code, name, calibrated probability, decision."""

    code: str
    name: str
    group: str
    probability: float
    present: bool
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"code": self.code, "name": self.name, "group": self.group,
                "probability": round(self.probability, 4), "present": self.present,
                "evidence": [e.to_dict() for e in self.evidence]}


@dataclass(frozen=True)
class Answer:
    """An answer with its calibrated confidence and evidence, or an abstention with its reason. note: what must be read with
    the text, such as "possible, not called present: av block 6 %"; the text alone is the answer that is scored. probabilities: of
    all answers there were to choose from, for a question that an adapter was taught."""

    text: str
    confidence: float
    abstained: bool
    evidence: tuple[Evidence, ...]
    model: str
    reason: str | None = None
    note: str | None = None
    probabilities: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"answer": self.text, "confidence": round(self.confidence, 4), "abstained": self.abstained,
                "reason": self.reason, "note": self.note, "evidence": [e.to_dict() for e in self.evidence],
                "model": self.model, "probabilities": {text: round(p, 4) for text, p in self.probabilities} or None}
