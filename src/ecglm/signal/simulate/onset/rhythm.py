"""When the atria and ventricles of a subject are activated: sinus rhythm with premature beats, then perhaps an onset."""

from __future__ import annotations

import numpy as np

from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.onset.subject import GRID_HZ, Subject
from ecglm.signal.simulate.onset.table import Rng
from ecglm.signal.simulate.schedule import LEAD_IN_S, LEAD_OUT_S, Atrial, Beat, Event, Schedule, fibrillation_intervals

#: A premature P wave that comes sooner than this after the last one (s, share of RR) finds the AV node refractory.
_BLOCKED = (0.24, 0.10)
#: Conduction of flutter waves: every second, third, fourth; how often it changes to each.
_RATIOS, _RATIO_SHARES = (2, 3, 4), (0.55, 0.10, 0.35)


def schedule_of(subject: Subject, target: str, onset_s: float | None, lasts_s: float | None, duration_s: float,
                rng: Rng) -> Schedule:
    """The rhythm of the whole record. f or flutter waves begin at onset_s, at the end of the premature P wave that triggers
    them.

    Up to that P wave all is as it would be without an onset: sinus rhythm has a generator of its own.
    """
    plan = Schedule()
    before, during, after = (np.random.Generator(np.random.PCG64(int(s))) for s in rng.integers(2**63, size=3))
    stop = duration_s + LEAD_OUT_S
    if target == "sinus" or onset_s is None:
        _sinus(plan, subject, -LEAD_IN_S, stop, before)
        return plan
    length = float(subject.heart.p_s * 0.92 + subject.heart.course.at("p_extra_s", np.array([onset_s]))[0]) \
        if subject.heart.course is not None else subject.heart.p_s
    trigger = onset_s - length
    _sinus(plan, subject, -LEAD_IN_S, trigger, before)
    _make_way(plan, trigger)
    end = stop if lasts_s is None else min(onset_s + lasts_s, stop)
    pr = float(np.interp(onset_s, subject.times_s, subject.pr_s)) + 0.02
    plan.sinus(trigger, pr, Atrial.ECTOPIC)
    name = {"af": "atrial fibrillation", "aflutter": "atrial flutter"}[target]
    if target == "af":
        plan.fibrillation.append((onset_s, end))
        times = _fibrillation(subject, trigger + pr, end, during)
    else:
        plan.flutter.append((onset_s, end))
        plan.flutter_hz = subject.flutter_hz
        times = _flutter(subject, trigger + pr, end, during)
    plan.qrs += [(float(at), Beat.USUAL, np.nan) for at in times]
    plan.events.append(Event(name, onset_s, min(end, duration_s)))
    if end < stop:  # the sinus node takes a moment to recover
        _sinus(plan, subject, max(end, plan.qrs[-1][0]) + float(after.uniform(0.6, 1.6)), stop, after)
    return plan


def _sinus(plan: Schedule, subject: Subject, start: float, stop: float, rng: Rng) -> None:
    """Sinus rhythm with premature beats from start to stop.

    An atrial one resets the sinus node; a ventricular one does not, and the P wave after it is not conducted.
    """
    def on_grid(values: FloatArray) -> list[float]:
        return [float(v) for v in values]

    rr_s, atrial_hz, ventricular_hz = on_grid(subject.rr_s), on_grid(subject.atrial_hz), on_grid(subject.ventricular_hz)
    coupling, run, pr_s = on_grid(subject.coupling), on_grid(subject.run), on_grid(subject.pr_s)
    first = float(subject.times_s[0])
    n = int((float(subject.times_s[-1]) - start) / min(rr_s)) + 8  # not by `stop`: random numbers are those of the whole record
    wobble = (1 + subject.heart.jitter * np.clip(rng.standard_normal(n), -3, 3)).tolist()
    conduction = (0.003 * np.clip(rng.standard_normal(n), -2.5, 2.5)).tolist()
    chance = rng.random((n, 2)).tolist()
    fixed = float(rng.uniform(0.48, 0.62))  # the coupling of a ventricular focus hardly changes
    at = start + rr_s[0] * float(rng.random())
    conducted, place = True, 0
    while at < stop and place < n:
        here = min(int((at - first) * GRID_HZ), len(rr_s) - 1)
        rr = rr_s[here] * wobble[place]
        pr = pr_s[here] + conduction[place]
        if conducted:
            plan.sinus(at, pr)
        else:
            plan.p.append((at, Atrial.SINUS))
        was, conducted = conducted, True
        if was and chance[place][0] < 1 - np.exp(-atrial_hz[here] * rr):
            at = _atrial(plan, at, rr, pr, coupling[here], run[here], stop, rng) + rr * float(rng.uniform(1.02, 1.20))
        else:
            if was and chance[place][1] < ventricular_hz[here] * rr:
                late = max(fixed * rr, 0.34) + float(rng.normal(0, 0.008))
                if late < 0.88 * rr and at + pr + late < stop:
                    plan.qrs.append((at + pr + late, Beat.ECTOPIC, np.nan))
                    conducted = False
            at += rr
        place += 1


def _atrial(plan: Schedule, at: float, rr: float, pr: float, coupling: float, again: float, stop: float, rng: Rng) -> float:
    """One premature P wave or a short run of them after the sinus P wave at `at`; returns when the last one began."""
    for _ in range(6):
        early = max((coupling + float(rng.normal(0, 0.025))) * rr, 0.26)
        if early > 0.88 * rr or at + early > stop - 0.25:
            break
        at += early
        if early < _BLOCKED[0] + _BLOCKED[1] * rr:
            plan.p.append((at, Atrial.ECTOPIC))
        else:  # the earlier, the longer the node takes
            plan.sinus(at, pr + 0.07 * max(0.0, 0.75 - early / rr) + float(rng.uniform(0, 0.012)), Atrial.ECTOPIC)
        if rng.random() > again:
            break
    return at


def _make_way(plan: Schedule, trigger: float) -> None:
    """Leaves out what would coincide with the premature P wave that triggers the onset: beats of its last 0.42 s."""
    plan.p = [p for p in plan.p if p[0] < trigger - 0.42]
    plan.qrs = [q for q in plan.qrs if q[0] < trigger - 0.22]


def _fibrillation(subject: Subject, start: float, stop: float, rng: Rng) -> FloatArray:
    """QRS onsets after start: irregular, at a rate that the episode changes slowly."""
    times = start + np.cumsum(fibrillation_intervals(subject.af_rate, stop - start, rng, float(rng.uniform(0.18, 0.27))))
    return np.asarray(times[times < stop])


def _flutter(subject: Subject, start: float, stop: float, rng: Rng) -> FloatArray:
    """QRS onsets after start: whole multiples of the flutter cycle, the ratio kept for a while."""
    cycle = 1 / subject.flutter_hz
    ratios = rng.choice(_RATIOS, size=int((stop - start) / cycle / 2) + 2, p=_RATIO_SHARES)
    keep = np.maximum(np.r_[0, np.cumsum(rng.geometric(1 / 12, size=len(ratios)))], 0)
    each = ratios[np.searchsorted(keep, np.arange(len(ratios)), side="right") - 1]
    times = start + np.cumsum(each * cycle + 0.003 * np.clip(rng.standard_normal(len(each)), -2.5, 2.5))
    return np.asarray(times[times < stop])
