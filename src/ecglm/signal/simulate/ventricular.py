"""Rhythms that the ventricles, a complete block or a pacemaker decide: (heart, duration_s, rng) to a schedule."""

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
    fibrillation_intervals,
    jitter,
    sinus_times,
)

Rng = np.random.Generator


def regular(rate: float, start: float, stop: float, rng: Rng, sd: float) -> list[float]:
    """Times (s) of a pacemaker of the heart or of the clinic; sd: spread of its intervals (s)."""
    rr = 60 / rate
    n = max(1, int((stop - start) / rr * 1.15) + 2)
    times = start + float(rng.random()) * rr + np.r_[0.0, np.cumsum(rr + jitter(rng, n, sd))]
    return [float(t) for t in times if t < stop]


def complete_block(heart: Heart, duration_s: float, rng: Rng, escape: Beat = Beat.USUAL) -> Schedule:
    """Third-degree AV block: P waves and a slower escape rhythm, both regular, that know nothing of one another."""
    plan = Schedule()
    plan.p = [(float(t), Atrial.SINUS) for t in sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng)]
    rate = float(rng.uniform(38, 52) if escape is Beat.USUAL else rng.uniform(27, 38))
    plan.qrs = [(t, escape, np.nan) for t in regular(rate, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng, 0.006)]
    return plan


def idioventricular(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Accelerated idioventricular rhythm: wide beats at 60 to 100, no P waves before them."""
    plan = Schedule()
    plan.qrs = [(t, Beat.ECTOPIC, np.nan) for t in
                regular(float(rng.uniform(62, 95)), -LEAD_IN_S, duration_s + LEAD_OUT_S, rng, 0.008)]
    plan.events.append(Event("accelerated idioventricular rhythm", 0.0, duration_s))
    return plan


def tachycardia(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Sustained monomorphic ventricular tachycardia with dissociated sinus P waves."""
    plan = Schedule()
    plan.qrs = [(t, Beat.ECTOPIC, np.nan) for t in
                regular(float(rng.uniform(135, 200)), -LEAD_IN_S, duration_s + LEAD_OUT_S, rng, 0.005)]
    plan.p = [(float(t), Atrial.SINUS) for t in sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng)]
    plan.events.append(Event("ventricular tachycardia", 0.0, duration_s))
    return plan


def run_of_ventricular_beats(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Sinus rhythm with one run of 4 to 8 wide beats at 130 to 180 (nonsustained ventricular tachycardia)."""
    plan = Schedule()
    start = float(rng.uniform(0.25, 0.5)) * duration_s
    rr = 60 / float(rng.uniform(130, 180))
    run = start + rr * np.arange(min(int(rng.integers(4, 9)), max(3, int(0.4 * duration_s / rr))))
    for at in sinus_times(heart, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng):
        plan.p.append((float(at), Atrial.SINUS))
        onset = float(at) + heart.pr_s
        # The run takes over; a QRS needs the ventricles recovered before and after it.
        if onset < start - 0.38 or onset > run[-1] + 0.55:
            plan.qrs.append((onset, Beat.USUAL, heart.pr_s))
    plan.qrs += [(float(t), Beat.ECTOPIC, np.nan) for t in run]
    plan.qrs.sort(key=lambda q: q[0])
    plan.events.append(Event("ventricular tachycardia", float(run[0]), float(run[-1])))
    return plan


def ventricular_fibrillation(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Ventricular fibrillation: no complexes at all."""
    plan = Schedule(chaos=[(-LEAD_IN_S, duration_s + LEAD_OUT_S)])
    plan.events.append(Event("ventricular fibrillation", 0.0, duration_s))
    return plan


def torsade(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Torsade de pointes: a polymorphic tachycardia whose axis turns around the baseline."""
    plan = ventricular_fibrillation(heart, duration_s, rng)
    plan.twisting, plan.events = True, [Event("torsade de pointes", 0.0, duration_s)]
    return plan


def paced_atria(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """AAI: a spike before every P wave, conducted beats."""
    plan = Schedule()
    for at in regular(heart.rate, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng, 0.0004):
        plan.spikes.append((at - 0.012, "A"))
        plan.sinus(at, heart.pr_s + float(jitter(rng, 1)[0]), Atrial.PACED)
    return plan


def paced_ventricles(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """VVI: a spike before every wide QRS; behind it atrial fibrillation, or a sinus rhythm that is not conducted."""
    plan = Schedule()
    stop = duration_s + LEAD_OUT_S
    if rng.random() < 0.6:
        plan.fibrillation.append((-LEAD_IN_S, stop))
    else:
        plan.p = [(float(t), Atrial.SINUS) for t in sinus_times(heart, -LEAD_IN_S, stop, rng)]
    for at in regular(float(rng.choice([60.0, 65.0, 70.0])), -LEAD_IN_S, stop, rng, 0.0004):
        plan.spikes.append((at - 0.010, "V"))
        plan.qrs.append((at, Beat.PACED, np.nan))
    return plan


def paced_both(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """DDD: a spike before every P wave and one before every QRS, a fixed AV delay between them."""
    plan = Schedule()
    delay = float(rng.choice([0.14, 0.16, 0.18, 0.20]))
    for at in regular(heart.rate, -LEAD_IN_S, duration_s + LEAD_OUT_S, rng, 0.0004):
        plan.spikes += [(at - 0.012, "A"), (at + delay - 0.010, "V")]
        plan.p.append((at, Atrial.PACED))
        plan.qrs.append((at + delay, Beat.PACED, delay))
    return plan


def slow_fibrillation_block(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Atrial fibrillation with complete AV block: f waves over a slow, regular escape rhythm."""
    plan = complete_block(heart, duration_s, rng, Beat.USUAL)
    plan.p, plan.fibrillation = [], [(-LEAD_IN_S, duration_s + LEAD_OUT_S)]
    return plan


def fibrillation_with_ectopy(heart: Heart, duration_s: float, rng: Rng) -> Schedule:
    """Atrial fibrillation with ventricular premature beats."""
    plan = Schedule(fibrillation=[(-LEAD_IN_S, duration_s + LEAD_OUT_S)])
    rr = fibrillation_intervals(heart.rate, duration_s + LEAD_IN_S + LEAD_OUT_S, rng)
    times = -LEAD_IN_S + np.cumsum(rr)
    wide = rng.random(len(times)) < 0.12
    inside = np.flatnonzero((times > 0.2 * duration_s) & (times < 0.8 * duration_s))
    if len(inside):
        wide[int(rng.choice(inside))] = True
    for at, kind in zip(times, wide, strict=True):
        if at < duration_s + LEAD_OUT_S:
            plan.qrs.append((float(at), Beat.ECTOPIC if kind else Beat.USUAL, np.nan))
    plan.events.append(Event("atrial fibrillation", 0.0, duration_s))
    return plan
