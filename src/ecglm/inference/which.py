"""Which recordings a message names: "ECG 2: ...", "and in the other one?", "both"."""

from __future__ import annotations

import re

_RECORDING = re.compile(
    r"\b(?:in |for |on |of |at |(?<!what )about |from )?(?:the )?(?:ecg|ekg|recording|tracing|number|"
    r"no\.?) ?#?(?P<n>\d+)\b(?: too)?",
    re.I,
)
_ORDINAL = re.compile(
    r"\b(?:in |for |on |of |at |(?<!what )about |from )?the (?P<o>first|second|third|fourth|fifth|last|other|previous|next)"
    r"(?: one| ecg| ekg| recording| tracing)?(?=\W*$|[,:])|"
    r"\b(?:in |for |on |of |at |(?<!what )about |from )?the (?P<p>first|second|third|fourth|fifth|last|other|previous|next) "
    r"(?:one|ecg|ekg|recording|tracing)\b",
    re.I,
)
_BOTH = re.compile(
    r"^(?:both|all|each)(?= *[:,])|\b(?:in |for |on |of )?(?:both|each|all|every)(?: of (?:them|"
    r"these))?(?: the)?(?: (?:ecgs?|recordings?|tracings?))?(?=\W*$)|"
    r"\b(?:in |for |on |of )?(?:both|each|all|every)(?: of)?(?: the)? (?:ecgs?|recordings?|tracings?)\b",
    re.I,
)
#: A recording that something is said of: "Why is ECG 2 in atrial fibrillation?".
_SUBJECT = re.compile(r"\b(is|was) (?:ecg|ekg|recording|tracing) ?#?\d+(?= in\b)", re.I)
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def recordings(text: str, count: int, current: int | None) -> tuple[str, tuple[int, ...] | str]:
    """A message without the recordings it names, and their numbers from 1; a sentence to ask back when "the other one" is none.
    current: the recording talked about, from 1."""
    if _BOTH.search(text) and count > 1:
        return _left(_BOTH.sub(" ", text)), tuple(range(1, count + 1))
    numbers = tuple(dict.fromkeys(int(found["n"]) for found in _RECORDING.finditer(text)))
    if numbers:
        return _left(_RECORDING.sub(" ", _SUBJECT.sub(r"\1 it", text))), numbers
    found = _ORDINAL.search(text)
    word = "" if found is None else (found["o"] or found["p"]).lower()
    if found is None or count == 1:
        return text, ()
    if word in _ORDINALS:
        number = _ORDINALS.index(word) + 1
    elif word == "last":
        number = count
    elif current is None or (word == "other" and count != 2):
        return text, f'Which recording do you mean by "{found[0].strip()}": {listed_recordings(count)}?'
    else:
        number = 3 - current if word == "other" else current + (1 if word == "next" else -1)
    if not 1 <= number <= count:
        return text, f"There is no {word} recording; which do you mean: {listed_recordings(count)}?"
    return _left(_ORDINAL.sub(" ", text, count=1)), (number,)


def listed_recordings(count: int) -> str:
    """ "ECG 1, ECG 2 or both"."""
    return ", ".join(f"ECG {n}" for n in range(1, count + 1)) + (" or both" if count == 2 else " or all")


def _left(text: str) -> str:
    """What is left of a message, without the comma or colon that set a name off."""
    return re.sub(r"\s+([?!.,])", r"\1", re.sub(r"^[\s,:]+|[\s,:]+(?=\W*$)", "", " ".join(text.split()))).strip()
