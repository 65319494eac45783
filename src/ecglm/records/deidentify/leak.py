"""Whether anything of what was removed is left in what was written: the last check before a file gets its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

from ecglm.records.patient import day

#: Shorter texts (initials, "42", "ECG") are in every file by chance; names in other scripts are short.
SHORTEST, SHORTEST_OTHER = 4, 2
_LONGEST, _MUCH = 200, 20_000  #: of a text that is looked for as a whole, and that is cut into words
#: Every usual spelling of a date; two-digit years and single digits too, where they stay long enough to mean a date.
_SPELLINGS = (
    "%Y%m%d", "%d%m%Y", "%m%d%Y",
    *(form.replace("-", mark) for mark in "-./ " for form in ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d-%B-%Y")),
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%d-%b-%y", "%d%b%Y", "%b %d, %Y", "%B %d, %Y", "%d. %B %Y",
)  # fmt: skip
_CUT = re.compile(r"[\s^=\\|;,<>()\[\]{}\"'&]+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DECIMAL = re.compile(r"[-+]?\d*[.:,]\d*")
_DATE = re.compile(r"\d{4}([-./]?)\d{2}\1\d{2}|\d{1,2}([-./])(?:\d{1,2}|[A-Za-z]{3})\2\d{4}")


def needles(text: str) -> Iterator[str]:
    """The text and its words, in lower case, that are long enough to be looked for; dates in every spelling.

    Not numbers with a point and not bare years: they are in headers for other reasons.
    """
    whole = text.strip()[:_MUCH]
    for part in dict.fromkeys((whole[:_LONGEST], *_CUT.split(whole))):
        word = part.strip(" .:-_/#*+@=<>")
        for found in _DATE.finditer(part):
            if (when := day(found[0])) is not None and 1850 <= when.year <= 2150:
                yield from spelled(when)
        if len(word) < (SHORTEST if word.isascii() else SHORTEST_OTHER) or not any(c.isalnum() for c in word):
            continue
        if _YEAR.fullmatch(word) or _DECIMAL.fullmatch(word):
            continue
        yield word.casefold()


@lru_cache(maxsize=4096)
def spelled(when: date) -> tuple[str, ...]:
    """A date in every usual spelling, in lower case."""
    return tuple(f"{when:{form}}".casefold() for form in _SPELLINGS)


def left_in(written: bytes, removed: Iterable[str]) -> list[str]:
    """Which of the removed texts (of `needles`) are in what was written, in ASCII, UTF-8 or UTF-16.

    Case does not matter. Numbers count only between other characters than digits; a time may follow
    the eight digits of a date.
    """
    narrow = written.replace(b"\0", b"").lower()  # UTF-16 of Latin letters without every other byte
    text = narrow.decode("utf-8", "replace").casefold()
    wide = [written[at:].decode(name, "ignore").casefold() for name in ("utf-16-le", "utf-16-be") for at in (0, 1)]
    others = [text, *wide, *(written.decode(name, "replace").casefold() for name in ("latin-1", "gb18030"))]
    found = []
    for needle in removed:
        if needle.isascii() and needle.isdigit():
            end = "" if len(needle) == 8 else r"(?!\d)"
            hit = re.search(rf"(?<!\d){needle}{end}", text) is not None
        elif needle.isascii():
            hit = needle.encode() in narrow
        else:
            hit = any(needle in other for other in others)
        if hit:
            found.append(needle)
    return found
