"""What people add to a page: notes in pen, and stamps. They say nothing about the recording."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import Canvas, smooth
from ecglm.paper.distort.pen import inked, signature, written
from ecglm.paper.truth import Box, TextBox, TextKind

#: Notes that belong to no finding, so that a page's handwriting never gives an answer away.
NOTES = ("seen", "pls file", "copy", "bed 4", "ward 2", "09:40", "repeat 2h", "Dr. M", "d/w team", "ok", "chart", "pt resting",
         "room 14", "to clinic", "supine", "no. 2", "see notes", "checked")
STAMPS = ("RECEIVED", "COPY", "CARDIOLOGY", "FILED", "SCANNED", "OUTPATIENTS", "ORIGINAL", "ARCHIVE")
_PENS = ((28, 52, 150), (20, 40, 110), (32, 32, 40), (160, 28, 40), (20, 90, 60))
_INKS = ((40, 60, 160), (170, 30, 50), (90, 40, 140), (40, 40, 60))


@distortion(Stage.MARK, "notes, a signature, circles and arrows in pen", words=Range(1, 4, whole=True),
            strokes=Range(0, 4, whole=True), height=Range(4.0, 8.0, "mm", free=True))
def handwriting(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Words anywhere, one signature in three, strokes around and beside the traces."""
    pen = _PENS[int(rng.integers(len(_PENS)))]
    tall, thick = values["height"] * canvas.px, rng.uniform(0.3, 0.55) * canvas.px
    for _ in range(int(values["words"])):
        if rng.random() < 0.33:
            text, shape = "(signature)", signature(rng, tall, thick)
        else:
            text = NOTES[int(rng.integers(len(NOTES)))]
            shape = written(text, rng, tall, thick)
        _place(canvas, "handwriting", text, shape, pen, rng)
    for _ in range(int(values["strokes"])):
        _place(canvas, "handwriting", "(stroke)", _stroke(rng, canvas.px), pen, rng)


@distortion(Stage.MARK, "office stamps", count=Range(1, 3, whole=True), ink=Range(0.45, 0.85, free=True))
def stamps(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """A framed word with a date line, turned, with patchy ink."""
    for _ in range(int(values["count"])):
        text = STAMPS[int(rng.integers(len(STAMPS)))]
        shape = _stamp(text, rng, canvas.px)
        patchy = np.clip(0.75 + 0.25 * smooth(rng, (shape.shape[0], shape.shape[1]), (6, 10)), 0, 1)
        speck = rng.random(shape.shape, np.float32) < 0.93
        ink = (shape * (values["ink"] * patchy * speck)).astype(np.uint8)
        _place(canvas, "stamp", text, ink, _INKS[int(rng.integers(len(_INKS)))], rng)


def _place(canvas: Canvas, kind: TextKind, text: str, shape: NDArray[np.uint8], colour: tuple[int, int, int],
           rng: np.random.Generator) -> None:
    """Put ink of a colour where shape (0 to 255) says, somewhere on the page, and note the box."""
    height, width = canvas.image.shape[:2]
    shape = shape[:height - 2, :width - 2]
    tall, wide = shape.shape
    x, y = int(rng.integers(max(1, width - wide))), int(rng.integers(max(1, height - tall)))
    here = canvas.image[y:y + tall, x:x + wide]
    takes = cv2.merge([cv2.multiply(shape, 255 - part, scale=1 / 255) for part in colour])
    canvas.image[y:y + tall, x:x + wide] = cv2.multiply(here, 255 - takes, scale=1 / 255)
    canvas.texts.append(TextBox(kind, text, Box(x, y, x + wide - 1, y + tall - 1)))


def _stroke(rng: np.random.Generator, px: float) -> NDArray[np.uint8]:
    """A hand-drawn ring, arrow, tick or underline, 6 to 25 mm wide."""
    kind = int(rng.integers(4))
    t = np.linspace(0, 1, 60)
    if kind == 0:
        round_ = 2 * np.pi * (1.08 * t + rng.random())
        line = np.stack([np.cos(round_) * (1 + 0.1 * t), np.sin(round_) * (1 - 0.08 * t)], axis=1) * (1.0, rng.uniform(0.6, 1.0))
    elif kind == 1:
        line = np.concatenate([np.stack([2 * t - 1, 0.1 * np.sin(3 * t)], axis=1), [[0.6, -0.25], [1.0, 0.0], [0.65, 0.3]]])
    elif kind == 2:
        line = np.array([[-0.5, 0.0], [-0.2, 0.5], [0.7, -0.9]])
    else:
        line = np.stack([2 * t - 1, 0.05 * np.sin(9 * t)], axis=1)
    turn = rng.normal(0, 0.25) if kind != 1 else rng.uniform(0, 2 * np.pi)
    line = line @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * (rng.uniform(3.0, 12.0) * px)
    return inked([line], rng.uniform(0.25, 0.45) * px)


def _stamp(text: str, rng: np.random.Generator, px: float) -> NDArray[np.uint8]:
    """A double frame around a word and a date, 35 to 55 mm wide, turned by up to 20 degrees."""
    font, board = cv2.FONT_HERSHEY_DUPLEX, np.zeros((260, 640), np.uint8)
    size = 3.0 * 560 / max(1, cv2.getTextSize(text, font, 3.0, 6)[0][0])
    size = min(size, 3.2)
    month = ("JAN", "MAR", "MAY", "JUL", "SEP", "NOV")[int(rng.integers(6))]
    date = f"{rng.integers(1, 29):02d} {month} {rng.integers(2001, 2026)}"
    for words, at, scale, stroke in ((text, 125, size, 8), (date, 215, 1.8, 4)):
        wide = cv2.getTextSize(words, font, scale, stroke)[0][0]
        cv2.putText(board, words, ((640 - wide) // 2, at), font, scale, 255, stroke, cv2.LINE_AA)
    for inset, stroke in ((8, 8), (24, 3)):
        cv2.rectangle(board, (inset, inset), (639 - inset, 259 - inset), 255, stroke, cv2.LINE_AA)
    return _shrunk(board, rng.uniform(35, 55) * px / 640, rng.uniform(-0.35, 0.35))


def _shrunk(board: NDArray[np.uint8], scale: float, turn: float) -> NDArray[np.uint8]:
    """Reduced, turned by so many radians, and cut to its ink."""
    board = cv2.resize(board, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = board.shape
    side = int(np.hypot(height, width)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(np.degrees(turn)), 1.0)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    turned = cv2.warpAffine(board, matrix, (side, side), flags=cv2.INTER_LINEAR)
    x, y, wide, tall = cv2.boundingRect(turned)
    return np.asarray(turned[y:y + max(1, tall), x:x + max(1, wide)], np.uint8)
