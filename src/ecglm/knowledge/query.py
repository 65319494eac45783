"""What a question asks of the base: the entities its words name, and the kind of knowledge it wants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ecglm.knowledge.base import Base
from ecglm.knowledge.words import content, plain, stem, words

#: Words that tell which kind of entry answers a question, by kind.
_WANTS: dict[str, str] = {
    "criterion": r"criteri\w*|defin\w+|diagnos\w+|recogni[sz]\w*|signs?|features?|"
                 r"how (?:wide|tall|long|much|deep|fast)|look like|show|pathological",
    "cause": r"caus\w+|why|due to|leads? to|reasons?|behind|explain\w*",
    "action": r"treat\w*|manag\w+|next steps?|done|do about|recommend\w*|needs? |indicated|assess\w*|tests?|avoid|"
              r"check\w*|urgent|emergency|handled|therapy",
    "differential": r"differential|mimics?|imitat\w+|else|besides|other than|(?:can|could|might|may) .{3,60} (?:be|due)\b|"
                    r"distinguish\w*|difference|tell|told|causes of|caus\w+",
    "range": r"normal (?:range|value|limit|heart|pr|qrs|qt\w*|p|rr|axis|cornell|sokolow)|upper limit|lower limit|"
             r"up to|how long may|from which",
    "definition": r"what does .* mean|measur\w+|formula|calculat\w+|counted|meaning",
    "pitfall": r"artef?\w*act\w*|misplac\w*|swap\w*|exchang\w*|electrodes?|filters?|placed|imitat\w+|trust\w*|"
               r"cannot|misread|wrong",
}
_PATTERNS = {kind: re.compile(rf"\b(?:{pattern})\b") for kind, pattern in _WANTS.items()}
#: Words of asking, which no passage needs to contain.
ASKING = frozenset(stem(word) for word in [
    "criteria", "criterion", "define", "defined", "definition", "diagnose", "diagnosed", "diagnosis", "recognise",
    "recognize", "sign", "signs", "feature", "features", "wide", "tall", "long", "deep", "fast", "look", "like", "cause",
    "causes", "caused", "due", "lead", "leads", "reason", "reasons",
    "treat", "treated", "treatment", "manage", "managed", "management", "next", "step", "done", "recommend", "recommended",
    "need", "needs", "indicated", "assess", "assessed", "test", "tests", "check", "checked", "else", "besides",
    "differential", "difference", "differ", "distinguish", "distinguished", "tell", "told", "mean", "means", "measure",
    "measured", "calculate", "calculated", "formula", "counted", "normal", "value", "limit", "range", "explain", "show",
    "shows", "suggest", "find", "findings", "found", "see", "seen", "called", "become", "change", "changes", "make",
    "possible", "ecg", "electrocardiogram", "know", "happen", "happens", "give", "gives", "given", "work",
    "way", "usual", "point", "points", "name", "types", "kind", "kinds", "typical", "general", "used", "use", "occur", "have",
    "has", "had", "get", "not", "no"
    ])


@dataclass(frozen=True)
class Query:
    """A question: entities (ids, longest name first), wanted kinds, content words, and those that are not words of asking."""

    text: str
    entities: tuple[str, ...]
    kinds: frozenset[str]
    words: tuple[str, ...]
    needed: tuple[str, ...]


def analyse(text: str, base: Base) -> Query:
    """The question as the retriever sees it. Names are compared word by word, so that spelling and plurals do not matter."""
    given = words(text)
    entities: dict[str, None] = {}
    taken = [False] * len(given)
    for name, ids in _names(base):
        for at in range(len(given) - len(name) + 1):
            span = slice(at, at + len(name))
            if tuple(given[span]) == name and not any(taken[span]):
                taken[span] = [True] * len(name)
                entities |= dict.fromkeys(ids)
    low = plain(text)
    kinds = kinds_of(text)
    if not kinds and low.startswith(("what is", "what are", "what's")):
        kinds = frozenset(("definition",))
    named = [word for entity in entities for word in content(base.get(entity).title)]
    of_question = content(text)
    return Query(text, tuple(entities), kinds, tuple(dict.fromkeys((*of_question, *named))),
                 tuple(word for word in dict.fromkeys(of_question) if word not in ASKING))


def kinds_of(text: str) -> frozenset[str]:
    """The kinds of entries that words of a text go with."""
    low = plain(text)
    return frozenset(kind for kind, pattern in _PATTERNS.items() if pattern.search(low))


@lru_cache(maxsize=4)
def _names(base: Base) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Names as words with the ids they stand for, longest first. Entries that explain others by name come first."""
    found: dict[tuple[str, ...], list[str]] = {}
    for entry in base.entries.values():
        for name in entry.names if entry.kind in ("finding", "definition") else entry.aliases:
            if key := tuple(words(name)):
                found.setdefault(key, []).append(entry.id)
    return [(name, tuple(dict.fromkeys(ids))) for name, ids in sorted(found.items(), key=lambda item: -len(" ".join(item[0])))]
