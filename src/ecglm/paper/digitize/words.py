"""Printed words beside the traces, and the lead names among them, read by the shape of their letters against drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper.digitize.trace import Trace
from ecglm.records.leads import STANDARD_12

#: Heights (mm) of printed letters, and the widest a lead name is.
_LETTER_MM, _WIDEST_MM = (1.2, 5.5), 13.0
#: How alike a word and a drawn name must be (correlation), and how much more than any other name.
_ALIKE, _AHEAD = 0.62, 0.04
_HEIGHT = 24  #: pixels to which words are scaled for comparison


@dataclass(frozen=True)
class Word:
    """A word: its box in pixels of the flat page, and the lead it names, if it was read as one."""

    left: float
    top: float
    right: float
    bottom: float
    lead: str | None = None


def find_words(ink: NDArray[np.float32], traces: Sequence[Trace], px: float) -> list[Word]:
    """Words no longer than a lead's name, from the ink that belongs to no trace."""
    left = (ink > 0.3).astype(np.uint8)
    for trace in traces:
        for column in np.flatnonzero(np.isfinite(trace.top)):
            left[max(0, int(trace.top[column]) - 1): int(trace.bottom[column]) + 3, column] = 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(left, connectivity=8)
    low, high = (mm * px for mm in _LETTER_MM)
    letters = [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:count]
               if low <= h <= high and w <= 1.6 * high and area > 0.15 * w * h and area > 0.25 * px * px]
    letters.sort()
    words: list[list[float]] = []
    for x0, y0, x1, y1 in letters:
        for word in words:
            beside = min(y1, word[3]) - max(y0, word[1]) > 0.5 * min(y1 - y0, word[3] - word[1])
            if beside and -0.5 * px <= x0 - word[2] <= 1.3 * px:
                word[1], word[2], word[3] = min(y0, word[1]), max(x1, word[2]), max(y1, word[3])
                break
        else:
            words.append([x0, y0, x1, y1])
    found = [Word(float(x0), float(y0), float(x1), float(y1)) for x0, y0, x1, y1 in words if x1 - x0 <= _WIDEST_MM * px]
    return [Word(w.left, w.top, w.right, w.bottom, _name_of(ink, w)) for w in found]


def _name_of(ink: NDArray[np.float32], word: Word) -> str | None:
    """The lead that the word names, by the likeness of its letters."""
    crop = ink[int(word.top):int(word.bottom) + 1, int(word.left):int(word.right) + 1]
    if crop.size == 0:
        return None
    seen = _scaled(np.clip(crop, 0.0, 1.0))
    scores: dict[str, float] = {}
    for name, drawn in _drawn_names():
        ratio = seen.shape[1] / drawn.shape[1]
        if 0.7 < ratio < 1.43:
            same = cv2.resize(seen, (drawn.shape[1], _HEIGHT), interpolation=cv2.INTER_AREA)
            scores[name] = max(scores.get(name, -1.0), float(np.corrcoef(same.ravel(), drawn.ravel())[0, 1]))
    if not scores:
        return None
    best = max(scores, key=lambda name: scores[name])
    others = [score for name, score in scores.items() if name != best]
    return best if scores[best] > _ALIKE and scores[best] > max(others, default=-1.0) + _AHEAD else None


def _scaled(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    width = max(3, round(picture.shape[1] * _HEIGHT / picture.shape[0]))
    scaled: NDArray[np.float32] = cv2.resize(picture.astype(np.float32), (width, _HEIGHT), interpolation=cv2.INTER_AREA)
    blurred: NDArray[np.float32] = cv2.GaussianBlur(scaled, (0, 0), 1.0)
    return blurred


@lru_cache(maxsize=1)
def _drawn_names() -> list[tuple[str, NDArray[np.float32]]]:
    out = []
    for name in STANDARD_12:
        for text in {name, name.upper()}:
            for font in (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX):
                for stroke in (3, 8):
                    canvas = np.zeros((120, 500), np.uint8)
                    cv2.putText(canvas, text, (20, 90), font, 3.0, 255, stroke, cv2.LINE_AA)
                    y, x = np.nonzero(canvas)
                    letters = canvas[y.min():y.max() + 1, x.min():x.max() + 1]
                    out.append((name, _scaled((letters / 255.0).astype(np.float32))))
    return out
