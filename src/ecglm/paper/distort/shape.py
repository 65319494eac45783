"""Where the page lies in the picture. All of it ends in one `Warp`; nothing here touches a pixel."""

from __future__ import annotations

import cv2
import numpy as np

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import Canvas
from ecglm.paper.warp import Projective, Waves


@distortion(Stage.SHAPE, "a page that arches: its edges rise or hang, lines bend", bow=Range(0.006, 0.035),
            tilt=Range(0.0, 0.015), phase=Range(0.0, 1.0, free=True))
def curl(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """bow: height of the arch of horizontal lines, tilt: of vertical ones, as shares of the page's width."""
    width, height = canvas.source
    up, side = rng.choice((-1.0, 1.0), 2)
    first = np.pi * (values["phase"] - 0.5) / 2
    bow, tilt = values["bow"] * width, values["tilt"] * width
    kx, ky = np.pi * rng.uniform(0.8, 1.25) / width, np.pi / height
    waves = [(kx, 0.0, first, 0.0, up * bow),  # the arch, and the shortening that goes with it
             (2 * kx, 0.0, 2 * first, 0.35 * bow, 0.0),
             (0.0, ky, first, side * tilt, 0.0)]
    canvas.shape.append(Waves(tuple(tuple(float(v) for v in wave) for wave in waves)))


@distortion(Stage.SHAPE, "pulled wider or taller", ratio=Range(1.02, 1.18), taller=Range(0.0, 1.0, whole=True, free=True))
def aspect_ratio(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """ratio: width over height compared with what it was; taller: one over it."""
    ratio = values["ratio"] if not values["taller"] else 1 / values["ratio"]
    wide, tall = float(np.sqrt(ratio)), float(1 / np.sqrt(ratio))
    _add(canvas, np.diag([wide, tall, 1.0]))
    canvas.size = (round(canvas.size[0] * wide), round(canvas.size[1] * tall))


@distortion(Stage.SHAPE, "the page is smaller than the sheet, and somewhere on it", size=Range(0.97, 0.6),
            x=Range(0.0, 1.0, free=True), y=Range(0.0, 1.0, free=True))
def size_and_position(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """size: its share of the sheet's width; x, y: where in the room that is left."""
    size, (width, height) = values["size"], canvas.size
    left, top = values["x"] * (1 - size) * width, values["y"] * (1 - size) * height
    _add(canvas, np.array([[size, 0, left], [0, size, top], [0, 0, 1.0]]))


@distortion(Stage.SHAPE, "turned", angle=Range(0.2, 10.0, "degrees", either=True))
def rotation(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """About the middle of the picture; what leaves the frame shrinks back into it."""
    _turn(canvas, values["angle"])


@distortion(Stage.SHAPE, "put crookedly on the scanner", angle=Range(0.05, 2.0, "degrees", either=True))
def skew(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """A small rotation, as automatic feeders leave it."""
    _turn(canvas, values["angle"])


@distortion(Stage.SHAPE, "seen from the side: far edges are shorter", depth=Range(0.01, 0.12))
def perspective(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """depth: how far corners move, as a share of the side; two thirds of it is a common tilt, the rest each corner's own."""
    width, height = canvas.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    lean = rng.uniform(-1, 1, 2)
    lean /= max(0.5, float(np.abs(lean).max()))
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], float)
    far = np.array([max(0.0, lean[1]) + max(0.0, lean[0]), max(0.0, lean[1]) + max(0.0, -lean[0]),
                    max(0.0, -lean[1]) + max(0.0, -lean[0]), max(0.0, -lean[1]) + max(0.0, lean[0])])
    move = values["depth"] * (0.67 * far[:, None] + 0.33 * rng.random((4, 2))) * inward * (width, height)
    _add(canvas, cv2.getPerspectiveTransform(corners, (corners + move).astype(np.float32)))


@distortion(Stage.SHAPE, "edges cut off", left=Range(0.0, 0.03), top=Range(0.0, 0.03),
            right=Range(0.0, 0.03), bottom=Range(0.0, 0.03))
def cropping(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Shares of the picture's width and height; the picture gets smaller."""
    canvas.crop = (values["left"], values["top"], values["right"], values["bottom"])


@distortion(Stage.SHAPE, "taken from so near that the frame ends around the grid", margin=Range(0.05, 0.0))
def close_up(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """margin: what is left around the ruled area, a share of its width; nothing of the traces is lost."""
    canvas.close = values["margin"]


def _turn(canvas: Canvas, degrees: float) -> None:
    width, height = canvas.size
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    _add(canvas, np.vstack([matrix, [0, 0, 1]]))


def _add(canvas: Canvas, matrix: np.ndarray) -> None:
    canvas.shape.append(Projective.of(matrix))
