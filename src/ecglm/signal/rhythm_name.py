"""`rhythm`: what rhythm it is, by rules on waves and beats alone, with the numbers it rests on.

Rules follow the definitions of the AHA/ACCF/HRS statement on conduction disturbances (Surawicz et al. 2009,
10.1161/CIRCULATIONAHA.108.191095) and of the ESC guideline on supraventricular tachycardia (Brugada et al. 2020,
10.1093/eurheartj/ehz467); limits that no guideline gives were set on PTB-XL folds 1-8 and simulated records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.schema import Evidence, Rhythm
from ecglm.signal.atrial import atrial_spectrum, repeated_after
from ecglm.signal.beat_types import FROM_BELOW
from ecglm.signal.conduction import MOST, PR_S, STEADY, Conduction, conduction, owners
from ecglm.signal.delineation import Delineation, delineate
from ecglm.signal.missing import FloatArray
from ecglm.signal.prepare import prepare
from ecglm.signal.rhythm import local_rr
from ecglm.signal.stack import stack_beats
from ecglm.signal.wave_network import FS

#: Sinus limits (1/min), first-degree block (ms), a pause (s), a wide QRS (ms).
SLOW, FAST, LONG_PR_MS, PAUSE_S, WIDE_MS = 60.0, 100.0, 200.0, 2.0, 120.0
#: What lies so shortly (ms) before a wide QRS of a fast heart is more likely the end of a T wave than a P wave.
SHORT_PR_MS = 110.0
#: SD of normal RR over their mean from which sinus rhythm is called sinus arrhythmia.
SINUS_VARIES = 0.08
#: By this share of the usual PP interval a P wave may miss its time.
OFF_BEAT = 0.2
#: A regular atrial wave between the beats, without P waves: its rates (Hz), its share of the power there and its size beside
#: the whole signal's. Set on simulated records: there are hardly any real ones to set them on.
FLUTTER_HZ, FLUTTER_SHARE, FLUTTER_LEVEL = (3.8, 6.0), 0.38, 0.3


@dataclass(frozen=True)
class _Numbers:
    """What the name rests on. alone: P waves that no QRS follows; dropped: those of them that keep time; pacing: share of QRS
    complexes that a pacemaker set off."""

    beats: int
    rate: float
    conduction: Conduction
    alone: int
    dropped: int
    qrs_ms: float
    longest_s: float
    pacing: float


def rhythm(record: Record, found: Delineation | None = None) -> Rhythm:
    """The rhythm of a record of any leads; found: its waves, where they are known already. Name None comes with a reason."""
    waves = delineate(record) if found is None else found
    qrs = waves.overall["qrs"]
    if len(qrs) < 3:
        return Rhythm(None, (), (), waves.reason or "fewer than three QRS complexes found")
    types = np.array(waves.types or ["N"] * len(qrs))
    owner = owners(waves.overall["p"], qrs)
    numbers = _numbers(waves, types, owner)
    dropped = _dropped(waves.overall["p"], qrs, types, owner)
    pattern = None if len(dropped) else _pattern(qrs, types, owner)
    name = _name(numbers, qrs, waves.overall["p"], owner, dropped, pattern)
    scaled = prepare(record.select(waves.leads), FS).signal.astype(np.float64)
    flutter = _saw_tooth(scaled, waves) if name.startswith(("regular", "supraventricular")) else None
    if flutter is None and name.startswith(("sinus", "regular", "irregular")):
        flutter = _repeated_p(scaled, waves, owner)
    name = name if flutter is None else "atrial flutter"
    also = _also(name, numbers, types, pattern)
    evidence = _evidence("; ".join((name, *also)), numbers, types)
    if flutter is not None:
        evidence = (*evidence, Evidence(f"atrial waves at {60 * flutter:.0f} per minute", value=60 * flutter, unit="bpm"))
    return Rhythm(name, also, evidence, None)


def _repeated_p(scaled_LT: FloatArray, waves: Delineation, owner: NDArray[np.int64]) -> float | None:
    """Frequency (Hz) at which the waves that are marked as P come over and over, None where each comes once a beat."""
    led, qrs = np.flatnonzero(owner >= 0), waves.overall["qrs"]
    again_s = repeated_after(scaled_LT, FS, waves.overall["p"][owner[led]][:, [0, 2]], qrs[led, 0],
                             np.where(led > 0, qrs[led - 1, 2], 0.0))
    return None if again_s is None else 1 / again_s


def _saw_tooth(scaled: FloatArray, waves: Delineation) -> float | None:
    """Frequency (Hz) of a regular atrial wave of a flutter's rate, None without."""
    samples = np.round(waves.overall["qrs"][:, 1] * FS).astype(np.int64)
    stack = stack_beats(scaled, samples, FS)
    seen = None if stack is None else atrial_spectrum(scaled, stack, samples)
    if seen is None or not FLUTTER_HZ[0] <= seen.peak_hz <= FLUTTER_HZ[1]:
        return None
    return seen.peak_hz if seen.peak_share > FLUTTER_SHARE and seen.level > FLUTTER_LEVEL else None


