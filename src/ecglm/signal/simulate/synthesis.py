"""One record from one seed: heart, rhythm, waves, torso, recorder, truth."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from ecglm.records.record import Record, RecordMeta
from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate import rhythms
from ecglm.signal.simulate.conditions import Condition
from ecglm.signal.simulate.conduction import make_ectopic, make_paced
from ecglm.signal.simulate.continuous import continuous_activity, has_continuous
from ecglm.signal.simulate.heart import Heart, draw_heart
from ecglm.signal.simulate.kernels import AT, LEFT, LOCAL, RIGHT, VECTOR, Float32, drawn, grown, stacked, turned
from ecglm.signal.simulate.noise import Device, draw_device, recorder_noise
from ecglm.signal.simulate.schedule import Atrial, Beat, Schedule
from ecglm.signal.simulate.support import P_SHARE, QRS_SHARE, T_SHARE, Support, ended, fitted, lead_heights, shape_on
from ecglm.signal.simulate.torso import SWAPS, axis_of_leads, projection
from ecglm.signal.simulate.truth import Truth, atrial_names, beat_names, intervals_of, labels_of, statements_of

Rng = np.random.Generator
#: QT of the kernels' T waves; longer and shorter ones are stretched.
_QT_REF_S = 0.39
#: Share of the RR interval before the last one that the QT interval remembers (Franz et al. 1988, 10.1172/JCI113747).
_QT_MEMORY = 0.65
_AXIS_GRID = np.linspace(0, 1, 100)


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
    device = draw_device(noise_rng)
    if not plan.noise:
        device = replace(device, lowpass_hz=150.0)
    n = round(plan.duration_s * plan.fs)
    signal_8T, waves = _waves(heart, schedule, device, plan.fs, n, beat_rng)
    if has_continuous(schedule):
        signal_8T += heart.field_83.astype(np.float32) @ continuous_activity(heart, schedule, n, plan.fs, beat_rng)
    _place_cables(heart, signal_8T)
    if plan.noise:
        signal_8T += recorder_noise(heart, device, n, plan.fs, noise_rng)
    out = projection(plan.leads) @ signal_8T
    if plan.noise:
        step = np.float32(device.step_mv)
        out /= step
        np.multiply(np.rint(out, out=out), step, out=out)
    record = Record(out, plan.fs, plan.leads, meta=RecordMeta(heart.age, heart.sex, "simulated"), source=f"simulated:{name}",
                    format="simulated")
    return Simulated(record, _truth(name, conditions, heart, schedule, waves, plan.duration_s))


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


class _Beats(NamedTuple):
    """Times of what was drawn: per QRS, then per P wave."""

    kind: IntArray
    on: FloatArray
    peak: FloatArray
    off: FloatArray
    t_peak: FloatArray
    t_off: FloatArray
    pr: FloatArray
    p_kind: list[Atrial]
    p_on: FloatArray
    p_peak: FloatArray
    p_off: FloatArray
    axis_deg: float | None


class _Breath(NamedTuple):
    """What respiration does at each beat: gain ``[beat]``, and the lead field as seen by the turned heart ``[beat, 3, 8]``."""

    gain_B: FloatArray
    field_B38: FloatArray

    @classmethod
    def at(cls, heart: Heart, times_B: FloatArray) -> _Breath:
        phase = np.sin(2 * np.pi * heart.breath_hz * times_B + heart.breath_phase)
        # A small turn, frontal and horizontal.
        x, y, z = heart.field_83.T
        turned_38 = math.radians(heart.breath_turn_deg) * np.stack([y + 0.6 * z, -x, -0.6 * x])
        return cls(1 + heart.breath_gain * phase, heart.field_83.T + phase[:, None, None] * turned_38)


def _coefficients(breath: _Breath, kernels_BK: FloatArray, spread: float, rng: Rng) -> FloatArray:
    """Height of every kernel of every beat in the eight leads ``[beat, kernel, 8]`` (mV)."""
    heights = kernels_BK[:, :, VECTOR] @ breath.field_B38
    heights += kernels_BK[:, :, LOCAL]
    heights *= (breath.gain_B[:, None] * (1 + spread * rng.standard_normal(heights.shape[:2])))[:, :, None]
    return np.asarray(heights)


def _waves(heart: Heart, schedule: Schedule, device: Device, fs: float, n: int, rng: Rng) -> tuple[Float32, _Beats]:
    out = np.zeros((8, n), np.float32)
    blur = device.blur_s(fs)
    p_kind, p_on, p_peak, p_off = _draw_p(heart, schedule, fs, blur, out, rng)
    qrs = sorted(schedule.qrs, key=lambda q: q[0])
    on = np.array([q[0] for q in qrs], np.float64)
    kind = np.array([int(q[1]) for q in qrs], np.int64)
    pr = np.array([q[2] for q in qrs], np.float64)
    if not len(qrs):
        none = np.empty(0)
        return out, _Beats(kind, none, none, none, none, none, none, p_kind, p_on, p_peak, p_off, None)
    used, kind = _distinct(kind)  # only the shapes that occur are prepared
    shapes = [_Shape.of(heart, Beat(k)) for k in used]
    qrs_s, peak = (np.array([getattr(s, name) for s in shapes])[kind] for name in ("qrs_s", "peak"))
    breath = _Breath.at(heart, on)
    _draw_qrs(heart, breath, shapes, kind, on, qrs_s, fs, blur, out, rng)
    qt = _qt(heart, on, np.array([s.qt_extra_s for s in shapes])[kind])
    t_peak = _draw_st_t(heart, breath, shapes, kind, on, qrs_s, qt, fs, blur, out, rng)
    _draw_spikes(heart, schedule, fs, blur, out, rng)
    main = shapes[int(np.bincount(kind).argmax())]
    beats = _Beats(used[kind], on, on + peak * qrs_s, on + qrs_s, t_peak, on + qt, pr, p_kind, p_on, p_peak, p_off, main.axis_deg)
    return out, beats


@dataclass(frozen=True)
class _Shape:
    """A ventricular complex ready to be drawn: kernels fitted to their times, and its numbers."""

    qrs_s: float
    peak: float
    qt_extra_s: float
    qrs: FloatArray
    st: FloatArray
    t: FloatArray
    t_support: Support
    axis_deg: float | None

    @classmethod
    def of(cls, heart: Heart, kind: Beat) -> _Shape:
        beat = {Beat.USUAL: heart.usual, Beat.ECTOPIC: heart.ectopic, Beat.PACED: heart.paced}[kind]
        assert beat is not None, "made when the schedule asked for it"
        qrs, peak = fitted(beat.qrs, heart.field_83, QRS_SHARE)
        t, where = ended(beat.t, heart.field_83, T_SHARE)
        return cls(beat.qrs_s, peak, beat.qt_extra_s, qrs, beat.st, t, where, _axis(heart, qrs))


def _axis(heart: Heart, qrs: FloatArray) -> float:
    """Frontal axis (degrees) of the net QRS as recorded, swapped cables and all; an ST segment that is off has no part in it."""
    area = shape_on(_AXIS_GRID, qrs, lead_heights(qrs, heart.field_83)[:, :2]).sum(axis=0)
    i, ii = SWAPS[heart.swap] @ area if heart.swap else area
    return axis_of_leads(float(i), float(ii))


def _distinct(kind: IntArray) -> tuple[IntArray, IntArray]:
    """The kinds that occur, and for each element its place among them."""
    there = np.bincount(kind) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[kind]


def _draw_p(heart: Heart, schedule: Schedule, fs: float, blur: float, out: Float32,
            rng: Rng) -> tuple[list[Atrial], FloatArray, FloatArray, FloatArray]:
    waves = sorted(schedule.p, key=lambda p: p[0])
    if not waves:
        return [], np.empty(0), np.empty(0), np.empty(0)
    on = np.array([t for t, _ in waves])
    used, kind = _distinct(np.array([int(k) for _, k in waves]))
    shapes = [fitted(_p_shape(heart, Atrial(k), alone=len(used) == 1), heart.field_83, P_SHARE) for k in used]
    length = heart.p_s * np.array([1.0, 0.92, 0.85, 1.06])[used][kind]
    kernels = stacked([k for k, _ in shapes])[kind]
    scale = length[:, None]
    drawn(on[:, None] + scale * kernels[:, :, AT], scale * kernels[:, :, LEFT], scale * kernels[:, :, RIGHT],
          _coefficients(_Breath.at(heart, on), kernels, 0.05, rng), on, (0.06, 0.24), fs, blur, out)
    return [k for _, k in waves], on, on + length * np.array([p for _, p in shapes])[kind], on + length


def _p_shape(heart: Heart, kind: Atrial, alone: bool) -> FloatArray:
    """P wave by origin. A focus that drives the atria alone sits low in them, as a retrograde wave starts there."""
    if kind is Atrial.RETROGRADE or (kind is Atrial.ECTOPIC and alone):
        low = grown(turned(heart.p, 180.0), 0.85)
        low[:, VECTOR.start] *= -0.4
        return low
    return turned(heart.p, 35.0, -25.0) if kind is Atrial.ECTOPIC else heart.p


def _draw_qrs(heart: Heart, breath: _Breath, shapes: list[_Shape], kind: IntArray, on: FloatArray, qrs_s: FloatArray,
              fs: float, blur: float, out: Float32, rng: Rng) -> None:
    kernels = stacked([s.qrs for s in shapes])[kind]
    scale = qrs_s[:, None]
    heights = _coefficients(breath, kernels, 0.015, rng)
    heights[1::2] *= 1 - heart.alternans
    drawn(on[:, None] + scale * kernels[:, :, AT], scale * kernels[:, :, LEFT], scale * kernels[:, :, RIGHT], heights, on,
          (0.03, float(qrs_s.max()) * 1.15 + 0.03), fs, blur, out)


def _qt(heart: Heart, on: FloatArray, extra: FloatArray) -> FloatArray:
    """QT of every beat (s): Fridericia of an RR that follows the rate slowly, never longer than the beat."""
    rr = np.empty_like(on)
    np.subtract(on[1:], on[:-1], out=rr[1:])
    rr[0] = rr[1] if len(on) > 1 else 60 / heart.rate
    felt = np.minimum(np.maximum(rr, 0.25), 2.0)
    beats = felt.tolist()
    past = list(accumulate(beats, lambda before, now: 0.15 * now + 0.85 * before, initial=statistics.median(beats)))[1:]
    qt = heart.qtc_s * np.cbrt(_QT_MEMORY * np.array(past) + (1 - _QT_MEMORY) * felt) + extra
    following = np.append(rr[1:], rr[-1])
    return np.asarray(np.minimum(qt, np.maximum(0.98 * following, 0.62 * qt)))


def _draw_st_t(heart: Heart, breath: _Breath, shapes: list[_Shape], kind: IntArray, on: FloatArray, qrs_s: FloatArray,
               qt: FloatArray, fs: float, blur: float, out: Float32, rng: Rng) -> FloatArray:
    """ST, T and U waves; returns the T peaks (s)."""
    st, t = stacked([s.st for s in shapes]), stacked([s.t for s in shapes])
    kernels = np.concatenate([st, t, np.repeat(heart.u[None], len(shapes), 0)], axis=1)[kind]
    stretch = np.minimum(np.maximum(qt / _QT_REF_S, 0.55), 1.5)[:, None]
    end = (on + qt)[:, None]
    centre = stretch * kernels[:, :, AT]
    centre[:, : st.shape[1]] += (on + qrs_s)[:, None]
    centre[:, st.shape[1]:] += end
    heights = _coefficients(breath, kernels, 0.025, rng)
    drawn(centre, stretch * kernels[:, :, LEFT], stretch * kernels[:, :, RIGHT], heights, on + qrs_s,
          (0.07, float((qt - qrs_s).max()) + 0.36), fs, blur, out)
    peaks = np.array([s.t_support.peak for s in shapes])[kind]
    return np.asarray(end[:, 0] + stretch[:, 0] * peaks)


def _draw_spikes(heart: Heart, schedule: Schedule, fs: float, blur: float, out: Float32, rng: Rng) -> None:
    if not schedule.spikes:
        return
    times = np.array([t for t, _ in schedule.spikes])
    size = {"A": float(rng.uniform(0.25, 0.9)), "V": float(rng.uniform(0.5, 2.2))}
    way = {"A": np.array([0.35, 0.75, 0.25]), "V": np.array([0.30, -0.85, 0.35])}
    heights = np.array([size[chamber] * (way[chamber] @ heart.field_83.T) for _, chamber in schedule.spikes])[:, None, :]
    width = np.full((len(times), 1), 0.0007)
    drawn(times[:, None], width, width, heights, times, (0.03, 0.03), fs, blur, out)


def _place_cables(heart: Heart, signal_8T: Float32) -> None:
    if heart.chest_gain is not None:
        signal_8T[2:] *= heart.chest_gain.astype(np.float32)[:, None]
    if heart.swap:
        signal_8T[:2] = SWAPS[heart.swap].astype(np.float32) @ signal_8T[:2]


def _truth(name: str, conditions: tuple[Condition, ...], heart: Heart, schedule: Schedule, b: _Beats,
           duration_s: float) -> Truth:
    inside = (b.peak >= 0) & (b.peak < duration_s) if len(b.on) else np.zeros(0, bool)
    p_start = b.on - b.pr
    match = np.abs(b.p_on[None, :] - p_start[:, None]) < 0.001 if len(b.p_on) and len(b.on) else np.zeros((len(b.on), 0), bool)
    led = match.any(axis=1)
    source = match.argmax(axis=1) if match.size else np.zeros(len(b.on), int)

    def of_p(values: FloatArray) -> FloatArray:
        return np.asarray(np.where(led, values[source] if len(values) else np.nan, np.nan))[inside]

    p_on, p_peak, p_off = (of_p(v) for v in (b.p_on, b.p_peak, b.p_off))
    kinds = b.kind[inside]
    main = np.bincount(kinds).argmax() if len(kinds) else 0
    intervals = intervals_of(b.on[inside], b.peak[inside], b.off[inside], b.t_off[inside], b.on[inside] - p_on, p_off - p_on,
                             np.asarray(kinds == main), b.axis_deg)
    sinus = all(c.rhythm is None for c in conditions)
    atrial = (b.p_on >= -0.05) & (b.p_on < duration_s)
    spikes = np.array([t for t, _ in schedule.spikes if 0 <= t < duration_s])
    return Truth(
        condition=name, conditions=tuple(c.name for c in conditions), labels=labels_of(conditions, sinus, intervals),
        statements=statements_of(conditions, sinus, intervals), kind=beat_names(kinds), p_on=p_on, p_peak=p_peak,
        p_off=p_off, qrs_on=b.on[inside], r_peak=b.peak[inside], qrs_off=b.off[inside], t_peak=b.t_peak[inside],
        t_off=b.t_off[inside], atrial_kind=atrial_names([k for k, keep in zip(b.p_kind, atrial, strict=True) if keep]),
        atrial_on=b.p_on[atrial], spikes_s=spikes, events=tuple(schedule.events), intervals=intervals)
