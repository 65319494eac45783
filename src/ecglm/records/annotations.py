"""WFDB annotation files (.atr and its kin): what experts or programs marked in a record, and where.

Standard: WFDB Applications Guide, annot(5), https://physionet.org/physiotools/wag/annot-5.htm.
Reads the MIT format, which every PhysioNet data set of today uses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError

#: Mnemonics of the codes 0-49 in annot(5).
SYMBOLS = (
    " ", "N", "L", "R", "a", "V", "F", "J", "A", "S", "E", "j", "/", "Q", "~", "[15]", "|", "[17]", "s", "T", "*", "D",
    '"', "=", "p", "B", "^", "t", "+", "u", "?", "!", "[", "]", "e", "n", "@", "x", "f", "(", ")", "r", "[42]", "[43]",
    "[44]", "[45]", "[46]", "[47]", "[48]", "[49]",
)  # fmt: skip
#: Those that mark a beat.
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
#: Codes of annot(5) for the rhythms that forecasts are about, and their names here.
ARRHYTHMIAS: Mapping[str, str] = {"AFIB": "af", "AFL": "aflutter"}
MAX_BYTES = 64 << 20
_SKIP, _NUM, _SUB, _CHAN, _AUX = 59, 60, 61, 62, 63


class Annotations(NamedTuple):
    """samples int64 ``[mark]`` at the record's frame rate, the symbol and the note ("" for most) of each."""

    samples: NDArray[np.int64]
    symbols: tuple[str, ...]
    notes: tuple[str, ...]


def rhythm_marks(marks: Annotations) -> list[tuple[int, str]]:
    """Sample and code of every change of rhythm, in order of time: the code of annot(5) without its bracket ("AFIB"), "" where
    a rhythm ends and none is named."""
    found = [(sample, note.strip()) for sample, note in zip(marks.samples.tolist(), marks.notes, strict=True)]
    changes = [(sample, note[1:].strip().rstrip(")").upper()) for sample, note in found if note.startswith("(") or note == ")"]
    return sorted(changes, key=lambda change: change[0])  # they may stand after the beats of their time; the sort is stable


def read_annotations(path: str | os.PathLike[str]) -> Annotations:
    """All marks of a file, in its order. Raises ReadError for a file that is absent, cut short or of another format."""
    name = os.fspath(path)
    try:
        size = os.path.getsize(name)
        if size > MAX_BYTES:
            raise ReadError(name, f"it has {size} bytes, more than any annotation file", "pass the annotation file")
        with open(name, "rb") as file:
            data = file.read()
    except OSError as problem:
        reason = problem.strerror or problem
        raise ReadError(name, f"it cannot be read ({reason})", "check the file and its permissions") from None
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2").tolist()
    samples: list[int] = []
    symbols: list[str] = []
    notes: list[str] = []
    at, place = 0, 0
    while place < len(words):
        code, value = words[place] >> 10, words[place] & 0x3FF
        place += 1
        if code == 0 and value == 0:
            return Annotations(np.array(samples, np.int64), tuple(symbols), tuple(notes))
        if code == _SKIP:
            if place + 2 > len(words):
                break
            step = words[place] << 16 | words[place + 1]
            at += step - (1 << 32) if step >= 1 << 31 else step
            place += 2
        elif code == _AUX:
            end = 2 * place + value
            if end > len(data):
                break
            if notes:
                notes[-1] = data[2 * place : end].split(b"\0")[0].decode("utf-8", "replace")
            place += (value + 1) // 2
        elif code not in (_NUM, _SUB, _CHAN):
            if code >= len(SYMBOLS):
                raise ReadError(name, f"it has a mark of unknown kind {code}", "pass a WFDB annotation file, such as 100.atr")
            at += value
            samples.append(at)
            symbols.append(SYMBOLS[code])
            notes.append("")
    raise ReadError(name, "it has no end mark", "it was cut short, or is no WFDB annotation file; get it again")
