"""What the delineation network learns from: LUDB's waves, MIT-BIH's beats, simulated conduction, and variations of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecglm.corpus.ludb import Marked, marked_records
from ecglm.corpus.mitdb import beat_records
from ecglm.signal import prepare
from ecglm.signal.simulate import Truth, simulate
from ecglm.signal.wave_network import CLASSES, FS

#: Seconds of a training crop.
CROP_S = 8.0
#: Simulated records say which wave is where, LUDB where exactly it ends: within EDGE_S of a simulated edge nothing is learned.
EDGE_S = 0.03
#: In the few wide QRS complexes of LUDB the P wave is missing (pacing), which the network took for a rule.
SIMULATED = ("normal", "rbbb", "lbbb", "ivcd", "bifascicular_block", "wpw", "av_block_1", "av_block_2_1", "av_block_3",
             "av_block_3_wide", "premature_ventricular", "bigeminy", "ventricular_run", "idioventricular_rhythm", "paced_dual",
             "paced_atrium", "paced_ventricle", "premature_atrial", "atrial_fibrillation", "atrial_fibrillation+lbbb",
             "sinus_tachycardia", "sinus_tachycardia+lbbb", "sinus_bradycardia+rbbb", "av_block_1+lbbb", "av_block_1+rbbb", "lvh",
             "rvh", "long_qt", "hypokalaemia")


@dataclass(frozen=True)
class Variation:
    """How crops are changed. warp: spread of the local time scale (log); fade: share of crops whose P waves are made smaller,
    hide: whose P waves are taken away; widen: share with wider QRS complexes; subset: share with some leads only."""

    warp: float = 0.3
    fade: float = 0.3
    hide: float = 0.1
    widen: float = 0.35
    subset: float = 0.5


@dataclass(frozen=True)
class Examples:
    """Shapes [N records, L leads, T samples at FS]. class_NLT: index into CLASSES; known_NLT: inside the annotated
    stretch of a lead; marks as in `Marked`."""

    names: tuple[str, ...]
    signal_NLT: NDArray[np.float32]
    class_NLT: NDArray[np.int64]
    known_NLT: NDArray[np.bool_]
    marks: tuple[dict[str, tuple[NDArray[np.float64], ...]], ...]


def examples() -> Examples:
    """All of LUDB."""
    records = list(marked_records())
    signal = np.stack([prepare(one.record, FS).signal for one in records])
    classes, known = zip(*(_classes(one, signal.shape[2]) for one in records), strict=True)
    return Examples(tuple(one.name for one in records), signal, np.stack(classes), np.stack(known),
                    tuple(one.marks for one in records))


def _classes(one: Marked, total: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    time = np.arange(total) / FS
    classes, known = np.zeros((len(one.record.leads), total), np.int64), np.zeros((len(one.record.leads), total), bool)
    for lead in range(len(classes)):
        waves = [(number, wave) for number, name in enumerate(CLASSES) if name in one.marks for wave in one.marks[name][lead]]
        for number, (on, _, off) in waves:
            classes[lead, (time >= on) & (time <= off)] = number
        if waves:
            first, last = min(wave[0] for _, wave in waves), max(wave[2] for _, wave in waves)
            known[lead] = (time >= first - 0.02) & (time <= last + 0.02)
    return classes, known


def simulated_examples(count: int, seed: int) -> Examples:
    """Simulated 12-lead records of SIMULATED in turn."""
    made = simulate(SIMULATED, count, seed=seed)
    signal = np.stack([prepare(one.record, FS).signal for one in made])
    states = [_simulated_classes(one.truth, signal.shape[2]) for one in made]
    shape = signal.shape
    classes = np.stack([np.broadcast_to(state, shape[1:]) for state, _ in states])
    known = np.stack([np.broadcast_to(sure, shape[1:]) for _, sure in states])
    return Examples(tuple(f"simulated-{n}" for n in range(count)), signal, classes, known, ())


def _simulated_classes(truth: Truth, total: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Class and whether it is sure ``[T]``; not near edges, where waves meet, or where a P wave lies upon another wave."""
    time = np.arange(total) / FS
    state, count, edge = np.zeros(total, np.int64), np.zeros(total, int), np.zeros(total, bool)
    width = truth.intervals.get("p_duration") or 100.0
    waves = [("p", on, on + width / 1000) for on in truth.atrial_on]
    waves += [("qrs", on, off) for on, off in zip(truth.qrs_on, truth.qrs_off, strict=True)]
    # Where T begins is not told: what lies between QRS and the peak of T is left out.
    waves += [("t", peak - 0.04, off) for peak, off in zip(truth.t_peak, truth.t_off, strict=True)]
    for start, stop in zip(truth.qrs_off, truth.t_peak, strict=True):
        edge |= (time > start) & (time < stop - 0.04)
    for wave, on, off in waves:
        inside = (time >= on) & (time <= off)
        state[inside] = CLASSES.index(wave)
        count += inside
        edge |= (abs(time - on) < EDGE_S) | (abs(time - off) < EDGE_S)
    return state, (count < 2) & ~edge


