"""Questions about several recordings together: "What changed since ECG 1?", "Is ECG 2 faster than ECG 1?"."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecglm.answers import Answer, Finding, percent
from ecglm.inference.comparison import share_inside
from ecglm.inference.contradiction import beyond_possible, even_odds
from ecglm.inference.reading import Reading
from ecglm.inference.topics import topics
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE, below
from ecglm.models.elm import EcgLanguageModel
from ecglm.models.facts import UNSPOKEN
from ecglm.schema import LABELS, Evidence

if TYPE_CHECKING:
    from ecglm.reporting.changes import Change

_THINGS = r"(?:ecgs?|ekgs?|recordings?|tracings?|them|these|those|two|both)"
_BECOME = r"(?:get|gets|got|gotten|become|becomes|became|grow|grown|grew|turn|turned)"
#: What findings do between two recordings, when one says so of "the infarct".
_GONE = r"(?:resolved?|disappear(?:ed)?|vanish(?:ed)?|gone|still there|still present|persist(?:s|ed)?)"
_CHANGED = re.compile(
    r"\b(?:what|has|have|had|did|how|is|are|any)\b.*\b(?:chang\w*|differ\w*|improv\w*|worsen\w*|evolv\w*|progress\w*|new)\b|"
    rf"\bcompar\w*\b|\bdifferences?\b|\bwhat(?:'s| is) new\b|\bnew (?:findings?|since)\b|\bsimilar\b|"
    rf"\bsame\b.*\b{_THINGS}\b|\bappeared\b|"
    r"\b(?:long|short|wid|narrow|fast|slow|high|low)e?r\b.*\b(?:than|which)\b|\bwhich (?:one|ecg|recording|of)\b.*e?r\b|"
    rf"\b{_BECOME}\b.*\b(?:long|short|wid|narrow|fast|slow|high|low)e?r\b|"
    rf"^(?:is|are|was|were|has|have|did|does|do)\b.*\b{_GONE}\b",
    re.I,
)
#: Comparatives that name a value by themselves.
_COMPARATIVES = ((r"(?:faster|slower)", "heart_rate"), (r"(?:wider|narrower)", "qrs"))
#: Findings that are called changes.
_FINDING = re.compile(r"\b(?:st|t|st[-/ ]t|repolari\w+|ischa?emic)(?:[ -](?:wave|segment))? (?:changes?|differences?)\b")
_FORMULA = ("qtc_fridericia", "qtc_framingham", "qtc_hodges")


def asks_between(question: str, named: int, count: int) -> bool:
    """Whether a question asks how recordings differ. named: how many recordings it names, count: how many there are."""
    low = _FINDING.sub(" ", question.lower())
    if count < 2 or _CHANGED.search(low) is None:
        return False
    since = re.search(
        r"\b(?:since|than|from|between|compar\w*|differ\w*|chang\w*|what(?:'s| is) new|new findings?|appeared|similar|same|"
        rf"worsen\w*|improv\w*|{_BECOME}|{_GONE})\b|^(?:is|are) (?:the|this|that|his|her) .*\bnew\W*$",
        low,
    )
    return since is not None or named > 1 or re.search(r"\bwhich (?:one|ecg|recording|of)\b", low) is not None


def between(
    model: EcgLanguageModel, question: str, before: Reading, now: Reading, names: Sequence[str] = ("ECG 1", "ECG 2")
) -> Answer:
    """What differs in `now` from `before` beyond the error of measuring, of what the question names or else of everything, and
    which findings were called present in only one. Confidence: that of the least sure part (`_sure`)."""
    from ecglm.reporting.changes import appeared, changes

    for name, reading in zip(names, (before, now), strict=True):
        if reading.declined is not None:
            return Answer("", 0.0, True, (), model.name, f"{name}: {reading.declined}")
    about = topics(question)
    wanted = list(
        dict.fromkeys(
            [
                *(m for m in about.measures if m in LABELS),
                *(m for words, m in _COMPARATIVES if re.search(rf"\b{words}\b", question.lower())),
            ]
        )
    )
    keys = set(about.statements)
    found = [
        c for c in changes(before.measurements, now.measurements)
        if (c.name in wanted if wanted else not keys and c.name not in _FORMULA)
    ]
    evidence = [
        Evidence(
            f"{LABELS[c.name]} {c.before:.0f} to {c.now:.0f} {_unit(c.unit)}, "
            f"{'beyond' if c.beyond else 'within'} the error of measuring both (± {c.limit:.0f})",
            (),
            round(c.difference, 1),
            c.unit,
        )
        for c in found
    ]
    parts = [
        f"{LABELS[c.name]} {c.before:.0f} to {c.now:.0f} {_unit(c.unit)} ({c.difference:+.0f})".replace("-", "\N{MINUS SIGN}")
        for c in found
        if c.beyond
    ]
    came, went = (
        [f for f in which if _spoken(f) and (not keys or f"{f.group}:{f.code}" in keys)]
        for which in (appeared(before.findings, now.findings), appeared(now.findings, before.findings))
    )
    if wanted and not keys:
        came = went = []
    parts += [f"new in {names[1]}: {_named(came)}"] if came else []
    parts += [f"only in {names[0]}: {_named(went)}"] if went else []
    stays = [] if wanted else [f for f in before.findings
                               if f"{f.group}:{f.code}" in keys and _spoken(f) and not _among(f, (*came, *went))]
    parts += [_same(f, now) for f in stays]
    missing = [m for m in wanted if m not in {c.name for c in found}]
    if missing and not parts:
        reason = next(
            (str(r) for x in (before, now) if (r := getattr(x.measurements, missing[0]).reason)), "its error is not known"
        )
        return Answer("", 0.0, True, tuple(evidence), model.name, f"{LABELS[missing[0]]} cannot be compared: {reason}")
    what = ", ".join(LABELS[m] for m in wanted) or "No value or finding"
    text = (
        "; ".join(parts) or f"{what}: no change beyond the error of measuring"
        if wanted or parts
        else "No measured value differs beyond the error of measuring, and the same findings are called present"
    )
    note = None if before.record.unit == now.record.unit else "heights of waves are not compared: the amplitude scales differ"
    said = [c for c in found if c.beyond] or found
    confidence = min([MOST_SURE, *map(_sure, said), *(_sure_of_finding(model, f, before, now) for f in (*came, *went, *stays))])
    direction = f", from {names[0]} to {names[1]}" if found or came or went or not parts else ""
    return Answer(f"{text}{direction}", max(0.5, confidence), False, tuple(evidence), model.name, note=note)


def _sure(change: Change) -> float:
    """Probability that annotators' values differ in the same direction, or lie within the limit where none is named."""
    sd = math.sqrt(2.0) * ERROR_SD[change.name]
    if change.beyond:
        return below(abs(change.difference) / sd)
    return share_inside(change.difference, -change.limit, change.limit, sd)


