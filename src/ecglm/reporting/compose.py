"""`compose`: a `Report` put into sentences of one language, every one with what it rests on.

Sentences are made from the report's data by fixed forms; no language model writes here. `trace` reads the result again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ecglm.answers import Answer, percent, two_figures
from ecglm.knowledge.ranges import ADULT_YEARS, axis_side, normal_range
from ecglm.reporting.compose_findings import diagnosis, pathology, recommended
from ecglm.reporting.compose_parts import Writer
from ecglm.reporting.document import Block, Cell, Document, Figure, Items, Pairs, Paragraph, Section, Sentence, Table
from ecglm.reporting.language import language
from ecglm.reporting.report import Report
from ecglm.reporting.rhythm_line import rhythm_line
from ecglm.reporting.view import format_name, seconds_missing
from ecglm.schema import DECIMALS, Measurement

UNITS = {"deg": "°", "bpm": "/min"}


def compose(report: Report, lang: str = "en") -> Document:
    """The report as a document, in English, German or Chinese. Raises UsageError for another language."""
    w = Writer(report, language(lang))
    t = w.texts
    parts: list[tuple[str, str, Callable[[Writer], list[Block]], bool]] = [
        ("patient", t.patient, _patient, True), ("history", t.history, _history, True),
        ("analysis", t.analysis, _analysis, True), ("comparison", t.comparison, _comparison, report.previous is not None),
        ("pathology", t.pathology, pathology, True), ("diagnosis", t.diagnosis, diagnosis, True),
        ("answers", t.answers, _answers, bool(report.answers)), ("taught", t.taught, _taught, bool(report.taught)),
        ("recommendations", t.recommendations, recommended, True)]
    sections = tuple(Section(key, title, tuple(write(w))) for key, title, write, there in parts if there)
    made = t.footer.format(model=report.model or t.no_model, version=report.version, created=report.created)
    return Document(lang, t.title, t.notice, sections, (Sentence(made, "record"), Sentence(t.disclaimer)))


def _patient(w: Writer) -> list[Block]:
    t, record, meta = w.texts, w.report.record, w.report.record.meta
    gaps: dict[str, list[str]] = {}
    for lead, n in record.missing.items():
        gaps.setdefault(w.number(seconds_missing(n, record.fs), 1), []).append(lead)
    missing = "; ".join(t.missing_value.format(s=s, leads=", ".join(leads)) for s, leads in gaps.items())
    rows = [
        *([] if w.report.patient_name is None else [(t.name, Sentence(w.report.patient_name, "user"))]),
        (t.age, w.record(None if meta.age is None else t.years.format(age=meta.age))),
        (t.sex, w.record(None if meta.sex is None else t.words[meta.sex])),
        (t.file, w.record(record.name or None)), (t.format, w.record(t.words.get(record.format, format_name(record.format)))),
        (t.recorded, w.record(None if record.start is None else record.start.isoformat(" ", "seconds"))),
        (t.device, w.record(meta.device or None)),
        (t.leads, w.record(t.leads_value.format(n=len(record.leads), leads=", ".join(record.leads)))),
        (t.length, w.record(t.length_value.format(s=w.number(record.duration_s, 1), fs=f"{record.fs:g}"))),
        (t.amplitude, Sentence(t.millivolts if record.unit == "mV" else t.normalized, "record")),
        (t.missing, w.record(missing or t.none))]
    blocks: list[Block] = [Pairs(tuple(rows))]
    blocks += [Paragraph((w.said(caveat, "measurement", lead=t.mind, tone="warn"),)) for caveat in w.report.caveats]
    blocks += [Paragraph((w.noted(note, t.reader),)) for note in record.notes]
    measured = w.report.measurements
    blocks += [Paragraph((w.said(problem.text, "measurement", lead=t.signal, tone="soft"),))
               for problem in (() if measured is None else measured.problems)]
    return blocks


def _history(w: Writer) -> list[Block]:
    if w.report.history is None:
        return [Paragraph((Sentence(w.texts.history_none),))]
    given = [line.strip() for line in w.report.history.splitlines() if line.strip()]
    return [Paragraph((Sentence(w.texts.history_given, tone="soft"),)),
            *(Paragraph((Sentence(line, "user"),)) for line in given)]


def _analysis(w: Writer) -> list[Block]:
    t, measured = w.texts, w.report.measurements
    blocks: list[Block] = []
    if measured is None:
        blocks.append(Paragraph((Sentence(t.not_measured_all),)))
    else:
        if (rhythm := rhythm_line(measured)) is not None:
            blocks.append(Paragraph((w.said(rhythm, "measurement", ref="rhythm", form=t.rhythm),)))
        head = (t.head_measurement, t.head_value, t.head_spread, t.head_normal, t.head_flag, t.head_leads, t.head_beats)
        rows = tuple(_row(w, name, m) for name, m in measured.named().items())
        blocks += [Table(head, rows, "lrrlllr"), Paragraph(tuple(_range_notes(w)))]
    if w.report.page is not None:
        truth = w.report.page.truth
        scale = t.page_scale.format(gain=f"{truth.gain:g}") if truth.unit == "mV" else t.page_normalized
        shown = t.page_note.format(start=w.number(truth.start_s, 1), stop=w.number(truth.start_s + truth.duration_s, 1),
                                   speed=f"{truth.speed:g}", scale=scale)
        caption = [Sentence(shown, "record", tone="soft"), *([Sentence(t.page_marked, tone="soft")] if w.marks else [])]
        blocks.append(Figure(tuple(caption), t.alternative))
    return blocks


def _row(w: Writer, name: str, m: Measurement) -> tuple[Cell, ...]:
    t, meta = w.texts, w.report.record.meta
    label = w.cell(t.measurements[name])
    if m.value is None:
        return label, Cell((w.said(m.reason or "", "measurement", ref=name, form=t.not_measured, tone="soft"),))
    usual = normal_range(name, meta.sex) if w.adult else None
    digits, unit = DECIMALS.get(m.unit, 0), UNITS.get(m.unit, m.unit)
    flag = "" if usual is None else usual.flag(round(m.value, digits))
    shown = {"high": f"↑ {t.words['high']}", "low": f"↓ {t.words['low']}"}.get(flag, "")
    if shown and name == "axis":  # an angle is neither high nor low
        shown = t.words[axis_side(round(m.value))]
    everywhere = len(m.leads) > 2 and set(m.leads) == set(w.report.record.leads)
    low, _, high = ("" if usual is None else w.lang.number(str(usual))).partition(" to ")
    between = t.upto.format(low=low, high=high) if high else low
    value = f"{w.number(m.value, digits)}{'' if unit == '°' else ' '}{unit}"
    return (label, w.cell(value, "measurement", name), w.cell("" if m.spread is None else f"± {w.number(m.spread, digits)}",
            "measurement", name), w.cell(between, "passage", name), w.cell(shown, "measurement", name, "warn"),
            w.cell(t.all_leads.format(n=len(m.leads)) if everywhere else ", ".join(m.leads), "measurement", name),
            w.cell(str(m.beats) if m.beats else "", "measurement", name))


def _range_notes(w: Writer) -> Iterable[Sentence]:
    t, meta = w.texts, w.report.record.meta
    yield Sentence(t.spread_note, tone="soft")
    if meta.age is not None and meta.age < ADULT_YEARS:
        yield Sentence(t.child, tone="soft")
        return
    yield Sentence(t.adults, tone="soft")
    if meta.sex is None:
        yield Sentence(t.sex_unknown, tone="soft")
    assert w.report.measurements is not None
    named = [name for name, m in w.report.measurements.named().items() if m.value is not None]
    cited = dict.fromkeys(usual.source for name in named if (usual := normal_range(name, meta.sex)) is not None)
    if cited:
        yield Sentence(t.sources.format(sources="; ".join(cited)), "passage", tone="soft")


def _comparison(w: Writer) -> list[Block]:
    from ecglm.reporting.changes import appeared, changes

    t, before = w.texts, w.report.previous
    assert before is not None
    start = before.record.start
    when = t.not_given if start is None else start.isoformat(" ", "seconds")
    said = {"same_id": t.same_id, "other_id": t.other_id, "other_sex": t.other_sex, "other_age": t.other_age}
    who = Sentence(said.get(w.report.same_patient, t.same_unknown), "record",
                   tone="warn" if w.report.same_patient.startswith("other") else "soft")
    blocks: list[Block] = [
        Paragraph((Sentence(t.compared_with.format(name=before.record.name or t.not_given, start=when), "record"), who))]
    if before.measurements is not None and w.report.measurements is not None:
        rows = []
        for change in changes(before.measurements, w.report.measurements):
            digits, unit = DECIMALS.get(change.unit, 0), UNITS.get(change.unit, change.unit)
            values = [w.cell(w.number(v, digits), "measurement", change.name) for v in (change.before, change.now)]
            step = w.cell(f"{'+' if change.difference > 0 else ''}{w.number(change.difference, digits)} {unit}",
                          "measurement", change.name)
            limit = w.cell(f"± {w.number(change.limit, digits)}", "measurement", change.name)
            word = w.cell(t.beyond if change.beyond else t.within, "measurement", change.name,
                          "warn" if change.beyond else "soft")
            rows.append((w.cell(t.measurements[change.name]), *values, step, limit, word))
        head = (t.head_measurement, t.head_before, t.head_now, t.head_change, t.head_limit, "")
        blocks += [Table(head, tuple(rows), "lrrrrl")] if rows else []
    new, old = appeared(before.findings, w.report.findings), appeared(w.report.findings, before.findings)
    differ = [Sentence(form.format(names=w.names(found)), "finding")
              for form, found in ((t.appeared, new), (t.gone, old)) if found]
    blocks.append(Paragraph((*(differ or [Sentence(t.findings_same, "finding")]), Sentence(t.compared_note, tone="soft"))))
    return blocks


def _answers(w: Writer) -> list[Block]:
    t = w.texts
    blocks: list[Block] = []
    for number, item in enumerate(w.report.answers, start=1):
        ref = f"answer:{number}"
        blocks.append(Paragraph((Sentence(item.question, "user", ref, "strong"),)))
        blocks.append(Paragraph(tuple(_answered(w, item.answer, ref))))
        if item.answer.evidence:
            blocks.append(Items(tuple((w.evidence(e, "model"),) for e in item.answer.evidence)))
    notes = [t.two_figures] if any(two_figures(item.answer) for item in w.report.answers) else []
    notes += [t.answers_note] if t.answers_note else []
    return [*blocks, *(Paragraph((Sentence(note, tone="soft"),)) for note in notes)]


def _taught(w: Writer) -> list[Block]:
    """What the user taught: answers, confidence, and how often they are right, of an adapter."""
    t = w.texts
    blocks: list[Block] = []
    for number, item in enumerate(w.report.taught, start=1):
        ref, said = f"taught:{number}", item.answer
        estimate = w.lang.phrase(item.estimate) or w.original(item.estimate)
        form = t.taught_none if said.abstained else t.taught_answer
        beneath = form.format(percent=percent(said.confidence), adapter=item.adapter, estimate=estimate)
        text = t.no_answer.format(reason=said.reason or t.no_reason) if said.abstained else said.text
        blocks.append(Paragraph((Sentence(item.question, "user", ref, "strong"),)))
        blocks.append(Paragraph((Sentence(text + (f" ({said.note})" if said.note else ""), "user", ref),
                                 Sentence(beneath, "user", ref, "soft"))))
        if said.evidence:
            blocks.append(Items(tuple((w.evidence(e, "model"),) for e in said.evidence)))
    return blocks


def _answered(w: Writer, answer: Answer, ref: str) -> Iterable[Sentence]:
    t = w.texts
    if answer.abstained:
        yield Sentence(t.no_answer.format(reason=answer.reason or t.no_reason), "model", ref)
        yield Sentence(answer.model, "model", ref, "soft")
        return
    yield Sentence(answer.text + (f" ({answer.note})" if answer.note else ""), "model", ref)
    yield Sentence(t.confidence.format(percent=percent(answer.confidence), model=answer.model), "model", ref, "soft")
