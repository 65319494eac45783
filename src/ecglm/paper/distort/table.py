"""What a photographed page lies on."""

from __future__ import annotations

import cv2
import numpy as np

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import Canvas, grain, smooth
from ecglm.paper.raster import Image

_WOODS = ((164, 116, 70), (112, 74, 44), (198, 164, 118), (84, 60, 46))
_PLAINS = ((58, 60, 66), (196, 196, 190), (150, 160, 166), (34, 40, 52), (214, 206, 190))
_CLOTHS = ((70, 110, 120), (62, 74, 110), (150, 150, 154), (96, 128, 96))


@distortion(Stage.SHAPE, "on a table of wood, plastic or cloth, which shows around it", margin=Range(0.01, 0.07),
            kind=Range(0.0, 2.0, whole=True, free=True))
def table(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """margin: share of the frame that the page leaves free on every side. kind: 0 wood, 1 plain, 2 cloth."""
    canvas.margin = values["margin"]
    width, height = canvas.size
    shape = (height // 2, width // 2)
    wood, plain, cloth = ((colours[int(rng.integers(len(colours)))]) for colours in (_WOODS, _PLAINS, _CLOTHS))
    kind = int(values["kind"])
    if kind == 0:
        colour, marks = wood, _wood(rng, shape)
    elif kind == 1:
        colour, marks = plain, 0.02 * smooth(rng, shape, (4, 5))
    else:
        colour, marks = cloth, _weave(rng, shape)
    gain = np.clip(1.0 + marks, 0.2, 1.4)[..., None] * np.array(colour, np.float32)
    board: Image = cv2.resize(np.clip(gain, 0, 255).astype(np.uint8), (width, height))
    canvas.table = board


@distortion(Stage.SHAPE, "a scanner's lid shows around the page", margin=Range(0.0, 0.02),
            grey=Range(235.0, 70.0, whole=True, free=True))
def scanner_lid(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """grey: of the lid."""
    canvas.margin = values["margin"]
    canvas.table = np.full((1, 1, 3), int(values["grey"]), np.uint8)


def _wood(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Long grain across the picture: stretched noise, and rings that bend slowly."""
    height = shape[0]
    fine = grain(rng, shape, (height // 3, 6)) * 0.07
    y = np.arange(height, dtype=np.float32)[:, None] / height
    rings = np.sin(2 * np.pi * (rng.uniform(9, 16) * y + 0.8 * smooth(rng, shape, (2, 3)))) * 0.06
    boards = rng.uniform(-0.08, 0.08, 4)[(y[:, 0] * 3.999).astype(int)][:, None]
    return np.asarray(fine + rings + boards, np.float32)


def _weave(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Threads both ways."""
    x, y = np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)[:, None]
    threads = 0.06 * np.sin(x * 1.3) * np.sin(y * 1.3)
    uneven = 0.05 * grain(rng, shape, (shape[0] // 4, shape[1] // 4)) + 0.06 * smooth(rng, shape, (3, 4))
    return np.asarray(threads + uneven, np.float32)
