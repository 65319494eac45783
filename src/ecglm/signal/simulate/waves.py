"""The waves of a schedule, drawn: P, QRS, ST-T and spikes of every beat in the eight independent leads, and their times."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.heart import Heart
from ecglm.signal.simulate.kernels import AT, LEFT, LOCAL, RIGHT, VECTOR, Float32, drawn, grown, stacked, turned
from ecglm.signal.simulate.noise import Device
from ecglm.signal.simulate.schedule import Atrial, Beat, Schedule
from ecglm.signal.simulate.support import P_SHARE, QRS_SHARE, T_SHARE, Support, ended, fitted, lead_heights, shape_on
from ecglm.signal.simulate.torso import SWAPS, axis_of_leads

Rng = np.random.Generator
#: QT of the kernels' T waves; longer and shorter ones are stretched.
_QT_REF_S = 0.39
#: Share of the RR interval before the last one that the QT interval remembers (Franz et al. 1988, 10.1172/JCI113747).
_QT_MEMORY = 0.65
#: Steps in which the halves of a P wave come apart.
_SPLITS = 20
_AXIS_GRID = np.linspace(0, 1, 100)


class Beats(NamedTuple):
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


class Breath(NamedTuple):
    """What respiration does at each beat: gain ``[beat]``, and the lead field as seen by the turned heart ``[beat, 3, 8]``."""

    gain_B: FloatArray
    field_B38: FloatArray

    @classmethod
    def at(cls, heart: Heart, times_B: FloatArray) -> Breath:
        turns = 2 * np.pi * heart.breath_hz * times_B + heart.breath_phase if heart.course is None \
            else heart.course.at("breath", times_B)
        phase = np.sin(turns)
        # A small turn, frontal and horizontal.
        x, y, z = heart.field_83.T
        turned_38 = math.radians(heart.breath_turn_deg) * np.stack([y + 0.6 * z, -x, -0.6 * x])
        gain_B = 1 + heart.breath_gain * phase
        if heart.course is not None:
            phase = phase + heart.course.at("turn_deg", times_B) / heart.breath_turn_deg
        return cls(gain_B, heart.field_83.T + phase[:, None, None] * turned_38)


def _coefficients(breath: Breath, kernels_BK: FloatArray, spread: float, rng: Rng) -> FloatArray:
    """Height of every kernel of every beat in the eight leads ``[beat, kernel, 8]`` (mV)."""
    heights = kernels_BK[:, :, VECTOR] @ breath.field_B38
    heights += kernels_BK[:, :, LOCAL]
    heights *= (breath.gain_B[:, None] * (1 + spread * rng.standard_normal(heights.shape[:2])))[:, :, None]
    return np.asarray(heights)


def draw_waves(heart: Heart, schedule: Schedule, device: Device, fs: float, n: int, rng: Rng) -> tuple[Float32, Beats]:
    out = np.zeros((8, n), np.float32)
    blur = device.blur_s(fs)
    p_kind, p_on, p_peak, p_off = _draw_p(heart, schedule, fs, blur, out, rng)
    qrs = sorted(schedule.qrs, key=lambda q: q[0])
    on = np.array([q[0] for q in qrs], np.float64)
    kind = np.array([int(q[1]) for q in qrs], np.int64)
    pr = np.array([q[2] for q in qrs], np.float64)
    if not len(qrs):
        none = np.empty(0)
        return out, Beats(kind, none, none, none, none, none, none, p_kind, p_on, p_peak, p_off, None)
    used, kind = _distinct(kind)  # only the shapes that occur are prepared
    shapes = [_Shape.of(heart, Beat(k)) for k in used]
    qrs_s, peak = (np.array([getattr(s, name) for s in shapes])[kind] for name in ("qrs_s", "peak"))
    breath = Breath.at(heart, on)
    _draw_qrs(heart, breath, shapes, kind, on, qrs_s, fs, blur, out, rng)
    qt = _qt(heart, on, np.array([s.qt_extra_s for s in shapes])[kind])
    t_peak = _draw_st_t(heart, breath, shapes, kind, on, qrs_s, qt, fs, blur, out, rng)
    _draw_spikes(heart, schedule, fs, blur, out, rng)
    main = shapes[int(np.bincount(kind).argmax())]
    beats = Beats(used[kind], on, on + peak * qrs_s, on + qrs_s, t_peak, on + qt, pr, p_kind, p_on, p_peak, p_off, main.axis_deg)
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
    tables = [_p_shape(heart, Atrial(k), alone=len(used) == 1) for k in used]
    length = heart.p_s * np.array([1.0, 0.92, 0.85, 1.06])[used][kind]
    if heart.course is not None:
        length = length + heart.course.at("p_extra_s", on)
        step = np.rint(_SPLITS * np.clip(heart.course.at("p_split", on), 0, 1)).astype(np.int64)
        kind = kind * (_SPLITS + 1) + step
        tables = [split(table, s / _SPLITS) for table in tables for s in range(_SPLITS + 1)]
    shapes = [fitted(table, heart.field_83, P_SHARE) for table in tables]
    kernels = stacked([k for k, _ in shapes])[kind]
    scale = length[:, None]
    drawn(on[:, None] + scale * kernels[:, :, AT], scale * kernels[:, :, LEFT], scale * kernels[:, :, RIGHT],
          _coefficients(Breath.at(heart, on), kernels, 0.05, rng), on, (0.06, 0.24), fs, blur, out)
    return [k for _, k in waves], on, on + length * np.array([p for _, p in shapes])[kind], on + length


def split(kernels: FloatArray, share: float) -> FloatArray:
    """A P wave whose halves come apart (share 1: notched, lower, its second half more to the back), as when conduction from
    the right to the left atrium is slow (Bayes de Luna et al. 2012, 10.1016/j.jelectrocard.2012.06.029)."""
    out = kernels.copy()
    late = kernels[:, AT] > np.median(kernels[:, AT])
    out[:, AT] += share * np.where(late, 0.06, -0.05)
    out[:, LEFT:RIGHT + 1] *= 1 - 0.15 * share
    out[:, 3:] *= 1 - 0.22 * share
    out[late, VECTOR.stop - 1] += 0.03 * share
    return out


def _p_shape(heart: Heart, kind: Atrial, alone: bool) -> FloatArray:
    """P wave by origin. A focus that drives the atria alone sits low in them, as a retrograde wave starts there."""
    if kind is Atrial.RETROGRADE or (kind is Atrial.ECTOPIC and alone):
        low = grown(turned(heart.p, 180.0), 0.85)
        low[:, VECTOR.start] *= -0.4
        return low
    return turned(heart.p, 35.0, -25.0) if kind is Atrial.ECTOPIC else heart.p


def _draw_qrs(heart: Heart, breath: Breath, shapes: list[_Shape], kind: IntArray, on: FloatArray, qrs_s: FloatArray,
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


def _draw_st_t(heart: Heart, breath: Breath, shapes: list[_Shape], kind: IntArray, on: FloatArray, qrs_s: FloatArray,
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
