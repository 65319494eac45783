"""`Report`: everything that is said about one recording, as data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ecglm
from ecglm.answers import Answer, Finding
from ecglm.errors import UsageError, argument
from ecglm.paper.page import Page
from ecglm.records.record import Record, RecordMeta
from ecglm.reporting.narrative import Narrative
from ecglm.reporting.patient import Match
from ecglm.reporting.waveform import WaveformReference
from ecglm.schema import Evidence, Measurements

if TYPE_CHECKING:
    from ecglm.reporting.trace import Trace

#: Findings that are not present are listed as possible from this probability on.
POSSIBLE = 0.2
#: Characters of what the user may give.
MOST_HISTORY, MOST_NAME = 20_000, 200


@dataclass(frozen=True)
class RecordSummary:
    """The typed facts of a record that a report shows; nothing else of the file reaches it.

    name: last part of the file's path. fs: Hz. missing: NaN samples per lead, where any.
    """

    name: str
    format: str
    leads: tuple[str, ...]
    fs: float
    duration_s: float
    unit: str
    start: datetime | None = None
    meta: RecordMeta = field(default_factory=RecordMeta)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @staticmethod
    def of(record: Record) -> RecordSummary:
        """The facts of this record."""
        name = os.path.basename(record.source.replace("\\", "/"))
        return RecordSummary(name, record.format, record.leads, record.fs, record.duration_s, record.unit, record.start,
                             record.meta, {lead: n for lead, n in record.missing.items() if n}, record.notes)


@dataclass(frozen=True)
class QuestionAnswer:
    """A question that was asked, and its answer."""

    question: str
    answer: Answer


@dataclass(frozen=True)
class TaughtAnswer(QuestionAnswer):
    """One that an adapter was taught. adapter: its name; estimate: how often it is right, cross-validated, in words."""

    adapter: str
    estimate: str


@dataclass(frozen=True, eq=False)
class Report:
    """One recording's report. Parts that are None or empty are shown as not given.

    model: id of the model that gave findings and answers. created: UTC, ISO 8601.
    page: the drawn ECG; a picture, so not part of `to_dict`. caveats: what limits all of it, in words.
    taught: answers to questions that the user taught, beside those of the model.
    history, patient_name: as the user gave them; a file's are never taken. previous: an earlier recording's report, to compare;
    same_patient: what the two files say of that. narrative: a language model's text, checked; None: forms of sentences only.
    waveform: where in a DICOM archive the recording is; for DICOM SR alone, so not part of `to_dict` either.
    """

    record: RecordSummary
    measurements: Measurements | None = None
    findings: tuple[Finding, ...] = ()
    answers: tuple[QuestionAnswer, ...] = ()
    page: Page | None = None
    model: str | None = None
    created: str = ""
    version: str = ecglm.__version__
    caveats: tuple[str, ...] = ()
    taught: tuple[TaughtAnswer, ...] = ()
    history: str | None = None
    patient_name: str | None = None
    previous: Report | None = None
    same_patient: Match = "unknown"
    narrative: Narrative | None = None
    waveform: WaveformReference | None = None

    @staticmethod
    def of(record: Record, *, measurements: Measurements | None = None, findings: Iterable[Finding] = (),
           answers: Iterable[tuple[str, Answer]] = (), page: Page | None = None, model: str | None = None,
           created: datetime | None = None, caveats: Iterable[str] = (), taught: Iterable[TaughtAnswer] = (),
           history: str | None = None, patient_name: str | None = None, previous: Report | None = None,
           same_patient: Match = "unknown") -> Report:
        """Gather a report; created is now unless given. Findings are put in order of probability. Raises UsageError for a
        history or name that is too long."""
        given = {"history": (history, MOST_HISTORY), "patient_name": (patient_name, MOST_NAME)}
        for what, (text, most) in given.items():
            if text is not None and len(text) > most:
                raise UsageError(f"{argument(what)} has {len(text):,} characters; give at most {most:,}")
        when = (created or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
        ranked = tuple(sorted(findings, key=lambda finding: -finding.probability))
        asked = tuple(QuestionAnswer(question, answer) for question, answer in answers)
        return Report(RecordSummary.of(record), measurements, ranked, asked, page, model, when, caveats=tuple(caveats),
                      taught=tuple(taught), history=(history and history.strip()) or None,
                      patient_name=(patient_name and patient_name.strip()) or None, previous=previous,
                      same_patient=same_patient, waveform=WaveformReference.of(record))

    @property
    def present(self) -> tuple[Finding, ...]:
        """Findings held to be present, most probable first."""
        return tuple(f for f in sorted(self.findings, key=lambda f: -f.probability) if f.present)

    @property
    def possible(self) -> tuple[Finding, ...]:
        """Findings not held to be present whose probability is at least `POSSIBLE`."""
        return tuple(f for f in sorted(self.findings, key=lambda f: -f.probability)
                     if not f.present and f.probability >= POSSIBLE)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready dictionary of everything but the page; `from_dict` is its inverse."""
        start = self.record.start
        return {
            "record": {**asdict(self.record), "leads": list(self.record.leads), "notes": list(self.record.notes),
                       "start": None if start is None else start.isoformat()},
            "measurements": None if self.measurements is None else _measurements_dict(self.measurements),
            "findings": [{**f.to_dict(), "probability": f.probability} for f in self.findings],
            "answers": [_answer_dict(item) for item in self.answers],
            "taught": [{**_answer_dict(item), "adapter": item.adapter, "estimate": item.estimate} for item in self.taught],
            "history": self.history, "patient_name": self.patient_name,
            "previous": None if self.previous is None else self.previous.to_dict(), "same_patient": self.same_patient,
            "narrative": None if self.narrative is None else self.narrative.to_dict(),
            "caveats": list(self.caveats), "model": self.model, "created": self.created, "version": self.version,
            "notice": "Research use only. Not a medical device.",
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any], page: Page | None = None) -> Report:
        """The inverse of `to_dict`."""
        rec = dict(data["record"])
        rec["meta"] = RecordMeta(**rec["meta"])
        rec["leads"], rec["notes"] = tuple(rec["leads"]), tuple(rec["notes"])
        rec["start"] = None if rec["start"] is None else datetime.fromisoformat(rec["start"])
        measured = data["measurements"]
        return Report(
            RecordSummary(**rec), None if measured is None else Measurements.of(measured),
            tuple(Finding(**{**f, "evidence": _evidence(f["evidence"])}) for f in data["findings"]),
            tuple(QuestionAnswer(a["question"], _answer(a)) for a in data["answers"]),
            page, data["model"], data["created"], data["version"], tuple(data.get("caveats", ())),
            tuple(TaughtAnswer(a["question"], _answer(a), a["adapter"], a["estimate"]) for a in data.get("taught", ())),
            data.get("history"), data.get("patient_name"),
            None if data.get("previous") is None else Report.from_dict(data["previous"]), data.get("same_patient", "unknown"),
            None if data.get("narrative") is None else Narrative.from_dict(data["narrative"]))

    def save(self, path: str | os.PathLike[str], *, lang: str = "en") -> None:
        """Write .pdf, .tex, .html, .md, .json, .fhir.json or .dcm by extension, whole or not at all, in English ("en"), German
        ("de") or Chinese ("zh"). Raises UsageError for another extension or language, or where what writes it is missing."""
        from ecglm.reporting.save import save
        save(self, path, lang)

    def trace(self, lang: str = "en") -> Trace:
        """The finished text read again: how many of its numbers and statements trace to nothing (`reporting.trace`)."""
        from ecglm.reporting.compose import compose
        from ecglm.reporting.trace import trace
        return trace("\n".join(compose(self, lang).lines()), self, lang)


