"""Two questions in one, joined by "and": "What is the rate and the rhythm?", "Is there AF and LVH?"."""

from __future__ import annotations

import re

from ecglm.inference.topics import topics
from ecglm.schema import Answer

#: How a question begins that may be asked of two things.
_HEAD = re.compile(r"^((?:what(?:'s| is| are)|is there(?: any)?|are there(?: any)?|give me|tell me|is it|"
                   r"does (?:it|this|the ecg|this ecg|the recording) show)(?: an?| the)?)\s+(.+)$", re.I)
_AND = re.compile(r"\s+and\s+(?:also\s+)?(?:(?:an?|the)\s+)?", re.I)
_WHOLE = re.compile(r"(what|which|how|is|are|does|do|has|any)\b", re.I)


def halves(question: str) -> tuple[str, str] | None:
    """Both questions, each complete; None for a question about one thing, or one that does not fall apart cleanly."""
    text = " ".join(question.split())
    if len(_AND.findall(text)) != 1 or re.search(r"\b(or|both|between)\b", text, re.I):
        return None
    first, second = _AND.split(text.rstrip("?. "))
    head = _HEAD.match(first)
    if not _WHOLE.match(second):
        if head is None:
            return None
        second = f"{head[1]} {second}"
    each = [topics(part) for part in (first, second)]
    named = [set(about.statements) | set(about.measures) | set(about.groups) for about in each]
    if not all(named) or named[0] & named[1] or set(topics(text).statements) - named[0] - named[1]:
        return None  # "and" within the name of one thing
    return f"{first}?", f"{second}?"


def rejoined(*answers: Answer) -> Answer:
    """One answer of both halves: as sure as the less sure one; an abstention only where neither has an answer."""
    given = [answer for answer in answers if not answer.abstained]
    if not given:
        return answers[0]
    text = "; ".join("no answer" if a.abstained else a.shown for a in answers)
    reason = next((a.reason for a in answers if a.abstained), None)
    evidence = tuple(item for answer in answers for item in answer.evidence)
    note = None if reason is None else f"no answer to one half: {reason}"
    return Answer(text, min(a.confidence for a in given), False, evidence, given[0].model, note=note)
