"""What a report may say: the numbers, statements and quotations that its data holds, and the forms of its sentences.

Built from the `Report` alone, not from the composed document, so that `trace` is a check and not an echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from ecglm.knowledge.ranges import normal_range
from ecglm.knowledge.statements import STATEMENTS
from ecglm.reporting.changes import changes
from ecglm.reporting.criteria import SOURCES, criteria
from ecglm.reporting.language import Language, Texts
from ecglm.reporting.recommendations import recommendations
from ecglm.reporting.report import POSSIBLE, Report
from ecglm.reporting.view import percent
from ecglm.schema import DECIMALS, Measurement

#: Numbers of the fixed texts: "below 50 %", "(95 %)", "Q of 30 ms or more".
_FIXED = ((50.0, "%"), (95.0, "%"), (30.0, "ms"))


@dataclass(frozen=True)
class Known:
    """values: numbers by unit. by_label: those of one measurement, by its name. quoted: texts that are not judged, longest
    first. names: statements' names with their keys, longest first. forms: patterns of whole sentences. labels: what
    sounds like a finding and is none."""

    values: frozenset[tuple[float, str]]
    by_label: dict[str, frozenset[tuple[float, str]]]
    quoted: tuple[str, ...]
    names: tuple[tuple[str, frozenset[str]], ...]
    present: frozenset[str]
    examined: frozenset[str]
    forms: tuple[re.Pattern[str], ...]
    labels: tuple[str, ...]

    def grounds(self, value: float, unit: str, line: str) -> bool:
        """Whether a number is known: where the line begins with a measurement's name, of that measurement."""
        label = max((name for name in self.by_label if re.match(rf"{re.escape(name)}(?!\w)", line)), key=len, default="")
        allowed = self.by_label.get(label, self.values)
        if unit in ("ms", "mV", "/min", "°", "%"):
            return (value, unit) in allowed
        return any(value == v and (unit in ("", u) or (unit == "s" and u == "s")) for v, u in allowed)

    def has_form(self, line: str) -> bool:
        """Whether the line has one of the report's forms."""
        return any(form.fullmatch(line) for form in self.forms)


def known(report: Report, spoken: Language) -> Known:
    """What this report may say in this language."""
    both = [report, *([] if report.previous is None else [report.previous])]
    present = {f"{f.group}:{f.code}" for r in both for f in r.findings if f.present}
    examined = {f"{f.group}:{f.code}" for r in both for f in r.findings}
    named: dict[str, set[str]] = {}
    for statement in STATEMENTS:
        for name in (statement.name, spoken.texts.statements[statement.key]):
            named.setdefault(name, set()).add(statement.key)
    for finding in (f for r in both for f in r.findings):
        named.setdefault(finding.name, set()).add(f"{finding.group}:{finding.code}")
    names = tuple((name, frozenset(keys)) for name, keys in sorted(named.items(), key=lambda item: -len(item[0])))
    by_label: dict[str, set[tuple[float, str]]] = {}
    for r in both:
        for key, values in _measured(r).items():
            by_label.setdefault(spoken.texts.measurements[key], set()).update(values)
    values = {pair for found in by_label.values() for pair in found} | set(_FIXED) | set(_facts(report))
    values |= set(_of_criteria(report))
    for name in by_label:
        by_label[name] |= set(_of_criteria(report))
    if report.previous is not None and report.previous.measurements is not None and report.measurements is not None:
        for change in changes(report.previous.measurements, report.measurements):
            unit, digits = _unit(change.unit), DECIMALS.get(change.unit, 0)
            by_label[spoken.texts.measurements[change.name]] |= {(round(change.difference, digits) + 0.0, unit),
                                                                 (change.limit, "")}
    texts = sorted({text for text in _quoted(report, spoken) if text.strip()}, key=len, reverse=True)
    return Known(frozenset(values), {name: frozenset(found) for name, found in by_label.items()}, tuple(texts), names,
                 frozenset(present), frozenset(examined), tuple(_forms(spoken.texts, [n for n, _ in names])),
                 tuple(_labels(report, spoken)))


def _labels(report: Report, spoken: Language) -> Iterator[str]:
    """What sounds like a finding and is none: criteria, and the rhythm statement that was measured ("premature beats")."""
    yield from (spoken.texts.st_up, spoken.texts.st_down, spoken.texts.t_inverted, spoken.texts.q_wave)
    if report.measurements is not None and report.measurements.rhythm:
        yield spoken.phrase(report.measurements.rhythm) or report.measurements.rhythm
    for caveat in report.caveats:  # "a pacemaker gives such Q waves too"
        yield spoken.phrase(caveat) or caveat


def _unit(unit: str) -> str:
    return {"bpm": "/min", "deg": "°"}.get(unit, unit)


def _rounded(m: Measurement) -> Iterator[tuple[float, str]]:
    digits = DECIMALS.get(m.unit, 0)
    if m.value is not None:
        yield round(m.value, digits) + 0.0, _unit(m.unit)
    if m.spread is not None:
        yield round(m.spread, digits) + 0.0, ""
    yield float(m.beats), ""
    yield float(len(m.leads)), ""
    yield from _in_text(m.reason)


def _in_text(text: str | None) -> Iterator[tuple[float, str]]:
    """Numbers of a sentence that another part of ecglm made, with their units."""
    for found in re.finditer(r"(?<![\w.])(-?\d+(?:\.\d+)?)(?:[\s-]?(%|ms|mV|s|Hz|bpm|/min|°))?(?!\w)", text or ""):
        unit = _unit(found[2] or "")
        yield float(found[1]), unit
        yield float(found[1]), ""