def _answer_dict(item: QuestionAnswer) -> dict[str, Any]:
    exact = {"confidence": item.answer.confidence, "probabilities": dict(item.answer.probabilities) or None}
    return {"question": item.question, **item.answer.to_dict(), **exact}


def _answer(data: Mapping[str, Any]) -> Answer:
    return Answer(data["answer"], data["confidence"], data["abstained"], _evidence(data["evidence"]), data["model"],
                  data["reason"], data.get("note"), tuple((data.get("probabilities") or {}).items()),
                  tuple((item["part"], item["reason"]) for item in data.get("unanswered", ())))


def _measurements_dict(measured: Measurements) -> dict[str, Any]:
    out = {name: {**asdict(m), "leads": list(m.leads)} for name, m in measured.named().items()}
    by_lead = {lead: {name: {**value, "leads": list(value["leads"])} if isinstance(value, dict) else value
                      for name, value in asdict(values).items()} for lead, values in measured.by_lead.items()}
    return out | {"rhythm": measured.rhythm, "r_peaks_s": list(measured.r_peaks_s), "quality": dict(measured.quality),
                  "problems": [problem.to_dict() for problem in measured.problems],
                  "not_checked": dict(measured.not_checked), "by_lead": by_lead}


def _evidence(items: Sequence[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    def span(item: Mapping[str, Any]) -> tuple[float, float] | None:
        return None if item["span_s"] is None else (item["span_s"][0], item["span_s"][1])

    return tuple(Evidence(item["text"], tuple(item["leads"]), item["value"], item["unit"], span(item))
                 for item in items)
