"""What a report may say: the numbers, statements and quotations that its data holds, and the forms of its sentences.

Built from the `Report` alone, not from the composed document, so that `trace` is a check and not an echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from ecglm.answers import Finding
from ecglm.knowledge.ranges import normal_range
from ecglm.knowledge.statements import STATEMENTS
from ecglm.reporting.criteria import SOURCES
from ecglm.reporting.known_numbers import KnownNumbers, known_numbers
from ecglm.reporting.language import Language, Texts
from ecglm.reporting.recommendations import recommendations
from ecglm.reporting.report import Report
from ecglm.reporting.rhythm_line import rhythm_line
from ecglm.reporting.view import format_name


@dataclass(frozen=True)
class Known:
    """numbers: what may be said in figures. quoted: texts that are not judged, longest first. names: statements' names with
    their keys, longest first. present, examined: of this recording; before: present in the previous one. came, went: forms of
    the sentences that compare the two. forms: patterns of whole sentences. labels: what sounds like a finding and is none."""

    numbers: KnownNumbers
    quoted: tuple[str, ...]
    names: tuple[tuple[str, frozenset[str]], ...]
    present: frozenset[str]
    examined: frozenset[str]
    before: frozenset[str]
    came: re.Pattern[str]
    went: re.Pattern[str]
    forms: tuple[re.Pattern[str], ...]
    labels: tuple[str, ...]

    def has_form(self, line: str) -> bool:
        """Whether the line has one of the report's forms."""
        return any(form.fullmatch(line) for form in self.forms)


def known(report: Report, spoken: Language) -> Known:
    """What this report may say in this language."""
    earlier = () if report.previous is None else report.previous.findings
    named: dict[str, set[str]] = {}
    for statement in STATEMENTS:
        for name in (statement.name, spoken.texts.statements[statement.key]):
            named.setdefault(name, set()).add(statement.key)
    for finding in (*report.findings, *earlier):
        named.setdefault(finding.name, set()).add(_key(finding))
    names = tuple((name, frozenset(keys)) for name, keys in sorted(named.items(), key=lambda item: -len(item[0])))
    texts = sorted({text for text in _quoted(report, spoken) if text.strip()}, key=len, reverse=True)
    return Known(known_numbers(report, spoken, names), tuple(texts), names,
                 frozenset(_key(f) for f in report.findings if f.present), frozenset(map(_key, report.findings)),
                 frozenset(_key(f) for f in earlier if f.present), _form(spoken.texts.appeared), _form(spoken.texts.gone),
                 (*_forms(spoken.texts, [n for n, _ in names]), *_shown(report, spoken), *_narrated(report)),
                 tuple(_labels(report, spoken)))


def _key(finding: Finding) -> str:
    return f"{finding.group}:{finding.code}"


def _labels(report: Report, spoken: Language) -> Iterator[str]:
    """What sounds like a finding and is none: criteria, and the rhythm statement that was measured ("premature beats")."""
    texts = spoken.texts
    yield from (texts.st_up, texts.st_down, texts.t_inverted, texts.q_wave)
    if report.measurements is not None and (rhythm := rhythm_line(report.measurements)) is not None:
        yield spoken.phrase(rhythm) or rhythm
    for caveat in report.caveats:  # "a pacemaker gives such Q waves too"
        yield spoken.phrase(caveat) or caveat


def _quoted(report: Report, spoken: Language) -> Iterator[str]:
    """Texts that stand in a report word for word and are not its own; among them the reasons why a value is missing, whose
    numbers are of no measurement ("its axis varies by 83° from beat to beat")."""
    yield from SOURCES
    yield from (usual.source for name in spoken.texts.measurements for sex in ("male", "female", None)
                if (usual := normal_range(name, sex)) is not None)
    for m in () if report.measurements is None else report.measurements.named().values():
        yield from (m.reason or "", spoken.phrase(m.reason or "") or "")
    for row, _ in recommendations(report.findings):
        yield from (row.text, row.source, spoken.passage(row.entry, row.text) or "")
    for r in (report, *([] if report.previous is None else [report.previous])):
        start = "" if r.record.start is None else r.record.start.isoformat(" ", "seconds")
        yield from (r.record.name, format_name(r.record.format), r.record.meta.device or "", start, r.created, r.version)
        yield from (text for note in r.record.notes for text in (note, spoken.phrase(note) or ""))
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
        if re.sub(r"\{\w+\}", "", text).strip(" :,;.%|：，；。"):
            yield _form(text)
    labels = "|".join(re.escape(name) for name in {*texts.measurements.values(), *names, *plain} if "{" not in name)
    yield re.compile(rf"(?:{labels})\s*(?:[:：|].*)?", re.DOTALL)
    yield re.compile(rf"(?:{labels})(?:\s*[|,，、;].*)?", re.DOTALL)
    words = "|".join(re.escape(word) for word in (*texts.words.values(), "yes", "no", "none"))
    yield re.compile(rf"\W*(?:(?:{words}|[A-Z0-9()/_]+)(?:, ?| |$))+\W*")  # codes with their group, words alone
    yield re.compile(r"\W*")
    yield re.compile(r".*\[\d+\]")  # criteria, whose numbers and statements are judged
    leads = r"(?:[IVX]+|aV[RLF]|V[1-9])"
    yield re.compile(rf"\W*{leads}(?:[, ]+{leads})*(?:; .*)?")


def _shown(report: Report, spoken: Language) -> Iterator[re.Pattern[str]]:
    """Evidence of findings, with its leads: several pieces of one finding are lines of their own, whose numbers are judged."""
    for item in dict.fromkeys(evidence for finding in report.findings for evidence in finding.evidence):
        if (words := spoken.phrase(item.text)) is not None:
            said = r"\s+".join(re.escape(part) for part in words.split())
            yield re.compile(rf"{said}(?:;?\s*{re.escape(', '.join(item.leads))})?(?:;?\s*[-−\d].*)?")


def _form(text: str) -> re.Pattern[str]:
    """A fixed text as a pattern, with anything in the places that are filled in."""
    parts = re.split(r"\{\w+\}", text)
    return re.compile(".*".join(re.escape(part.strip()) if i in (0, len(parts) - 1) else re.escape(part)
                                for i, part in enumerate(parts)).replace(r"\ ", r"\s*"))


def _narrated(report: Report) -> Iterator[re.Pattern[str]]:
    """Sentences of a language model that were kept: they have no form of ours, but what they say is judged like the rest."""
    yield from (re.compile(re.escape(sentence)) for sentence in (() if report.narrative is None else report.narrative.kept))
