"""Traces from ink: one line per row of the page, followed from left to right.

A trace has one height at each moment. In every pixel column the ink falls into runs; a row's trace is the chain of runs
of least cost (dynamic programming): touching runs cost nothing, white between them, missing ink and distance from the
row's level do. A chain goes up and down a QRS complex because nothing else has ink there, and straight through the trace
of another row because leaving is dearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Ink above this is a trace's.
INK = 0.42
#: Costs: a mm of white jumped over, and any jump; a mm up or down along ink; a mm of missing trace; for a mm of trace,
#: each mm that it is further than FREE_MM from the row's level; a mm of trace at another row's level.
_JUMP, _LEAP, _CLIMB, _MISSING, _AWAY, _OTHERS = 1.2, 0.6, 0.02, 3.5, 0.09, 2.0
FREE_MM = 4.0
#: States kept for a trace that is missing for a while.
_HELD = 6


@dataclass(frozen=True)
class Runs:
    """Runs of ink of every pixel column, in order: column, top and bottom (sub-pixel edges), centre of gravity."""

    start: NDArray[np.int64]  #: index of each column's first run, one more than columns
    top: Floats
    bottom: Floats
    middle: Floats


@dataclass(frozen=True)
class Trace:
    """One row's line: height y ``[column]`` in pixels (NaN: no ink), whether it had to be guessed where it meets another
    row's, its usual thickness, and the row's level."""

    y: Floats
    shared: NDArray[np.bool_]
    level: float


def runs_of(ink: NDArray[np.float32], px: float) -> Runs:
    """Runs of ink, without specks."""
    mask = (ink > INK).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    small = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) < 0.7 * px
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
    top = first - np.clip((inside - INK) / np.maximum(inside - above, 1e-3), 0.0, 1.0)
    below, inside = ink[np.minimum(last, height - 1), column], ink[last - 1, column]
    bottom = last - 1 + np.clip((inside - INK) / np.maximum(inside - below, 1e-3), 0.0, 1.0)
    start = np.searchsorted(column, np.arange(mask.shape[1] + 1))
    return Runs(start, top.astype(float), bottom.astype(float), np.clip(middle, top, bottom))


def levels_of(runs: Runs, px: float, height: int) -> list[float]:
    """Levels (pixels) of the rows: heights at which many columns have a short run, that is a flat trace."""
    short = runs.bottom - runs.top < 1.4 * px
    counts = np.bincount(np.clip(runs.middle[short].round().astype(int), 0, height - 1), minlength=height).astype(np.float32)
    smooth = cv2.GaussianBlur(counts[:, None], (1, 0), 0, sigmaY=1.2 * px, borderType=cv2.BORDER_CONSTANT)[:, 0] \
        if False else np.convolve(counts, _bell(1.2 * px), mode="same")
    apart = round(7 * px)
    found: list[float] = []
    left = smooth.copy()
    while True:
        at = int(left.argmax())
        if left[at] < 0.28 * smooth.max() or len(found) == 20:
            break
        found.append(float(at))
        left[max(0, at - apart): at + apart] = 0.0
    return sorted(found)


def _bell(sigma: float) -> Floats:
    x = np.arange(-int(3 * sigma), int(3 * sigma) + 1)
    bell = np.exp(-0.5 * (x / sigma) ** 2)
    return np.asarray(bell / bell.sum())


def follow(runs: Runs, levels: list[float], px: float) -> list[Trace]:
    """The trace of every row."""
    columns = len(runs.start) - 1
    chosen = _chains(runs, np.array(levels), px)
    thick = _thickness(runs, px)
    used = np.bincount(chosen[chosen >= 0], minlength=len(runs.top)) > 1
    return [Trace(*_heights(runs, chain, used, thick, columns), level) for chain, level in zip(chosen, levels, strict=True)]


def _thickness(runs: Runs, px: float) -> float:
    tall = runs.bottom - runs.top
    short = tall[tall < 1.2 * px]
    return float(np.median(short)) if len(short) else 0.4 * px


def _chains(runs: Runs, levels: Floats, px: float) -> NDArray[np.int64]:
    """Run of each row and column ``[row, column]``, -1 where the trace is missing."""
    rows, columns = len(levels), len(runs.start) - 1
    others = np.where(np.eye(rows, dtype=bool), np.inf, levels[None, :])
    step = 1.0 / px  # mm in a column
    # The states before: real runs and held ones, by row: top, bottom, middle, cost, number.
    top, bottom, middle = (np.repeat(levels[:, None], 1, axis=1) for _ in range(3))
    cost = np.zeros((rows, 1))
    back: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for column in range(columns):
        a, b = runs.start[column], runs.start[column + 1]
        n = b - a
        t, m, d = runs.top[a:b], runs.middle[a:b], runs.bottom[a:b]
        keep = np.argsort(cost, axis=1)[:, :_HELD]
        held_cost = np.take_along_axis(cost, keep, axis=1) + _MISSING * step
        parts = [np.take_along_axis(value, keep, axis=1) for value in (top, bottom, middle)]
        if n:
            white = np.maximum(np.maximum(t - bottom[:, :, None], top[:, :, None] - d), 0.0) / px
            moved = cost[:, :, None] + _JUMP * white + _LEAP * (white > 0.3) \
                + _CLIMB * np.abs(m - middle[:, :, None]) / px
            source = moved.argmin(axis=1)
            far = np.maximum(np.maximum(t - levels[:, None], levels[:, None] - d), 0.0) / px
            near_other = (np.abs(m[None, :, None] - others[:, None, :]) < 2.0 * px).any(axis=2) & (far > 2.0)
            here = np.take_along_axis(moved, source[:, None, :], axis=1)[:, 0] \
                + step * (_AWAY * np.maximum(far - FREE_MM, 0.0) + _OTHERS * near_other)
            real = [np.broadcast_to(value, (rows, n)) for value in (t, d, m)]
            top, bottom, middle = (np.concatenate([r, h], axis=1) for r, h in zip(real, parts, strict=True))
            cost = np.concatenate([here, held_cost], axis=1)
            back.append((np.concatenate([source, keep], axis=1), np.concatenate([np.broadcast_to(np.arange(a, b), (rows, n)),
                                                                                np.full(keep.shape, -1)], axis=1)))
        else:
            top, bottom, middle = parts
            cost = held_cost
            back.append((keep, np.full(keep.shape, -1)))
        cost = cost - cost.min(axis=1, keepdims=True)
    out = np.full((rows, columns), -1, np.int64)
    state = cost.argmin(axis=1)
    every = np.arange(rows)
    for column in range(columns - 1, -1, -1):
        source, number = back[column]
        out[:, column] = number[every, state]
        state = source[every, state]
    return out


def _heights(runs: Runs, chain: NDArray[np.int64], used: NDArray[np.bool_], thick: float, columns: int,
             ) -> tuple[Floats, NDArray[np.bool_]]:
    """Height of the trace in every column and where it was guessed.

    A run spans what the line does within its column, and half a line's thickness at both ends. Where the line passes
    through, its middle is the height; where it turns (run sticks out beyond both neighbours) its end is.
    """
    there = chain >= 0
    top, bottom, middle = (np.full(columns, np.nan) for _ in range(3))
    top[there], bottom[there], middle[there] = runs.top[chain[there]], runs.bottom[chain[there]], runs.middle[chain[there]]
    half = thick / 2
    tall = bottom - top > 1.6 * thick
    high, low = top + half, bottom - half
    y = np.where(tall, (high + low) / 2, middle)
    shared = np.zeros(columns, bool)
    shared[there] = used[chain[there]]

    def beside(value: Floats, step: int) -> Floats:
        out = np.full(columns, np.nan)
        if step > 0:
            out[:-1] = value[1:]
        else:
            out[1:] = value[:-1]
        return out

    with np.errstate(invalid="ignore"):
        peak = tall & (top <= beside(top, 1) + 0.25) & (top <= beside(top, -1) + 0.25)
        dip = tall & (bottom >= beside(bottom, 1) - 0.25) & (bottom >= beside(bottom, -1) - 0.25)
    y[peak & ~dip] = high[peak & ~dip]
    y[dip & ~peak] = low[dip & ~peak]
    both = peak & dip
    if both.any():
        around = np.nanmedian(y) if np.isfinite(y).any() else 0.0
        y[both] = np.where(around - high[both] > low[both] - around, high[both], low[both])
    # A run that two rows have in common is as tall as both: within it the line goes straight from one side to the other.
    guessed = shared & tall
    known = np.isfinite(y) & ~guessed
    if guessed.any() and known.any():
        at = np.arange(columns)
        y[guessed] = np.clip(np.interp(at[guessed], at[known], y[known]), high[guessed], low[guessed])
    return y, guessed
