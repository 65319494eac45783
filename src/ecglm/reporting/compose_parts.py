"""What every part of a report is written with: its language, its numbered evidence, and short forms of sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from ecglm.answers import Finding
from ecglm.knowledge.ranges import ADULT_YEARS
from ecglm.records.leads import of_leads
from ecglm.reporting.document import Cell, Kind, Sentence, Tone
from ecglm.reporting.language import Language, Texts
from ecglm.reporting.report import Report
from ecglm.reporting.view import marked_evidence
from ecglm.schema import Evidence


class Writer:
    """One report in one language."""

    def __init__(self, report: Report, lang: Language) -> None:
        self.report = report
        self.lang = lang

    @property
    def texts(self) -> Texts:
        """The fixed texts."""
        return self.lang.texts

    @property
    def adult(self) -> bool:
        """Whether the ranges of adults apply; they do when the age is not given."""
        age = self.report.record.meta.age
        return age is None or age >= ADULT_YEARS

    @cached_property
    def marks(self) -> dict[Evidence, int]:
        """Evidence that is marked on the page, with its number."""
        return {item: number for number, item in enumerate(marked_evidence(self.report), start=1)}

    def number(self, value: float, digits: int = 0) -> str:
        """A number with so many digits after the point."""
        return self.lang.number(f"{value:.{digits}f}")

    def names(self, findings: Iterable[Finding]) -> str:
        """Names of findings as a list."""
        return ("、" if self.lang.code == "zh" else ", ").join(self.lang.finding(f) for f in findings)

    def record(self, text: str | None) -> Sentence:
        """A fact of the record, or that it is not given."""
        return Sentence(self.texts.not_given, tone="soft") if text is None else Sentence(text, "record")

    def cell(self, text: str, kind: Kind = "fixed", ref: str = "", tone: Tone = "") -> Cell:
        """A cell of one line, or an empty one."""
        return Cell((Sentence(text, kind, ref, tone),)) if text else Cell()

    def said(self, english: str, kind: Kind, *, ref: str = "", form: str = "", lead: str = "", tone: Tone = "") -> Sentence:
        """A sentence of another part in the report's language, within `form` or after a lead; quoted where it has none."""
        words = self.lang.phrase(english)
        kind = "quoted" if words is None else kind
        text = self.original(english) if words is None else words
        field = re.search(r"\{(\w+)\}", form)
        text = form.format(**{field[1]: text}) if field else text
        return Sentence(f"{lead}{self.texts.colon}{text}" if lead else text, kind, ref, tone)

    def noted(self, english: str, lead: str) -> Sentence:
        """A note of a file reader after a lead; it may hold words out of the file, so it is not judged."""
        words = self.lang.phrase(english)
        return Sentence(f"{lead}{self.texts.colon}{self.original(english) if words is None else words}", "quoted", tone="soft")

    def original(self, english: str) -> str:
        """English words, marked as a quotation."""
        return f"{self.texts.original}{self.texts.colon}{self.texts.quote.format(text=english)}"

    def evidence(self, item: Evidence, kind: Kind = "finding", ref: str = "") -> Sentence:
        """Evidence with leads, value and span as far as its text does not say them, and its number on the page."""
        words = item.text if kind == "model" else self.lang.phrase(item.text)
        leads = ", ".join(item.leads)
        parts = ["" if of_leads(item.leads) in item.text or "all leads" in item.text else leads]
        if item.value is not None and not re.search(r"\d", item.text):
            parts.append(f"{self.lang.number(f'{item.value:g}')} {item.unit or ''}".strip())
        if item.span_s is not None:
            low, high = (self.number(second, 2) for second in item.span_s)
            parts.append(self.texts.upto.format(low=low, high=high) + " s")
        where = "; ".join(part for part in parts if part)
        text = words if words is not None else self.original(item.text)
        joined = f"{text} {where}" if words is not None and not re.search(r"[\d,;]", item.text) else f"{text}; {where}"
        return Sentence(joined if where else text, "quoted" if words is None else kind, ref,
                        mark=str(self.marks.get(item, "")))
