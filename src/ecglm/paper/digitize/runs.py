"""Runs of ink in the pixel columns of a page, and the levels at which they lie in rows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Ink above this belongs to a trace, and what touches it down to the paper's own noise, at least FAINT: steep strokes of a
#: thin line are pale.
INK, FAINT = 0.45, (0.16, 0.35)


@dataclass(frozen=True)
class Runs:
    """Runs of ink of every pixel column, in order: top and bottom (sub-pixel edges), centre of gravity, darkest ink."""

    start: NDArray[np.int64]  #: index of each column's first run, one more than columns
    top: Floats
    bottom: Floats
    middle: Floats
    darkest: Floats


def runs_of(ink: NDArray[np.float32], px: float) -> Runs:
    """Runs of ink, without specks."""
    faint = float(np.clip(2.5 * np.percentile(ink, 90), *FAINT))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > faint).astype(np.uint8), connectivity=8)
    small = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) < 0.7 * px
    small |= np.bincount(labels.ravel(), ink.ravel() > INK, minlength=len(stats)) < 3
    small[0] = True
    mask = (~small)[labels]
    edged = np.zeros((mask.shape[1], mask.shape[0] + 2), np.int8)
    edged[:, 1:-1] = mask.T
    change = np.diff(edged, axis=1)
    column, first = np.nonzero(change == 1)
    last = np.nonzero(change == -1)[1]  # one past the end
    height = ink.shape[0]
    total = np.concatenate([np.zeros((1, ink.shape[1])), np.cumsum(ink, axis=0)])
    moment = np.concatenate([np.zeros((1, ink.shape[1])), np.cumsum(ink * np.arange(height)[:, None], axis=0)])
    a, b = np.maximum(first - 1, 0), np.minimum(last + 1, height)
    middle = (moment[b, column] - moment[a, column]) / np.maximum(total[b, column] - total[a, column], 1e-6)
    # Where the ink passes half of its own height, between two pixels.
    above, inside = ink[np.maximum(first - 1, 0), column], ink[first, column]
    top = first - np.clip((inside - faint) / np.maximum(inside - above, 1e-3), 0.0, 1.0)
    below, inside = ink[np.minimum(last, height - 1), column], ink[last - 1, column]
    bottom = last - 1 + np.clip((inside - faint) / np.maximum(inside - below, 1e-3), 0.0, 1.0)
    start = np.searchsorted(column, np.arange(mask.shape[1] + 1))
    # Darkest pixel of each run: runs follow one another in the picture read column by column.
    flat = ink.T.ravel()
    bounds = np.stack([column * height + first, column * height + last], axis=1).ravel()
    darkest = np.maximum.reduceat(np.append(flat, 0.0), bounds)[::2] if len(bounds) else np.empty(0)
    return Runs(start, top.astype(float), bottom.astype(float), np.clip(middle, top, bottom), darkest.astype(float))


def levels_of(runs: Runs, px: float, height: int) -> list[float]:
    """Levels (pixels) of the rows: heights at which many columns have a short run, that is a flat trace."""
    short = runs.bottom - runs.top < 1.4 * px
    counts = np.bincount(np.clip(runs.middle[short].round().astype(int), 0, height - 1), minlength=height).astype(np.float32)
    smooth = np.convolve(counts, _bell(1.2 * px), mode="same")
    apart = round(7 * px)
    found: list[float] = []
    left = smooth.copy()
    while True:
        at = int(left.argmax())
        if left[at] < 0.28 * smooth.max() or len(found) == 20:
            break
        found.append(float(at))
        left[max(0, at - apart): at + apart] = 0.0
    # A trace has ink in nearly every column, a line of text in some.
    column = np.repeat(np.arange(len(runs.start) - 1), np.diff(runs.start))
    reach = 4.0 * px
    present = [len(np.unique(column[(runs.bottom > level - reach) & (runs.top < level + reach)])) for level in found]
    return sorted(level for level, count in zip(found, present, strict=True) if count > 0.62 * max(present))


def _bell(sigma: float) -> Floats:
    x = np.arange(-int(3 * sigma), int(3 * sigma) + 1)
    bell = np.exp(-0.5 * (x / sigma) ** 2)
    return np.asarray(bell / bell.sum())
