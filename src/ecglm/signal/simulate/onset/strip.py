"""`simulate_onset` and `stream_onset`: what may be asked for, checked; one seed per record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ecglm.config import closest
from ecglm.errors import UsageError, argument
from ecglm.knowledge.statements import BY_KEY
from ecglm.signal.simulate.kernels import Float32
from ecglm.signal.simulate.onset.rhythm import schedule_of
from ecglm.signal.simulate.onset.subject import GRID_HZ, Subject, draw_subject
from ecglm.signal.simulate.onset.table import MECHANISMS, MIXTURES, TARGETS, Rng
from ecglm.signal.simulate.request import MAX_VALUES, plan_of
from ecglm.signal.simulate.synthesis import Plan, Simulated, rendered, true_of
from ecglm.signal.simulate.torso import FROM_ELECTRODES_89
from ecglm.signal.simulate.truth import Onset, sinus_label

#: An onset lies this far from both ends of its record at least (s), and this far before the end where none is asked for.
MARGIN_S, USUAL_REST_S = 5.0, 120.0
_LABELS = {"sinus": (), "af": ("rhythm:AFIB",), "aflutter": ("rhythm:AFLT",)}
_PLACE = {key: place for place, key in enumerate(BY_KEY)}
#: Samples a second of the noise of muscles that move, and of the electrodes they shift.
_MUSCLE_HZ, _SHIFT_HZ = 128.0, 2.0


def simulate_onset(target: str, mechanism: str | None = None, n: int = 1, *, fs: float = 250.0, duration_s: float = 1440.0,
                   onset_s: float | None = None, lasts_s: float | None = None, leads: str | Sequence[str] = ("II", "V1"),
                   seed: int = 0, noise: bool = True) -> list[Simulated]:
    """n long records with their truth: sinus rhythm until the target begins at onset_s, by a mechanism or without a sign.

    target: one of TARGETS; "sinus" has no onset. mechanism: one of MECHANISMS; None: drawn from MIXTURES of the target.
    onset_s: None for two minutes before the end. lasts_s: None until the end of the record; else sinus rhythm follows.
    leads: as `simulate`. The same seed is the same subject whatever the target and the mechanism, and the same recording
    whatever the rate and the leads. `Truth.onset` says what precedes the onset. Raises UsageError for what cannot be made.
    """
    plan = plan_of(fs, duration_s, leads, noise)
    if n * len(plan.leads) * plan.fs * plan.duration_s > MAX_VALUES:
        raise UsageError(f"{n} records of {duration_s:g} s at {fs:g} Hz do not fit in memory together; use stream_onset(...)")
    return list(stream_onset(target, mechanism, n, fs=fs, duration_s=duration_s, onset_s=onset_s, lasts_s=lasts_s, leads=leads,
                             seed=seed, noise=noise))


def stream_onset(target: str, mechanism: str | None = None, n: int = 1, *, start: int = 0, fs: float = 250.0,
                 duration_s: float = 1440.0, onset_s: float | None = None, lasts_s: float | None = None,
                 leads: str | Sequence[str] = ("II", "V1"), seed: int = 0, noise: bool = True) -> Iterator[Simulated]:
    """Records start, start + 1, ... n - 1 of `simulate_onset`, one at a time in memory."""
    plan = plan_of(fs, duration_s, leads, noise)
    if target not in TARGETS:
        raise UsageError(f"{argument('onset', target)} is unknown; {closest(target, TARGETS)}")
    if mechanism is not None and mechanism not in MECHANISMS:
        raise UsageError(f"{argument('mechanism', mechanism)} is unknown; {closest(mechanism, MECHANISMS)}")
    if target == "sinus" and mechanism not in (None, "none"):
        raise UsageError(f"{argument('mechanism', mechanism)}: sinus rhythm has no onset to precede; name af or aflutter")
    if not isinstance(n, int) or n < 1:
        raise UsageError(f"n {n!r} must be a whole number of at least 1")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed {seed!r} must be a whole number, 0 or more")
    if target == "sinus":
        onset_s = lasts_s = None
    else:
        onset_s = max(duration_s - USUAL_REST_S, 0.5 * duration_s) if onset_s is None else onset_s
        if not MARGIN_S <= onset_s <= duration_s - MARGIN_S:
            raise UsageError(f"{argument('onset_s', onset_s)} s must be at least {MARGIN_S:g} s from both ends of a record of "
                             f"{duration_s:g} s")
        if lasts_s is not None and not lasts_s >= 1:
            raise UsageError(f"{argument('lasts_s', lasts_s)} s must be at least 1 s")
    return (_strip(target, mechanism, plan, onset_s, lasts_s, np.random.SeedSequence(seed, spawn_key=(i,)))
            for i in range(start, n))


def _strip(target: str, mechanism: str | None, plan: Plan, onset_s: float | None, lasts_s: float | None,
           seed: np.random.SeedSequence) -> Simulated:
    """The record of one seed."""
    choice, subject_rng, rhythm_rng, beat_rng, noise_rng, motion_rng = (
        np.random.Generator(np.random.PCG64(s)) for s in seed.spawn(6))
    drawn = str(choice.choice(list(MIXTURES[target]), p=list(MIXTURES[target].values())))
    mechanism = drawn if mechanism is None else mechanism
    subject = draw_subject(plan.duration_s, onset_s, mechanism, subject_rng)
    schedule = schedule_of(subject, target, onset_s, lasts_s, plan.duration_s, rhythm_rng)
    name = "onset_sinus" if target == "sinus" else f"onset_{target}_{mechanism}"
    record, beats = rendered(name, subject.heart, schedule, plan, beat_rng, noise_rng,
                             partial(_move, subject, plan, motion_rng))
    truth = true_of(name, (name,), schedule, beats, plan.duration_s, lambda found: ((), ()))
    sinus = ~np.isnan(truth.p_on)
    rr = np.diff(truth.r_peak)[sinus[1:] & sinus[:-1]]
    rate = 60 / float(np.median(rr)) if len(rr) else None
    early, wide = truth.atrial_kind.count("ectopic"), truth.kind.count("ventricular")
    labels = {*_LABELS[target], *sinus_label(rate), *(["form:PAC"] if early else []), *(["form:PVC"] if wide else [])}
    told = [f"Sinus rhythm, {rate:.0f}/min."] if rate is not None else []
    told += [f"Atrial premature beats, {early}."] if early else []
    told += [f"Ventricular premature beats, {wide}."] if wide else []
    told += [f"{e.name.capitalize()} from {e.start_s:.1f} s to {e.stop_s:.1f} s." for e in truth.events]
    return Simulated(record, replace(truth, labels=tuple(sorted(labels, key=_PLACE.__getitem__)), statements=tuple(told),
                                     onset=_onset(target, mechanism, onset_s, subject)))


def _onset(target: str, mechanism: str, onset_s: float | None, subject: Subject) -> Onset:
    minute = slice(round(-subject.times_s[0] * GRID_HZ), None, round(60 * GRID_HZ))
    channels = subject.channels
    return Onset(target, mechanism, onset_s, channels[mechanism].strength if mechanism != "none" else 0.0,
                 {name: c.manner for name, c in channels.items()}, {name: c.strength for name, c in channels.items()},
                 {name: c.level[minute].copy() for name, c in channels.items()})


def _move(subject: Subject, plan: Plan, rng: Rng, signal_8T: Float32) -> None:
    """Adds the noise of movements: at each change of posture, and now and then."""
    fs, duration_s = plan.fs, plan.duration_s
    others = rng.uniform(0, duration_s, int(rng.poisson(subject.bursts_per_h * duration_s / 3600)))
    for start in [*subject.postures_s.tolist(), *others.tolist()]:
        length, size = float(rng.uniform(2, 12)), subject.burst_mv * float(np.exp(0.4 * rng.standard_normal()))
        each_9 = size * np.exp(0.5 * rng.standard_normal(9)) * ([1.0] * 3 + [0.6] * 6)
        muscle, shift = (rng.standard_normal((9, int(length * hz) + 3)) for hz in (_MUSCLE_HZ, _SHIFT_HZ))
        first = max(round(start * fs), 0)
        t = np.arange(first, min(round((start + length) * fs), signal_8T.shape[1])) / fs - start
        if not len(t):
            continue
        wave = 0.35 * _between(muscle, np.maximum(t, 0) * _MUSCLE_HZ) + 1.5 * _between(shift, np.maximum(t, 0) * _SHIFT_HZ)
        envelope = np.clip(np.sin(np.pi * np.clip(t / length, 0, 1)), 0, 1)
        signal_8T[:, first: first + len(t)] += (FROM_ELECTRODES_89 @ (each_9[:, None] * wave * envelope)).astype(np.float32)


def _between(knots_9K: np.ndarray, place_T: np.ndarray) -> np.ndarray:
    """Values between knots ``[electrode, knot]`` at fractional places ``[time]``."""
    low = place_T.astype(np.int64)
    share = place_T - low
    return np.asarray((1 - share) * knots_9K[:, low] + share * knots_9K[:, low + 1])
