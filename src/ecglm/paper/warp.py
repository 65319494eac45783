"""Where a point of the clean page went: the geometry of a distorted page, both ways.

A `Warp` is a chain of steps, each with an analytic forward map from the clean page towards the picture. Points are float64
``[N, 2]`` pixels (x, y) with centres on whole numbers. Steps with a closed inverse use it; the others are inverted by
fixed-point iteration, which converges because their displacements change slowly across the page.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
#: The dense inverse map is computed about every 2 mm of paper and interpolated (0.16 pixels off at most, all at its severest).
_GRID_MM, _GRID_STEPS = 2.2, (16, 8, 4)


class Step(Protocol):
    """One part of a warp."""

    def forward(self, xy: Points) -> Points: ...
    def inverse(self, xy: Points) -> Points: ...
    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Projective:
    """Rotation, scale, shift, aspect ratio, perspective: a 3 x 3 matrix, row by row."""

    matrix: tuple[float, ...]

    @staticmethod
    def of(matrix: NDArray[np.float64]) -> Projective:
        return Projective(tuple(float(v) for v in np.asarray(matrix, np.float64).ravel()))

    @cached_property
    def _both(self) -> tuple[Points, Points]:
        m = np.array(self.matrix, np.float64).reshape(3, 3)
        return m, np.asarray(np.linalg.inv(m), np.float64)

    def forward(self, xy: Points) -> Points:
        return _projected(self._both[0], xy)

    def inverse(self, xy: Points) -> Points:
        return _projected(self._both[1], xy)

    def then(self, later: Projective) -> Projective:
        """Both in one."""
        return Projective.of(later._both[0] @ self._both[0])

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "projective", "matrix": list(self.matrix)}


class _Displacement(ABC):
    """What moves every point by a little that depends on where it is; `_shift` says by how much."""

    @abstractmethod
    def _shift(self, xy: Points) -> Points: ...

    def forward(self, xy: Points) -> Points:
        return xy + self._shift(xy)

    def inverse(self, xy: Points) -> Points:
        return _fixed_point(self._shift, xy)


@dataclass(frozen=True)
class Waves(_Displacement):
    """A smooth displacement: every wave moves points by (dx, dy) * sin(kx x + ky y + phase).

    waves: tuples (kx, ky, phase, dx, dy), in 1/pixel and pixels of the clean page.
    """

    waves: tuple[tuple[float, ...], ...]

    def _shift(self, xy: Points) -> Points:
        out = np.zeros_like(xy)
        for kx, ky, phase, dx, dy in self.waves:
            s = np.sin(kx * xy[:, 0] + ky * xy[:, 1] + phase)
            out[:, 0] += dx * s
            out[:, 1] += dy * s
        return out

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "waves", "waves": [list(wave) for wave in self.waves]}


@dataclass(frozen=True)
class Ridges(_Displacement):
    """Folds that do not lie flat: the parallax of a ridge along each line.

    ridges: tuples (nx, ny, offset, reach, dx, dy): points at a distance s from the line nx x + ny y = offset move by
    (dx, dy) * (1 - (s / reach)^2)^2 where |s| < reach (pixels).
    """

    ridges: tuple[tuple[float, ...], ...]

    def _shift(self, xy: Points) -> Points:
        out = np.zeros_like(xy)
        for nx, ny, offset, reach, dx, dy in self.ridges:
            s = (nx * xy[:, 0] + ny * xy[:, 1] - offset) / reach
            bump = np.square(np.clip(1.0 - s * s, 0.0, None))
            out[:, 0] += dx * bump
            out[:, 1] += dy * bump
        return out

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "ridges", "ridges": [list(ridge) for ridge in self.ridges]}


@dataclass(frozen=True, eq=False)
class Warp:
    """source: (width, height) of the clean page, px_per_mm its pitch. size: of the picture. steps: clean page to picture."""

    source: tuple[int, int]
    size: tuple[int, int]
    px_per_mm: float
    steps: tuple[Step, ...]

    def forward(self, xy: Points) -> Points:
        """Where points of the clean page lie in the picture, ``[N, 2]``."""
        xy = np.asarray(xy, np.float64)
        for step in self.steps:
            xy = step.forward(xy)
        return xy

    def inverse(self, xy: Points) -> Points:
        """Where points of the picture lie on the clean page, ``[N, 2]``."""
        xy = np.asarray(xy, np.float64)
        for step in reversed(self.steps):
            xy = step.inverse(xy)
        return xy

    def maps(self, shrink: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For every picture pixel its x and its y on the clean page, float32 ``[height, width]``: the maps of cv2.remap.

        shrink: the maps of picture and page both made so many times (1, 2 or 4) smaller.
        """
        coarse, step = self._coarse, self._step // shrink
        width, height = -(-self.size[0] // shrink), -(-self.size[1] // shrink)
        down, across = coarse.shape[:2]
        inside = np.s_[step:step + height, step:step + width]
        full = [cv2.resize((coarse[..., k] + 0.5) / shrink - 0.5, (across * step, down * step)) for k in (0, 1)]
        return full[0][inside], full[1][inside]

    @property
    def _step(self) -> int:
        return next((step for step in _GRID_STEPS if step <= _GRID_MM * self.px_per_mm), _GRID_STEPS[-1])

    @cached_property
    def _coarse(self) -> NDArray[np.float32]:
        """The inverse on every _step-th pixel, and one cell beyond each edge, so that it can be interpolated there too."""
        down, across = (-(-side // self._step) + 2 for side in (self.size[1], self.size[0]))
        x, y = ((np.arange(n) - 0.5) * self._step - 0.5 for n in (across, down))
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        return self.inverse(grid).reshape(down, across, 2).astype(np.float32)

    def scale(self, xy: Points) -> NDArray[np.float64]:
        """How many picture pixels one clean-page pixel covers at points of the clean page (mean over directions), ``[N]``."""
        xy = np.asarray(xy, np.float64)
        right, down = (self.forward(xy + d) - self.forward(xy - d) for d in (np.array([0.5, 0.0]), np.array([0.0, 0.5])))
        return np.asarray(np.sqrt(np.abs(right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0])))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the numbers survive exactly."""
        return {"source": list(self.source), "size": list(self.size), "px_per_mm": self.px_per_mm,
                "steps": [step.to_dict() for step in self.steps]}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Warp:
        """The inverse of `to_dict`."""
        steps = tuple(_step(step) for step in data["steps"])
        (w, h), (width, height) = data["source"], data["size"]
        return Warp((int(w), int(h)), (int(width), int(height)), float(data["px_per_mm"]), steps)


def joined(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same chain with neighbouring projective steps made one."""
    out: list[Step] = []
    for step in steps:
        if out and isinstance(step, Projective) and isinstance(out[-1], Projective):
            out[-1] = out[-1].then(step)
        else:
            out.append(step)
    return tuple(out)


def _step(data: Mapping[str, Any]) -> Step:
    if data["kind"] == "projective":
        return Projective(tuple(float(v) for v in data["matrix"]))
    if data["kind"] == "waves":
        return Waves(tuple(tuple(float(v) for v in wave) for wave in data["waves"]))
    if data["kind"] == "ridges":
        return Ridges(tuple(tuple(float(v) for v in ridge) for ridge in data["ridges"]))
    raise ValueError(f"no step of a warp: {data['kind']!r}")


def _projected(m: NDArray[np.float64], xy: Points) -> Points:
    with np.errstate(divide="ignore", invalid="ignore"):
        w = m[2, 0] * xy[:, 0] + m[2, 1] * xy[:, 1] + m[2, 2]
        return np.stack([(m[0, 0] * xy[:, 0] + m[0, 1] * xy[:, 1] + m[0, 2]) / w,
                         (m[1, 0] * xy[:, 0] + m[1, 1] * xy[:, 1] + m[1, 2]) / w], axis=1)


def _fixed_point(shift: Callable[[Points], Points], xy: Points) -> Points:
    """x with x + shift(x) = xy, to 1/500 pixel."""
    x = xy
    for _ in range(12):
        better = xy - shift(x)
        if float(np.max(np.abs(better - x), initial=0.0, where=np.isfinite(better - x))) < 2e-3:
            return better
        x = better
    return x
