"""Whether two questions ask the same: by their content words, whatever the phrasing around them.

"Is there a long RP tachycardia?" and "Does this ECG show long RP tachycardia?" are one question. A negation makes another.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from ecglm.inference.guard import negated
from ecglm.inference.topics import spelled_out

#: Words of the phrasing, which tell nothing of what is asked.
_WORDS = """
a an and any are be been can could did do does ecg ekg evidence evident find for had has have here in is it its me of on
patient please present recording saw see seen she he show showing shown shows sign signs some strip symptom symptoms tell that
the there these they this tracing trace visible was were with would you
"""
_PHRASING = frozenset(_WORDS.split())
#: What `negated` sees to.
_NEGATING = frozenset({"no", "not", "without", "never"})
#: Where one of these stands, "A before B" is not "B before A".
_ORDERING = frozenset({"than", "before", "after", "then", "from", "to", "precedes", "follows", "followed", "<", ">", "≤", "≥"})
_WORD = re.compile(r"-?\d+(?:\.\d+)?|[^\W\d_][^\W_]*|[<>≤≥±%]")


class Wording(NamedTuple):
    """What a question asks: its content words, in order where that matters, and whether it asks for the absence."""

    words: tuple[str, ...]
    negated: bool

    @property
    def turned(self) -> Wording:
        """The same question with or without its negation."""
        return Wording(self.words, not self.negated)

    def within(self, other: Wording) -> bool:
        """Whether the other asks this and more: it has all of these content words, and further ones."""
        return Counter(self.words) < Counter(other.words)


def wording(question: str) -> Wording:
    """Of a question in any language; abbreviations of findings count as their names."""
    text = spelled_out(question).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("n't", " not")
    found = _WORD.findall(text.lower() if text.isupper() else text)
    lower = [word if word == "A" and place else word.lower() for place, word in enumerate(found)]  # "type A" is no article
    words = [word for word in lower if word not in _NEGATING]
    content = [word for word in words if word not in _PHRASING] or words
    return Wording(tuple(content if _ORDERING & set(content) else sorted(content)), negated(question))
