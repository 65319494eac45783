"""Activity without beats: f waves, flutter waves, ventricular fibrillation and torsade, as a heart vector over time."""

from __future__ import annotations

import math

import numpy as np

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.heart import Heart, lognormal
from ecglm.signal.simulate.kernels import Float32
from ecglm.signal.simulate.schedule import Schedule

Rng = np.random.Generator


def has_continuous(plan: Schedule) -> bool:
    """Whether there is anything here to draw."""
    return bool(plan.fibrillation or plan.flutter or plan.chaos)


def continuous_activity(heart: Heart, plan: Schedule, n: int, fs: float, rng: Rng) -> Float32:
    """Heart vector ``[3, time]`` (mV) of n samples from time 0 on."""
    out = np.zeros((3, n), np.float32)
    t = np.arange(n) / fs
    for span in plan.fibrillation:
        out += _within(t, span) * _f_waves(heart.fibrillation_mv, t, rng)
    for span in plan.flutter:
        out += _within(t, span) * _flutter_waves(plan.flutter_hz, t, rng)
    for span in plan.chaos:
        out += _within(t, span) * (_torsade if plan.twisting else _chaos)(t, rng)
    return out


def _within(t: FloatArray, span: tuple[float, float]) -> Float32:
    """1 within the span, with soft ends of 0.15 s."""
    edge = np.clip(np.minimum(t - span[0], span[1] - t) / 0.15, 0, 1)
    return np.asarray(edge, np.float32)


def _wandering(t: FloatArray, rng: Rng, sd: float, every_s: float = 0.35) -> Float32:
    """A slowly changing random value around 0 ``[time]`` with this standard deviation."""
    knots = np.arange(0, t[-1] + 3 * every_s, every_s)
    raw = rng.standard_normal(len(knots) + 2)
    smooth = (raw[:-2] + 2 * raw[1:-1] + raw[2:]) / np.sqrt(6)
    return np.asarray(np.interp(t, knots, sd * smooth), np.float32)


def _phase(t: FloatArray, hz: float, rng: Rng, spread: float) -> Float32:
    """Phase ``[time]`` between 0 and 2 pi of an oscillation whose frequency wanders; single precision, for fast sines."""
    step = t[1] - t[0] if len(t) > 1 else 0.0
    turns = rng.random() + np.cumsum(1 + _wandering(t, rng, spread), dtype=np.float64) * (hz * step)
    turns -= np.floor(turns)
    return np.asarray(2 * np.pi * turns, np.float32)


def _f_waves(size_mv: float, t: FloatArray, rng: Rng) -> Float32:
    """Two wandering sources of 4 to 9 Hz with overtones, largest in V1 (Petrenas et al. 2017, 10.1088/1361-6579/aa9153)."""
    size = size_mv * lognormal(rng, 0.45)
    hz = float(np.clip(rng.normal(6.2, 0.9), 4.2, 8.8))
    out = np.zeros((3, len(t)), np.float32)
    for way, share in (((-0.28, 0.26, -0.86), 1.0), ((0.50, 0.42, 0.25), 0.5)):
        phase = _phase(t, hz * float(rng.uniform(0.92, 1.08)), rng, 0.10)
        wave = np.sin(phase) + 0.45 * np.sin(2 * phase + 0.6) + 0.18 * np.sin(3 * phase + 1.0)
        vector = np.array(way) + rng.normal(0, 0.12, 3)
        out += np.outer(vector.astype(np.float32), share * size * (1 + _wandering(t, rng, 0.35)) * wave)
    return out


def _flutter_waves(hz: float, t: FloatArray, rng: Rng) -> Float32:
    """Typical counter-clockwise flutter: a saw-tooth that falls slowly and rises steeply in II, III and aVF, and upright
    waves in V1."""
    phase = _phase(t, hz, rng, 0.003)
    saw = sum(np.sin(k * phase) * (math.exp(-0.09 * k * k) / k) for k in range(1, 6))
    bump = np.exp(-((((phase + 1.0) / (2 * np.pi)) % 1 - 0.5) / 0.13) ** 2)
    size = float(rng.uniform(0.095, 0.17))
    down = np.array([0.10, 1.0, 0.0]) + rng.normal(0, 0.06, 3)
    front = np.array([-0.20, 0.0, -0.80]) * float(rng.uniform(0.7, 1.2))
    ways = size * np.stack([down, front], axis=1)
    return np.asarray(ways.astype(np.float32) @ np.stack([saw, bump - bump.mean()]))


def _chaos(t: FloatArray, rng: Rng) -> Float32:
    """Ventricular fibrillation: many wandering oscillations of 3 to 8 Hz without a common direction."""
    size = float(rng.uniform(0.06, 0.17))
    out = np.zeros((3, len(t)), np.float32)
    centre = float(rng.uniform(4.0, 6.0))
    for _ in range(6):
        phase = _phase(t, centre * lognormal(rng, 0.26), rng, 0.14)
        wave = (1 + _wandering(t, rng, 0.7, 0.6)) * (np.sin(phase) + 0.2 * np.sin(2 * phase))
        out += np.outer(rng.standard_normal(3).astype(np.float32), size * wave)
    return out


def _torsade(t: FloatArray, rng: Rng) -> Float32:
    """Wide complexes at 200 to 250 whose vector turns half way round every 5 to 10 of them (Dessertenne 1966)."""
    hz = float(rng.uniform(200, 250) / 60)
    phase = _phase(t, hz, rng, 0.03)
    wave = np.sin(phase) + (0.35 + _wandering(t, rng, 0.15)) * np.sin(2 * phase + 0.5)
    twist = np.pi * t * hz / float(rng.uniform(5, 9)) + float(rng.uniform(0, np.pi)) + _wandering(t, rng, 0.25, 0.8)
    size = float(rng.uniform(0.6, 1.0)) * (1 + _wandering(t, rng, 0.12))
    vector = np.stack([0.55 * np.cos(twist + 0.4), 0.9 * np.cos(twist), 0.8 * np.cos(twist - 0.5)])
    return np.asarray(size * wave * vector, np.float32)
