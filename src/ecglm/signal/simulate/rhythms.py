"""Rhythms of the atria and the AV node: heart in, schedule out. Each takes (heart, duration_s, rng) and options.

Definitions: Mason et al. 2007 (AHA/ACC/HRS part II, 10.1161/CIRCULATIONAHA.106.180201) and Surawicz & Knilans,
Chou's Electrocardiography in Clinical Practice, 6th ed. 2008; the numbers that matter are in the table of `conditions`.
"""

from __future__ import annotations

import numpy as np

from ecglm.signal.simulate.heart import Heart
from ecglm.signal.simulate.schedule import (
    LEAD_IN_S,
    LEAD_OUT_S,
    Atrial,
    Beat,
    Event,
    Schedule,
    chosen_beats,
    fibrillation_intervals,
    jitter,
    sinus_intervals,
    sinus_times,
)

Rng = np.random.Generator


def sinus(heart: Heart, duration_s: float, rng: Rng, origin: Atrial = Atrial.SINUS) -> Schedule:
    """One P before every QRS, at the rate and variability of the heart."""
    plan = Schedule()
    times = sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng)
    for at, wobble in zip(times, jitter(rng, len(times)), strict=True):
        plan.sinus(float(at), heart.pr_s + float(wobble), origin)
    return plan


