"""What a distortion is: a name, a stage, ranges of its values, and a function that does it to a canvas."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ecglm.paper.distort.canvas import Canvas

Values = Mapping[str, float]
Act = Callable[["Canvas", Values, np.random.Generator], None]


class Stage(IntEnum):
    """What happens to a page, in the order in which it happens to paper."""

    INK = 0     # while it is printed: grid and trace
    MARK = 1    # written and stamped on
    PAPER = 2   # ages, is folded and spilt on
    SHAPE = 3   # lies in front of the camera
    LIGHT = 4   # is lit
    SENSOR = 5  # is taken and stored


@dataclass(frozen=True)
class Range:
    """From the mildest to the most severe value; a value that has no severity (a hue, a place) is free: always drawn from all of
    it. either: the sign is drawn too. whole: rounded."""

    mild: float
    severe: float
    unit: str = ""
    whole: bool = False
    either: bool = False
    free: bool = False

    def draw(self, rng: np.random.Generator, share: tuple[float, float]) -> float:
        """A value; share: the part of the range it may come from, 0 the mild end, 1 the severe one."""
        low, high = (0.0, 1.0) if self.free else share
        value = self.mild + (low + (high - low) * rng.random()) * (self.severe - self.mild)
        sign = rng.choice((-1.0, 1.0))
        value *= sign if self.either else 1.0
        return float(round(value)) if self.whole else round(float(value), 6)


@dataclass(frozen=True)
class Distortion:
    """One thing that happens to pages. ranges: what is drawn for it, by name."""

    name: str
    stage: Stage
    what: str
    ranges: Mapping[str, Range]
    act: Act

    def draw(self, seed: tuple[int, ...], share: tuple[float, float]) -> tuple[dict[str, float], int]:
        """Its values and the seed of its texture: they depend on the seed and the name alone."""
        rng = generator(seed, self.name)
        values = {name: values.draw(rng, share) for name, values in self.ranges.items()}
        return values, int(rng.integers(2**31))


#: By name, in the order in which they happen within their stages.
DISTORTIONS: dict[str, Distortion] = {}


def distortion(stage: Stage, what: str, **ranges: Range) -> Callable[[Act], Act]:
    """Register a function as the distortion of its name."""
    def register(act: Act) -> Act:
        name = getattr(act, "__name__", "").strip("_")
        DISTORTIONS[name] = Distortion(name, stage, what, ranges, act)
        return act

    return register


def generator(seed: tuple[int, ...], name: str) -> np.random.Generator:
    """A generator of its own for each name, so that adding a distortion changes no other."""
    return np.random.default_rng([*seed, zlib.crc32(name.encode())])
