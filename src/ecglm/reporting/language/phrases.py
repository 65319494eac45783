"""What other parts of ecglm say in English about signal, rhythm and limits, put into the language of a report.

They speak in a fixed set of sentences with values in them: each has a pattern here. What has none is quoted in English and
marked as a quotation, never passed off as the report's own words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from ecglm.answers import Finding
from ecglm.errors import UsageError
from ecglm.knowledge.statements import BY_KEY, STATEMENTS
from ecglm.reporting.language.de import DE
from ecglm.reporting.language.en import EN
from ecglm.reporting.language.page_patterns import PAGE_PATTERNS
from ecglm.reporting.language.passages import PASSAGES
from ecglm.reporting.language.patterns import PATTERNS, Pattern
from ecglm.reporting.language.reader_patterns import READER_PATTERNS
from ecglm.reporting.language.texts import Texts
from ecglm.reporting.language.zh import ZH

#: A lead before the reason of a voltage sum: "aVL: the limb leads look reversed (LA/LL)".
_OF_LEAD = re.compile(r"(I|II|III|aV[RLF]|V[1-9]): (.+)")
_BY_NAME = MappingProxyType({EN.statements[s.key]: s.key for s in STATEMENTS} | {s.name: s.key for s in STATEMENTS})


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], Pattern], ...]:
    return tuple((re.compile(pattern.english), pattern) for pattern in (*PATTERNS, *READER_PATTERNS, *PAGE_PATTERNS))


@dataclass(frozen=True)
class Language:
    """One language of reports: its fixed texts, and sentences of the other parts in it."""

    texts: Texts

    @property
    def code(self) -> str:
        """en, de or zh."""
        return self.texts.code

    def phrase(self, english: str) -> str | None:
        """A sentence of another part in this language; None when it has no pattern."""
        if self.code == "en":
            return english
        if (whole := self._one(english)) is not None:
            return whole
        if (of := _OF_LEAD.fullmatch(english)) is not None and (said := self._one(of[2])) is not None:
            return f"{of[1]}{self.texts.colon}{said}"
        for mark, between in ((", ", "、" if self.code == "zh" else ", "), ("; ", "；" if self.code == "zh" else "; ")):
            parts = [self._one(part) for part in english.split(mark)]  # rhythm statements are lists, notes on a page clauses
            if None not in parts:
                return between.join(part for part in parts if part)
        return None

    def _one(self, english: str) -> str | None:
        for compiled, pattern in _compiled():
            if (found := compiled.fullmatch(english)) is not None:
                said = pattern.german if self.code == "de" else pattern.chinese
                return said.format(*(self.inner(value or "") for value in found.groups()))
        return None

    def number(self, written: str) -> str:
        """A number, written with a point, as this language writes it; the minus is a minus sign."""
        shown = written.replace("-", "−")
        return shown.replace(".", ",") if self.code == "de" else shown

    def inner(self, value: str) -> str:
        """A value within a sentence, which may itself be a statement or word: "below normal"."""
        if re.fullmatch(r"-?\d+\.\d+", value):
            return self.number(value)
        key = _BY_NAME.get(value)
        return self.texts.statements[key] if key else _INNER.get(self.code, {}).get(value) or self._one(value) or value

    def passage(self, entry: str, english: str) -> str | None:
        """The text of an entry of the knowledge base in this language; None when there is no translation of this very text."""
        if self.code == "en":
            return english
        found = PASSAGES.get(entry)
        if found is None or hashlib.sha256(english.encode()).hexdigest()[:8] != found.of:
            return None
        return found.german if self.code == "de" else found.chinese

    def finding(self, finding: Finding) -> str:
        """The name of a finding: by its code where that is the statement's, otherwise as it is given."""
        key = f"{finding.group}:{finding.code}"
        return self.texts.statements[key] if key in BY_KEY and BY_KEY[key].name == finding.name else finding.name


_INNER: Mapping[str, Mapping[str, str]] = {
    "de": {"below normal": "unter normal", "normal": "normal", "above normal": "über normal", "and": "und",
           "heart rate": "Herzfrequenz", "PR interval": "PQ-Zeit", "QRS duration": "QRS-Dauer", "bpm": "/min",
           "arms/legs": "Arme/Beine", "Q": "Q", "all leads": "alle Ableitungen"},
    "zh": {"below normal": "低于正常", "normal": "正常", "above normal": "高于正常", "and": "与", "arms/legs": "臂/腿",
           "heart rate": "心率", "PR interval": "PR 间期", "QRS duration": "QRS 时限", "bpm": "/min",
           "all leads": "全部导联"}}


@cache
def languages() -> Mapping[str, Language]:
    """All languages by code."""
    return MappingProxyType({texts.code: Language(texts) for texts in (EN, DE, ZH)})


def language(code: str) -> Language:
    """The language of this code. Raises UsageError for one that reports are not written in."""
    found = languages().get(code)
    if found is None:
        raise UsageError(f"reports are not written in {code!r}; choose {', '.join(languages())}")
    return found
