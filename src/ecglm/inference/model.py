"""`Model`: what `ecglm.load()` returns, one method per everyday job."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from ecglm.answers import Answer, Finding, Forecast
from ecglm.errors import RecordError, UsageError
from ecglm.inference.adapt.adapter import Adapter
from ecglm.inference.adapt.teach import Labelled, teach
from ecglm.inference.answer import Answerer
from ecglm.inference.caveats import caveats
from ecglm.inference.chat import ChatSession
from ecglm.inference.guard import unsupported
from ecglm.inference.pages import PageModel, page_model
from ecglm.inference.reading import lead_evidence, strongest_leads
from ecglm.models.base import from_hub
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import HIDDEN, NEEDS_MILLIVOLTS
from ecglm.models.folder import kind_of_folder
from ecglm.records.record import Record, checked_record, checked_records
from ecglm.schema import Evidence

if TYPE_CHECKING:
    from ecglm.inference.benchmark import BenchModel
    from ecglm.inference.narrative import Narrator
    from ecglm.inference.retrieval.index import Hit, Index, Side
    from ecglm.inference.retrieval.retriever import Retriever
    from ecglm.inference.seconds import LongModel
    from ecglm.reporting import Report
    from ecglm.reporting.narrative import Narrative
    from ecglm.reporting.report import TaughtAnswer

#: Texts to classify among, or names with several wordings each.
Labels = Sequence[str] | Mapping[str, Sequence[str]]
#: The checkpoint that ships with the package.
DEFAULT = Path(__file__).resolve().parent.parent / "checkpoints" / "default"
#: What the page of a report shows (s).
PAGE_S = 10.0


def load(model: str | Path | None = None, *, base: str | None = None, device: str | None = None,
         adapter: str | Path | None = None, towers: str | Path | None = None) -> Model | LongModel | PageModel:
    """The embedded default, or a checkpoint folder; adapter: a folder that `ecglm adapt` made, whose questions it then answers
    too; towers: a folder that `ecglm train recipes/ecg_chat.yaml` made. Raises CheckpointError with the remedy."""
    taught = None if adapter is None else Adapter.load(adapter)
    folder = DEFAULT if model is None or str(model) == "default" else Path(model).expanduser()
    if not folder.is_dir() and model is not None and "/" in str(model) and not Path(model).is_absolute():
        folder = from_hub(str(model), ("*.json", "*.safetensors", "*.md", "adapter/*"))
    if (seer := page_model(folder, device)) is not None:
        if taught is not None:
            raise UsageError(f"{folder}: a vision-language model takes no adapter; leave one of them out")
        return seer
    if kind_of_folder(folder) == "ecglm-seconds":
        from ecglm.inference.seconds import LongModel
        from ecglm.models.seconds.language import SecondsLanguageModel

        if taught is not None:
            raise UsageError(f"{folder}: a lead-second model takes no adapter; leave one of them out")
        return LongModel(SecondsLanguageModel.from_pretrained(folder, device))
    return Model(EcgLanguageModel.from_pretrained(folder, base=base, device=device), taught, towers)


def whole(model: Model | LongModel | PageModel) -> Model:
    """The model, when it can do everything. Raises UsageError for one that only answers questions."""
    if isinstance(model, Model):
        return model
    kind = "vision-language" if isinstance(model, PageModel) else "lead-second"
    raise UsageError(f"{model.id}: a {kind} model only answers questions; leave out --model for this")


class Model:
    """An ECG-language model with everything a user asks of it. adapter: questions that it was taught by examples; towers: folder
    of an ECG-text model, None the one that ships."""

    def __init__(self, elm: EcgLanguageModel, adapter: Adapter | None = None, towers: str | Path | None = None) -> None:
        self.elm = elm
        self.towers = towers
        self.adapter = adapter
        self.answerer = Answerer(elm, adapter)

    @property
    def id(self) -> str:
        """Name and version for results and answers."""
        return self.elm.name

    def ask(self, record: Record | Sequence[Record], question: str, options: Sequence[str] | None = None) -> Answer:
        """Answer a question about one recording (several are answered one by one)."""
        return self.answerer.ask(record, question, options)

    def ask_batch(self, items: Sequence[tuple[Record, str] | tuple[Record, str, Sequence[str] | None]],
                  progress: bool = False) -> list[Answer]:
        """Answers to (record, question) or (record, question, options) in order; the same as `ask`, faster."""
        return self.answerer.ask_batch(items, progress)

    def on_bench(self) -> BenchModel:
        """This model as benchmarks ask it."""
        from ecglm.inference.benchmark import BenchModel

        return BenchModel(self)

    def chat(self, record: Record | Sequence[Record]) -> ChatSession:
        """A dialogue about one or several recordings."""
        return ChatSession(self.answerer, record)

    @overload
    def findings(self, record: Record) -> tuple[Finding, ...]: ...
    @overload
    def findings(self, record: Sequence[Record]) -> list[tuple[Finding, ...]]: ...
    def findings(self, record: Record | Sequence[Record]) -> tuple[Finding, ...] | list[tuple[Finding, ...]]:
        """Findings present or possible, most probable first, with lead evidence; a list of them for several recordings. Raises
        RecordError for unusable signal."""
        if not isinstance(record, Record):
            return [self.findings(one) for one in checked_records(record)]
        possible = self.elm.possible
        return tuple(f for f in self._judged(record) if f.present or f.probability >= possible[f"{f.group}:{f.code}"])

    def _judged(self, record: Record) -> tuple[Finding, ...]:
        """Every statement that may be said of these leads, most probable first; those present or possible with lead evidence."""
        reading = self.answerer.reading(checked_record(record))
        if reading.declined:
            raise RecordError(f"{record.source or 'record'}: {reading.declined}; no findings can be given")
        possible, out = self.elm.possible, []
        readable = [lead for lead in record.leads if lead not in reading.unusable]
        for finding in reading.findings:
            key = f"{finding.group}:{finding.code}"
            if key in HIDDEN or unsupported(key, readable) is not None:
                continue
            leads: tuple[str, ...] = ()
            if finding.present or finding.probability >= possible[key]:
                leads = strongest_leads(lead_evidence(self.elm, reading, key))
            evidence = (Evidence(f"rests most on lead{'s' if len(leads) > 1 else ''}", leads),) if leads else ()
            out.append(replace(finding, evidence=evidence))
        return tuple(sorted(out, key=lambda f: -f.probability))

    @overload
    def classify(self, record: Record, labels: Labels | None = None) -> dict[str, float]: ...
    @overload
    def classify(self, record: Sequence[Record], labels: Labels | None = None) -> list[dict[str, float]]: ...
    def classify(self, record: Record | Sequence[Record],
                 labels: Labels | None = None) -> dict[str, float] | list[dict[str, float]]:
        """Calibrated probability by key ("rhythm:AFIB") of every statement that can be told without millivolts; a list of them
        for several recordings.

        labels: zero-shot instead, among these texts, or names with several wordings each: shares that sum to 1, which say how
        the texts compare and are no calibrated probabilities (docs/search.md)."""
        if not isinstance(record, Record):
            return [self.classify(one, labels) for one in checked_records(record)]
        if labels is not None:
            named = dict(labels) if isinstance(labels, Mapping) else {label: [label] for label in labels}
            if isinstance(labels, str) or len(named) < 2 or any(isinstance(w, str) or not w for w in named.values()):
                raise UsageError("labels: give at least two different texts, or a mapping of names to lists of wordings")
            emb = self.retriever.embed_ecg(self.answerer.reading(record))
            shares = self.retriever.shares(emb, self.retriever.prompted(list(named.values())))
            return dict(zip(named, shares.tolist(), strict=True))
        reading = self.answerer.reading(record)
        if reading.declined or reading.encoded is None:
            raise RecordError(f"{record.source or 'record'}: {reading.declined}; nothing can be classified")
        return {key: float(p) for key, p in zip(self.elm.config.labels, reading.encoded.prob_C, strict=True)
                if key not in NEEDS_MILLIVOLTS}

    def says_yes(self, text: str) -> float:
        """Log-odds with which the base language model, without what was learned for ECGs, begins its reply to a text with yes
        rather than no. Not for questions about recordings."""
        from ecglm.inference.plain import says_yes

        return says_yes(self.elm.config.base, text)

    def forecast(self, record: str | Path | Record, event: str = "af", horizon_s: float = 300.0, window_s: float = 600.0,
                 ) -> Forecast:
        """How probable it is that an arrhythmia begins within horizon_s after the recording's end: `ecglm.forecast`, which takes
        more arguments."""
        from ecglm.inference.forecast import forecast

        return forecast(record, event, horizon_s, window_s)

    def embed(self, records: Record | Sequence[Record]) -> NDArray[np.float32]:
        """Pooled encoder embeddings [N, D]."""
        rows = []
        for record in checked_records(records):
            reading = self.answerer.reading(record)
            if reading.encoded is None or reading.inputs is None:
                why = reading.declined or "it was only looked at"
                raise RecordError(f"{record.source or 'record'}: {why}; it has no embedding")
            rows.append(reading.encoded.emb_D)
        return np.stack(rows)

    @cached_property
    def retriever(self) -> Retriever:
        """Towers for retrieval and zero-shot classification, loaded on first use."""
        from ecglm.inference.retrieval.retriever import Retriever

        return Retriever.load() if self.towers is None else Retriever.load(Path(self.towers).expanduser())

    def search(self, query: Record | str, index: Index | str | Path | None = None, k: int = 5, *,
               side: Side = "reports") -> list[Hit]:
        """The k entries of an index that fit a recording or a text best, with their cosine similarity. index: a folder that
        `ecglm index` made; None: the statements that ecglm knows. side: compare with the entries' reports or recordings. Misspelt
        words of a text are put right (`Retriever.wording` says which). Raises RecordError, UsageError or CheckpointError."""
        opened = self.retriever.open(index)
        vector = self.retriever.embed_texts([self.retriever.wording(query).text])[0] if isinstance(query, str) else \
            self.retriever.embed_ecg(self.answerer.reading(checked_record(query)))
        return opened.search(vector, k, side)

    def adapt(self, examples: Sequence[Labelled], *, same_patient: bool = False, progress: bool = False) -> Model:
        """A model that also answers the questions of these (record, question, answer) or (record, question, answer, patient):
        two recordings per answer at least, better five, of different patients (same_patient: or of the same). `.adapter` has the
        cross-validated accuracy; `.save(folder)` keeps what was taught. Warns of what may mislead; raises SupportError that
        lists all that is wrong."""
        lesson = teach(examples, same_patient=same_patient, progress=progress)
        for problem in lesson.problems:
            warnings.warn(str(problem).removeprefix("warning: "), stacklevel=2)
        return Model(self.elm, lesson.adapter if self.adapter is None else self.adapter.joined(lesson.adapter),
                     self.towers)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the adapter, for `ecglm.load(adapter=folder)`. Raises UsageError when nothing was taught."""
        if self.adapter is None:
            raise UsageError("nothing was taught to this model; use what model.adapt([...]) returns")
        self.adapter.save(folder, overwrite)

    def report(self, record: Record, questions: Sequence[str] | None = None, *, previous: Record | None = None,
               history: str | None = None, patient_name: str | None = None, adapter: str | Path | None = None,
               narrative: bool = False) -> Report:
        """Measurements, findings and the drawn page, with answers to these questions and what an adapter was taught;
        `.save("report.pdf")` writes it.

        adapter: a folder that `ecglm adapt` made; that of the model when none is given. previous: an earlier recording, to
        compare with. history, patient_name: what is known from elsewhere; nothing of the kind is taken from a file. narrative:
        the language model writes too, and what does not trace is taken out (docs/report.md). Raises UsageError when they are
        too long, and CheckpointError for a bad adapter."""
        from ecglm.inference.rhythm_evidence import with_rhythm_evidence
        from ecglm.paper import Marks, PageHeader, mark, render
        from ecglm.reporting import Report
        from ecglm.reporting.patient import match
        from ecglm.reporting.plot_beats import calipers
        from ecglm.reporting.report import POSSIBLE
        from ecglm.signal.delineation import delineate

        taught = self.adapter if adapter is None else Adapter.load(adapter)
        reading = self.answerer.reading(checked_record(record))
        asked = list(questions or ())
        answers = self.ask_batch([(record, question) for question in asked])
        findings = () if reading.declined else self._judged(record)
        page = render(record, header=PageHeader.of(record, reading.measurements))
        if not reading.declined:
            shown, judged = record.crop(0.0, PAGE_S), record.crop(0.0, reading.seconds)
            waves = delineate(judged)
            findings = with_rhythm_evidence(findings, reading.measurements, waves, POSSIBLE)
            drawn = waves if shown.duration_s == judged.duration_s else delineate(shown)
            page = mark(page, Marks(calipers=calipers(drawn, reading.measurements, shown.duration_s)))
        made = Report.of(record, measurements=reading.measurements, findings=findings,
                         answers=list(zip(asked, answers, strict=True)), page=page, model=self.id,
                         caveats=caveats(reading), history=history, patient_name=patient_name,
                         taught=() if taught is None else _taught(taught, record),
                         previous=None if previous is None else self._earlier(previous),
                         same_patient="unknown" if previous is None else match(record, checked_record(previous)))
        return replace(made, narrative=self.narrate([made])[0]) if narrative and not reading.declined else made

    @cached_property
    def narrator(self) -> Narrator:
        """The base language model that writes narratives, loaded on first use."""
        from ecglm.inference.narrative import Narrator

        return Narrator(self.elm)

    def narrate(self, reports: Sequence[Report], driven: bool = True) -> list[Narrative]:
        """What the language model writes of the facts of reports, checked against them. driven: with the diagnosis-driven prompt,
        otherwise of the measurements alone."""
        from ecglm.inference.narrative import narrative_facts
        from ecglm.reporting.narrative import checked_narrative

        facts = [narrative_facts(report.measurements, report.record.meta, report.findings if driven else None)
                 for report in reports]
        return [checked_narrative(written, report, told)
                for report, written, told in zip(reports, self.narrator.write(facts), facts, strict=True)]

    def _earlier(self, record: Record) -> Report:
        """What a comparison needs of another recording."""
        from ecglm.reporting import Report

        reading = self.answerer.reading(checked_record(record))
        return Report.of(record, measurements=reading.measurements, findings=() if reading.declined else self._judged(record),
                         model=self.id, caveats=caveats(reading))


def _taught(adapter: Adapter, record: Record) -> list[TaughtAnswer]:
    """What an adapter answers to everything that it was taught."""
    from ecglm.reporting.report import TaughtAnswer

    name = f"{adapter.name} ({adapter.id})" if adapter.name else adapter.id
    return [TaughtAnswer(one.wordings[0], answer, name, f"cross-validated {one.estimate.text}") for one in adapter.questions
            if (answer := adapter.answer(record, one.wordings[0])) is not None]
