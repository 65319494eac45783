"""What simple rules score on a set that never see an ECG: an item that they answer teaches a model to do without it as well.

Rules that learn which answers are common learn them on other patients of the set (five parts by patient).
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

PARTS = 5
_OPTION = re.compile(r"^[A-H]\. (.+)$", re.MULTILINE)
#: Longest first, so that " with " is not counted as anything else.
_FORMS = (" with ", ";", ", otherwise", ",", " and ")


@dataclass(frozen=True)
class Asked:
    """An item with one question. options: of a choice; right: its option, or "yes" or "no"."""

    family: str
    patient: str
    question: str
    right: str
    options: tuple[str, ...] = ()


#: From other items of the same family, what is expected to be right of an item, in shares that add up to 1.
Rule = Callable[[Sequence[Asked], Asked], Mapping[str, float]]


def questions(items: Sequence[Mapping[str, Any]], form: str) -> list[Asked]:
    """Choices ("mcq") or questions with a yes or no ("closed") of a built set."""
    out = []
    for item in items:
        if item["form"] != form:
            continue
        question, answer = map(str, item["turns"][0])
        if form == "mcq":
            options = tuple(_OPTION.findall(question))
            out.append(Asked(item["family"], item["patient"], question.split("\n")[0], answer[3:], options))
        elif said := re.match(r"(yes|no)\b", answer.lower()):
            out.append(Asked(item["family"], item["patient"], question, said[1]))
    return out


def first_option(_: Sequence[Asked], item: Asked) -> Mapping[str, float]:
    """Always A."""
    return {item.options[0]: 1.0}


def longest_option(_: Sequence[Asked], item: Asked) -> Mapping[str, float]:
    """The option of most letters."""
    return _evenly([o for o in item.options if len(o) == max(map(len, item.options))])


def odd_option(_: Sequence[Asked], item: Asked) -> Mapping[str, float]:
    """The only option of its form ("with", commas, "and"), else the longest."""
    forms = {option: tuple(mark in option for mark in _FORMS) for option in item.options}
    counts = Counter(forms.values())
    alone = [option for option, form in forms.items() if counts[form] == 1]
    return _evenly([o for o in alone if len(o) == max(map(len, alone))]) if alone else longest_option(_, item)


def common_option(others: Sequence[Asked], item: Asked) -> Mapping[str, float]:
    """The option that is most often right of those offered."""
    right = Counter(other.right for other in others)
    return _evenly([o for o in item.options if right[o] == max(right[o] for o in item.options)])


def common_answer(others: Sequence[Asked], _: Asked) -> Mapping[str, float]:
    """The commoner of yes and no."""
    counts = Counter(other.right for other in others)
    return _evenly([said for said in ("yes", "no") if counts[said] == max(counts.values(), default=0)])


def same_question(others: Sequence[Asked], item: Asked) -> Mapping[str, float]:
    """The commoner answer to the same question; where it is asked of no other patient, of all."""
    return common_answer([other for other in others if other.question == item.question] or others, item)


def question_words(others: Sequence[Asked], item: Asked) -> Mapping[str, float]:
    """The likelier answer by the words of the question (naive Bayes)."""
    score = {}
    for said in ("yes", "no"):
        seen = [_words(other.question) for other in others if other.right == said]
        counts = Counter(word for words in seen for word in words)
        score[said] = math.log(len(seen) + 1) + sum(math.log((counts[w] + 1) / (len(seen) + 2)) for w in _words(item.question))
    return _evenly([said for said in score if score[said] == max(score.values())])


CHOICE_RULES: Mapping[str, Rule] = {
    "first option": first_option,
    "longest option": longest_option,
    "odd one out by form, else the longest": odd_option,
    "option most often right": common_option,
}
CLOSED_RULES: Mapping[str, Rule] = {
    "the commoner answer": common_answer,
    "the commoner answer to the same question": same_question,
    "words of the question": question_words,
}


def scores(asked: Sequence[Asked], rule: Rule) -> dict[str, float]:
    """Share that a rule is right in, by family and of "all"."""
    parts: dict[tuple[str, int], list[Asked]] = defaultdict(list)
    for item in asked:
        parts[item.family, _part(item)].append(item)
    hits: dict[str, list[float]] = defaultdict(list)
    for (family, part), items in sorted(parts.items()):
        others = [other for p in range(PARTS) if p != part for other in parts.get((family, p), ())]
        for item in items:
            hits[family].append(rule(others, item).get(item.right, 0.0))
    found = {family: sum(values) / len(values) for family, values in hits.items()}
    return found | {"all": sum(map(sum, hits.values())) / len(asked)}


def _part(item: Asked) -> int:
    return zlib.crc32(item.patient.encode()) % PARTS


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def _evenly(options: Sequence[str]) -> dict[str, float]:
    return {option: 1 / len(options) for option in options}
