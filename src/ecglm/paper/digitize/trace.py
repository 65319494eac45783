"""Traces from ink: one line per row of the page, followed from left to right.

A trace has one height at each moment. In every pixel column the ink falls into runs; a row's trace is the chain of runs
of least cost (dynamic programming): touching runs cost nothing, white between them, missing ink and distance from the
row's level do. A chain goes up and down a QRS complex because nothing else has ink there, and straight through the trace
of another row because leaving is dearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.paper.digitize.pen import line_of
from ecglm.paper.digitize.runs import INK, Floats, Runs

#: Costs: a mm of white jumped over, and any jump; a mm up or down along ink; a mm of missing trace; for a mm of trace,
#: each mm that it is further than FREE_MM from the row's level; a mm of trace at another row's level; a mm without ink as dark as
#: a trace's.
_JUMP, _LEAP, _CLIMB, _MISSING, _AWAY, _OTHERS, _PALE = 1.2, 0.6, 0.02, 3.5, 0.09, 2.0, 2.0
FREE_MM = 4.0
#: States kept for a trace that is missing for a while.
_HELD = 6


@dataclass(frozen=True)
class Trace:
    """One row's line, by pixel column: height y in pixels (NaN: no ink), the extent of its ink (top, bottom), whether
    the height had to be guessed where it meets another row's line, how far (pixels) the ink of a pen on the line is from the ink
    that is there, and whether there is ink as dark as a trace's. level: the row's level, pixels."""

    y: Floats
    top: Floats
    bottom: Floats
    shared: NDArray[np.bool_]
    off: Floats
    dark: NDArray[np.bool_]
    level: float


def follow(runs: Runs, levels: list[float], px: float) -> list[Trace]:
    """The trace of every row."""
    chosen = _chains(runs, np.array(levels), px)
    for _ in range(4):
        missed = _missed(runs, chosen, px)
        if missed is None:
            break
        levels = sorted([*levels, missed])
        chosen = _chains(runs, np.array(levels), px)
    thick = _thickness(runs, chosen, px)
    used = np.bincount(chosen[chosen >= 0], minlength=len(runs.top)) > 1
    return [Trace(*_heights(runs, chain, used, thick, px), _dark(runs, chain), level)
            for chain, level in zip(chosen, levels, strict=True)]


def _missed(runs: Runs, chosen: NDArray[np.int64], px: float) -> float | None:
    """The level of a trace that wanders too much to show up among `levels_of`: dark runs of no trace, in nearly as many columns
    as the traces have, within a band; None when there is none."""
    free = (runs.darkest > INK) & (runs.bottom - runs.top < 2.0 * px)
    free[chosen[chosen >= 0]] = False
    numbers = np.flatnonzero(free)
    if not len(numbers) or not len(chosen):
        return None
    column = np.searchsorted(runs.start, numbers, side="right") - 1
    middle = runs.middle[numbers]
    usual = float(np.median((chosen >= 0).sum(axis=1)))
    best, found = 0.0, None
    for centre in np.arange(middle.min(), middle.max() + 1, 3.0 * px):
        inside = np.abs(middle - centre) < 7.0 * px
        share = len(np.unique(column[inside])) / max(usual, 1.0)
        if share > best:
            best, found = share, float(np.median(middle[inside]))
    return found if best > 0.72 else None


def _dark(runs: Runs, chain: NDArray[np.int64]) -> NDArray[np.bool_]:
    dark: NDArray[np.bool_] = (chain >= 0) & (np.append(runs.darkest, 0.0)[chain] > INK)
    return dark


def _thickness(runs: Runs, chosen: NDArray[np.int64], px: float) -> float:
    """Thickness of the lines, pixels: the height of runs of which hardly any is lower."""
    tall = (runs.bottom - runs.top)[chosen[chosen >= 0]]
    short = tall[tall < 1.2 * px]
    return float(np.percentile(short, 4)) if len(short) else 0.4 * px  # noise makes most runs taller than the pen


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
        pale = _PALE * np.clip(1.5 - runs.darkest[a:b] / INK, 0.0, 1.0)
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
                + step * (_AWAY * np.maximum(far - FREE_MM, 0.0) + _OTHERS * near_other + pale)
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


def _heights(runs: Runs, chain: NDArray[np.int64], used: NDArray[np.bool_], thick: float, px: float,
             ) -> tuple[Floats, Floats, Floats, NDArray[np.bool_], Floats]:
    """Height of the trace in every column, the extent of its ink, where the height was guessed, and how far off its ink is."""
    columns = len(chain)
    there = chain >= 0
    top, bottom = np.full(columns, np.nan), np.full(columns, np.nan)
    top[there], bottom[there] = runs.top[chain[there]], runs.bottom[chain[there]]
    fine = there & (bottom - top < 1.3 * thick)
    pen = thick / 2
    y, off = line_of(top, bottom, np.where(fine, np.append(runs.middle, np.nan)[chain], np.nan), there & used[chain], pen, px)
    # A run that two rows have in common is as tall as both: within it the line goes straight from one side to the other.
    shared = np.zeros(columns, bool)
    shared[there] = used[chain[there]]
    guessed = shared & (np.nan_to_num(bottom - top) > 1.6 * thick)
    known, at = there & ~guessed, np.arange(columns)
    if guessed.any() and known.any():
        y[guessed] = np.clip(np.interp(at[guessed], at[known], y[known]), (top + pen)[guessed], (bottom - pen)[guessed])
    return y, top, bottom, guessed, off
