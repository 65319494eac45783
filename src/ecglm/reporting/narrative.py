"""A language model's text about a recording, read again sentence by sentence: only what traces to the recording is kept.

A sentence stays if it says something of the recording, its numbers are those of the measurement that it names, its statements
those of the findings (by the report's own trace and by the extractor of `knowledge.report_labels`), words such as "prolonged"
fit the normal ranges, and it denies nothing but what the findings deny. It is no proof that the rest of a sentence makes sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ecglm.errors import UsageError
from ecglm.knowledge.ranges import flag
from ecglm.knowledge.report_labels import labels, mentions

if TYPE_CHECKING:
    from ecglm.reporting.report import Report

_SIDE = {"normal": "normal", "high": "high", "elevated": "high", "above": "high", "prolonged": "high", "long": "high",
         "fast": "high", "wide": "high", "low": "low", "below": "low", "short": "low", "slow": "low"}
_MEASURE = {"heart rate": "heart_rate", "rate": "heart_rate", "pr": "pr", "qrs": "qrs", "qtc": "qtc_bazett", "axis": "axis"}
_NAMED = re.compile(r"\b(heart rate|rate|pr|qrs|qtc|axis)\b")
_DENIES = re.compile(r"\b(?:no|not|without|absent|never|neither|nor)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Removed:
    """A sentence that was taken out, and what in it traces to nothing."""

    sentence: str
    why: str


@dataclass(frozen=True)
class Narrative:
    """written: the model's text; kept: its sentences that trace; removed: the others. prompt: what it was given."""

    written: str
    kept: tuple[str, ...]
    removed: tuple[Removed, ...]
    prompt: str = ""

    @property
    def rate(self) -> float:
        """Share of sentences that trace to nothing; 0 where none was written."""
        return len(self.removed) / max(1, len(self.kept) + len(self.removed))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"kept": list(self.kept), "removed": [asdict(one) for one in self.removed],
                               "rate": round(self.rate, 4)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Narrative:
        """The inverse of `to_dict`."""
        return Narrative(data["written"], tuple(data["kept"]), tuple(Removed(**one) for one in data["removed"]), data["prompt"])


def checked_writer(name: str, lang: str) -> bool:
    """Whether the language model writes, of "templates" and "llm". Raises UsageError for another name or another language than
    English, the only one that it writes."""
    if name not in ("templates", "llm"):
        raise UsageError(f"narrative {name!r} is unknown; use templates or llm")
    if name == "llm" and lang != "en":
        raise UsageError(f"the language model writes English only, not {lang!r}; leave --narrative out, or use --lang en")
    return name == "llm"


def checked_narrative(written: str, report: Report, prompt: str = "") -> Narrative:
    """An English text sorted into sentences that trace to the report's data and those that do not; one said twice is kept once.
    A last sentence without its end is left out."""
    kept: list[str] = []
    removed: list[Removed] = []
    for sentence in _sentences(written):
        why = next(_doubts(sentence, report), None)
        if why is None and sentence in kept:
            continue
        kept, removed = ([*kept, sentence], removed) if why is None else (kept, [*removed, Removed(sentence, why)])
    return Narrative(written, tuple(kept), tuple(removed), prompt)


def _sentences(text: str) -> list[str]:
    flat = " ".join(re.sub(r"[*#_`]", " ", text).split())
    return [one for one in re.split(r"(?<=[.!?])\s+", flat) if one.endswith((".", "!")) and re.search(r"[A-Za-z]", one)]


def _doubts(sentence: str, report: Report) -> Iterator[str]:
    """What of a sentence traces to nothing."""
    from ecglm.reporting.trace import trace

    found = trace(sentence, report, forms=False, named=True)
    yield from (issue.what for issue in found.untraced)
    present = {f"{f.group}:{f.code}" for f in report.findings if f.present}
    for mention in mentions(sentence):
        there = bool(present & set(mention.keys))
        if (mention.status == "present" and not there) or (mention.status == "absent" and there):
            yield mention.text
    yield from _qualified(sentence, report)
    stated = labels(sentence)
    if _DENIES.search(sentence) and "absent" not in stated.values() and not _as_measured(sentence, report):
        yield "a denial of what was not judged"
    if not found.numbers and not stated:
        yield "nothing that could be traced"


def _as_measured(sentence: str, report: Report) -> bool:
    """Whether what is denied is denied by the rhythm that was measured ("no consistent P waves")."""
    measured = "" if report.measurements is None else (report.measurements.rhythm or "")
    return all(" ".join(sentence[d.start():].lower().split()[:3]) in measured for d in _DENIES.finditer(sentence))


def _qualified(sentence: str, report: Report) -> Iterator[str]:
    """"normal", "prolonged" and the like beside a measurement whose value lies elsewhere in its range."""
    if report.measurements is None:
        return
    said, meta = sentence.lower(), report.record.meta
    for mention in mentions(sentence):  # "prolonged pr interval" is judged as a statement
        said = said.replace(mention.text, " ")
    for word in re.finditer("|".join(rf"\b{word}\b" for word in _SIDE), said):
        after, before = _NAMED.search(said, word.end(), word.end() + 16), list(_NAMED.finditer(said, 0, word.start()))
        named = after or (before[-1] if before else None)
        if named is None:
            continue
        name = _MEASURE[named[1]]
        value = getattr(report.measurements, name).value
        side = None if value is None else flag(name, value, meta.sex, meta.age)
        if side != _SIDE[word[0]]:
            yield f"{word[0]} {named[1]}"
