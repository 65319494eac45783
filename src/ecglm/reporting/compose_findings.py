"""The parts of a report that speak of findings: their evidence and criteria, the ranked diagnosis, what guidelines advise."""

from __future__ import annotations

from ecglm.answers import Finding, percent
from ecglm.reporting.compose_parts import Writer
from ecglm.reporting.criteria import Criterion, criteria
from ecglm.reporting.document import Block, Cell, Items, Paragraph, Sentence, Table
from ecglm.reporting.recommendations import recommendations
from ecglm.reporting.report import POSSIBLE
from ecglm.schema import DECIMALS

_UNITS = {"deg": "°", "bpm": "/min"}


def pathology(w: Writer) -> list[Block]:
    """Findings present and possible, with what they rest on and the criteria of guidelines."""
    t, report = w.texts, w.report
    shown = (*report.present, *report.possible)
    examined = len(report.findings)
    if not shown:
        text = t.none_found.format(n=examined, percent=percent(POSSIBLE)) if examined else t.not_computed
        return [Paragraph((Sentence(text, "finding" if examined else "fixed"),))]
    head = (t.head_finding, t.head_decision, t.head_probability, t.head_evidence)
    cited: dict[str, int] = {}
    rows = tuple(_finding(w, item, cited) for item in shown)
    notes = [Sentence(t.examined.format(n=examined, percent=percent(POSSIBLE)), "finding", tone="soft"),
             Sentence(t.rare, tone="soft")]
    notes += _no_rhythm(w)
    if cited:
        listed = "; ".join(f"[{number}] {source}" for source, number in cited.items())
        notes.append(Sentence(t.sources.format(sources=listed), "passage", tone="soft"))
    return [*_narrated(w), Table(head, rows, "llll", (0.27, 0.12, 0.15, 0.46)), Paragraph(tuple(notes))]


def _no_rhythm(w: Writer) -> list[Sentence]:
    """That no rhythm is held to be present, with the likeliest; every heart has one, so that silence would be an omission."""
    rhythms = [f for f in w.report.findings if f.group == "rhythm"]
    if not rhythms or any(f.present for f in rhythms):
        return []
    best = max(rhythms, key=lambda f: f.probability)
    return [Sentence(w.texts.no_rhythm.format(name=w.lang.finding(best), percent=percent(best.probability)), "finding",
                     f"rhythm:{best.code}")]


def _narrated(w: Writer) -> list[Block]:
    """What is left of a language model's text; a sentence of ours where nothing is, or where the report is not in English."""
    t, told = w.texts, w.report.narrative
    if told is None:
        return []
    written = len(told.kept) + len(told.removed)
    if told.kept and w.lang.code == "en":
        note = Sentence(t.narrative.format(n=written, removed=len(told.removed)), tone="soft")
        return [Paragraph(tuple(Sentence(sentence, "model", "narrative") for sentence in told.kept)), Paragraph((note,))]
    plain = [Sentence(t.narrative_plain.format(names=w.names(w.report.present)), "finding")] if w.report.present else []
    note = Sentence(t.narrative_none.format(n=written), tone="soft")
    return [Paragraph((*plain, *([] if told.kept else [note])))]


def _finding(w: Writer, item: Finding, cited: dict[str, int]) -> tuple[Cell, ...]:
    t, ref = w.texts, f"{item.group}:{item.code}"
    code = f"{item.code}, {t.words.get(item.group, item.group.replace('_', ' '))}"
    lines = [w.evidence(e, "finding", ref) for e in item.evidence]
    for made in criteria(item, w.report) if w.adult else ():
        number = cited.setdefault(made.source, len(cited) + 1)
        lines.append(Sentence(f"{_criterion(w, made)} [{number}]", "measurement", made.what, "" if made.met else "soft"))
    return (Cell((Sentence(w.lang.finding(item), "finding", ref), Sentence(code, "finding", ref, "soft"))),
            w.cell(t.present if item.present else t.possible, "finding", ref, "" if item.present else "soft"),
            Cell((Sentence(percent(item.probability), "finding", ref),), bar=item.probability),
            Cell(tuple(lines) or (Sentence(t.evidence_none, tone="soft"),)))


def _criterion(w: Writer, made: Criterion) -> str:
    """One line such as "PR interval > 200 ms: measured 212 ms, met"."""
    t = w.texts
    met = t.met if made.met else t.unmet
    if made.what == "no_p_wave":
        return t.no_p_wave.format(met=met if made.met is not None else t.not_measured_all)
    what = t.measurements.get(made.what) or str(getattr(t, made.what))
    unit = _UNITS.get(made.unit, made.unit)

    def written(value: float) -> str:
        digits = DECIMALS.get(made.unit, 0)
        return f"{w.number(value, digits)}{'' if unit == '°' else ' '}{unit}"

    limit = f"{w.lang.number(f'{made.limit:g}')}{'' if unit == '°' else ' '}{unit}"
    values = {"what": what, "relation": made.relation, "limit": limit, "met": met}
    if made.met is None:
        return t.criterion_unknown.format(**values)
    if not made.of_leads:
        return t.criterion.format(**values, value=written(made.value or 0.0))
    if not made.leads:
        return t.criterion_best.format(**values)
    listed = ", ".join(f"{lead} {w.number(value, 2)}" for lead, value in made.leads) + f" {unit}"
    return t.criterion_leads.format(**values, leads=listed)


def diagnosis(w: Writer) -> list[Block]:
    """Findings held to be present, most probable first."""
    t, report = w.texts, w.report
    if report.present:
        return [Items(tuple((Sentence(t.diagnosis_item.format(name=w.lang.finding(f), percent=percent(f.probability)), "finding",
                                      f"{f.group}:{f.code}"),) for f in report.present), ordered=True)]
    return [Paragraph((Sentence(t.diagnosis_none if report.findings else t.diagnosis_uncomputed,
                                "finding" if report.findings else "fixed"),))]


def recommended(w: Writer) -> list[Block]:
    """Steps of guidelines for the present findings, with their source."""
    t = w.texts
    rows = recommendations(w.report.findings)
    if not rows:
        return [Paragraph((Sentence(t.steps_none),))]
    by_name = {f.name: w.lang.finding(f) for f in w.report.present}
    items = []
    for row, names in rows:
        said = w.lang.passage(row.entry, row.text)
        step = Sentence(said, "passage", row.source) if said is not None else \
            Sentence(w.original(row.text), "quoted", row.source)
        called = ("、" if w.lang.code == "zh" else ", ").join(by_name.get(name, name) for name in names)
        items.append((step, Sentence(t.step_for.format(names=called), "finding", tone="soft"),
                      Sentence(row.source, "passage", row.source, "soft")))
    return [Items(tuple(items)), Paragraph((Sentence(t.steps_note, tone="soft"),))]