def joined(a: Examples, b: Examples) -> Examples:
    """The records of both, a's first and with a's marks."""
    return Examples(a.names + b.names, np.concatenate([a.signal_NLT, b.signal_NLT]), np.concatenate([a.class_NLT, b.class_NLT]),
                    np.concatenate([a.known_NLT, b.known_NLT]), a.marks)


@dataclass(frozen=True)
class BeatExamples:
    """Recordings with their beats, as arrays ``[lead, time]`` at FS, and per sample 1 in a QRS, 0 far from any, else -1."""

    signal: tuple[NDArray[np.float32], ...]
    state: tuple[NDArray[np.int64], ...]


def beat_examples() -> BeatExamples:
    """The MIT-BIH records that may train."""
    signals, states = [], []
    for one in beat_records(train=True):
        signals.append(prepare(one.record, FS).signal)
        time = np.arange(signals[-1].shape[1]) / FS
        right = np.searchsorted(one.times_s, time).clip(1, len(one.times_s) - 1)
        away = np.minimum(abs(time - one.times_s[right - 1]), abs(time - one.times_s[right]))
        state = np.where(away < 0.03, 1, np.where(away > 0.13, 0, -1))
        for start, stop in one.fibrillation:
            state[(time >= start) & (time <= stop)] = -1
        states.append(state)
    return BeatExamples(tuple(signals), tuple(states))


def beat_batch(data: BeatExamples, batch: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Noisier crops of random recordings ``[B, 2, T]`` and their states ``[B, T]``."""
    length = round(CROP_S * FS)
    waves, states = [], []
    for number in rng.integers(0, len(data.signal), batch):
        start = int(rng.integers(0, data.signal[number].shape[1] - length))
        wave = data.signal[number][:, start: start + length]
        wave = wave + rng.uniform(0, 0.3) * rng.normal(size=wave.shape) * (rng.random() < 0.5)
        waves.append(wave * np.exp(rng.uniform(-0.5, 0.5, (len(wave), 1))))
        states.append(data.state[number][start: start + length])
    return torch.from_numpy(np.stack(waves).astype(np.float32)), torch.from_numpy(np.stack(states))


def vary(signal_LT: NDArray[np.float32], class_LT: NDArray[np.int64], known_LT: NDArray[np.bool_], recipe: Variation,
         rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.float32]]:
    """A crop with other intervals, P waves, noise and leads than the record has; and which leads are real ``[L]``."""
    leads, total = signal_LT.shape
    length = round(CROP_S * FS)
    kind = rng.random()
    if kind < recipe.fade + recipe.hide:
        factor = 0.0 if kind < recipe.hide else rng.uniform(0.15, 0.9)
        signal_LT, class_LT = _fade(signal_LT, class_LT, factor)
    # A smooth random speed of time stretches PR, ST and TP segments apart from one another; wider QRS complexes keep the
    # network from taking a wide one for a sign that there is no P wave, as it is in the few paced records of the set.
    knots = rng.normal(0, recipe.warp, round(total / FS / 0.2) + 2) + rng.uniform(-0.2, 0.2)
    slow = np.exp(np.interp(np.arange(total) / FS, np.arange(len(knots)) * 0.2, knots))
    if rng.random() < recipe.widen:
        slow[(class_LT == CLASSES.index("qrs")).any(axis=0)] *= rng.uniform(1.2, 2.2)
    ends = np.cumsum(slow)
    ends *= max(1.0, (length + 1) / (ends[-1] - ends[0]))
    place = np.interp(rng.uniform(ends[0], ends[-1] - length) + np.arange(length), ends, np.arange(total))
    left = np.minimum(place.astype(int), total - 2)
    part = (place - left).astype(np.float32)
    wave = signal_LT[:, left] * (1 - part) + signal_LT[:, left + 1] * part
    nearest = np.round(place).astype(int)
    if rng.random() < 0.5:
        wave = wave + rng.uniform(0, 0.15) * rng.normal(size=wave.shape)
    if rng.random() < 0.3:
        drift = 2 * np.pi * rng.uniform(0.1, 0.7) * np.arange(length) / FS + rng.uniform(0, 2 * np.pi, (leads, 1))
        wave = wave + rng.uniform(0, 0.4) * np.sin(drift)
    wave = wave * np.exp(rng.uniform(-0.3, 0.3, (leads, 1))) * np.where(rng.random((leads, 1)) < 0.05, -1, 1)
    real = np.ones(leads, np.float32)
    if rng.random() < recipe.subset:
        real[rng.permutation(leads)[rng.integers(1, leads + 1):]] = 0
    return (wave * real[:, None]).astype(np.float32), class_LT[:, nearest], known_LT[:, nearest] & (real[:, None] > 0), real


def _fade(signal_LT: NDArray[np.float32], class_LT: NDArray[np.int64], factor: float,
          ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """P waves times factor above the line between their ends; none is left of factor 0."""
    signal, classes = signal_LT.copy(), class_LT.copy()
    for row, states in zip(signal, class_LT, strict=True):
        edges = np.flatnonzero(np.diff(np.r_[0, states == CLASSES.index("p"), 0]))
        for on, off in zip(edges[::2], edges[1::2], strict=True):
            line = np.linspace(row[on], row[off - 1], off - on)
            row[on:off] = line + factor * (row[on:off] - line)
    if factor == 0:
        classes[classes == CLASSES.index("p")] = 0
    return signal, classes


