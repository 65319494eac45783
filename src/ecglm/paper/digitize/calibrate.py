"""Calibration pulses and where a row's trace begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.paper.digitize.runs import Floats
from ecglm.paper.digitize.trace import Trace

#: Heights (mm) of a 1 mV pulse by gain, and how far a measured one may be off.
GAINS, GAIN_OFF = (5.0, 10.0, 20.0), 0.12
#: A pulse lasts 200 ms: speeds (mm/s) that its width tells apart, and how far (share) it may be off.
SPEEDS, WIDTH_OFF = (25.0, 50.0), 0.25
PULSE_S = 0.2
#: A pulse is looked for within so many mm of a row's ends.
_NEAR_END = 24.0


@dataclass(frozen=True)
class Pulse:
    """A rectangular pulse: first and last column of its top, its height in mm, and the level it stands on (pixels)."""

    first: int
    last: int
    height_mm: float
    base: float


@dataclass(frozen=True)
class Span:
    """A row's trace without its pulses: first and last column, and the pulses that were cut off."""

    first: float
    last: float
    pulses: tuple[Pulse, ...]


def span_of(trace: Trace, px: float) -> Span | None:
    """Where the trace lies along its row; None when there is too little of it."""
    dark = trace.dark & np.isfinite(trace.y)
    share = np.convolve(dark, np.ones(round(6 * px)) / round(6 * px), mode="same")
    dense = np.flatnonzero((share > 0.5) & dark)
    if len(dense) < 20 * px:
        return None
    first, last = int(dense[0]), int(dense[-1])
    pen = float(np.nanpercentile((trace.bottom - trace.top)[dense], 4)) / 2  # dark ink begins half of that before the trace
    pulses = _pulses(trace.y, first, last, px)
    middle = (first + last) / 2
    for pulse in pulses:
        if pulse.last < middle:
            first = max(first, _after(dark, pulse.last, px))
        else:
            last = min(last, len(dark) - 1 - _after(dark[::-1], len(dark) - 1 - pulse.first, px))
    return Span(first + pen / 2, last - pen / 2, tuple(pulses)) if last - first > 20 * px else None


def _after(dark: NDArray[np.bool_], pulse_end: int, px: float) -> int:
    """Where the trace goes on after a pulse: after the white gap that follows its foot, or at once where there is none."""
    reach = dark[pulse_end: pulse_end + round(9 * px)]
    white = ~reach
    length = 0
    for at, empty in enumerate(white):
        length = length + 1 if empty else 0
        if length >= 0.8 * px and at + 1 < len(white) and not white[at + 1]:
            return int(pulse_end + at + 1)
    return int(pulse_end + round(0.6 * px))


def _pulses(y: Floats, first: int, last: int, px: float) -> list[Pulse]:
    """Pulses near the ends: a flat top with steep flanks on both sides (or the edge of the page on one)."""
    out = []
    for low, high in ((first, first + round(_NEAR_END * px)), (last - round(_NEAR_END * px), last)):
        low, high = max(first, low), min(last, high)
        found = _flat_top(y, low, high, first, last, px)
        if found is not None:
            out.append(found)
    return out


def _flat_top(y: Floats, low: int, high: int, first: int, last: int, px: float) -> Pulse | None:
    best: Pulse | None = None
    height = y[low:high + 1]
    # Plateaus: stretches of at least 1.5 mm that do not move by more than a third of a mm.
    steady = np.isfinite(height)
    steady[1:] &= np.abs(np.diff(height)) < 0.25 * px
    starts = np.flatnonzero(np.diff(np.concatenate([[0], steady.astype(int), [0]])) == 1)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], steady.astype(int), [0]])) == -1)
    for a, b in zip(starts, ends, strict=True):
        if not 1.2 * px <= b - a <= 12.0 * px or np.ptp(height[a:b]) > 0.6 * px:
            continue
        plateau = float(np.median(height[a:b]))
        sides = []
        for side, at_edge in (((low + a - round(2.2 * px), low + a - round(0.3 * px)), low + a - first < 1.5 * px),
                              ((low + b + round(0.3 * px), low + b + round(2.2 * px)), last - low - b < 1.5 * px)):
            beside = y[max(0, side[0]):max(0, side[1])]
            beside = beside[np.isfinite(beside)]
            if len(beside) >= 0.4 * px:
                sides.append((float(np.median(beside)) - plateau) / px)
            elif not at_edge:
                sides.append(0.0)
        rise = [side for side in sides if side > 3.5]
        if not sides or len(rise) < len(sides) or np.ptp(rise) > 1.5:
            continue
        tall = float(np.mean(rise))
        if min(abs(tall / gain - 1) for gain in GAINS) < GAIN_OFF and (best is None or abs(tall - 10) < abs(best.height_mm - 10)):
            best = Pulse(low + int(a), low + int(b), tall, plateau + tall * px)
    return best


def gain_of(pulses: list[Pulse]) -> float | None:
    """mm/mV that the pulses show, None without pulses or when they disagree."""
    gains = [min(GAINS, key=lambda gain: abs(pulse.height_mm / gain - 1)) for pulse in pulses]
    return gains[0] if gains and gains.count(gains[0]) > 0.7 * len(gains) else None


def speed_of(pulses: list[Pulse], px: float) -> float | None:
    """mm/s at which the pulses last 200 ms, None without pulses, when they disagree, or when they are of another width."""
    speeds = [speed for pulse in pulses for speed in SPEEDS
              if abs((pulse.last - pulse.first) / px / (PULSE_S * speed) - 1) < WIDTH_OFF]
    return max(speeds, key=speeds.count) if speeds and speeds.count(max(speeds, key=speeds.count)) > 0.7 * len(pulses) else None
