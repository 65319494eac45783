"""Is a question in English? By its words: those of English questions about ECGs against those that nobody here knows.

Medical terms and "normal" are much the same in many languages and decide nothing; what does is the small words, which every
language has of its own. A slip of the pen is forgiven, and so are names of drugs and devices among English words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ecglm.corpus import questions as q
from ecglm.inference.topics import medical_phrases

#: Common English words: the closed classes, verbs of asking and seeing, what records an ECG.
_COMMON = """
a about above according actually after again against all almost already also although always am an and another any anybody
anyone anything are around as ask at away back be because been before behind being below beside best better between both but by
call called can cannot certain change changes check clear clearly close come compared consider consistent could current did
different do does doing done down during each either else enough even ever every everything exactly explain far fast feel few
find first following for from further get give given go good got had has have having he help her here high him his how however
i if in indicate indicates indicating into is it its itself just kind know large last late least left less let like likely
list little long look looks low made main make many may maybe me mean means measured might more most much must my name near
need never new next no none nor normally not nothing now of off often on once one only opinion or other our out over own
patient people perhaps please point possible present probably question quite rather read reading really result right same say
see seem seems seen shall she short should show showed showing shown shows side sign signs since slow small so some someone
something sort still such suggest suggests sure take tell than thank that the their them then there these they thing things
think this those though through to today together too total try two type under until up upon us use using usual value values
very want was way we well were what when where whether which while who whole why will with within without wonder would wrong
yes yet you your
act add age ago aim bad big bit cut day due end fit fix hit lot low max met min mix odd ok old per pre put red run set sit six
ten tip top via won
device holter machine monitor patch pattern recording strip trace watch
"""
_WORD = re.compile(r"[^\W\d_]+")
#: So many letters make a word in which one slip is forgiven; in words of three only two letters that changed places.
_FORGIVEN = 4
#: What an unknown word weighs against one English word: a name is no sign, small and accented words are.
_LONG, _TELLING = 0.5, 1.5
#: What an English word with a slip weighs.
_SLIPPED = 0.5
_VOWEL = re.compile(r"[aeiouy]")
#: The weight of unknown words below which nothing is concluded: one name is not another language.
_LEAST = 1.0
#: Terms and words that are English and not only English.
_EVERYWHERE = {"ecg", "ekg", "normal", "sinus"}


def is_foreign(question: str) -> bool:
    """Whether the words that are not known, weighed, outnumber the English ones."""
    english, unknown = 0.0, 0.0
    for word in _words(question):
        if word in _english():
            english += word not in _EVERYWHERE
        elif len(word) > 1 and word in _medical():
            continue
        elif not word.isascii():
            unknown += _TELLING
        elif not _VOWEL.search(word):
            continue  # an abbreviation
        elif len(word) < _FORGIVEN:
            unknown += _small(word)
        elif (near := _near(word)) is None:
            unknown += _LONG
        else:
            english += _SLIPPED * near
    return unknown >= _LEAST and unknown > english


def is_known_word(word: str) -> bool:
    """Whether a word is English as questions are, or of the name of a statement or a measurement, give or take one slip."""
    low = word.lower()
    return low in _english() or low in _medical() or (len(low) >= _FORGIVEN and _near(low) is not None)


def _words(text: str) -> Iterator[str]:
    """Lower-case words without those that are names by their capitals, as QTc and LINQ."""
    shouted = text.isupper() and len(text.split()) > 1
    for found in _WORD.findall(text.replace("µ", "u").replace("μ", "u").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        if shouted or not any(c.isupper() for c in found[1:]):
            yield found.lower()


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    """Common words and those of our own wordings of questions."""
    asked = (*q.VERIFY, *q.SPOKEN, *q.SPOKEN_NORMAL, *q.VERIFY_NORMAL, *q.CHOOSE,
             *(w for ways in (*q.QUERY.values(), *q.SPOKEN_QUERY.values()) for w in ways))
    return frozenset(_COMMON.split()) | _of(re.sub(r"{\w+}", " ", wording) for wording in asked)


@lru_cache(maxsize=1)
def _medical() -> frozenset[str]:
    """Words of the names of statements and measurements."""
    return _of(medical_phrases()) - _english()


def _of(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in _WORD.findall(text.lower()))


@lru_cache(maxsize=1)
def _slips() -> dict[str, bool]:
    """Every longer word with one letter left out, and whether it is English; two words one slip apart share such a form."""
    return {form: english for english, words in ((False, _medical()), (True, _english() - _EVERYWHERE))
            for word in words if len(word) >= _FORGIVEN for form in _shortened(word)}


def _near(word: str) -> bool | None:
    """Whether the known word that this is with one slip is English; None when it is near none."""
    found = [english for form in _shortened(word) if (english := _slips().get(form)) is not None]
    return any(found) if found else None


def _shortened(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1:] for i in range(len(word))}


def _small(word: str) -> float:
    """What a small unknown word weighs: nothing where two letters changed places ("teh"), one English word where a letter may
    be missing ("tis")."""
    if len(word) < 3:
        return _TELLING * (len(word) > 1)
    swapped = {word[1] + word[0] + word[2], word[0] + word[2] + word[1]} & _english()
    return 0.0 if swapped - {"its", "set", "sit"} else 1.0 if word in _slips() else _TELLING  # "ist" and "est" are no slips