def _measured(report: Report) -> dict[str, set[tuple[float, str]]]:
    out: dict[str, set[tuple[float, str]]] = {}
    if report.measurements is None:
        return out
    for name, m in report.measurements.named().items():
        out[name] = set(_rounded(m))
        usual = normal_range(name, report.record.meta.sex)
        for limit in () if usual is None else (usual.low, usual.high):
            if limit is not None:
                out[name] |= {(float(limit), ""), (float(limit), _unit(m.unit))}
    return out


def _of_criteria(report: Report) -> Iterator[tuple[float, str]]:
    """Limits of the criteria, and values of single leads as they are shown."""
    for finding in report.findings:
        for made in criteria(finding, report):
            yield float(made.limit), _unit(made.unit)
    if report.measurements is not None:
        for values in report.measurements.by_lead.values():
            for m in values.named().values():
                if m.value is not None and m.unit == "mV":
                    yield abs(round(m.value, 2)) + 0.0, "mV"
                    yield abs(round(m.value, 2)) + 0.0, ""


def _facts(report: Report) -> Iterator[tuple[float, str]]:
    record = report.record
    yield from ((float(record.meta.age or 0), ""), (float(len(record.leads)), ""), (round(record.duration_s, 1), "s"),
                (record.fs, "Hz"), (float(len(report.findings)), ""))
    yield from ((float(n), "") for n in record.missing.values())
    for text in (percent(POSSIBLE), *(percent(f.probability) for f in report.findings),
                 *(percent(a.answer.confidence) for a in (*report.answers, *report.taught))):
        yield from _in_text(text)
    for evidence in (*(e for f in report.findings for e in f.evidence), *(e for a in report.answers for e in a.answer.evidence)):
        yield from ((round(second, 2), "s") for second in evidence.span_s or ())
        yield from ((round(second, 2), "") for second in evidence.span_s or ())
        if evidence.value is not None:
            yield float(f"{evidence.value:g}"), _unit(evidence.unit or "")
        yield from _in_text(evidence.text)
    if report.page is not None:
        truth = report.page.truth
        yield from ((round(truth.start_s, 1), ""), (round(truth.start_s + truth.duration_s, 1), "s"), (truth.speed, "mm/s"),
                    (truth.gain, "mm/mV"))
    measured = report.measurements
    for text in (*report.caveats, *([] if measured is None else [measured.rhythm or "", *(p.text for p in measured.problems)])):
        for value, unit in _in_text(text):
            yield value, unit
            yield value, {"bpm": "/min"}.get(unit, unit)


def _quoted(report: Report, spoken: Language) -> Iterator[str]:
    """Texts that stand in a report word for word and are not its own."""
    yield from SOURCES
    yield from (usual.source for name in spoken.texts.measurements for sex in ("male", "female", None)
                if (usual := normal_range(name, sex)) is not None)
    for row, _ in recommendations(report.findings):
        yield from (row.text, row.source, spoken.passage(row.text) or "")
    for r in (report, *([] if report.previous is None else [report.previous])):
        start = "" if r.record.start is None else r.record.start.isoformat(" ", "seconds")
        yield from (r.record.name, r.record.format, r.record.meta.device or "", start, r.created, r.version, *r.record.notes)
    yield from (report.patient_name or "", report.model or "", *(line.strip() for line in (report.history or "").splitlines()))
    for taught in report.taught:  # questions and answers in the words of the user
        yield from (taught.question, taught.answer.text, taught.adapter, taught.estimate, spoken.phrase(taught.estimate) or "",
                    taught.answer.reason or "", taught.answer.note or "", *(e.text for e in taught.answer.evidence))
    for item in report.answers:  # evidence is made of measurements and findings by fixed forms; the answer itself is judged
        answer = item.answer
        yield from (item.question, answer.reason or "", answer.note or "", answer.model, *(e.text for e in answer.evidence))


def _forms(texts: Texts, names: Iterable[str]) -> Iterator[re.Pattern[str]]:
    """Sentences as the texts have them, with anything in the places that are filled in; labels with a value; rows."""
    plain = [str(getattr(texts, field.name)) for field in fields(texts)
             if field.type == "str" and field.name not in ("code", "separator", "colon", "upto", "quote")]
    for text in plain:
        parts = re.split(r"\{\w+\}", text)
        if "".join(parts).strip(" :,;.%|：，；。"):
            yield re.compile(".*".join(re.escape(part.strip()) if i in (0, len(parts) - 1) else re.escape(part)
                                       for i, part in enumerate(parts)).replace(r"\ ", r"\s*"))
    labels = "|".join(re.escape(name) for name in {*texts.measurements.values(), *names, *plain} if "{" not in name)
    yield re.compile(rf"(?:{labels})\s*(?:[:：|].*)?", re.DOTALL)
    yield re.compile(rf"(?:{labels})(?:\s*[|,，、;].*)?", re.DOTALL)
    words = "|".join(re.escape(word) for word in (*texts.words.values(), "yes", "no", "none"))
    yield re.compile(rf"\W*(?:(?:{words}|[A-Z0-9()/_]+)(?:, ?| |$))+\W*")  # codes with their group, words alone
    yield re.compile(r"\W*")
    yield re.compile(r".*\[\d+\]")  # criteria, whose numbers and statements are judged
    leads = r"(?:[IVX]+|aV[RLF]|V[1-9])"
    yield re.compile(rf"\W*{leads}(?:[, ]+{leads})*(?:; .*)?")