def ectopic_atrial(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """A low atrial focus: inverted P in the inferior leads, short PR."""
    return sinus(heart, duration_s, rng, Atrial.ECTOPIC)


def premature_atrial(heart: Heart, duration_s: float, rng: Rng, per_s: float = 0.22) -> Schedule:
    """Sinus rhythm with early P waves of another shape; the pause resets the sinus node and is not compensatory."""
    plan = Schedule()
    rr = sinus_intervals(heart, duration_s + LEAD_IN_S + LEAD_OUT_S, rng)
    usual = -LEAD_IN_S + np.cumsum(rr)
    early = set(chosen_beats(usual, duration_s, per_s, rng, apart=2).tolist())
    at, stop = -LEAD_IN_S + rr[0] * rng.random(), duration_s + LEAD_OUT_S
    for index, interval in enumerate(rr):
        if at >= stop:
            break
        plan.sinus(at, heart.pr_s + float(jitter(rng, 1)[0]))
        if index in early:
            # Not before the last T wave has ended and the node conducts again.
            first = max(float(rng.uniform(0.52, 0.72)) * interval, 0.36)
            if first < 0.85 * interval:
                plan.sinus(at + first, heart.pr_s + float(rng.uniform(0, 0.03)), Atrial.ECTOPIC)
                at += first
                interval *= float(rng.uniform(1.03, 1.22))
        at += interval
    return plan


def premature_ventricular(heart: Heart, duration_s: float, rng: Rng, per_s: float = 0.2, every: int | None = None,
                          coupling: tuple[float, float] = (0.45, 0.62)) -> Schedule:
    """Sinus rhythm with early wide beats. The sinus node keeps its time: the next P finds the node refractory, and the
    pause is compensatory. every: 1 bigeminy, 2 trigeminy (as many sinus beats between); else about per_s each second."""
    plan = Schedule()
    times = sinus_times(heart, -LEAD_IN_S - 2, duration_s + LEAD_OUT_S, rng)
    chosen = set(chosen_beats(times, duration_s, per_s, rng).tolist()) if every is None else \
        set(range(int(rng.integers(every + 1)), len(times), every + 1))
    fixed = float(rng.uniform(*coupling))  # the coupling of one focus hardly changes
    blocked = -1
    for index, at in enumerate(times):
        plan.p.append((float(at), Atrial.SINUS))
        if index == blocked:
            continue
        pr = heart.pr_s + float(jitter(rng, 1)[0])
        plan.qrs.append((float(at) + pr, Beat.USUAL, pr))
        if index in chosen and index + 1 < len(times):
            gap = float(times[index + 1] - at)
            after = max(fixed * gap, 0.33) + float(rng.normal(0, 0.008))
            if after < 0.9 * gap:
                plan.qrs.append((float(at) + pr + after, Beat.ECTOPIC, np.nan))
                blocked = index + 1
    return plan


def fibrillation(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Atrial fibrillation: no P waves, f waves, irregularly irregular."""
    plan = Schedule(fibrillation=[(-LEAD_IN_S, duration_s + LEAD_OUT_S)])
    rr = fibrillation_intervals(heart.rate, duration_s + LEAD_IN_S + LEAD_OUT_S, rng, float(rng.uniform(0.17, 0.27)))
    for at in -LEAD_IN_S + np.cumsum(rr):
        if at < duration_s + LEAD_OUT_S:
            plan.qrs.append((float(at), Beat.USUAL, np.nan))
    plan.events.append(Event("atrial fibrillation", 0.0, duration_s))
    return plan


def fibrillation_onset(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Sinus rhythm with a few atrial premature beats until atrial fibrillation begins with one of them."""
    onset = float(rng.uniform(0.35, 0.65)) * duration_s
    before = premature_atrial(heart, duration_s, rng, per_s=0.08)
    last = max((q for q in before.qrs if q[0] < onset), default=(-LEAD_IN_S, Beat.USUAL, np.nan))
    plan = Schedule(p=[p for p in before.p if p[0] < last[0]], qrs=[q for q in before.qrs if q[0] <= last[0]])
    trigger = last[0] + max(0.42, 0.55 * 60 / heart.rate)
    plan.sinus(trigger - heart.pr_s, heart.pr_s, Atrial.ECTOPIC)
    start = trigger - heart.pr_s + heart.p_s
    rr = fibrillation_intervals(min(1.45 * heart.rate, 150), duration_s - trigger + LEAD_OUT_S, rng)
    plan.qrs += [(float(at), Beat.USUAL, np.nan) for at in trigger + np.cumsum(rr) if at < duration_s + LEAD_OUT_S]
    plan.fibrillation.append((start, duration_s + LEAD_OUT_S))
    plan.events.append(Event("atrial fibrillation", start, duration_s))
    return plan


def flutter(heart: Heart, duration_s: float, rng: Rng, ratio: int | None = 2) -> Schedule:
    """Typical flutter at 240-340 a minute, conducted `ratio`:1, or with changing ratio (None)."""
    plan = Schedule(flutter=[(-LEAD_IN_S, duration_s + LEAD_OUT_S)], flutter_hz=float(rng.uniform(250, 330) / 60))
    at, cycle = -LEAD_IN_S + float(rng.random()), 1 / plan.flutter_hz
    while at < duration_s + LEAD_OUT_S:
        plan.qrs.append((at + float(rng.normal(0, 0.003)), Beat.USUAL, np.nan))
        at += cycle * (ratio if ratio is not None else int(rng.choice([2, 3, 4, 5], p=[0.35, 0.2, 0.35, 0.1])))
    plan.events.append(Event("atrial flutter", 0.0, duration_s))
    return plan


def nodal_reentry(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Regular narrow tachycardia; the retrograde P lies at the end of the QRS or in the ST segment."""
    plan = Schedule()
    late = float(rng.choice([0.05, 0.11]))  # AV nodal re-entry or an accessory pathway
    rr = 60 / heart.rate
    n = int((duration_s + LEAD_IN_S + LEAD_OUT_S) / rr) + 1
    for at in -LEAD_IN_S + float(rng.random()) * rr + rr * np.arange(n) + jitter(rng, n, 0.002):
        plan.qrs.append((float(at), Beat.USUAL, np.nan))
        plan.p.append((float(at) + late, Atrial.RETROGRADE))
    return plan


def junctional(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Junctional escape rhythm: narrow, 40 to 60, P hidden in or just behind the QRS."""
    plan = Schedule()
    retrograde = bool(rng.random() < 0.5)
    for at in sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng):
        plan.qrs.append((float(at), Beat.USUAL, np.nan))
        if retrograde:
            plan.p.append((float(at) + 0.05, Atrial.RETROGRADE))
    return plan


def sinus_pause(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Sinus rhythm that stops once for 2 to 3 s (less where the record is short)."""
    plan = sinus(heart, duration_s, rng)
    index = int(chosen_beats([p[0] for p in plan.p], duration_s, 0.0, rng)[0])
    pause = min(float(rng.uniform(2.1, 2.9)), 0.5 * duration_s) - 60 / heart.rate
    late = max(pause, 0.0)
    plan.p = [(t + late * (i > index), k) for i, (t, k) in enumerate(plan.p)]
    plan.qrs = [(t + late * (i > index), k, pr) for i, (t, k, pr) in enumerate(plan.qrs)]
    plan.events.append(Event("sinus pause", plan.p[index][0], plan.p[min(index + 1, len(plan.p) - 1)][0]))
    return plan


def wenckebach(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Second-degree AV block, type I: PR grows by less each beat until a P wave is not conducted, then starts anew."""
    plan = Schedule()
    length = int(rng.integers(3, 6))  # P waves in a cycle: 3:2 to 5:4
    place = int(rng.integers(length))
    for at in sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng):
        if place == length - 1:
            plan.p.append((float(at), Atrial.SINUS))
        else:
            grown = 0.085 * sum(0.55**k for k in range(place))
            plan.sinus(float(at), heart.pr_s + grown + float(jitter(rng, 1)[0]))
        place = (place + 1) % length
    return plan


def mobitz(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Second-degree AV block, type II: single P waves are not conducted, the PR of all others stays the same."""
    plan = Schedule()
    length = int(rng.integers(3, 5))
    times = sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng)
    place = int(rng.integers(length))
    for at in times:
        if place == length - 1:
            plan.p.append((float(at), Atrial.SINUS))
        else:
            plan.sinus(float(at), heart.pr_s + float(jitter(rng, 1)[0]))
        place = (place + 1) % length
    return plan


def two_to_one(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Second-degree AV block, 2:1: every other P wave is conducted."""
    plan = Schedule()
    for index, at in enumerate(sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng)):
        if index % 2:
            plan.p.append((float(at), Atrial.SINUS))
        else:
            plan.sinus(float(at), heart.pr_s + float(jitter(rng, 1)[0]))
    return plan
