"""Printed text of a picture through rapidocr, where it is installed: paper speed, gain and names of leads.

What is printed on a page is data: of all its text only numbers before mm/s and mm/mV and names of leads are used.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.paper.digitize.page import FlatPage
from ecglm.paper.digitize.words import Word
from ecglm.records.leads import STANDARD_12

#: Speeds (mm/s) and gains (mm/mV) that carts have; other numbers are misread.
SPEEDS, GAINS = (5.0, 10.0, 12.5, 25.0, 50.0, 100.0), (2.5, 5.0, 10.0, 20.0, 40.0)
_NUMBER = r"(?<![\d.,])([\dOo]{1,3}(?:[.,]\d)?)\s*mm\s*/\s*"
_SPEED = re.compile(_NUMBER + r"s(?:ec)?(?![a-z])", re.IGNORECASE)
_GAIN = re.compile(_NUMBER + r"m[vy](?![a-z])", re.IGNORECASE)  # V is read as y now and then
#: A name must be read so surely to overrule one that was read by its shape.
_SURE = 0.8


@dataclass(frozen=True)
class Line:
    """A line of text, how surely it was read (0..1), and the box around it in pixels of the picture."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


def installed() -> bool:
    """Whether text can be read here (`pip install 'ecglm[ocr]'`)."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def printed(image: NDArray[np.uint8]) -> list[Line]:
    """The lines of text of a picture uint8 ``[y, x, 3]`` RGB. Raises UsageError where rapidocr is not installed."""
    if not installed():
        raise UsageError("reading the text of a page needs rapidocr; pip install 'ecglm[ocr]', or leave out text=True")
    found = _reader()(np.ascontiguousarray(image[..., ::-1]))
    if found.boxes is None or found.txts is None:
        return []
    lines = []
    for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        (left, top), (right, bottom) = np.min(box, axis=0), np.max(box, axis=0)
        lines.append(Line(unicodedata.normalize("NFKC", text).strip(), float(score), float(left), float(top), float(right),
                          float(bottom)))
    return lines


@lru_cache(maxsize=1)
def _reader() -> Any:
    """The models are in rapidocr's own package: nothing is downloaded."""
    return import_module("rapidocr").RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False})


def speed_in(lines: Sequence[Line]) -> float | None:
    """mm/s as printed; None when it is not, or more than one is."""
    return _only(_SPEED, lines, SPEEDS)


def gain_in(lines: Sequence[Line]) -> float | None:
    """mm/mV as printed; None when it is not, or more than one is."""
    return _only(_GAIN, lines, GAINS)


def _only(pattern: re.Pattern[str], lines: Sequence[Line], usual: Sequence[float]) -> float | None:
    said = {float(re.sub("[Oo]", "0", number).replace(",", ".")) for line in lines for number in pattern.findall(line.text)}
    known = said & set(usual)
    return known.pop() if len(known) == 1 else None


def lead_in(text: str) -> str | None:
    """The lead that a text names and nothing else; upright strokes are read as I, l or 1."""
    bare = text.strip(" .:,;-_'\"")
    if re.fullmatch("[Il1|]{1,3}", bare):
        return "I" * len(bare)
    if re.fullmatch("[Vv][Il|]", bare):
        return "V1"
    return next((lead for lead in STANDARD_12 if lead.lower() == bare.lower()), None)


def with_names(words: Sequence[Word], lines: Sequence[Line], flat: FlatPage) -> list[Word]:
    """Words of the flat page with the names that were read as text: new ones, and those whose shape said nothing or less."""
    out = list(words)
    for line in lines:
        lead = lead_in(line.text)
        corners = None if lead is None else _on_page(line, flat)
        if lead is None or corners is None:
            continue
        left, top, right, bottom = corners
        margin = flat.px
        same = [k for k, word in enumerate(out) if left - margin < (word.left + word.right) / 2 < right + margin
                and top - margin < (word.top + word.bottom) / 2 < bottom + margin]
        for k in same:
            if out[k].lead is None or line.score > _SURE:
                out[k] = replace(out[k], lead=lead)
        if not same:
            out.append(Word(left, top, right, bottom, lead))
    return out


def _on_page(line: Line, flat: FlatPage) -> tuple[float, float, float, float] | None:
    """Box of a line in pixels of the flat page; None beside it."""
    step = max(1, round(flat.px))
    x, y = flat.x[::step, ::step], flat.y[::step, ::step]
    ends = []
    for at_x, at_y in ((line.left, line.top), (line.right, line.bottom)):
        away = np.hypot(x - at_x, y - at_y)
        row, column = np.unravel_index(int(away.argmin()), away.shape)
        per_pixel = float(np.hypot(x[row, column] - x[row, column - 1], y[row, column] - y[row, column - 1])) / step if column \
            else float(np.hypot(x[row, 1] - x[row, 0], y[row, 1] - y[row, 0])) / step
        if away[row, column] > 2.0 * step * per_pixel:
            return None
        ends.append((column * step, row * step))
    (left, top), (right, bottom) = ends
    return (float(left), float(top), float(right), float(bottom)) if right > left and bottom > top else None
