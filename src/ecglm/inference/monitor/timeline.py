"""The picture of a watch: probability, alarms, rhythm and quality over the time of day."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.inference.monitor.alarms import Levels
from ecglm.inference.monitor.summary import Marked
from ecglm.inference.monitor.watch import Step
from ecglm.paper.page import save_image
from ecglm.paper.raster import text_size, write

Image = NDArray[np.uint8]

#: Columns that are kept: a longer watch has several steps in each.
MOST = 4096
WIDTH, LEFT, RIGHT = 1400, 130, 30
#: Top and height (pixels) of each band.
BANDS = {"probability": (60, 220), "alarm": (300, 22), "rhythm": (340, 40), "marked": (386, 14), "quality": (420, 60),
         "rate": (500, 90)}
HEIGHT = 650
#: RGB; rhythms are told apart by lightness too.
INK, GREY, LIGHT, READ = (40, 40, 40), (120, 120, 120), (232, 232, 232), (150, 180, 200)
COLOURS = {"sinus": (176, 222, 203), "af": (214, 74, 74), "aflutter": (240, 160, 60), None: (215, 215, 215)}
LINE, SPREAD, ALARM = (20, 90, 150), (195, 218, 238), (230, 60, 60)
#: Distances between marks of the clock (s): the first that gives at most so many.
TICKS_S, MOST_TICKS = (60, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400), 14
NAMES = {"sinus": "no AF", "af": "AF", "aflutter": "flutter", None: "not readable"}


@dataclass
class _Column:
    begin_s: float
    stop_s: float
    rhythm: str | None
    quality: float
    rate: float
    probability: float
    low: float
    high: float
    alarm: bool
    raised: bool


@dataclass
class Timeline:
    """Collects steps: at most MOST columns, of which two in a row become one when there are more."""

    first_clock_s: float | None = None  #: time of day at the beginning (s), None: time from the beginning
    _columns: list[_Column] = field(default_factory=list)
    _last_s: float = 0.0

    def add(self, step: Step) -> None:
        """One more step."""
        nan = float("nan")
        low, high = step.interval or (nan, nan)
        rate, probability = (nan if value is None else value for value in (step.rate_bpm, step.probability))
        self._columns.append(_Column(self._last_s, step.at_s, step.rhythm, step.quality, rate, probability, low, high, step.alarm,
                                     "raised" in step.events))
        self._last_s = step.at_s
        if len(self._columns) > MOST:
            self._columns = [_both(a, b) for a, b in zip(self._columns[::2], self._columns[1::2], strict=False)] \
                + self._columns[len(self._columns) // 2 * 2:]

    def save(self, path: str | os.PathLike[str], levels: Levels, horizon_s: float, title: str, marks: Marked | None = None,
             ) -> None:
        """Write the picture; the file appears whole or not at all. Raises UsageError for other names than .png."""
        save_image(self.drawn(levels, horizon_s, title, marks), path)

    def drawn(self, levels: Levels, horizon_s: float, title: str, marks: Marked | None = None) -> Image:
        """The picture uint8 ``[height, width, 3]``, RGB."""
        image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        total = max(self._last_s, 1.0)
        scale = _Scale(total)
        write(image, title, LEFT, 34, 15, INK)
        _clock_axis(image, scale, self.first_clock_s)
        self._probability(image, scale, levels, horizon_s)
        for name in ("alarm", "rhythm", "marked", "quality", "rate"):
            top, height = BANDS[name]
            if name != "marked" or marks is not None:
                write(image, name, 16, top + height / 2 + 5, 10, GREY)
        self._bands(image, scale, marks)
        self._quality(image, scale)
        self._rate(image, scale)
        _legend(image)
        return image

    def _probability(self, image: Image, scale: _Scale, levels: Levels, horizon_s: float) -> None:
        top, height = BANDS["probability"]
        write(image, "probability of", 16, top + height / 2 - 14, 10, GREY)
        write(image, f"onset in {horizon_s / 60:g} min", 16, top + height / 2 + 6, 10, GREY)

        def y(value: float) -> int:
            return round(top + height * (1 - value))

        for one in self._columns:
            if one.low == one.low:
                cv2.rectangle(image, (scale.x(one.begin_s), y(one.high)), (scale.x(one.stop_s), y(one.low)), SPREAD, -1)
        for value in (0.0, 0.25, 0.5, 0.75, 1.0):
            cv2.line(image, (LEFT, y(value)), (WIDTH - RIGHT, y(value)), LIGHT if 0 < value < 1 else GREY, 1)
            write(image, f"{100 * value:.0f} %", LEFT - 44, y(value) + 4, 9, GREY)
        for value in (levels.on, levels.off):
            for x in range(LEFT, WIDTH - RIGHT, 12):
                cv2.line(image, (x, y(value)), (min(x + 5, WIDTH - RIGHT), y(value)), ALARM if value == levels.on else GREY, 1)
        if not any(one.probability == one.probability for one in self._columns):
            write(image, "nothing was forecast", (LEFT + WIDTH - RIGHT) / 2 - 70, top + height / 2, 11, GREY)
        for a, b in pairwise(self._columns):
            if a.probability == a.probability and b.probability == b.probability:
                first, last = ((scale.x(one.stop_s), y(one.probability)) for one in (a, b))
                cv2.line(image, first, last, LINE, 2, cv2.LINE_AA)

    def _bands(self, image: Image, scale: _Scale, marks: Marked | None) -> None:
        for one in self._columns:
            x0, x1 = scale.x(one.begin_s), scale.x(one.stop_s)
            top, height = BANDS["rhythm"]
            cv2.rectangle(image, (x0, top), (x1, top + height), COLOURS[one.rhythm], -1)
            top, height = BANDS["alarm"]
            if one.alarm:
                cv2.rectangle(image, (x0, top), (x1, top + height), ALARM, -1)
            if one.raised:
                cv2.line(image, (x1, top - 6), (x1, top + height + 6), INK, 2)
        for name in ("alarm", "rhythm"):
            top, height = BANDS[name]
            cv2.rectangle(image, (LEFT, top), (WIDTH - RIGHT, top + height), GREY, 1)
        if marks is not None:
            top, height = BANDS["marked"]
            cv2.rectangle(image, (LEFT, top), (WIDTH - RIGHT, top + height), GREY, 1)
            for begin, stop in marks.spans:
                cv2.rectangle(image, (scale.x(begin), top), (max(scale.x(begin) + 1, scale.x(stop)), top + height), INK, -1)

    def _quality(self, image: Image, scale: _Scale) -> None:
        top, height = BANDS["quality"]
        for one in self._columns:
            level = round(top + height * (1 - min(1.0, max(0.0, one.quality))))
            cv2.rectangle(image, (scale.x(one.begin_s), level), (scale.x(one.stop_s), top + height), READ, -1)
        cv2.rectangle(image, (LEFT, top), (WIDTH - RIGHT, top + height), GREY, 1)
        for value in (0, 1):
            write(image, str(value), LEFT - 16, top + height * (1 - value) + 4, 9, GREY)

    def _rate(self, image: Image, scale: _Scale) -> None:
        top, height = BANDS["rate"]
        known = [one.rate for one in self._columns if one.rate == one.rate]
        low, high = (40.0, 120.0) if not known else (min(40.0, min(known)), max(120.0, max(known)))
        cv2.rectangle(image, (LEFT, top), (WIDTH - RIGHT, top + height), GREY, 1)
        for value in (low, high):
            write(image, f"{value:.0f}", LEFT - 36, top + height * (high - value) / (high - low) + 4, 9, GREY)
        for a, b in pairwise(self._columns):
            if a.rate == a.rate and b.rate == b.rate:
                first, last = ((scale.x(one.stop_s), round(top + height * (high - one.rate) / (high - low))) for one in (a, b))
                cv2.line(image, first, last, INK, 1, cv2.LINE_AA)


@dataclass(frozen=True)
class _Scale:
    total_s: float

    def x(self, at_s: float) -> int:
        """Pixel of a time."""
        return round(LEFT + (WIDTH - RIGHT - LEFT) * min(1.0, at_s / self.total_s))


def _both(a: _Column, b: _Column) -> _Column:
    """Two columns as one: what is rarer wins."""
    worse = max(a, b, key=lambda one: (one.rhythm in ("af", "aflutter"), one.rhythm is None))
    likelier = b if not a.probability >= b.probability else a
    return _Column(a.begin_s, b.stop_s, worse.rhythm, min(a.quality, b.quality), b.rate, likelier.probability, likelier.low,
                   likelier.high, a.alarm or b.alarm, a.raised or b.raised)


def _clock_axis(image: Image, scale: _Scale, first_s: float | None) -> None:
    """Marks at round times, of day where it is known."""
    begin = first_s or 0.0
    step = next((s for s in TICKS_S if scale.total_s / s <= MOST_TICKS), TICKS_S[-1])
    at = np.ceil(begin / step) * step
    bottom = BANDS["rate"][0] + BANDS["rate"][1]
    while at <= begin + scale.total_s:
        x = scale.x(at - begin)
        cv2.line(image, (x, BANDS["probability"][0]), (x, bottom), LIGHT, 1)
        hours = int(at // 3600) % 24 if first_s is not None else int(at // 3600)
        text = f"{hours:02d}:{int(at) // 60 % 60:02d}"
        write(image, text, x - text_size(text, 10)[1] / 2, bottom + 20, 10, INK)
        at += step


def _legend(image: Image) -> None:
    x = LEFT
    for name, colour in COLOURS.items():
        cv2.rectangle(image, (x, HEIGHT - 24), (x + 16, HEIGHT - 10), colour, -1)
        write(image, NAMES[name], x + 22, HEIGHT - 12, 10, INK)
        x += 130