def _alone(p_P3: FloatArray, qrs_B3: FloatArray, owner: NDArray[np.int64]) -> FloatArray:
    """Indices of the P waves between the first and the last QRS that no QRS followed in PR_S and that lie on none."""
    alone = np.setdiff1d(np.arange(len(p_P3)), owner)
    on, peak = p_P3[alone, 0], p_P3[alone, 1]
    upon = ((qrs_B3[:, 0] - 0.05 < peak[:, None]) & (peak[:, None] < qrs_B3[:, 2] + 0.02)).any(axis=1)
    inside = (peak > qrs_B3[0, 2]) & (on < qrs_B3[-1, 0] - PR_S[1])
    out: FloatArray = alone[inside & ~upon]
    return out


def _dropped(p_P3: FloatArray, qrs_B3: FloatArray, types: NDArray[np.str_], owner: NDArray[np.int64]) -> FloatArray:
    """Onsets of those `_alone` beside no ventricular beat that come when the other P waves let expect one: what else looks
    like a P wave (a U wave, noise) does not keep time."""
    chosen = _alone(p_P3, qrs_B3, owner)
    before = np.searchsorted(qrs_B3[:, 0], p_P3[chosen, 0]) - 1
    chosen = chosen[~np.isin(types[before], FROM_BELOW) & ~np.isin(types[before + 1], FROM_BELOW)]
    every = np.sort(np.r_[p_P3[owner[owner >= 0], 0], p_P3[chosen, 0]])
    if len(every) < 3:
        return np.empty(0)
    steps = np.diff(every) / np.median(np.diff(every))
    timed = np.abs(steps - np.maximum(np.round(steps), 1)) < OFF_BEAT
    at = np.searchsorted(every, p_P3[chosen, 0])
    out: FloatArray = p_P3[chosen, 0][np.r_[True, timed][at] & np.r_[timed, True][at]]
    return out


def _numbers(waves: Delineation, types: NDArray[np.str_], owner: NDArray[np.int64]) -> _Numbers:
    qrs, p = waves.overall["qrs"], waves.overall["p"]
    rr = np.diff(qrs[:, 0])
    return _Numbers(
        beats=len(qrs), rate=float(60 / rr.mean()), conduction=conduction(p, qrs, waves.types),
        alone=len(_alone(p, qrs, owner)), dropped=len(_dropped(p, qrs, types, owner)),
        qrs_ms=float(1000 * np.median(qrs[:, 2] - qrs[:, 0])), longest_s=float(rr.max()), pacing=float((types == "Q").mean()))


def _pattern(qrs_B3: FloatArray, types: NDArray[np.str_], owner: NDArray[np.int64]) -> str | None:
    """Bigeminy or trigeminy, by early beats in turn; ventricular where these are wider and no P wave leads to them."""
    rr = np.diff(qrs_B3[:, 0])
    if len(rr) < 5:
        return None
    # The usual interval around, or three quarters of the pause that follows where every other beat is early.
    early = np.r_[False, rr < 0.85 * np.maximum(local_rr(rr), np.r_[rr[1:], 0] * 0.75)] | (types == "V")
    for every, name in ((2, "bigeminy"), (3, "trigeminy")):
        for phase in range(every):
            turn = np.arange(len(early)) % every == phase
            if turn.sum() >= 3 and (early == turn)[1:-1].mean() >= 0.95:
                width = qrs_B3[:, 2] - qrs_B3[:, 0]
                wide = np.median(width[turn]) > np.median(width[~turn]) + 0.015 or (types[turn] == "V").mean() > 0.5
                return f"{'ventricular' if wide or (owner[turn] >= 0).mean() < 0.4 else 'atrial'} {name}"
    return None


def _name(n: _Numbers, qrs_B3: FloatArray, p_P3: FloatArray, owner: NDArray[np.int64], dropped: FloatArray,
          pattern: str | None) -> str:
    c, regular = n.conduction, n.conduction.rr_change < STEADY
    if n.pacing:
        return "ventricular paced rhythm"
    if n.alone >= 2 and c.rr_cv < 0.1 and regular and (c.pr_sd_ms or 0) > 25:
        return "third-degree AV block"
    if n.dropped and c.p_share >= MOST:
        return _second_degree(qrs_B3, p_P3, owner, dropped)
    if n.rate > FAST and n.qrs_ms >= WIDE_MS and not c.fibrillates and (c.p_share < MOST or (c.pr_ms or 0) < SHORT_PR_MS):
        return "wide-complex tachycardia"
    if pattern is None and c.fibrillates:
        return "atrial fibrillation"
    if c.p_share >= MOST or (pattern is not None and c.p_share >= 0.3):
        return _sinus(n, pattern)
    if n.rate > FAST:
        return "supraventricular tachycardia"
    return "regular rhythm without P waves" if regular else "irregular rhythm without P waves"


