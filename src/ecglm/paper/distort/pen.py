"""A hand: letters as strokes of a pen, joined, slanted and uneven."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Points of each letter on a grid: x from 0 on, y 0 on the writing line, 4 the height of an x, 8 of an l, -3 below; " / " lifts
#: the pen.
_LETTERS = {
    "a": "3,4 1,4 0,2 1,0 2,0 3,3 3,4 3,1 4,0", "b": "0,2 1,7 1,8 0,6 0,1 1,0 3,1 3,3 1,4 0,2",
    "c": "3,3 2,4 1,4 0,2 1,0 2,0 3,1", "d": "3,4 1,4 0,2 1,0 2,0 3,3 3,8 3,1 4,0", "e": "0,2 3,3 2,4 1,4 0,2 1,0 2,0 3,1",
    "f": "0,3 2,7 3,8 2,8 1,5 1,-3 / 0,4 3,4", "g": "3,4 1,4 0,2 1,0 2,0 3,3 3,-2 2,-3 0,-2",
    "h": "0,2 1,8 0,7 0,0 1,3 2,4 3,3 3,1 4,0", "i": "0,2 1,4 1,1 2,0 / 1,6 1,6.3", "k": "0,2 1,8 0,7 0,0 / 3,4 0,2 2,1 3,0",
    "l": "0,2 2,7 1,8 1,6 1,1 2,0", "m": "0,3 1,4 1,0 1,3 2,4 3,3 3,0 3,3 4,4 5,3 5,1 6,0",
    "n": "0,3 1,4 1,0 1,3 2,4 3,3 3,1 4,0", "o": "2,4 1,4 0,2 1,0 2,0 3,2 2,4 3,4", "p": "0,3 1,4 1,-3 1,3 2,4 3,3 3,1 2,0 1,1",
    "r": "0,3 1,4 1,0 1,3 2,4 3,4", "s": "2,4 1,4 0,3 2,1 2,0 1,0 0,0.5", "t": "1,7 1,1 2,0 / 0,5 3,5",
    "u": "0,3 1,4 1,1 2,0 3,3 3,4 3,1 4,0", "v": "0,4 1,0 3,4", "w": "0,4 1,0 2,3 3,0 4,4", "x": "0,4 3,0 / 3,4 0,0",
    "y": "0,4 1,1 2,1 3,4 2,-2 1,-3 0,-2", "D": "0,8 0,0 2,0 4,3 3,7 0,8", "M": "0,0 1,8 2,3 4,8 5,0",
    "0": "2,8 0,6 0,2 2,0 3,3 3,6 2,8", "1": "0,6 1,8 1,0", "2": "0,6 1,8 3,7 2,4 0,0 3,0", "3": "0,8 3,7 1,5 3,3 2,0 0,0.5",
    "4": "2,8 0,3 4,3 / 3,5 3,0", "9": "3,6 1,8 0,6 1,4 3,5 3,8 2,0", ".": "0,0 0.3,0.2", ":": "0,1 0.2,1.2 / 0,4 0.2,4.2",
    "/": "0,0 3,8", " ": "",
}


def written(text: str, rng: np.random.Generator, tall: float, thick: float) -> NDArray[np.uint8]:
    """A word, 0 to 255 where the pen went; tall: pixels of its highest letters, thick: of the pen."""
    unit, slant = tall / 8, rng.uniform(0.0, 0.45)
    rise, at, strokes = rng.normal(0, 0.06), 0.0, []
    for letter in text:
        wide, high = rng.uniform(0.8, 1.2), rng.uniform(0.85, 1.15)
        end = 2.0
        for part in _LETTERS.get(letter, "").split(" / "):
            points = np.array([point.split(",") for point in part.split()], np.float64).reshape(-1, 2)
            if not len(points):
                continue
            end = max(end, float(points[:, 0].max()) * wide)
            points = points * (wide, high) + rng.normal(0, 0.18, points.shape)
            points[:, 0] += at
            points[:, 1] += rise * points[:, 0] + 0.25 * np.sin(0.4 * at)
            strokes.append(_rounded(points) @ np.array([[1.0, 0.0], [slant, 1.0]]))
        at += end + rng.uniform(0.4, 1.1)
    return inked([stroke * (unit, -unit) for stroke in strokes], thick)


def signature(rng: np.random.Generator, tall: float, thick: float) -> NDArray[np.uint8]:
    """Loops that get flatter to the right, and a stroke under them."""
    t, turns = np.linspace(0, 1, 300), rng.uniform(5, 9)
    phase = 2 * np.pi * (turns * t + 0.25 * np.sin(2 * np.pi * t * rng.uniform(1, 3) + rng.uniform(0, 6)))
    high = (0.35 + 0.65 * np.abs(np.sin(np.pi * t * rng.uniform(1.5, 3.5) + rng.uniform(0, 3)))) * (1 - 0.7 * t)
    y = -high * np.sin(phase) * np.where(np.sin(phase) > 0, 1, 0.45)
    loops = np.stack([6.0 * t + 0.4 * high * np.cos(phase) - 0.3 * y, y], axis=1)
    under = np.stack([np.linspace(6.3, 0.3, 30), 0.8 + 0.12 * np.sin(np.linspace(0, 3, 30))], axis=1)
    turn = rng.uniform(-0.3, 0.1)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return inked([line @ turned * tall * 0.7 for line in (loops, under)], thick)


def inked(strokes: list[NDArray[np.float64]], thick: float) -> NDArray[np.uint8]:
    """Strokes drawn on a patch just large enough for them."""
    every = np.concatenate(strokes)
    first, pad = every.min(axis=0), thick + 2
    wide, tall = (int(v) for v in np.ceil(every.max(axis=0) - first + 2 * pad))
    board = np.zeros((tall, wide), np.uint8)
    for stroke in strokes:
        points = np.rint((stroke - first + pad) * 16).astype(np.int32)
        cv2.polylines(board, [points], False, 235, max(1, round(thick)), cv2.LINE_AA, 4)
    return board


def _rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners cut three times (Chaikin), ends kept: what a moving hand makes of a polygon."""
    for _ in range(3):
        if len(points) < 3:
            break
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points
