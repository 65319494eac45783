"""A text to search for as the text tower can read it: misspelt words put right, and words named that no report had."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from ecglm.errors import UsageError
from ecglm.knowledge.report_text import clean_report, expand, folded, prompts, said
from ecglm.knowledge.statements import STATEMENTS
from ecglm.knowledge.words import STOP
from ecglm.models.ecgtext.tokens import TextTokens

#: A word in more pieces than this is none that the tower's reports had: one more than a word with an ending.
_PIECES = 2
#: How like a word of reports a misspelt one must be (`difflib`), and how long at least: "atrail" is .83 like "atrial".
_LIKE, _LETTERS = 0.82, 5
_WORD = re.compile(r"[a-z]+")


class Wording(NamedTuple):
    """The text to look for, as a report would be read; words put right, as (given, read); words that no report had."""

    text: str
    read_as: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


def wording(text: str, tokens: TextTokens) -> Wording:
    """Raises UsageError for a text without words."""
    given = folded(clean_report(text))
    if not _WORD.search(given):
        raise UsageError(f"the text {text!r} says nothing of an ECG; describe a finding")
    read_as: dict[str, str] = {}
    unknown: list[str] = []
    for word in dict.fromkeys(_WORD.findall(given)):
        if word in STOP or len(tokens.core.encode(word).ids) <= _PIECES:
            continue
        near = get_close_matches(word, _words(), 1, _LIKE) if len(word) >= _LETTERS else []
        if near:
            read_as[word] = near[0]
        else:
            unknown.append(word)
    if not read_as:
        return Wording(text, (), tuple(unknown))
    return Wording(_WORD.sub(lambda found: read_as.get(found[0], found[0]), given), tuple(read_as.items()), tuple(unknown))


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    """Words of the statements in English and German, in every wording that is known."""
    texts = [text for s in STATEMENTS for text in (said(s.key), said(s.key, "de"), *prompts(s.key))]
    found = {word for text in texts for word in _WORD.findall(folded(expand(text))) if len(word) >= _LETTERS}
    return tuple(sorted(found))
