"""A subject of a long recording: a heart, how it changes in the course of the record, and what precedes an onset."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.conduction import make_ectopic
from ecglm.signal.simulate.heart import Course, Heart, draw_heart
from ecglm.signal.simulate.onset.table import CHANNELS, PARAMETERS, Rng
from ecglm.signal.simulate.schedule import LEAD_IN_S, LEAD_OUT_S

#: Samples a second of everything that changes slowly.
GRID_HZ = 4.0
#: Slow change has 1/f power between these frequencies (Hz).
_SLOW_HZ = (0.0004, 0.04)
#: Rate, per minute, that sinus rhythm of someone at rest stays within.
_RATE_RANGE = (42.0, 135.0)


@dataclass(frozen=True, eq=False)
class Channel:
    """One of CHANNELS in one subject. level ``[time]`` 0..1 and strength, whose product is the effect.

    manner: "progression", "held", "hill" or "quiet".
    """

    manner: str
    strength: float
    level: FloatArray

    @property
    def effect(self) -> FloatArray:
        """Strength times level ``[time]``."""
        return self.strength * self.level


@dataclass(frozen=True, eq=False)
class Subject:
    """One subject and one recording. Arrays ``[time]`` are at times_s (s of the record), GRID_HZ a second.

    rr_s: interval of the sinus node if it fired then; atrial_hz and ventricular_hz: premature beats a second; coupling: of
    the atrial ones, share of RR; run: share of them that another follows; pr_s: PR. postures_s: when posture changes.
    """

    heart: Heart
    channels: dict[str, Channel]
    times_s: FloatArray
    rr_s: FloatArray
    atrial_hz: FloatArray
    ventricular_hz: FloatArray
    coupling: FloatArray
    run: FloatArray
    pr_s: FloatArray
    postures_s: FloatArray
    bursts_per_h: float
    burst_mv: float
    af_rate: float
    flutter_hz: float


def draw_subject(duration_s: float, onset_s: float | None, mechanism: str, rng: Rng) -> Subject:
    """The subject of this generator. Without a mechanism ("none") it does not depend on onset_s."""
    heart = draw_heart(rng)
    own = {name: row.draw(rng) for name, row in PARAMETERS.items() if name != "strength"}
    heart.rate, heart.p_s = own["rate"], own["p_s"]
    heart.pr_s = max(heart.pr_s, heart.p_s + 0.022)
    heart.ectopic = make_ectopic(heart, rng)
    t = np.arange(-LEAD_IN_S, duration_s + LEAD_OUT_S + 2 / GRID_HZ, 1 / GRID_HZ)
    breath = heart.breath_phase + 2 * np.pi * heart.breath_hz * np.cumsum(1 + 0.10 * _slow(len(t), rng, (0.005, 0.1))) / GRID_HZ
    postures, rise, turn = _postures(t, duration_s, own, rng)
    drift, atrial_drift, ventricular_drift = (_slow(len(t), rng, _SLOW_HZ) for _ in range(3))
    rhythmic = _rhythmic(heart, t, breath, rng)
    channels = {name: _resting(t, duration_s, own, rng) for name in CHANNELS}
    if mechanism != "none":
        if onset_s is None:
            raise ValueError("a mechanism needs an onset")
        level = np.clip(1 - (onset_s - t) / own["span_s"], 0, 1) ** own["bend"]
        channels[mechanism] = replace(channels[mechanism], manner="progression", level=level)
    ectopy, slow, fast = (channels[name].effect for name in CHANNELS)

    calm = 1 - np.minimum(own["calm"] * fast, 0.85)
    wave = own["drift"] * drift + rise + own["rate_rise"] * fast + calm * rhythmic
    heart.jitter *= 0.6  # beat to beat; most of it is breathing here
    rr = 60 / np.clip(heart.rate * np.exp(wave), *_RATE_RANGE)
    extra = np.minimum(own["p_rise_s"] * slow, 0.060)
    heart.course = Course(t, breath, turn, extra, np.minimum(extra / 0.040, 1.0))
    steady = 0.5 * own["ectopy_drift"] ** 2
    atrial = own["atrial_ectopy"] / 3600 + own["ectopy_peak"] / 60 * ectopy
    atrial *= np.exp(own["ectopy_drift"] * atrial_drift - steady)
    ventricular = own["ventricular_ectopy"] / 3600 * np.exp(own["ectopy_drift"] * ventricular_drift - steady)
    pr = heart.pr_s + own["pr_share"] * extra - 0.0004 * (60 / rr - heart.rate)
    pr = np.maximum(pr, heart.p_s + extra + 0.016)
    return Subject(heart, channels, t, rr, atrial, ventricular, np.maximum(own["coupling"] - own["coupling_fall"] * ectopy, 0.42),
                   np.minimum(0.05 + own["run"] * ectopy, 0.5), pr, postures, own["bursts"], own["burst_mv"], own["af_rate"],
                   own["flutter_rate"] / 60)


def _resting(t: FloatArray, duration_s: float, own: dict[str, float], rng: Rng) -> Channel:
    """A channel without a progression. All its random numbers are drawn whatever it does."""
    strength, bend = (PARAMETERS[name].draw(rng) for name in ("strength", "bend"))
    fate, moment, centre, length = rng.random(4)
    if fate < own["held"]:
        # A height that a progression passes through in its span.
        return Channel("held", strength, np.full(len(t), float(moment**bend)))
    if fate < own["held"] + own["hill"]:
        low, high = PARAMETERS["hill_s"].low, PARAMETERS["hill_s"].high
        length = low + (high - low) * length
        away = np.abs(t - centre * duration_s) / (length / 2)
        return Channel("hill", strength, np.where(away < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1)), 0.0))
    return Channel("quiet", strength, np.zeros(len(t)))


def _slow(n: int, rng: Rng, band_hz: tuple[float, float], exponent: float = 1.0) -> FloatArray:
    """Noise ``[n]`` at GRID_HZ with power 1/f^exponent in the band, standard deviation 1 over a very long time."""
    size = 1 << math.ceil(math.log2(max(n + 1, GRID_HZ / band_hz[0])))
    hz = np.fft.rfftfreq(size, 1 / GRID_HZ)
    power = np.where((hz >= band_hz[0]) & (hz <= band_hz[1]), np.maximum(hz, band_hz[0]) ** -exponent, 0.0)
    spectrum = np.sqrt(power / power.sum() / 2) * (rng.standard_normal((2, len(hz))) * [[1], [1j]]).sum(axis=0)
    return np.asarray(np.fft.irfft(spectrum, size)[:n] * size / np.sqrt(2))


def _rhythmic(heart: Heart, t: FloatArray, breath: FloatArray, rng: Rng) -> FloatArray:
    """Changes of the logarithm of the rate within a minute: breathing, stronger at times, and waves around 0.1 Hz."""
    depth = np.exp(0.35 * _slow(len(t), rng, (0.002, 0.05)))
    return np.asarray(heart.rsa * depth * np.sin(breath) + 1.2 * heart.lf * _slow(len(t), rng, (0.06, 0.13), 0.0))


def _postures(t: FloatArray, duration_s: float, own: dict[str, float], rng: Rng) -> tuple[FloatArray, FloatArray, FloatArray]:
    """When posture changes (s), the change of the logarithm of the rate and of the axis (degrees) ``[time]`` they bring."""
    count = int(rng.poisson(own["postures"] * duration_s / 3600))
    at = np.sort(rng.uniform(0, duration_s, count))
    rise, turn = np.zeros(len(t)), np.zeros(len(t))
    angle = 0.0
    for start in at:
        since = t - start
        size, decay, before = float(rng.uniform(0.6, 1.2)) * own["posture_rise"], float(rng.uniform(30, 150)), angle
        later = since > 0
        rise[later] += size * (1 - np.exp(-since[later] / 6)) * np.exp(-since[later] / decay)
        angle = float(rng.choice([-1, 0, 1])) * own["posture_turn"]
        turn += (angle - before) / (1 + np.exp(-np.clip(since / 0.7, -30, 30)))
    return at, rise, turn
