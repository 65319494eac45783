"""What a question names beside something judged: "the Riverside sign" in "Is there atrial fibrillation or the Riverside sign?".

By its words: a part between "and" or "or" that names nothing judged and has a word that neither English questions nor names of
findings have, or asks for what is known not to be judged, is another question. Other words ("fast or slow", "or not") are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ecglm.inference.guard import beyond
from ecglm.inference.language import is_known_word
from ecglm.inference.topics import named_spans
from ecglm.records.leads import canonical_lead

_BREAK = re.compile(r"\s*,?\s(?P<word>and/or|and|or|nor|as well as|along with|together with|plus|versus|vs\.?|&)"
                    r"(?:\s(?:also|either|maybe|perhaps|possibly|even))?\s|,\s|\?\s+(?:(?:and|or|also)\s)?", re.I)
_EITHER = ("or", "nor", "and/or", "versus", "vs", "vs.")
#: Where one of these stands, "and" and "or" join what is compared or turned round, not two questions.
_OTHER = re.compile(r"n't\b|\b(?:no|not|without|neither|between|difference|than|from|range|correspond|relation|ratio|because|"
                    r"when|(?:long|short|wid|narrow|larg|small|great|high|low|fast|slow)e?r|"
                    r"exclud\w*|rul(?:e|es|ed|ing) out)\b|\d and \d")
#: Words that say how something is, beside those of `language`.
_WORDS = """
wide narrow prolonged shortened lengthened broad widened elevated depressed inverted upright biphasic flat flattened deviated
acute chronic recent older mild moderate severe sinusoidal frequent occasional rare isolated sustained paroxysmal persistent
intermittent permanent benign malignant pathological physiological borderline constant variable stable unstable steady
irregularly typical atypical definite suspected confirmed relevant significant visible evident absent bpm ms mv millivolt
underlying dominant predominant main overall thanks hello doctor dr
"""
_HOW = frozenset(_WORDS.split())
#: "under amiodarone and flecainide": what follows these words is joined to them.
_UNDER = re.compile(r"\b(?:under|on|despite|after|given|taking|during|due to|for|with|by|in|of)\b")
_BEGIN = re.compile(r"^(?:(?:and|or|also|either|both|then|maybe|please|of|for)\s+)+", re.I)
_WORD = re.compile(r"[^\W\d_]+")


class Item(NamedTuple):
    """A part of a question as it stands there; either: it is joined by "or"."""

    text: str
    judged: bool
    either: bool


def enumerated(body: str, is_judged: Callable[[str], bool]) -> tuple[Item, ...]:
    """The things that a question without its lead ("Is there ...") names, where some of them are judged and others are not; empty
    otherwise. is_judged: whether words name something that is."""
    low = body.lower()
    if _OTHER.search(low):
        return ()
    named = named_spans(body)
    breaks = [m for m in _BREAK.finditer(body) if not any(start < m.end() and m.start() < stop for start, stop in named)]
    if all(m[0].strip() == "," for m in breaks):
        return ()
    either = all((m["word"] or "or").lower() in _EITHER for m in breaks)
    texts: list[str] = []
    kinds: list[bool | None] = []  # judged, not judged, or words that name nothing
    for text, between in _pieces(body, breaks):
        bare = _BEGIN.sub("", text).strip(" ?")
        kind = False if beyond(bare) else True if is_judged(bare) else None if not _unknown(bare) else False
        attached = kind is False and kinds and kinds[-1] and beyond(bare) is None and _hangs_on(texts[-1])
        if kind is None and kinds and kinds[-1] is False:
            continue  # ", right?"
        if texts and (attached or kind is None or kinds[-1] is None):
            texts[-1] += between + text
            kinds[-1] = kinds[-1] if kinds[-1] is not None else kind
        else:
            texts.append(bare)
            kinds.append(kind)
    if not (True in kinds and False in kinds):
        return ()
    return tuple(Item(text, bool(kind), either) for text, kind in zip(texts, kinds, strict=True))


def _pieces(body: str, breaks: list[re.Match[str]]) -> Iterator[tuple[str, str]]:
    """Each piece, and what stands before it."""
    start, between = 0, ""
    for found in breaks:
        yield body[start:found.start()], between
        start, between = found.end(), found[0]
    yield body[start:], between


def _unknown(text: str) -> list[str]:
    """Words that name something that is not known here."""
    return [word for word in _WORD.findall(text) if len(word) > 1 and word.lower() not in _HOW and canonical_lead(word) is None
            and not is_known_word(word) and (len(word) > 3 or word.isupper())]


def _hangs_on(text: str) -> bool:
    """Whether a name that is not known stands last, behind "under" or "on": a list of drugs goes on."""
    found = list(_UNDER.finditer(text.lower()))
    return bool(found) and bool(_unknown(text[found[-1].end():]))
