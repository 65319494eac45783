"""What goes wrong while a page is printed."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import TINT, Canvas, smooth


@distortion(Stage.INK, "printed on plain paper: no grid lines")
def missing_grid(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Add what the lines took from the paper, except where ink lies on them."""
    ruled, box = canvas.empty_page(), canvas.truth.grid
    plain = np.full_like(ruled, canvas.style.sheet)
    plain[round(box.top):round(box.bottom) + 1, round(box.left):round(box.right) + 1] = canvas.style.ground
    depth = np.maximum(1, ruled[..., 1].astype(np.int16) - canvas.style.trace[1])
    inked = np.clip((ruled[..., 1].astype(np.int16) - canvas.image[..., 1]) / depth, 0, 1)
    bare = cv2.merge([(255 * (1 - inked)).astype(np.uint8)] * 3)
    canvas.image = cv2.add(canvas.image, cv2.multiply(cv2.subtract(plain, ruled), bare, scale=1 / 255))
    canvas.style = replace(canvas.style, minor=canvas.style.ground, major=canvas.style.ground)


@distortion(Stage.INK, "ink that has faded, unevenly over the page", most=Range(0.15, 0.75), least=Range(0.0, 0.35))
def fading(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """The share lost runs between least and most in slow hills."""
    hills = np.clip(0.5 + 0.35 * smooth(rng, canvas.small(TINT), (3, 4)), 0, 1)
    low = min(values["least"], values["most"])
    canvas.faded(np.asarray(low + (values["most"] - low) * hills, np.float32))


@distortion(Stage.INK, "a printer that misses spots, so that lines break", count=Range(15, 160, whole=True),
            length=Range(0.5, 2.2, "mm"))
def broken_lines(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Short gaps, soft at both ends, in count places."""
    height, width = canvas.small(TINT)
    gaps = np.zeros((height, width), np.float32)
    unit = canvas.px / TINT
    for x, y, size in zip(rng.random(int(values["count"])), rng.random(int(values["count"])), rng.random(int(values["count"])),
                          strict=True):
        across = max(1.0, (0.4 + 0.6 * size) * values["length"] * unit)
        centre = (round(x * width), round(y * height))
        cv2.ellipse(gaps, centre, (round(across / 2 + 0.5), round(2.5 * unit)), 0, 0, 360, float(0.75 + 0.25 * size), -1)
    canvas.faded(cv2.GaussianBlur(gaps, (0, 0), 0.6))


@distortion(Stage.INK, "a dirty or worn print head: pale rows along the paper", count=Range(1, 6, whole=True),
            depth=Range(0.2, 0.8))
def printer_rows(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Rows a fraction of a millimetre high in which most of the ink is missing."""
    height, width = canvas.small(TINT)
    pale = np.zeros((height, width), np.float32)
    for _ in range(int(values["count"])):
        row = int(rng.integers(height))
        pale[row:row + max(1, round(rng.uniform(0.1, 0.5) * canvas.px / TINT))] = values["depth"]
    canvas.faded(pale)
