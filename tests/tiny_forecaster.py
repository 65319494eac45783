"""Series of beats with known numbers, and a forecaster with random weights and the interface of the one that ships."""

from __future__ import annotations

import numpy as np

from ecglm.models.forecast.calibration import GRID, Calibration
from ecglm.models.forecast.course import names
from ecglm.models.forecast.forecaster import Forecaster
from ecglm.models.forecast.network import Network
from ecglm.signal.holter import BeatSeries


def series(rr_s: np.ndarray, kinds: str | None = None, p_ms: np.ndarray | float = 110.0) -> BeatSeries:
    """Beats with these intervals that end at 0."""
    times = np.cumsum(rr_s)
    times -= times[-1] + 0.01
    n = len(times)
    return BeatSeries(float(times[0]) - 0.01, 0.0, times, np.array(list(kinds or "N" * n)), np.full(n, 0.9),
                      np.broadcast_to(p_ms, n).astype(float), np.full(n, 160.0), np.empty((0, 2)), np.empty((0, 2)))


def made(seed: int = 0) -> Forecaster:
    rng = np.random.default_rng(seed)
    count = len(names())
    network = Network(np.zeros(count, np.float32), np.ones(count, np.float32),
                      (rng.normal(0, 0.3, (2, count, 4)).astype(np.float32), rng.normal(0, 0.3, (2, 4, 4)).astype(np.float32)),
                      (np.zeros((2, 4), np.float32), np.zeros((2, 4), np.float32)),
                      np.array([[0.1, 0.6, 0.3], [0.1, 0.3, 0.6], [0.1, 0.5, 0.4], [0.8, 0.1, 0.1]], np.float32))
    bounds = np.sort(rng.random((2, 1, 2, len(GRID))), axis=2).astype(np.float32)
    every = {e: bounds.copy() for e in ("af", "aflutter", "any")}
    return Forecaster("tiny 1", network, Calibration((10.0, 600.0), (60.0,), every,
                                                     np.full((2, 1), 0.2, np.float32), (0.5, 0.25, 0.25)))
