"""What a plot prints of a `Report`, row by row, and what all formats share: clean text, percents, the marked page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from ecglm.answers import Finding, percent
from ecglm.knowledge.ranges import ADULT_YEARS, axis_side, normal_range
from ecglm.paper import Page, annotate
from ecglm.records.leads import of_leads
from ecglm.reporting.report import Report
from ecglm.schema import DECIMALS, LABELS, Evidence, Measurement

_UNITS = {"deg": "°", "bpm": "/min"}
#: So many pieces of evidence are marked on the page; more would hide it.
MAX_MARKS = 12
#: Of so many findings the leads they rest on are tinted.
MAX_LEAD_MARKS = 2


def clean(value: object) -> object:
    """Text with control, surrogate and direction characters as U+FFFD; markup of a template and non-text as is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join("\ufffd" if c in _DIRECTION or (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t") else c
                   for c in value)


_DIRECTION = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


#: Formats by the names that their users know; others are written in capitals.
_FORMATS = {"scp": "SCP-ECG", "aecg": "HL7 aECG", "muse": "GE MUSE XML", "cardiology": "GE CardiologyXML",
            "sierra": "Philips Sierra XML"}


def format_name(key: str) -> str:
    """What a file format is called: "DICOM" for "dicom"."""
    return _FORMATS.get(key, key.upper())


def seconds_missing(samples: int, fs: float) -> float:
    """How much of a lead is missing, s, to a tenth; never 0 where samples are."""
    return max(0.1, round(samples / fs, 1))


def view(report: Report) -> dict[str, Any]:
    """The variables that the plot's template prints of a report."""
    record, meta = report.record, report.record.meta
    adult = meta.age is None or meta.age >= ADULT_YEARS

    def finding(item: Finding) -> dict[str, Any]:
        evidence = [{"text": e.text, "where": _where(e), "mark": ""} for e in item.evidence]
        return {"code": item.code, "name": item.name, "group": item.group.replace("_", " "), "present": item.present,
                "percent": percent(item.probability), "width": f"{100 * min(1.0, max(0.0, item.probability)):.0f}",
                "evidence": evidence}

    measured = report.measurements
    rows = [] if measured is None else [_row(name, m, report, adult) for name, m in measured.named().items()]
    return {
        "patient": [("Age", "not given" if meta.age is None else f"{meta.age} years"),
                    ("Sex", meta.sex or "not given")],
        "recording": [
            ("File", record.name or "not given"), ("Format", format_name(record.format)),
            ("Recorded", "not given" if record.start is None else record.start.isoformat(" ", "seconds")),
            ("Device", meta.device or "not given"), ("Leads", f"{len(record.leads)}: {', '.join(record.leads)}"),
            ("Length", f"{record.duration_s:.1f} s at {record.fs:g} Hz"),
            ("Amplitude", "millivolts" if record.unit == "mV" else "normalised, no millivolt scale"),
            ("Missing samples", ", ".join(f"{lead} {seconds_missing(n, record.fs):g} s" for lead, n in record.missing.items())
             or "none"),
        ],
        "notes": list(record.notes), "problems": [] if measured is None else [item.text for item in measured.problems],
        "rows": rows, "sources": _sources(rows), "adult": adult, "sex_known": meta.sex is not None,
        "findings": [finding(item) for item in (*report.present, *report.possible)],
        "model": report.model or "no model", "version": report.version, "created": report.created,
    }


def marked_page(report: Report) -> Page | None:
    """The report's page with the numbered evidence on it; the number leads to its words, in the language of the report."""
    return None if report.page is None else annotate(report.page, [replace(item, text="") for item in marked_evidence(report)])


def marked_evidence(report: Report) -> list[Evidence]:
    """Evidence that is marked on the page, as far as it has room: what has a place in time, and the leads that abnormal findings
    rest on. None without a page."""
    if report.page is None:
        return []
    items = [e for f in report.present for e in f.evidence]
    items += [e for item in (*report.answers, *report.taught) for e in item.answer.evidence]
    placed = list(dict.fromkeys(item for item in items if item.span_s is not None))[:MAX_MARKS]
    by_lead = [e for f in report.present if f.code not in ("NORM", "SR") for e in f.evidence if e.span_s is None and e.leads]
    return placed + list(dict.fromkeys(by_lead))[:MAX_LEAD_MARKS]


def _row(name: str, m: Measurement, report: Report, adult: bool) -> dict[str, str]:
    found = normal_range(name, report.record.meta.sex) if adult else None
    unit = _UNITS.get(m.unit, m.unit)
    everywhere = len(m.leads) > 2 and set(m.leads) == set(report.record.leads)
    leads = f"all {len(m.leads)}" if everywhere else ", ".join(m.leads)
    digits = DECIMALS.get(m.unit, 0)
    flagged: str = found.flag(m.value) if found is not None and m.value is not None else ""
    if name == "axis" and m.value is not None and flagged not in ("", "normal"):
        flagged = axis_side(m.value)
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
    parts = ["" if of_leads(item.leads) in item.text or "all leads" in item.text else leads]
    if item.value is not None and not re.search(r"\d", item.text):
        parts.append(f"{item.value:g} {item.unit or ''}".strip())
    if item.span_s is not None:
        parts.append(f"{item.span_s[0]:.2f} to {item.span_s[1]:.2f} s")
    return "; ".join(part for part in parts if part)
