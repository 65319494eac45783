"""What camera, scanner and file format do to the picture."""

from __future__ import annotations

import cv2
import numpy as np

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import Canvas, unit_noise
from ecglm.paper.raster import Image


@distortion(Stage.SENSOR, "out of focus", sigma=Range(0.04, 0.2, "mm"))
def blur(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """sigma: of a Gaussian, on paper."""
    canvas.image = cv2.GaussianBlur(canvas.image, (0, 0), max(0.3, values["sigma"] * canvas.px))


@distortion(Stage.SENSOR, "moved while the picture was taken",
            length=Range(0.15, 0.9, "mm"), angle=Range(0.0, 180.0, "degrees", free=True))
def motion_blur(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """length: of the movement, on paper."""
    half = values["length"] * canvas.px / 2
    side = 2 * int(np.ceil(half)) + 1
    kernel = np.zeros((side, side), np.float32)
    turn = np.radians(values["angle"])
    for t in np.linspace(-half, half, 41):
        x, y = side // 2 + t * np.cos(turn), side // 2 + t * np.sin(turn)
        left, top = int(np.floor(x)), int(np.floor(y))
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            share = (1 - abs(x - left - dx)) * (1 - abs(y - top - dy))
            if share > 0 and left + dx < side and top + dy < side:
                kernel[top + dy, left + dx] += share
    canvas.image = cv2.filter2D(canvas.image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


@distortion(Stage.SENSOR, "fewer pixels: the picture gets smaller", scale=Range(0.9, 0.4))
def resolution(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """scale: of the picture's sides."""
    height, width = canvas.image.shape[:2]
    size = (max(1, round(width * values["scale"])), max(1, round(height * values["scale"])))
    canvas.image = cv2.resize(canvas.image, size, interpolation=cv2.INTER_AREA)
    canvas.resized *= values["scale"]


@distortion(Stage.SENSOR, "photocopied: grey, more contrast, specks", contrast=Range(1.05, 1.6),
            specks=Range(20, 500, whole=True))
def photocopy(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """contrast: slope about a light grey. specks: of toner, on the whole page."""
    level = np.arange(256)
    curve = np.clip(205 + (level - 190) * values["contrast"], 12, 255).astype(np.uint8)
    grey = cv2.LUT(cv2.cvtColor(canvas.image, cv2.COLOR_RGB2GRAY), curve)
    height, width = grey.shape
    for x, y, size in rng.random((int(values["specks"]), 3)):
        cv2.circle(grey, (round(x * width), round(y * height)), round(0.2 * size**6 * canvas.px), int(30 + 90 * size), -1)
    canvas.image = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)


@distortion(Stage.SENSOR, "streaks of dust on a scanner's line of sensors",
            count=Range(1, 12, whole=True), depth=Range(6, 60, whole=True))
def scanner_streaks(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Dark, light or coloured columns that run through the whole picture; depth: of 255."""
    width = canvas.image.shape[1]
    for _ in range(int(values["count"])):
        left, wide = int(rng.integers(width)), int(rng.integers(1, 4))
        change = rng.uniform(0.4, 1.0) * values["depth"] * (np.ones(3) if rng.random() < 0.6 else rng.random(3))
        here = canvas.image[:, left:left + wide]
        change = change if rng.random() < 0.3 else -change
        canvas.image[:, left:left + wide] = np.clip(here + np.rint(change), 0, 255).astype(np.uint8)


@distortion(Stage.SENSOR, "noise of the electronics, alike everywhere", sigma=Range(1.0, 20.0))
def gaussian_noise(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """sigma: of 255."""
    canvas.image = _noisy(canvas.image, values["sigma"], rng)


@distortion(Stage.SENSOR, "noise of the light, most where it is bright", sigma=Range(1.0, 14.0))
def shot_noise(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """sigma: of 255, on white. It is added to the square root of the light, where photons scatter alike at all levels."""
    level = np.arange(256) / 255
    root = cv2.LUT(canvas.image, np.rint(255 * np.sqrt(level)).astype(np.uint8))
    canvas.image = cv2.LUT(_noisy(root, values["sigma"] / 2, rng), np.rint(255 * level**2).astype(np.uint8))


@distortion(Stage.SENSOR, "stored as JPEG", quality=Range(90, 18, whole=True))
def jpeg(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """quality: as libjpeg counts it."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(values["quality"])]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(canvas.image, cv2.COLOR_RGB2BGR), quality)
    canvas.image = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """The image with normal noise: each row takes a piece from a random place in a long list of deviates."""
    height, width = image.shape[:2]
    row, pool = width * 3, unit_noise()[:1 << 21]
    first = rng.integers(0, pool.size - row, height)
    for change, apply in ((sigma, cv2.add), (-sigma, cv2.subtract)):
        part = cv2.multiply(pool, change, dtype=cv2.CV_8U).ravel()  # saturates: what would be below 0 is 0
        rows = np.lib.stride_tricks.sliding_window_view(part, row)[first]
        image = apply(image, rows.reshape(height, width, 3))
    return image
