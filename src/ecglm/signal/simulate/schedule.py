"""What happens when: atrial and ventricular activations, pacing spikes, spans of fibrillation. Rhythms fill it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.heart import Heart

#: Rhythms start this long before the record and go on for this long after it, so that both ends lie within it (s).
LEAD_IN_S, LEAD_OUT_S = 2.5, 1.2


class Atrial(IntEnum):
    """Where a P wave comes from."""

    SINUS = 0
    ECTOPIC = 1
    RETROGRADE = 2
    PACED = 3


class Beat(IntEnum):
    """How the ventricles are activated: usual path, from a place within them, or from the pacing lead."""

    USUAL = 0
    ECTOPIC = 1
    PACED = 2


@dataclass(frozen=True)
class Event:
    """Something that lasts from start_s to stop_s of the record, such as a paroxysm."""

    name: str
    start_s: float
    stop_s: float


@dataclass
class Schedule:
    """Times in seconds of the record. p_s and qrs_s are onsets; pr_s of a QRS is NaN when no P wave led to it."""

    p: list[tuple[float, Atrial]] = field(default_factory=list)
    qrs: list[tuple[float, Beat, float]] = field(default_factory=list)   #: onset, kind, PR
    spikes: list[tuple[float, str]] = field(default_factory=list)        #: time, "A" or "V"
    fibrillation: list[tuple[float, float]] = field(default_factory=list)
    flutter: list[tuple[float, float]] = field(default_factory=list)
    flutter_hz: float = 0.0
    chaos: list[tuple[float, float]] = field(default_factory=list)       #: ventricular fibrillation
    twisting: bool = False                                               #: chaos is torsade de pointes
    events: list[Event] = field(default_factory=list)

    def sinus(self, at: float, pr_s: float, kind: Atrial = Atrial.SINUS) -> None:
        """A P wave and the QRS it leads to."""
        self.p.append((at, kind))
        self.qrs.append((at + pr_s, Beat.USUAL, pr_s))


def sinus_intervals(heart: Heart, span_s: float, rng: np.random.Generator) -> FloatArray:
    """Successive RR intervals (s) of sinus rhythm that together last at least span_s.

    Respiratory and 0.1-Hz modulation, slow drift (Task Force of ESC/NASPE 1996, 10.1161/01.CIR.93.5.1043) and a little noise.
    """
    mean = 60 / heart.rate
    n = int(span_s / mean * 1.6) + 6
    t = np.arange(n) * mean
    drift = np.cumsum(rng.standard_normal(n)) * 0.6 * heart.lf
    drift -= np.linspace(drift[0], drift[-1], n)
    wave = drift + heart.rsa * np.sin(2 * np.pi * heart.breath_hz * t + heart.breath_phase) \
        + heart.lf * np.sin(2 * np.pi * 0.1 * t + rng.uniform(0, 2 * np.pi)) + heart.jitter * rng.standard_normal(n)
    return np.asarray(mean * np.minimum(np.maximum(1 + wave, 0.55), 1.6))


def sinus_times(heart: Heart, start: float, stop: float, rng: np.random.Generator) -> FloatArray:
    """P onsets between start and stop (s), at a random phase."""
    rr = sinus_intervals(heart, stop - start, rng)
    times = rr.copy()
    times[0] *= rng.random()
    times = start + np.cumsum(times)
    return np.asarray(times[times < stop])


def fibrillation_intervals(rate: float, span_s: float, rng: np.random.Generator, spread: float = 0.23) -> FloatArray:
    """RR intervals (s) of atrial fibrillation: a refractory AV node hit at random, hence a gamma distribution above a
    floor, with hardly any memory (Bootsma et al. 1970, 10.1161/01.CIR.41.5.783)."""
    mean = 60 / rate
    floor = min(0.30, 0.55 * mean)
    shape = ((mean - floor) / (spread * mean)) ** 2
    n = int(span_s / mean * 1.7) + 8
    draws = rng.gamma(shape, (mean - floor) / shape, n)
    return np.asarray(floor + 0.9 * draws + 0.1 * np.roll(draws, 1))


def jitter(rng: np.random.Generator, n: int, sd: float = 0.003) -> FloatArray:
    """Beat-to-beat variation of a conduction time (s)."""
    return np.asarray(sd * np.minimum(np.maximum(rng.standard_normal(n), -2.5), 2.5))


def chosen_beats(times: Sequence[float] | FloatArray, duration_s: float, per_s: float, rng: np.random.Generator,
                 apart: int = 3) -> NDArray[np.int64]:
    """Some beats to disturb: about per_s each second, at least one, well within the record, at least `apart` beats from
    one another. Where the record is too short for that, the beat nearest to its middle."""
    at = np.asarray(times)
    inside = np.flatnonzero((at > 0.12 * duration_s) & (at < 0.80 * duration_s))
    if not len(inside):
        return np.array([int(np.abs(at - duration_s / 2).argmin())])
    wanted = max(1, int(rng.poisson(per_s * duration_s)))
    picked: list[int] = []
    for index in rng.permutation(inside):
        if len(picked) < wanted and all(abs(int(index) - other) >= apart for other in picked):
            picked.append(int(index))
    return np.array(sorted(picked))
