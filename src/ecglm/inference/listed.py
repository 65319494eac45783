"""Lists that the language model gives to open questions, kept to statements that may be said of these leads."""

from __future__ import annotations

from typing import NamedTuple

from ecglm.corpus.questions import AXIS_ANSWERS, EXTRASYSTOLES
from ecglm.inference.guard import unsupported
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics
from ecglm.knowledge.statements import STATEMENTS

#: Everything that may stand in a list; statements with their key.
_VOCABULARY = {**{s.name: s.key for s in STATEMENTS}, **{name: key for key, name in EXTRASYSTOLES.items()},
               **dict.fromkeys((*AXIS_ANSWERS, "extreme axis deviation", "none", "no definite finding"), "")}


class Kept(NamedTuple):
    """What is left of a list, "" for nothing, and why something was left out, one line each."""

    text: str
    left_out: tuple[str, ...] = ()


def kept(text: str, about: Topics, reading: Reading) -> Kept:
    """A list without words that are no statement and without statements that these leads cannot show; other answers stay."""
    low = text.lower()
    if about.statements or about.measures or low in ("yes", "no") or low.startswith("it ") or any(c.isdigit() for c in low):
        return Kept(text)
    readable = [lead for lead in reading.record.leads if lead not in reading.unusable]
    stays, out = [], []
    for item in text.split(", "):
        key = _VOCABULARY.get(item.lower())
        if key is None:
            out.append(f'left out "{item}", which is no statement')
        elif key and (reason := unsupported(key, readable)) is not None:
            out.append(f"left out {item}: {reason}")
        else:
            stays.append(item)
    return Kept(", ".join(stays), tuple(out))
