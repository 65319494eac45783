"""What the templates print: a `Report` turned into plain strings, row by row."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from ecglm.knowledge.ranges import ADULT_YEARS, normal_range
from ecglm.paper import annotate
from ecglm.reporting.recommendations import recommendations
from ecglm.reporting.report import POSSIBLE, QuestionAnswer, Report
from ecglm.schema import CONFIDENCE, DECIMALS, LABELS, Evidence, Finding, Measurement, two_figures

_UNITS = {"deg": "°", "bpm": "/min"}
#: So many pieces of evidence are marked on the page; more would hide it.
MAX_MARKS = 12


def clean(value: object) -> object:
    """Text with control, surrogate and direction characters as U+FFFD; markup of a template and non-text as is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join("\ufffd" if c in _DIRECTION or (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t") else c
                   for c in value)


_DIRECTION = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def view(report: Report, picture: bool = True) -> dict[str, Any]:
    """The variables of the templates. picture: embed the page (with evidence marked) as a PNG data URI."""
    record, meta = report.record, report.record.meta
    adult = meta.age is None or meta.age >= ADULT_YEARS
    marks = _marks(report)
    numbers = {item: number for number, item in enumerate(marks, start=1)}

    def evidence(items: Iterable[Evidence]) -> list[dict[str, str]]:
        return [{"text": item.text, "where": _where(item), "mark": str(numbers.get(item, ""))} for item in items]

    def finding(item: Finding) -> dict[str, Any]:
        return {"code": item.code, "name": item.name, "group": item.group.replace("_", " "), "present": item.present,
                "percent": percent(item.probability), "width": f"{100 * min(1.0, max(0.0, item.probability)):.0f}",
                "evidence": evidence(item.evidence)}

    def answer(item: QuestionAnswer) -> dict[str, Any]:
        said = item.answer
        return {"question": item.question, "text": said.text, "abstained": said.abstained, "percent": percent(said.confidence),
                "reason": said.reason, "model": said.model, "note": said.note or "", "evidence": evidence(said.evidence)}

    measured = report.measurements
    rows = [] if measured is None else [_row(name, m, report, adult) for name, m in measured.named().items()]
    page = report.page
    if page is not None and picture:
        page = annotate(page, marks)
    return {
        "patient": [("Age", "not given" if meta.age is None else f"{meta.age} years"),
                    ("Sex", meta.sex or "not given")],
        "recording": [
            ("File", record.name or "not given"), ("Format", record.format),
            ("Recorded", "not given" if record.start is None else record.start.isoformat(" ", "seconds")),
            ("Device", meta.device or "not given"), ("Leads", f"{len(record.leads)}: {', '.join(record.leads)}"),
            ("Length", f"{record.duration_s:.1f} s at {record.fs:g} Hz"),
            ("Amplitude", "millivolts" if record.unit == "mV" else "normalised, no millivolt scale"),
            ("Missing samples", ", ".join(f"{lead} {n}" for lead, n in record.missing.items()) or "none"),
        ],
        "caveats": list(report.caveats), "notes": list(record.notes),
        "problems": [] if measured is None else [item.text for item in measured.problems],
        "measured": measured is not None, "rows": rows, "rhythm": None if measured is None else measured.rhythm,
        "sources": _sources(rows), "adult": adult, "sex_known": meta.sex is not None,
        "findings": [finding(item) for item in (*report.present, *report.possible)],
        "diagnosis": [finding(item) for item in report.present],
        "examined": len(report.findings), "possible_from": percent(POSSIBLE),
        "answers": [answer(item) for item in report.answers],
        "taught": [answer(item) | {"adapter": item.adapter, "estimate": item.estimate} for item in report.taught],
        "confidence_note": CONFIDENCE if any(two_figures(item.answer) for item in report.answers) else "",
        "recommendations": [{"text": row.text, "source": row.source, "for": ", ".join(names)}
                            for row, names in recommendations(report.findings)],
        "picture": _data_uri(page.png()) if page is not None and picture else "",
        "page_note": "" if page is None else _page_note(report), "marked": bool(marks),
        "model": report.model or "no model", "version": report.version, "created": report.created,
    }


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def percent(probability: float) -> str:
    """A probability for people: whole percents, and never 0 % or 100 % for what is not certain."""
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


def _marks(report: Report) -> list[Evidence]:
    if report.page is None:
        return []
    items = [e for finding in report.present for e in finding.evidence]
    items += [e for item in (*report.answers, *report.taught) for e in item.answer.evidence]
    return list(dict.fromkeys(item for item in items if item.span_s is not None))[:MAX_MARKS]


def _row(name: str, m: Measurement, report: Report, adult: bool) -> dict[str, str]:
    found = normal_range(name, report.record.meta.sex) if adult else None
    unit = _UNITS.get(m.unit, m.unit)
    everywhere = len(m.leads) > 2 and set(m.leads) == set(report.record.leads)
    leads = f"all {len(m.leads)}" if everywhere else ", ".join(m.leads)
    digits = DECIMALS.get(m.unit, 0)
    flagged = found.flag(m.value) if found is not None and m.value is not None else ""
    return {
        "label": LABELS[name], "value": "" if m.value is None else f"{m.value:.{digits}f}", "unit": unit,
        "spread": "" if m.spread is None else f"± {m.spread:.{digits}f}", "range": "" if found is None else str(found),
        "flag": flagged, "leads": leads, "beats": str(m.beats) if m.beats else "",
        "reason": m.reason or "", "source": "" if found is None else found.source,
    }


def _sources(rows: Iterable[dict[str, str]]) -> list[str]:
    return list(dict.fromkeys(row["source"] for row in rows if row["source"]))


def _where(item: Evidence) -> str:
    """Leads, value and span of a piece of evidence, as far as its text does not say them."""
    leads = ", ".join(item.leads)
    parts = ["" if f"lead {leads}" in item.text or "all leads" in item.text else leads]
    if item.value is not None and not re.search(r"\d", item.text):
        parts.append(f"{item.value:g} {item.unit or ''}".strip())
    if item.span_s is not None:
        parts.append(f"{item.span_s[0]:.2f} to {item.span_s[1]:.2f} s")
    return "; ".join(part for part in parts if part)


def _page_note(report: Report) -> str:
    assert report.page is not None
    truth = report.page.truth
    scale = f"{truth.gain:g} mm/mV" if truth.unit == "mV" else "amplitude normalised"
    return f"{truth.start_s:.1f} to {truth.start_s + truth.duration_s:.1f} s, {truth.speed:g} mm/s, {scale}"
