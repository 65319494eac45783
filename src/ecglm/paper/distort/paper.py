"""What happens to the paper's colour: age, coloured stock, spills."""

from __future__ import annotations

import colorsys

import numpy as np

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import TINT, Canvas, smooth

#: What coffee, tea and grease let through (red, green, blue).
_SPILLS = ((0.62, 0.44, 0.26), (0.80, 0.64, 0.38), (0.86, 0.83, 0.74), (0.72, 0.62, 0.50))


@distortion(Stage.PAPER, "old paper: yellow, more so at its edges and in patches", depth=Range(0.06, 0.42))
def yellowing(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """depth: how much blue is lost at the edges; red hardly changes."""
    height, width = canvas.small(TINT)
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    amount = np.clip(0.55 + 0.4 * np.maximum(x * x, y * y) ** 2 + 0.13 * smooth(rng, (height, width), (4, 5)), 0, 1.2)
    amount *= values["depth"]
    canvas.tinted(1.0 - amount[..., None] * np.array([0.13, 0.36, 1.0], np.float32))


@distortion(Stage.PAPER, "coloured paper stock", depth=Range(0.03, 0.22), hue=Range(0.0, 1.0, free=True))
def background_colour(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """A pale colour of any hue; depth: its saturation."""
    colour = colorsys.hsv_to_rgb(values["hue"], values["depth"], 1.0 - 0.25 * values["depth"])
    canvas.tinted(np.array(colour, np.float32))


@distortion(Stage.PAPER, "spilt coffee, tea or grease with a darker rim", count=Range(1, 4, whole=True),
            size=Range(8.0, 32.0, "mm"), depth=Range(0.25, 0.9))
def stains(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """size: largest radius."""
    height, width = canvas.small(TINT)
    if canvas.tint is None:
        canvas.tinted(np.ones(3, np.float32))
    assert canvas.tint is not None
    for _ in range(int(values["count"])):
        radius = rng.uniform(0.35, 1.0) * values["size"] * canvas.px / TINT
        cx, cy = rng.random() * width, rng.random() * height
        waves = [(k, rng.normal(0, 0.16 / k), rng.uniform(0, 6.3)) for k in range(2, 9)]
        ring, colour = rng.random() < 0.4, np.array(_SPILLS[int(rng.integers(len(_SPILLS)))], np.float32)
        reach = int(1.6 * radius) + 3
        x0, x1 = max(0, int(cx) - reach), min(width, int(cx) + reach)
        y0, y1 = max(0, int(cy) - reach), min(height, int(cy) + reach)
        if x1 <= x0 or y1 <= y0:
            continue
        y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        angle = np.arctan2(y - cy, x - cx)
        edge = 1.0 + sum((a * np.cos(k * angle + p) for k, a, p in waves), np.zeros_like(angle))
        away = np.hypot(x - cx, y - cy) / radius - edge + 0.02 * smooth(rng, (y1 - y0, x1 - x0), (14, 14))
        rim = np.exp(-np.square(away / 0.05)) * np.clip(0.7 + 0.4 * np.cos(angle + waves[0][2]), 0.15, 1)
        inside = np.clip(-away / 0.04, 0, 1) * (0.12 if ring else 0.45) * (1 + 0.25 * smooth(rng, (y1 - y0, x1 - x0), (3, 3)))
        amount = np.clip(values["depth"] * (0.7 * rim + inside), 0, 1)
        canvas.tint[y0:y1, x0:x1] *= 1.0 - amount[..., None] * (1.0 - colour)
