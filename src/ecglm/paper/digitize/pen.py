"""The line that a round pen drew, from the upper and lower edge of its ink.

Rolling the pen along the upper edge gives the line back except in narrow dips, along the lower edge except on narrow peaks.
That is off by a part of a column where strokes are steep, so the line is then moved until a pen on it leaves the edges that were
seen; and the tip of a peak or dip is where its ink ends, half a pen inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
#: Edges further off than this (mm) count no more.
_OFF_MM = 2.0


def line_of(top: Floats, bottom: Floats, middle: Floats, foreign: NDArray[np.bool_], pen: float, px: float,
            ) -> tuple[Floats, Floats]:
    """Height of the line in every column ``[x]``, pixels, and how far the ink of a pen on it is from the ink that is there, root
    mean square of both edges, NaN where there is none. top, bottom: edges of its ink, NaN where there is none; middle:
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
    own = np.isfinite(y) & ~foreign
    if not own.any():
        return y, np.full(len(y), np.nan)
    on_paper = _Pen.of(pen, stroke)
    y = np.where(own, _fitted(_bridged(y, own), top, bottom, own, on_paper, px), y)
    y = _tipped(y, top, bottom, pen, px)
    off = [np.clip(sign * edge - reached, -_OFF_MM * px, _OFF_MM * px)
           for sign, edge, reached, _ in on_paper.edges(_bridged(y, own), top, bottom)]
    return y, np.where(own, np.sqrt((off[0] ** 2 + off[1] ** 2) / 2), np.nan)


@dataclass(frozen=True)
class _Pen:
    """A pen laid along a line in parts of a column, ``[step, x]``: columns on both sides and the share of the right one,
    whether that is another stroke, and how far the pen reaches beyond the line there, ``[step, 1]``."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    share: Floats
    beyond: NDArray[np.bool_]
    rim: Floats

    @staticmethod
    def of(pen: float, stroke: Floats) -> _Pen:
        reach = int(pen / _STEP)
        along = np.arange(-reach, reach + 1)[:, None] * _STEP
        last = len(stroke) - 1
        left = np.clip(np.floor(np.arange(last + 1) + along).astype(int), 0, last)
        right = np.minimum(left + 1, last)
        share = np.broadcast_to(along % 1.0, left.shape)
        beyond = (stroke[left] != stroke) | ((share > 0) & (stroke[right] != stroke))
        return _Pen(left, right, share, beyond, np.sqrt(np.maximum(pen ** 2 - along ** 2, 0.0)))

    def edges(self, line: Floats, top: Floats, bottom: Floats) -> Iterator[tuple[float, Floats, Floats, NDArray[np.int64]]]:
        """For the upper edge and the lower one: its sign, what was seen, sign times where the pen reaches, and at which step."""
        laid = line[self.left] * (1 - self.share) + line[self.right] * self.share
        for sign, edge in ((1.0, top), (-1.0, bottom)):
            reached = np.where(self.beyond, np.inf, sign * laid - self.rim)
            best = reached.argmin(axis=0)
            yield sign, edge, reached[best, np.arange(len(line))], best


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
    upper, lower, middle = (_bridged(value, known) for value in (upper, lower, middle))
    resting = _level(middle, px)
    around = 2 * max(1, round(1.5 * pen)) + 1
    peak = np.maximum(uniform_filter1d(upper, around, mode="nearest") - upper, 0.0)
    dip = np.maximum(lower - uniform_filter1d(lower, around, mode="nearest"), 0.0)
    up, down = np.maximum(resting - upper, 0.0), np.maximum(lower - resting, 0.0)
    up, down = peak + 0.5 * np.maximum(up - 2 * down, 0.0) + 0.05 * pen, dip + 0.5 * np.maximum(down - 2 * up, 0.0) + 0.05 * pen
    y: Floats = (upper * up + lower * down) / (up + down)
    y[~known] = np.nan
    return y


def _fitted(line: Floats, top: Floats, bottom: Floats, own: NDArray[np.bool_], pen: _Pen, px: float) -> Floats:
    """The line moved until the edges of the ink that a pen on it leaves are those that were seen: each column's edge comes from
    the one place of the line nearby where the pen reaches furthest, and that place is moved by what the edge is off."""
    at, most = np.arange(len(line)), _MOST_MM * px
    for _ in range(_ROUNDS):
        push, weight = np.zeros(len(line)), np.zeros(len(line))
        for sign, edge, reached, best in pen.edges(line, top, bottom):
            off = np.where(own, np.clip(sign * edge - reached, -most, most), 0.0)
            share = pen.share[best, at]
            for place, part in ((pen.left[best, at], 1 - share), (pen.right[best, at], share)):
                push += np.bincount(place, sign * off * part, len(line))
                weight += np.bincount(place, part * own, len(line))
        line = line + _SHARE * push / np.maximum(weight, 1.0)
    return line


def _tipped(y: Floats, top: Floats, bottom: Floats, pen: float, px: float) -> Floats:
    """The line with its peaks and dips as high as their ink says: edges on both sides of a narrow one pull its tip in."""
    known = np.isfinite(y)
    whole = _bridged(y, known)
    level = _level(whole, px)
    out = y.copy()
    for sign, tip in ((-1.0, top + pen), (1.0, bottom - pen)):
        far = sign * (whole - level)
        turns = known & (sign * whole >= maximum_filter1d(sign * whole, 2 * int(pen) + 3)) & (far > _TIP_MM * px)
        missing = np.minimum(sign * (tip - y), _TIP_SHARE * far)
        turns &= missing > 0
        out[turns] += sign * missing[turns]
    return out


def _bridged(value: Floats, known: NDArray[np.bool_]) -> Floats:
    """The value with straight lines over what is not known of it."""
    at = np.arange(len(value))
    return np.interp(at, at[known], value[known])


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
