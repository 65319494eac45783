"""Does a finished report say only what is known? Its text is read again, by a parser that knows nothing of how it was made.

Three things are looked for: numbers that were neither measured nor given nor are limits that are cited; statements (atrial
fibrillation, ST depression) that are affirmed, called possible or denied against the findings; and sentences that have none
of the report's forms. What the user wrote and what is quoted word for word from a source is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ecglm.reporting.known import Known, known
from ecglm.reporting.language import Language, language
from ecglm.reporting.report import Report

_NUMBER = re.compile(r"(?<![\w.,/-])([-−+]?\d+(?:[.,]\d+)?)(?:\s?(%|ms\b|mV\b|mm/mV|mm/s|s\b|Hz\b|/min|bpm\b|°))?(?![\w])")
_MARK = re.compile(r"\[\d+\]|\bV[1-9]\b|\b\d+-lead\b|\d+ms\b")
#: Words that turn a statement round, and words that make it possible only.
_NOT = {"en": r"\b(?:no|not|without|absent|absence|denied|excluded|neither|nor|n't)\b|n't\b",
        "de": r"\b(?:kein\w*|nicht|ohne|weder|ausgeschlossen)\b", "zh": r"无|没有|未见|不存在|排除|并非"}
_MAYBE = {"en": r"\b(?:possibl[ey]|may|might|suspected|perhaps)\b", "de": r"\b(?:möglich\w*|vielleicht|Verdacht)\b",
          "zh": r"可能|疑似"}
#: Names of what the model never judges, by language: a report that names them says what nobody found.
_UNJUDGED = {"en": r"ventricular (?:tachycardia|fibrillation)|brugada|pericarditis|pulmonary embolism|hyperkal\w+|hypokal\w+|"
                   r"takotsubo|cardiomyopathy|heart failure|junctional rhythm|torsade\w*|asystole",
             "de": r"Kammerflimmern|Kammertachykardie|Brugada|Perikarditis|Lungenembolie|Hyperkali\w+|Hypokali\w+|"
                   r"Herzinsuffizienz",
             "zh": r"室性心动过速|心室颤动|心包炎|肺栓塞|高钾血症|低钾血症|心力衰竭"}


@dataclass(frozen=True)
class Issue:
    """What traces to nothing: a number, a statement or a whole sentence, and the sentence it stands in."""

    sentence: str
    what: str
    kind: Literal["number", "statement", "sentence"]


@dataclass(frozen=True)
class Trace:
    """How many numbers, statements and sentences a text has, and those that trace to nothing."""

    sentences: int
    numbers: int
    statements: int
    untraced: tuple[Issue, ...]

    @property
    def rate(self) -> float:
        """Share of sentences with something that traces to nothing."""
        return len({issue.sentence for issue in self.untraced}) / max(1, self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"sentences": self.sentences, "numbers": self.numbers, "statements": self.statements,
                "rate": round(self.rate, 4), "untraced": [asdict(issue) for issue in self.untraced]}


def trace(text: str, report: Report, lang: str = "en", *, forms: bool = True, named: bool = False) -> Trace:
    """Read a text again, a sentence per line. forms: whether each must have one of the report's forms; not so for free text.
    named: whether a number with a unit must follow the name of its measurement, as in text that a model wrote.
    Raises UsageError for an unknown language."""
    spoken = language(lang)
    facts = known(report, spoken)
    numbers = statements = 0
    issues: list[Issue] = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        left = _unjudged_text(line, facts)
        if forms and left and not (facts.has_form(left) or facts.has_form(line)):
            issues.append(Issue(line, left, "sentence"))
        found = list(_numbers(facts.numbers.masked(left)))
        numbers += len(found)
        issues += [Issue(line, shown, "number") for shown, value, unit, at in found
                   if not facts.numbers.grounds(value, unit, left, at, named)]
        stated = list(_statements(left, facts, spoken))
        statements += len(stated)
        issues += [Issue(line, name, "statement") for name, holds in stated if not holds]
    return Trace(len(lines), numbers, statements, tuple(issues))


def _unjudged_text(line: str, facts: Known) -> str:
    """The line without what is quoted in it: sources, passages, the user's words, names of files."""
    for quoted in facts.quoted:
        if quoted in line:
            line = re.sub(rf"(?<!\w){re.escape(quoted)}(?!\w)" if quoted.isascii() else re.escape(quoted), " ", line)
    return " ".join(line.split()).strip()


def _numbers(line: str) -> Iterator[tuple[str, float, str, tuple[int, int]]]:
    """Numbers as they are written, their values, units and places. "1,5" is one and a half, "V1, 2" are two."""
    for found in _NUMBER.finditer(_MARK.sub(lambda mark: " " * len(mark[0]), line)):
        written = found[1].replace("−", "-").replace(",", ".")
        yield found[0].strip(), float(written), {"bpm": "/min"}.get(found[2] or "", found[2] or ""), found.span(1)


def _statements(line: str, facts: Known, spoken: Language) -> Iterator[tuple[str, bool]]:
    """Statements that a line names, and whether the findings bear out how it speaks of them."""
    came, went = facts.came.fullmatch(line), facts.went.fullmatch(line)
    there = facts.present - facts.before if came else facts.before - facts.present if went else facts.present
    for label in facts.labels:  # "ST elevation at the J point ≥ 0.1 mV" is a criterion, met or not
        line = line.replace(label, "§")
    for clause in ([line] if "|" in line else re.split(r"(?<=[^\d\s])[.;。；]\s*", line)):
        unjudged = _UNJUDGED[spoken.code]
        for name in re.findall(unjudged if spoken.code == "zh" else rf"(?<!\w)(?:{unjudged})", clause, re.IGNORECASE):
            yield name, _denied(clause, name, spoken)
        rest = clause
        for name, keys in facts.names:  # the longest first: "complete right bundle branch block" before "block"
            pattern = rf"(?<!\w){re.escape(name)}(?!\w)" if spoken.code != "zh" else re.escape(name)
            if re.search(pattern, rest, re.IGNORECASE) is None:
                continue
            rest = re.sub(pattern, "§", rest, flags=re.IGNORECASE)
            clause_said = re.sub(pattern, "§", clause, flags=re.IGNORECASE)
            if re.search(_MAYBE[spoken.code], clause_said, re.IGNORECASE):
                yield name, bool(keys & facts.examined)
            elif _denied(clause, name, spoken, tuple(other for other, _ in facts.names)):
                yield name, not keys & facts.present
            else:
                yield name, bool(keys & there)


def _denied(clause: str, name: str, spoken: Language, others: tuple[str, ...] = ()) -> bool:
    """Whether a negation stands before the name in its clause, or right after it. others: names of statements, whose own words
    deny nothing ("nicht diagnostische T-Veränderungen")."""
    at = clause.lower().find(name.lower())
    before, after = clause[:at].split("|")[-1], clause[at + len(name): at + len(name) + 18]
    for other in others:
        before = re.sub(re.escape(other), "§", before, flags=re.IGNORECASE)
    close = re.split(r"[:：]|, but | but |，", before)[-1]
    return re.search(_NOT[spoken.code], close, re.IGNORECASE) is not None \
        or re.match(rf"[\s:|]*(?:(?:is|are|was|ist|sind)\s+)?(?:{_NOT[spoken.code]})", after, re.IGNORECASE) is not None
