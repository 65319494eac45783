"""What falls on the page while its picture is taken."""

from __future__ import annotations

import cv2
import numpy as np

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import TINT, Canvas, Field, smooth


@distortion(Stage.LIGHT, "one side nearer to the lamp, corners darker", depth=Range(0.05, 0.5),
            angle=Range(0.0, 360.0, "degrees", free=True), corners=Range(0.0, 0.3))
def uneven_light(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """depth: what the dark side loses; corners: what they lose besides."""
    x, y = _across(canvas)
    turn = np.radians(values["angle"])
    ramp = (x * np.cos(turn) + y * np.sin(turn)) / (abs(np.cos(turn)) + abs(np.sin(turn)))
    corners = 1.0 - values["corners"] * 0.5 * (x * x + y * y)
    canvas.lit(np.asarray((1.0 - values["depth"] * (0.5 + 0.5 * ramp)) * corners, np.float32))


@distortion(Stage.LIGHT, "slow hills of brightness, as on paper that is not flat", depth=Range(0.03, 0.2))
def shading(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """depth: their deviation is about half of it."""
    hills = smooth(rng, canvas.small(TINT), (3, 4)) + 0.5 * smooth(rng, canvas.small(TINT), (6, 8))
    canvas.lit(np.asarray(np.clip(1.0 + 0.45 * values["depth"] * (hills - 0.8), 0.45, 1.1), np.float32))


@distortion(Stage.LIGHT, "the shadow of a hand, a telephone or a shelf", depth=Range(0.12, 0.5), soft=Range(12.0, 3.0, "mm"))
def shadow(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """From one edge of the picture inwards; soft: width of its edge."""
    height, width = canvas.small(TINT)
    shade = np.zeros((height, width), np.float32)
    t = np.linspace(0, 1, 14)
    if rng.random() < 0.5:  # a straight edge across
        inward = rng.uniform(0.15, 0.5) + np.linspace(0, rng.uniform(-0.35, 0.35), 14)
    else:                   # a rounded thing that reaches in
        middle, wide = rng.uniform(0.2, 0.8), rng.uniform(0.12, 0.3)
        inward = rng.uniform(0.3, 0.75) * np.exp(-np.abs((t - middle) / wide) ** 3) + 0.02 * np.sin(9 * t) - 0.02
    side = int(rng.integers(4))
    along = np.concatenate([[-0.2], t * 1.4 - 0.2, [1.2]])
    deep = np.concatenate([[-0.2], inward, [-0.2]])
    x, y = ((along, deep), (along, 1 - deep), (deep, along), (1 - deep, along))[side]
    cv2.fillPoly(shade, [np.rint(np.column_stack([x * width, y * height]) * 8).astype(np.int32)], 1.0, cv2.LINE_8, 3)
    soft = cv2.GaussianBlur(shade, (0, 0), values["soft"] * canvas.px / TINT / 2)
    cool = np.array([1.0, 0.97, 0.93], np.float32)  # what is left comes from the sky or the ceiling
    canvas.lit(1.0 - values["depth"] * soft[..., None] * cool)


@distortion(Stage.LIGHT, "light of another colour than the camera thinks",
            warm=Range(0.02, 0.14, either=True), green=Range(0.0, 0.03, either=True))
def colour_cast(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """warm: towards orange, below 0 towards blue."""
    warm, green = values["warm"], values["green"]
    gain = np.array([1 + 0.6 * warm, 1 + 0.1 * warm + green, 1 - warm], np.float32)
    canvas.lit(np.asarray(gain / gain.max(), np.float32))


@distortion(Stage.LIGHT, "a camera that exposes too little", loss=Range(0.05, 0.4))
def underexposure(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """loss: of all light alike."""
    canvas.exposure *= 1.0 - values["loss"]
    canvas.lit(np.ones(3, np.float32))


@distortion(Stage.LIGHT, "bands of colour where the grid and the sensor beat", depth=Range(0.01, 0.07),
            period=Range(6.0, 40.0, "mm", free=True), angle=Range(0.0, 180.0, "degrees", free=True))
def moire(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Two bent gratings, shifted in phase between the colours."""
    height, width = canvas.small(TINT)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    turn = np.radians(values["angle"])
    bend = 0.9 * smooth(rng, (height, width), (2, 3))
    k = 2 * np.pi / (values["period"] * canvas.px / TINT)
    first = k * (x * np.cos(turn) + y * np.sin(turn)) + bend
    second = 1.13 * k * (-x * np.sin(turn) + y * np.cos(turn)) - bend
    bands = [np.cos(first + shift) + 0.6 * np.cos(second - shift) for shift in (0.0, 0.7, 1.5)]
    canvas.lit(np.asarray(1.0 + values["depth"] * (0.6 * np.stack(bands, axis=-1) - 0.3), np.float32))


def _across(canvas: Canvas) -> tuple[Field, Field]:
    """x and y of the picture from -1 to 1, as a row and as a column."""
    height, width = canvas.small(TINT)
    return np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
