"""`measure`: rate, variability, intervals, axes, heights and rhythm of a record, each with evidence or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecglm.knowledge.precision import with_confidence
from ecglm.records.leads import LIMB_LEADS
from ecglm.records.record import Record, checked_record
from ecglm.schema import UNITS, Measurement, Measurements
from ecglm.signal.agreed_beats import agreed_beats, ventricular
from ecglm.signal.atrial import PWaves, atrial_spectrum, p_waves
from ecglm.signal.axis import MAX_DISAGREEMENT, limb_disagreement
from ecglm.signal.beats import Beats, detect_beats
from ecglm.signal.causes import lead_problems, limb_gain_problem, reversal_problem
from ecglm.signal.delineation import Delineation
from ecglm.signal.filters import bandpass
from ecglm.signal.frontal import frontal_axes, no_axes, qrs_axis
from ecglm.signal.intervals import NO_QRS, durations, no_p_wave, rates
from ecglm.signal.measured_parts import measured_parts
from ecglm.signal.missing import FloatArray
from ecglm.signal.morphology import Float32, lead_waves, recorded_beats
from ecglm.signal.parts import recorded_parts
from ecglm.signal.prepare import scale_leads
from ecglm.signal.quality import USABLE, Assessment, assess
from ecglm.signal.resample import resample
from ecglm.signal.reversal import ELECTRODES, TypicalBeat, find_reversals
from ecglm.signal.rhythm import BeatFeatures, pause_intervals, premature_intervals, rmssd, statement
from ecglm.signal.stack import BeatStack, stack_beats
from ecglm.signal.usual_waves import LONG_S, marked_waves, usual_waves
from ecglm.signal.voltages import NORMALIZED, Heights, cornell, lead_values, no_heights, sokolow_lyon
from ecglm.signal.waves import Waves, delineate

#: Rates (Hz) at which recordings of up to and over LONG_S are measured.
MEASURE_FS, LONG_FS = 500.0, 250.0


@dataclass(frozen=True)
class BeatAnalysis:
    """Everything measured on the beats of a record: the values, and the features behind the rhythm statement."""

    measurements: Measurements
    features: BeatFeatures


def measure(record: Record, found: Delineation | None = None) -> Measurements:
    """Measure a record of any leads, rate and length, in mV or normalized; nothing is raised for poor signal.

    found: its waves (`delineation.delineate`), where they are known already. Intervals are medians over the usual beats
    (no premature or misshapen ones) and over leads (`usual_waves`), heights and the axes of P and T those of the median
    of the same beats, unfiltered (`morphology`). What cannot be measured is None with the reason. A record whose leads were
    recorded one group after another, as on paper, is measured group by group (`parts`).
    """
    if parts := recorded_parts(checked_record(record)):
        return measured_parts(record, parts, [measure(part.of(record)) for part in parts])
    return analyse_beats(record, found).measurements


def beat_features(record: Record) -> BeatFeatures:
    """The numbers behind the rhythm statement of `measure`."""
    return analyse_beats(record).features


@dataclass(frozen=True)
class UsualBeat:
    """The beats of the readable leads, aligned and delineated. signal_LT and stack are z-scored, spread_L undoes it;
    raw_LT is what was recorded, at the rate of the stack."""

    raw_LT: Float32
    signal_LT: FloatArray
    spread_L: FloatArray
    leads: tuple[str, ...]
    beats: Beats
    stack: BeatStack
    waves: Waves
    p: PWaves | None

    def typical(self, scaled: bool) -> TypicalBeat:
        """The median beat for `find_reversals`; scaled: the limb leads ought to share one scale, which is checked."""
        median, waves = self.stack.median_LW * self.spread_L[:, None], self.waves
        limb = tuple(lead for lead in self.leads if lead in LIMB_LEADS)
        if scaled and len(limb) > 2 and not np.isnan(waves.qrs_on):
            part = median[[self.leads.index(lead) for lead in limb], round(waves.qrs_on): round(waves.qrs_off) + 1]
            scaled = limb_disagreement(part, limb) <= MAX_DISAGREEMENT
        return TypicalBeat(median, self.leads, waves, 0.0 if self.p is None else self.p.score, self.stack.fs, scaled)


def usual_beat(record: Record, judged: Assessment) -> UsualBeat | Beats:
    """Beats, median and waves of a readable record; only the beats when there are fewer than two."""
    used = [lead for lead in record.leads if judged.quality[lead] >= USABLE] or \
        [max(judged.quality, key=lambda lead: judged.quality[lead])]
    part = record.select(used)
    fs = MEASURE_FS if record.duration_s <= LONG_S else LONG_FS
    resampled = resample(part.signal, part.fs, fs)
    raw = resampled.astype(np.float32)
    scaled, _, spread = scale_leads(bandpass(resampled, fs))
    del resampled  # the largest of what a long recording no longer needs
    beats = detect_beats(scaled, fs, [judged.quality[lead] for lead in used])
    stack = stack_beats(scaled, beats.samples, fs)
    if stack is None or len(beats) < 2:
        return beats
    waves, p = _by_rule(scaled, beats, stack)
    return UsualBeat(raw, scaled, spread, tuple(used), beats, stack, waves, p)


def _by_rule(scaled_LT: FloatArray, beats: Beats, stack: BeatStack) -> tuple[Waves, PWaves | None]:
    rr = float(np.median(beats.rr_s))
    waves = delineate(stack, rr)
    return waves, p_waves(scaled_LT, stack, waves, rr)


def corrected(usual: UsualBeat, found: Delineation) -> UsualBeat:
    """With the beats that the network marks, and ventricular ones not among the usual; mostly the same as before."""
    beats = agreed_beats(usual.beats, found.overall["qrs"][:, 1], usual.signal_LT)
    stack = usual.stack if beats is usual.beats else stack_beats(usual.signal_LT, beats.samples, beats.fs) or usual.stack
    odd = ventricular(beats, stack, usual.signal_LT)
    if odd.any():
        stack = stack_beats(usual.signal_LT, beats.samples, beats.fs, odd) or stack
    if len(beats) < 2 or stack is usual.stack:
        return usual
    waves, p = _by_rule(usual.signal_LT, beats, stack)
    return replace(usual, beats=beats, stack=stack, waves=waves, p=p)


def typical_beat(record: Record) -> TypicalBeat | None:
    """The median beat of a record as exchanged electrodes are looked for in it; None when it cannot be read."""
    judged = assess(record)
    found = usual_beat(record, judged) if judged.verdict is None else None
    return None if found is None or isinstance(found, Beats) else found.typical(record.axis_known)


def analyse_beats(record: Record, found: Delineation | None = None) -> BeatAnalysis:
    """Quality, beats, delineation and all that follows from them, once."""
    judged = assess(record)
    if judged.verdict is not None:
        return _nothing(record, judged.verdict, judged)
    usual = usual_beat(record, judged)
    if isinstance(usual, Beats):
        return _nothing(record, "fewer than two QRS complexes found", judged, usual)
    found = marked_waves(record, judged, usual.leads) if found is None else found
    trained = qrs_axis(record, usual.stack, usual.waves, usual.spread_L, usual.leads).value
    usual = usual if found is None else corrected(usual, found)
    beats, stack, leads = usual.beats, usual.stack, usual.leads
    marked = usual_waves(record, judged, leads, stack, found)
    waves, no_p = marked.typical(usual.waves, stack.r, stack.fs), no_p_wave(usual.p, marked, usual.signal_LT, stack)
    values: dict[str, Any] = rates(beats, leads) | durations(waves, stack.fs, marked, no_p, beats)
    typical = usual.typical(record.axis_known)
    reversals, unchecked = find_reversals(typical)
    gain = limb_gain_problem(typical) if record.axis_known else None
    problems = (*lead_problems(record, judged), *(() if gain is None else (gain,)),
                *(reversal_problem(exchange, record) for exchange in reversals))
    axis = qrs_axis(record, stack, usual.waves, usual.spread_L, leads)
    doubt = next((r for r in reversals if r.where == "limb" and r.sure), None) if axis.value is not None else None
    next_p = waves.p_on + float(np.median(beats.rr_s)) * stack.fs if no_p is None else np.nan
    seen = None if np.isnan(waves.qrs_on) else recorded_beats(usual.raw_LT, beats.samples, stack, waves, next_p)
    if doubt is not None:
        values |= no_axes(f"the limb leads look reversed ({doubt.swap})")
    elif axis.reason is not None or seen is None:
        values |= no_axes(axis.reason or NO_QRS) | {"axis": axis}
    else:
        values |= frontal_axes(axis, leads, seen, no_p)
    if seen is None or record.unit != "mV":
        values |= _no_heights(record, NO_QRS if seen is None else NORMALIZED)
    else:
        heights = Heights.of(record, leads, lead_waves(seen, no_p is None), problems)
        values |= {"sokolow_lyon": sokolow_lyon(heights), "cornell": cornell(heights),
                   "by_lead": lead_values(record, heights, no_p)}
    features = _features(usual.signal_LT, beats, stack, usual.p)
    measured = Measurements(**with_confidence(values), rhythm=statement(features), quality=judged.quality,
                            r_peaks_s=tuple(round(float(t), 4) for t in beats.times_s),
                            axis_as_trained=trained,
                            problems=problems, not_checked=unchecked)
    return BeatAnalysis(measured, features)


def _no_heights(record: Record, reason: str) -> dict[str, Any]:
    none = Measurement(None, "mV", reason=reason)
    return {"sokolow_lyon": none, "cornell": none, "by_lead": no_heights(record.leads, reason)}


def _nothing(record: Record, reason: str, judged: Assessment, beats: Beats | None = None) -> BeatAnalysis:
    values: dict[str, Any] = {name: Measurement(None, UNITS[name], reason=reason) for name in UNITS}
    times = () if beats is None else tuple(round(float(t), 4) for t in beats.times_s)
    features = BeatFeatures(len(times), None, None, None, None, 0, 0, 0, 0, None, None, None)
    return BeatAnalysis(Measurements(**values, by_lead=no_heights(record.leads, reason), rhythm=None, r_peaks_s=times,
                                     quality=judged.quality, problems=lead_problems(record, judged),
                                     not_checked=dict.fromkeys(ELECTRODES, reason)), features)


def _features(scaled: FloatArray, beats: Beats, stack: BeatStack, p: PWaves | None) -> BeatFeatures:
    rr = beats.rr_s
    atrial = atrial_spectrum(scaled, stack, beats.samples)
    return BeatFeatures(
        beats=len(beats), rate_bpm=float(60 / rr.mean()), rr_cv=float(rr.std() / rr.mean()),
        rmssd_rel=rmssd(rr) / float(rr.mean()) if len(rr) > 1 else None,
        rr_change=float(np.median(np.abs(np.diff(rr))) / rr.mean()) if len(rr) > 1 else None,
        premature=int(premature_intervals(rr).sum()), pauses=int(pause_intervals(rr).sum()),
        misshapen=int((stack.corr_B < 0.8).sum()), looked_at=len(stack.corr_B),
        p_score=None if p is None else p.score, p_fraction=None if p is None else p.fraction,
        atrial_hz=None if atrial is None else atrial.peak_hz,
    )
