"""In which language a report is written, by the words of ``report_language.yaml``.

Two questions, which mixed reports answer unlike: which language most of it is in, and whether any of it is German, since
abbreviations are then read as German ones.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ecglm.config import read_yaml
from ecglm.knowledge.report_labels import words

Language = Literal["en", "de"]
#: A word with inner hyphens, underscores and apostrophes, and the dot after it if there is one.
WORD = re.compile(r"[^\W_](?:[\w'-]*\w)?_?\.?")


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    data: dict[str, Any] = read_yaml(Path(__file__).with_suffix(".yaml"))
    return {name: frozenset(known) for name, known in data["common"].items()}, frozenset(data["german"])


def language_of(text: str) -> Literal["en", "de", "other"]:
    """"en" or "de" by the commonest words of each; "other" for Swedish and for what has none of them."""
    found, (common, _) = words(text), _table()
    counts = {name: sum(word in known for word in found) for name, known in common.items()}
    best = max(counts, key=lambda name: counts[name])
    if not counts[best]:
        return "other"
    return "en" if best == "en" else "de" if best == "de" else "other"


def abbreviated_in(text: str) -> Language:
    """ "de" when a word occurs that only German reports have, else "en"."""
    german = _table()[1]
    return "de" if any(word.rstrip(".") in german for word in WORD.findall(text.lower())) else "en"