def _second_degree(qrs_B3: FloatArray, p_P3: FloatArray, owner: NDArray[np.int64], dropped: FloatArray) -> str:
    """Mobitz I where the PR interval before a dropped beat is longer than the one after it."""
    between = np.array([((dropped > a) & (dropped < b)).sum() for a, b in zip(qrs_B3[:-1, 0], qrs_B3[1:, 0], strict=True)])
    if (between >= 1).mean() > 0.6:
        return "second-degree AV block, 2:1" if between.max() == 1 else "advanced second-degree AV block"
    pr = np.where(owner >= 0, qrs_B3[:, 0] - p_P3[np.maximum(owner, 0), 0], np.nan)
    growth = [pr[k] - pr[k + 1] for k in np.flatnonzero(between)]
    known = [g for g in growth if np.isfinite(g)]
    return f"second-degree AV block, Mobitz {'I' if known and np.median(known) > 0.03 else 'II'}"


def _sinus(n: _Numbers, pattern: str | None) -> str:
    if n.rate < SLOW:
        return "sinus bradycardia"
    if n.rate > FAST:
        return "sinus tachycardia"
    return "sinus arrhythmia" if n.conduction.rr_cv > SINUS_VARIES and pattern is None else "sinus rhythm"


def _also(name: str, n: _Numbers, types: NDArray[np.str_], pattern: str | None) -> tuple[str, ...]:
    out = [pattern] if pattern else []
    sinus = name.startswith("sinus")
    if sinus and (n.conduction.pr_ms or 0) > LONG_PR_MS:
        out.append("first-degree AV block")
    if not pattern:
        out += _ectopy(types, name)
    if name == "sinus tachycardia" and n.qrs_ms > WIDE_MS:
        out.append("wide QRS complexes: ventricular tachycardia is not excluded")
    if n.longest_s > PAUSE_S:
        out.append(f"pause of {n.longest_s:.1f} s")
    return tuple(out)


def _ectopy(types: NDArray[np.str_], name: str) -> list[str]:
    out = []
    runs = [len(run) for run in "".join("V" if kind == "V" else " " for kind in types).split()]
    if runs and max(runs) >= 3 and max(runs) < len(types):
        out.append(f"ventricular run of {max(runs)} beats")
    kinds = [("V", "ventricular")] + [("S", "supraventricular")] * (name != "atrial fibrillation")
    for kind, word in kinds:
        count = int((types == kind).sum())
        if count and count < 0.5 * len(types):
            out.append(f"{count} {word} premature beat{'s' if count > 1 else ''}")
    return out


def _evidence(said: str, n: _Numbers, types: NDArray[np.str_]) -> tuple[Evidence, ...]:
    """The numbers behind what is said. PR and QRS only where it rests on them, with their definition: over all leads they are
    longer than those of `measure`, and two values for one interval would puzzle."""
    c, whole = n.conduction, int((~np.isin(types, FROM_BELOW)).sum())
    out = [Evidence(f"rate {n.rate:.0f} bpm from {n.beats} beats", value=n.rate, unit="bpm"),
           Evidence(f"RR intervals change by {100 * c.rr_change:.0f} % from beat to beat", value=100 * c.rr_change, unit="%")]
    if not said.startswith("atrial flutter"):  # there they are waves of the flutter
        out.append(Evidence(f"a P wave before {100 * c.p_share:.0f} % of {whole} QRS complexes", value=100 * c.p_share, unit="%"))
    if c.pr_ms is not None and c.pr_sd_ms is not None and "AV block" in said:
        out.append(Evidence(f"PR {c.pr_ms:.0f} ms from the first onset of P in any lead to the first of QRS, varying by "
                            f"{c.pr_sd_ms:.0f} ms", value=c.pr_ms, unit="ms"))
    if n.alone and not said.startswith(("sinus", "atrial f")):
        out.append(Evidence(f"{n.alone} P wave{'s' if n.alone > 1 else ''} without a QRS", value=n.alone))
    if (n.qrs_ms >= WIDE_MS and not said.startswith("sinus r")) or "wide" in said:
        out.append(Evidence(f"QRS {n.qrs_ms:.0f} ms from its first onset in any lead to its last end", value=n.qrs_ms, unit="ms"))
    if n.pacing:
        out.append(Evidence(f"a spike before {100 * n.pacing:.0f} % of the QRS complexes", value=100 * n.pacing, unit="%"))
    return tuple(out)
