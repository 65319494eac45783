"""Text as words that can be compared: British and American spelling, plurals and hyphens made alike; sentences; numbers."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9(\"'])")
#: Words that carry no content.
STOP = frozenset([
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "nor", "as", "is", "are", "was",
    "were", "be", "been", "being", "do", "does", "did", "can", "could", "may", "might", "must", "will", "would", "should",
    "shall", "it", "its", "this", "that", "these", "those", "there", "here", "what", "which", "who", "whom", "whose", "when",
    "where", "why", "how", "i", "you", "he", "she", "they", "we", "my", "your", "his", "her", "their", "our", "me", "us",
    "them", "than", "then", "so", "such", "if", "but", "into", "about", "over", "under", "up", "out", "off", "between",
    "among", "more", "most", "other", "some", "any", "all", "each", "every", "also", "only", "very", "much", "many", "person",
    "someone", "patient", "people", "one", "ever", "s", "t"
])
_SPELLINGS = (("aemia", "emia"), ("ischaem", "ischem"), ("haem", "hem"), ("oedema", "edema"), ("paed", "ped"),
              ("isation", "ization"), ("yse", "yze"), ("anaes", "anes"), ("artefact", "artifact"), ("tumour", "tumor"),
              ("centre", "center"), ("recognise", "recognize"), ("fibre", "fiber"))


#: Plurals that no ending tells.
_PLURALS = {"women": "woman", "men": "man", "children": "child", "criteria": "criterion", "diagnoses": "diagnosis"}


def plain(text: str) -> str:
    """One line in lower case, accents and typographic marks gone."""
    flat = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return " ".join("".join(c for c in flat if not unicodedata.combining(c)).lower().split())


def stem(word: str) -> str:
    """A word without plural and a few endings, in American spelling."""
    word = word.removesuffix("'s")
    word = _PLURALS.get(word, word)
    for british, american in _SPELLINGS:
        word = word.replace(british, american)
    for ending, least in (("ies", 5), ("sses", 5), ("ing", 6), ("ed", 6), ("es", 6), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith(("ss", "us", "is")):
            rest = word[: -len(ending)]
            if ending == "es" and not rest.endswith(("ch", "sh", "x", "ss")):
                return word[:-1].removesuffix("e")
            return rest + {"ies": "y", "sses": "ss"}.get(ending, "")
    return word.removesuffix("e") if len(word) > 4 else word


def words(text: str) -> list[str]:
    """Every word of a text, stemmed, in order."""
    return [stem(word) for word in _WORD.findall(plain(text))]


def content(text: str) -> list[str]:
    """The words that carry content."""
    return [stem(word) for word in _WORD.findall(plain(text)) if word not in STOP]


def numbers(text: str) -> frozenset[float]:
    """The numbers in a text. A hyphen between word characters ("12-lead", "2-3") is no sign."""
    return frozenset(float(found) for found in _NUMBER.findall(re.sub(r"(?<=\w)-", " ", text.replace("\N{MINUS SIGN}", "-"))))


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part.strip() for part in _SENTENCE.split(" ".join(text.split())) if part.strip()]
