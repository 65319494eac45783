"""The line that a round pen drew, from the upper and lower edge of its ink.

Rolling the pen along the upper edge gives the line back except in narrow dips, along the lower edge except on narrow peaks.
That is off by a part of a column where strokes are steep, so the line is then moved until a pen on it leaves the edges that were
seen; and the tip of a peak or dip is where its ink ends, half a pen inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d

from ecglm.paper.digitize.runs import Floats

#: White (mm) between the ink of two columns of one stroke.
_TOUCH_MM = 0.3
#: Moving the line to its edges: how often, by what share of what is missing, of at most so many mm. More rounds change nothing.
_ROUNDS, _SHARE, _MOST_MM = 8, 0.5, 1.0
#: Steps (columns) in which the pen is laid along the line.
_STEP = 0.5
#: A tip stands out this far (mm) from the level around it; it is not moved by more than this share of that.
_TIP_MM, _TIP_SHARE = 1.0, 0.35


def line_of(top: Floats, bottom: Floats, middle: Floats, foreign: NDArray[np.bool_], pen: float, px: float) -> Floats:
    """Height of the line in every column ``[x]``, pixels. top, bottom: edges of its ink, NaN where there is none; middle:
    centre of the ink where that is the line, NaN elsewhere; foreign: columns whose ink is also another row's; pen: half its
    thickness, pixels; px: pixels per mm."""
    there = np.isfinite(top)
    stroke = _strokes(top, bottom, px)
    upper, lower = np.full(len(top), -np.inf), np.full(len(top), np.inf)
    for shift in range(-int(pen), int(pen) + 1):
        rim = np.sqrt(pen ** 2 - shift ** 2)
        same = _shifted(stroke, shift) == stroke  # the pen is not rolled on to another lead
        upper = np.fmax(upper, np.where(same, _shifted(top, shift) + rim, np.nan))
        lower = np.fmin(lower, np.where(same, _shifted(bottom, shift) - rim, np.nan))
    upper[~there], lower[~there] = np.nan, np.nan
    y = _between(upper, lower, pen, px)
    y = np.where(np.isfinite(middle), middle, y)
    y = _fitted(y, top, bottom, stroke, foreign, pen, px)
    return _tipped(y, top, bottom, pen, px)


def _strokes(top: Floats, bottom: Floats, px: float) -> Floats:
    """A number for each column, the same as the one before it where the ink of both touches, or nearly does."""
    white = np.maximum(top[1:] - bottom[:-1], top[:-1] - bottom[1:])
    apart = ~(np.nan_to_num(white, nan=np.inf) <= _TOUCH_MM * px)
    return np.concatenate([[0.0], np.cumsum(apart)]).astype(float)


def _between(upper: Floats, lower: Floats, pen: float, px: float) -> Floats:
    """The line, from what the pen's way along both edges of the ink gives; they agree but for narrow peaks and dips.

    The upper one is right where it peaks or leaves the usual level much further than the lower one, and the other way
    round; where neither does (noise that fills a band) the middle is the best guess.
    """
    middle = (upper + lower) / 2
    known = np.isfinite(middle)
    if not known.any():
        return middle
    at = np.arange(len(middle))
    upper, lower, middle = (np.interp(at, at[known], value[known]) for value in (upper, lower, middle))
    resting = _level(middle, px)
    around = 2 * max(1, round(1.5 * pen)) + 1
    peak = np.maximum(uniform_filter1d(upper, around, mode="nearest") - upper, 0.0)
    dip = np.maximum(lower - uniform_filter1d(lower, around, mode="nearest"), 0.0)
    up, down = np.maximum(resting - upper, 0.0), np.maximum(lower - resting, 0.0)
    up, down = peak + 0.5 * np.maximum(up - 2 * down, 0.0) + 0.05 * pen, dip + 0.5 * np.maximum(down - 2 * up, 0.0) + 0.05 * pen
    y: Floats = (upper * up + lower * down) / (up + down)
    y[~known] = np.nan
    return y


def _fitted(y: Floats, top: Floats, bottom: Floats, stroke: Floats, foreign: NDArray[np.bool_], pen: float, px: float) -> Floats:
    """The line moved until the edges of the ink that a pen on it leaves are those that were seen: each column's edge comes from
    the one place of the line nearby where the pen reaches furthest, and that place is moved by what the edge is off."""
    known = np.isfinite(y) & ~foreign
    if not known.any():
        return y
    at = np.arange(len(y))
    line = np.interp(at, at[known], y[known])
    reach = int(pen / _STEP)
    along = np.arange(-reach, reach + 1)[:, None] * _STEP
    rim = np.sqrt(np.maximum(pen ** 2 - along ** 2, 0.0))
    left = np.clip(np.floor(at + along).astype(int), 0, len(y) - 1)
    right = np.minimum(left + 1, len(y) - 1)
    share = np.broadcast_to(along % 1.0, left.shape)
    beyond = (stroke[left] != stroke) | ((share > 0) & (stroke[right] != stroke))
    for _ in range(_ROUNDS):
        laid = line[left] * (1 - share) + line[right] * share
        push, weight = np.zeros(len(y)), np.zeros(len(y))
        for sign, edge in ((1.0, top), (-1.0, bottom)):
            reached = np.where(beyond, np.inf, sign * laid - rim)
            best = reached.argmin(axis=0)
            off = np.where(known, np.clip(sign * edge - reached[best, at], -_MOST_MM * px, _MOST_MM * px), 0.0)
            for place, part in ((left[best, at], 1 - share[best, at]), (right[best, at], share[best, at])):
                push += np.bincount(place, sign * off * part, len(y))
                weight += np.bincount(place, part * known, len(y))
        line = line + _SHARE * push / np.maximum(weight, 1.0)
    return np.where(known, line, y)


def _tipped(y: Floats, top: Floats, bottom: Floats, pen: float, px: float) -> Floats:
    """The line with its peaks and dips as high as their ink says: edges on both sides of a narrow one pull its tip in."""
    known = np.isfinite(y)
    if not known.any():
        return y
    at = np.arange(len(y))
    whole = np.interp(at, at[known], y[known])
    level = _level(whole, px)
    out = y.copy()
    for sign, tip in ((-1.0, top + pen), (1.0, bottom - pen)):
        far = sign * (whole - level)
        turns = known & (sign * whole >= maximum_filter1d(sign * whole, 2 * int(pen) + 3)) & (far > _TIP_MM * px)
        missing = np.minimum(sign * (tip - y), _TIP_SHARE * far)
        turns &= missing > 0
        out[turns] += sign * missing[turns]
    return out


def _level(line: Floats, px: float) -> Floats:
    """The level around each column, which no QRS complex moves."""
    level: Floats = median_filter(line, size=2 * round(2.5 * px) + 1, mode="nearest")
    return level


def _shifted(value: Floats, shift: int) -> Floats:
    """value[x + shift] at x, NaN beyond the ends."""
    out = np.full_like(value, np.nan)
    if shift >= 0:
        out[:len(value) - shift] = value[shift:]
    else:
        out[-shift:] = value[:shift]
    return out
