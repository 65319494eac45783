"""Answers of ECG-QA among the options that the question lists: `paper`, as released, and `strict`.

paper compares the options found in the lower-cased reply with ``set(gold)``; where the file holds the gold answer as a string,
that is the set of its letters, and nothing is ever right. strict reads both forms.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ecglm.bench.metrics import paper_match

SUFFIX = "Only answer based on the given Options without any explanation."


def listed(question: str) -> tuple[str, ...]:
    """The options of a question: what stands behind "Options:", split at commas, without the fixed last sentence."""
    _, said, rest = question.rpartition("Options:")
    if not said:
        return ()
    return tuple(part.strip() for part in rest.replace(SUFFIX, "").strip().split(",") if part.strip())


def paper_correct(question: str, reply: str, gold: str | Sequence[str]) -> bool:
    """The released rule, its fault included. Options are parts of the reply, so that "no" is in "normal"."""
    lowered = reply.lower()
    return {option for option in listed(question) if option in lowered} == set(gold)


def strict_correct(question: str, reply: str, gold: str | Sequence[str]) -> bool:
    """Whole words, longer options first, against the gold answers whichever way the file holds them."""
    return paper_match(", ".join(gold_answers(gold)), reply, listed(question))


def gold_answers(gold: str | Sequence[str]) -> tuple[str, ...]:
    """Gold as answers: a list as it is; of a string, the list that it writes out, or its parts between commas."""
    if not isinstance(gold, str):
        return tuple(str(one).strip() for one in gold)
    text = gold.strip()
    if text.startswith("["):
        try:
            return gold_answers([str(one) for one in json.loads(text.replace("'", '"'))])
        except ValueError:
            text = text.strip("[]'\"")
    return tuple(part.strip() for part in text.split(",") if part.strip())
