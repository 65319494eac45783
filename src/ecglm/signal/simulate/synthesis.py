"""One record from one seed: heart, rhythm, waves, torso, recorder, truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ecglm.records.record import Record, RecordMeta
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate import rhythms
from ecglm.signal.simulate.conditions import Condition
from ecglm.signal.simulate.conduction import make_ectopic, make_paced
from ecglm.signal.simulate.continuous import continuous_activity, has_continuous
from ecglm.signal.simulate.heart import Heart, draw_heart
from ecglm.signal.simulate.kernels import Float32
from ecglm.signal.simulate.noise import draw_device, recorder_noise
from ecglm.signal.simulate.schedule import Beat, Schedule
from ecglm.signal.simulate.torso import SWAPS, projection
from ecglm.signal.simulate.truth import Truth, atrial_names, beat_names, intervals_of, labels_of, statements_of
from ecglm.signal.simulate.waves import Beats, draw_waves

Rng = np.random.Generator
#: Labels and sentences, given the intervals that were found.
Said = Callable[[dict[str, float | None]], tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(frozen=True)
class Plan:
    """What to simulate, the same for all records of a call. noise: recorder noise and quantisation."""

    fs: float
    duration_s: float
    leads: tuple[str, ...]
    noise: bool = True


class Simulated(NamedTuple):
    """A record in mV, and what is true of it."""

    record: Record
    truth: Truth


def synthesise(name: str, conditions: tuple[Condition, ...], plan: Plan, seed: np.random.SeedSequence) -> Simulated:
    """The record of one seed. Heart and rhythm do not depend on fs, leads or noise."""
    heart_rng, rhythm_rng, beat_rng, noise_rng = (np.random.Generator(np.random.PCG64(s)) for s in seed.spawn(4))
    heart, schedule = _patient(conditions, plan.duration_s, heart_rng, rhythm_rng)
    record, beats = rendered(name, heart, schedule, plan, beat_rng, noise_rng)
    sinus = all(c.rhythm is None for c in conditions)
    truth = true_of(name, tuple(c.name for c in conditions), schedule, beats, plan.duration_s,
                    lambda found: (labels_of(conditions, sinus, found), statements_of(conditions, sinus, found)))
    return Simulated(record, truth)


def rendered(name: str, heart: Heart, schedule: Schedule, plan: Plan, beat_rng: Rng, noise_rng: Rng,
             motion: Callable[[Float32], None] | None = None) -> tuple[Record, Beats]:
    """The record of a heart and a schedule, and the times of what was drawn.

    motion: adds to the eight leads what the patient's movements do to them, where there is noise.
    """
    device = draw_device(noise_rng)
    if not plan.noise:
        device = replace(device, lowpass_hz=150.0)
    n = round(plan.duration_s * plan.fs)
    signal_8T, waves = draw_waves(heart, schedule, device, plan.fs, n, beat_rng)
    if has_continuous(schedule):
        signal_8T += heart.field_83.astype(np.float32) @ continuous_activity(heart, schedule, n, plan.fs, beat_rng)
    _place_cables(heart, signal_8T)
    if plan.noise:
        signal_8T += recorder_noise(heart, device, n, plan.fs, noise_rng)
        if motion is not None:
            motion(signal_8T)
    out = projection(plan.leads) @ signal_8T
    if plan.noise:
        step = np.float32(device.step_mv)
        out /= step
        np.multiply(np.rint(out, out=out), step, out=out)
    record = Record(out, plan.fs, plan.leads, meta=RecordMeta(heart.age, heart.sex, "simulated"), source=f"simulated:{name}",
                    format="simulated")
    return record, waves


def _patient(conditions: tuple[Condition, ...], duration_s: float, heart_rng: Rng, rhythm_rng: Rng) -> tuple[Heart, Schedule]:
    heart = draw_heart(heart_rng)
    for condition in conditions:
        if condition.rate is not None:
            heart.rate = float(heart_rng.uniform(*condition.rate))
        if condition.rsa is not None:
            heart.rsa = float(heart_rng.uniform(*condition.rsa))
    heart.pr_s = max(0.115, heart.pr_s - 0.0003 * max(heart.rate - 75, 0))  # the node is quicker under sympathetic tone
    for condition in conditions:
        for shape in condition.shapes:
            shape(heart, heart_rng)
    if any(c.rate and c.rate[1] > 100 for c in conditions):
        heart.rsa *= 0.3
    rhythm = next((c.rhythm for c in conditions if c.rhythm is not None), rhythms.sinus)
    schedule = rhythm(heart, duration_s, rhythm_rng)
    kinds = {kind for _, kind, _ in schedule.qrs}
    if Beat.ECTOPIC in kinds:
        heart.ectopic = make_ectopic(heart, heart_rng)
    if Beat.PACED in kinds:
        heart.paced = make_paced(heart, heart_rng)
    return heart, schedule


def _place_cables(heart: Heart, signal_8T: Float32) -> None:
    if heart.chest_gain is not None:
        signal_8T[2:] *= heart.chest_gain.astype(np.float32)[:, None]
    if heart.swap:
        signal_8T[:2] = SWAPS[heart.swap].astype(np.float32) @ signal_8T[:2]


def true_of(name: str, conditions: tuple[str, ...], schedule: Schedule, b: Beats, duration_s: float, said: Said) -> Truth:
    """The truth of what was drawn."""
    inside = (b.peak >= 0) & (b.peak < duration_s) if len(b.on) else np.zeros(0, bool)
    p_start = b.on - b.pr
    source = np.minimum(np.searchsorted(b.p_on, p_start - 0.001, side="right"), max(len(b.p_on) - 1, 0))
    led = np.abs(b.p_on[source] - p_start) < 0.001 if len(b.p_on) else np.zeros(len(b.on), bool)

    def of_p(values: FloatArray) -> FloatArray:
        return np.asarray(np.where(led, values[source] if len(values) else np.nan, np.nan))[inside]

    p_on, p_peak, p_off = (of_p(v) for v in (b.p_on, b.p_peak, b.p_off))
    kinds = b.kind[inside]
    main = np.bincount(kinds).argmax() if len(kinds) else 0
    intervals = intervals_of(b.on[inside], b.peak[inside], b.off[inside], b.t_off[inside], b.on[inside] - p_on, p_off - p_on,
                             np.asarray(kinds == main), b.axis_deg)
    labels, statements = said(intervals)
    atrial = (b.p_on >= -0.05) & (b.p_on < duration_s)
    spikes = np.array([t for t, _ in schedule.spikes if 0 <= t < duration_s])
    return Truth(
        condition=name, conditions=conditions, labels=labels, statements=statements, kind=beat_names(kinds), p_on=p_on,
        p_peak=p_peak, p_off=p_off, qrs_on=b.on[inside], r_peak=b.peak[inside], qrs_off=b.off[inside], t_peak=b.t_peak[inside],
        t_off=b.t_off[inside], atrial_kind=atrial_names([k for k, keep in zip(b.p_kind, atrial, strict=True) if keep]),
        atrial_on=b.p_on[atrial], spikes_s=spikes, events=tuple(schedule.events), intervals=intervals)
