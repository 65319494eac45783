"""The letter that a reply chooses: `paper`, as released, and `strict`.

paper: five rules in turn, the last of them a guess by a generator that is seeded once with 42, so that a guess depends on how
many came before it. strict: an explicit choice, or the one option whose words the reply gives; else no answer, which is wrong.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

LETTERS = "ABCDEFGH"
SEED = 42
_EXPLICIT = re.compile(r"(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*(?:option\s+)?[\"'(\[*]*([A-H])(?![\w'])", re.IGNORECASE)
_BARE = re.compile(r"\W*([A-Ha-h])[\s.):\]*]*")
_LEADING = re.compile(r"\W*([A-H])[.):]\s+\S")


class PaperChoice:
    """The released rules over one file. letters: which are guessed from ("ABCD" or "ABCDEFGH")."""

    def __init__(self, letters: str) -> None:
        self.letters, self.guessed = letters, 0
        self._random = random.Random(SEED)

    def __call__(self, reply: str) -> str:
        """The letter of the next reply of the file; "" where rule 3 leads behind the end of the text."""
        if len(reply) == 1 and reply in LETTERS:
            return reply
        for letter in LETTERS:
            if f"{letter}." in reply:
                return letter
        _, said, rest = reply.rpartition("The correct option is ")
        if said:
            return rest[:1]
        _, said, rest = reply.rpartition("Answer:")
        if said:
            for letter in LETTERS:
                if letter in rest:
                    return letter
        self.guessed += 1
        return self._random.choice(list(self.letters))


def strict_choice(reply: str, options: Sequence[tuple[str, str]], letters: str = LETTERS) -> str | None:
    """The letter chosen, or None: no answer, or several. options: (letter, text) as asked."""
    text = reply.strip()
    bare = _BARE.fullmatch(text)
    if bare:
        return _known(bare[1].upper(), letters)
    explicit = [hit for hit in _EXPLICIT.findall(text) if hit.isupper()]
    if explicit:
        return _known(explicit[-1], letters)
    leading = _LEADING.match(text)
    if leading:
        return _known(leading[1], letters)
    said = {
        letter for letter, words in options if words and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE)
    }
    inside = {
        a
        for a, words in options
        for b, other in options  # "atrial fibrillation" is said by "with rapid atrial fibrillation"
        if a in said and b in said and a != b and words.lower() in other.lower() and words.lower() != other.lower()
    }
    said -= inside
    return said.pop() if len(said) == 1 else None


def read_options(question: str) -> list[tuple[str, str]]:
    """(letter, text) of the options that a question lists as "A. text" or "(A) text", each on a line or one after another."""
    marks = list(re.finditer(r"(?:(?<=^)|(?<=[\s,;]))\(?([A-H])[.):]\s+", question, re.MULTILINE))
    out = []
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(question)
        out.append((mark[1], question[mark.end() : end].split("\n")[0].strip(" ,;.\n")))
    return out


def _known(letter: str, letters: str) -> str | None:
    return letter if letter in letters else None