def _sure_of_finding(model: EcgLanguageModel, finding: Finding, *readings: Reading) -> float:
    """Probability that a finding is there in the one recording and not in the other, yes and no taken for equally common."""
    key = f"{finding.group}:{finding.code}"
    return math.prod(even_odds(abs(beyond_possible(reading, model.findings_calibration)[key])) for reading in readings)


def _same(finding: Finding, now: Reading) -> str:
    """Of a finding that a question names: that it is called present in both recordings or in neither."""
    new = next(f for f in now.findings if _among(f, (finding,)))
    where = "both" if new.present else "neither"
    return f"{finding.name} is called present in {where} ({percent(finding.probability)} and {percent(new.probability)})"


def _among(finding: Finding, others: Sequence[Finding]) -> bool:
    return (finding.group, finding.code) in {(f.group, f.code) for f in others}


def _spoken(finding: Finding) -> bool:
    return f"{finding.group}:{finding.code}" not in UNSPOKEN


def _named(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{f.name} {percent(f.probability)}" for f in findings)


def _unit(unit: str) -> str:
    return "\N{DEGREE SIGN}" if unit == "deg" else unit


def pair(named: Sequence[int], count: int, current: int | None = None) -> tuple[int, int] | None:
    """Which two recordings are compared, the earlier number first; None when that is not clear. Numbers from 1."""
    two = tuple(dict.fromkeys(n for n in named if 1 <= n <= count))
    if len(two) == 1:
        other = current if current not in (None, two[0]) else 3 - two[0] if count == 2 else None
        two = (two[0], other) if other is not None else two
    elif not two and count == 2:
        two = (1, 2)
    return (min(two), max(two)) if len(two) == 2 else None
