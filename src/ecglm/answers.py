"""What ecglm says of a record: findings, answers, forecasts, with the evidence that they rest on.

Plain frozen dataclasses without numpy or torch, as in `ecglm.schema`; `to_dict` of each is what ``--json`` prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecglm.schema import Evidence


def percent(probability: float) -> str:
    """A probability for people: whole percents, and never 0 % or 100 % for what is not certain."""
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


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
    all answers there were to choose from, for a question that an adapter was taught. unanswered: (part, reason) of each part
    of the question, or each recording, that has no answer beside others that have one."""

    text: str
    confidence: float
    abstained: bool
    evidence: tuple[Evidence, ...]
    model: str
    reason: str | None = None
    note: str | None = None
    probabilities: tuple[tuple[str, float], ...] = ()
    unanswered: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"answer": self.text, "confidence": round(self.confidence, 4), "abstained": self.abstained,
                "reason": self.reason, "note": self.note, "evidence": [e.to_dict() for e in self.evidence],
                "model": self.model, "probabilities": {text: round(p, 4) for text, p in self.probabilities} or None,
                "unanswered": [{"part": part, "reason": reason} for part, reason in self.unanswered]}


#: Printed where both figures stand side by side and differ.
CONFIDENCE = ("confidence is how probable it is that the whole answer is right, all that it names there and nothing else of its "
              "kind; a finding's probability is its own")


def two_figures(answer: Answer) -> bool:
    """Whether an answer shows a confidence beside the probability of a finding that is well above it."""
    return not answer.abstained and answer.text.lower() not in ("yes", "no") and any(
        e.unit == "probability" and e.value is not None and e.value > answer.confidence + 0.1 for e in answer.evidence)


@dataclass(frozen=True)
class Forecast:
    """What may begin within horizon_s after at_s of a recording, by the window_s before it.

    probability, interval: calibrated (docs/forecast.md says on whom); both None for an abstention, whose reason is also the
    answer. classes: those of "sinus", "af", "aflutter" of which one follows in nine of ten cases. note: to be read with it.
    """

    probability: float | None
    interval: tuple[float, float] | None
    classes: tuple[str, ...]
    answer: str
    event: str
    horizon_s: float
    window_s: float
    at_s: float
    abstained: bool
    reason: str | None
    evidence: tuple[Evidence, ...]
    model: str
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm forecast --json`` prints."""
        return {"probability": None if self.probability is None else round(self.probability, 4),
                "interval": None if self.interval is None else [round(end, 4) for end in self.interval],
                "classes": list(self.classes), "answer": self.answer, "event": self.event, "horizon_s": self.horizon_s,
                "window_s": round(self.window_s, 3), "at_s": round(self.at_s, 3), "abstained": self.abstained,
                "reason": self.reason, "evidence": [e.to_dict() for e in self.evidence], "model": self.model, "note": self.note}
