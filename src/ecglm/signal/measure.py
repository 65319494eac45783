"""`measure`: rate, variability, intervals, axis and rhythm of a record, each with evidence or the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecglm.records.leads import LIMB_LEADS
from ecglm.records.record import Record, checked_record
from ecglm.schema import Measurement, Measurements
from ecglm.signal.atrial import P_PRESENT, PWaves, atrial_spectrum, p_waves
from ecglm.signal.axis import MAX_DISAGREEMENT, axis_from_leads, limb_disagreement, net_qrs
from ecglm.signal.beats import Beats, detect_beats
from ecglm.signal.causes import lead_problems, limb_gain_problem, reversal_problem
from ecglm.signal.filters import bandpass
from ecglm.signal.missing import FloatArray
from ecglm.signal.prepare import scale_leads
from ecglm.signal.quality import USABLE, Assessment, assess
from ecglm.signal.resample import resample
from ecglm.signal.reversal import ELECTRODES, TypicalBeat, find_reversals
from ecglm.signal.rhythm import BeatFeatures, pause_intervals, premature_intervals, rmssd, statement
from ecglm.signal.stack import BeatStack, stack_beats
from ecglm.signal.waves import PR_RANGE_S, QT_RANGE_S, Waves, delineate, qrs_edges, t_off, t_search

#: Rates (Hz) at which short and long recordings are measured, and the length (s) that divides them.
MEASURE_FS, LONG_FS, LONG_S = 500.0, 250.0, 300.0


def bazett(qt_ms: float, rr_s: float) -> float:
    """QT / RR^(1/2), ms (Bazett 1920, Heart 7:353)."""
    return float(qt_ms / np.sqrt(rr_s))


def fridericia(qt_ms: float, rr_s: float) -> float:
    """QT / RR^(1/3), ms (Fridericia 1920, Acta Med Scand 53:469)."""
    return float(qt_ms / np.cbrt(rr_s))


def framingham(qt_ms: float, rr_s: float) -> float:
    """QT + 154 (1 - RR), ms (Sagie et al. 1992, Am J Cardiol 70:797)."""
    return float(qt_ms + 154.0 * (1.0 - rr_s))


@dataclass(frozen=True)
class BeatAnalysis:
    """Everything measured on the beats of a record: the values, and the features behind the rhythm statement."""

    measurements: Measurements
    features: BeatFeatures


def measure(record: Record) -> Measurements:
    """Measure a record of any leads, rate and length, in mV or normalized; nothing is raised for poor signal.

    Times come from the median of the usual beats (no premature or misshapen ones) after a 0.5-40 Hz zero-phase
    filter. What cannot be measured is None with the reason.
    """
    return analyse_beats(checked_record(record)).measurements


def beat_features(record: Record) -> BeatFeatures:
    """The numbers behind the rhythm statement of `measure`."""
    return analyse_beats(record).features


@dataclass(frozen=True)
class UsualBeat:
    """The beats of the readable leads, aligned and delineated. signal_LT and stack are z-scored, spread_L undoes it."""

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
    filtered = bandpass(resample(part.signal, part.fs, fs), fs)
    scaled, _, spread = scale_leads(filtered)
    beats = detect_beats(scaled, fs, [judged.quality[lead] for lead in used])
    stack = stack_beats(scaled, beats.samples, fs)
    if stack is None or len(beats) < 2:
        return beats
    rr = float(np.median(beats.rr_s))
    waves = delineate(stack, rr)
    return UsualBeat(scaled, spread, tuple(used), beats, stack, waves, p_waves(scaled, stack, waves, rr))


def typical_beat(record: Record) -> TypicalBeat | None:
    """The median beat of a record as exchanged electrodes are looked for in it; None when it cannot be read."""
    judged = assess(record)
    found = usual_beat(record, judged) if judged.verdict is None else None
    return None if found is None or isinstance(found, Beats) else found.typical(record.axis_known)


def analyse_beats(record: Record) -> BeatAnalysis:
    """Quality, beats, delineation and all that follows from them, once."""
    judged = assess(record)
    if judged.verdict is not None:
        return _nothing(record, judged.verdict, judged)
    usual = usual_beat(record, judged)
    if isinstance(usual, Beats):
        return _nothing(record, "fewer than two QRS complexes found", judged, usual)
    beats, stack, waves, leads = usual.beats, usual.stack, usual.waves, usual.leads
    rr = float(np.median(beats.rr_s))
    values: dict[str, Any] = _intervals(beats, leads) | _durations(stack, waves, usual.p, rr, beats, leads)
    typical = usual.typical(record.axis_known)
    reversals, unchecked = find_reversals(typical)
    gain = limb_gain_problem(typical) if record.axis_known else None
    problems = (*lead_problems(record, judged), *(() if gain is None else (gain,)),
                *(reversal_problem(exchange, record) for exchange in reversals))
    axis = _axis(record, stack, waves, usual.spread_L, leads)
    doubt = next((r for r in reversals if r.where == "limb" and r.sure), None) if axis.value is not None else None
    values["axis"] = axis if doubt is None else _no("axis", f"the limb leads look reversed ({doubt.swap})")
    features = _features(usual.signal_LT, beats, stack, usual.p)
    found = Measurements(**values, rhythm=statement(features), quality=judged.quality,
                         r_peaks_s=tuple(round(float(t), 4) for t in beats.times_s),
                         axis_withheld=None if doubt is None else axis.value,
                         problems=problems, not_checked=unchecked)
    return BeatAnalysis(found, features)


_UNITS = {"heart_rate": "bpm", "rr": "ms", "rr_sd": "ms", "rmssd": "ms", "pr": "ms", "qrs": "ms", "qt": "ms",
          "qtc_bazett": "ms", "qtc_fridericia": "ms", "qtc_framingham": "ms", "axis": "deg"}


def _no(name: str, reason: str) -> Measurement:
    return Measurement(None, _UNITS[name], reason=reason)


def _nothing(record: Record, reason: str, judged: Assessment, beats: Beats | None = None) -> BeatAnalysis:
    values: dict[str, Any] = {name: _no(name, reason) for name in _UNITS}
    times = () if beats is None else tuple(round(float(t), 4) for t in beats.times_s)
    features = BeatFeatures(len(times), None, None, None, None, 0, 0, 0, 0, None, None, None)
    return BeatAnalysis(Measurements(**values, rhythm=None, r_peaks_s=times, quality=judged.quality,
                                     problems=lead_problems(record, judged),
                                     not_checked=dict.fromkeys(ELECTRODES, reason)), features)


def _intervals(beats: Beats, leads: tuple[str, ...]) -> dict[str, Measurement]:
    rr, n = beats.rr_s, len(beats)
    mean = float(rr.mean())

    def value(name: str, number: float, spread: float | None = None) -> Measurement:
        return Measurement(float(number), _UNITS[name], leads, n, spread)

    out = {"heart_rate": value("heart_rate", 60 / mean, float((60 / rr).std())),
           "rr": value("rr", 1000 * mean, float(1000 * rr.std()))}
    few = "fewer than three QRS complexes found"
    out["rr_sd"] = value("rr_sd", 1000 * rr.std(ddof=1)) if len(rr) > 1 else _no("rr_sd", few)
    out["rmssd"] = value("rmssd", 1000 * rmssd(rr)) if len(rr) > 1 else _no("rmssd", few)
    return out


def _durations(
    stack: BeatStack, waves: Waves, p: PWaves | None, rr: float, beats: Beats, leads: tuple[str, ...],
) -> dict[str, Measurement]:
    ms, n = 1000 / stack.fs, int(stack.usual_B.sum())
    if np.isnan(waves.qrs_on):
        return {name: _no(name, "the QRS edges are not clear") for name in
                ("pr", "qrs", "qt", "qtc_bazett", "qtc_fridericia", "qtc_framingham")}
    usual = stack.beats_BLW[stack.usual_B]
    on, off = qrs_edges(usual, stack.r, stack.fs)
    out = {"qrs": Measurement((waves.qrs_off - waves.qrs_on) * ms, "ms", leads, n, _spread((off - on) * ms))}
    pr = (waves.qrs_on - waves.p_on) / stack.fs
    if p is None or p.score < P_PRESENT:
        out["pr"] = _no("pr", "no consistent P wave before the QRS" if p is not None else "no room to look for P waves")
    elif not PR_RANGE_S[0] <= pr <= PR_RANGE_S[1]:
        out["pr"] = _no("pr", f"the P wave found {1000 * pr:.0f} ms before the QRS is not plausible")
    else:
        out["pr"] = Measurement(1000 * pr, "ms", leads, p.beats, 1000 * p.lag_sd_s)
    if np.isnan(waves.t_off):
        names = ("qt", "qtc_bazett", "qtc_fridericia", "qtc_framingham")
        return out | {name: _no(name, "the end of the T wave is not clear") for name in names}
    start, stop = t_search(waves.qrs_off, stack.r, stack.fs, rr, usual.shape[2])
    each = (t_off(usual, start, stop, stack.fs) - on) * ms
    each = np.where((each >= 1000 * QT_RANGE_S[0]) & (each <= 1000 * QT_RANGE_S[1]), each, np.nan)
    qt, spread, mean_rr = (waves.t_off - waves.qrs_on) * ms, _spread(each), float(beats.rr_s.mean())
    out["qt"] = Measurement(qt, "ms", leads, n, spread)
    corrections: dict[str, Callable[[float, float], float]] = {
        "qtc_bazett": bazett, "qtc_fridericia": fridericia, "qtc_framingham": framingham}
    for name, correct in corrections.items():
        out[name] = Measurement(correct(qt, mean_rr), "ms", leads, n)
    return out


def _spread(values: FloatArray) -> float | None:
    """Standard deviation over beats, from the median absolute deviation: one badly seen beat must not decide it."""
    known = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(known - np.median(known)))) if len(known) > 1 else None


def _axis(record: Record, stack: BeatStack, waves: Waves, spread: FloatArray, leads: tuple[str, ...]) -> Measurement:
    limb = tuple(lead for lead in leads if lead in LIMB_LEADS)
    if not record.axis_known:
        return _no("axis", "the amplitudes of this record are normalized, so leads cannot be compared")
    if len(limb) < 2:
        return _no("axis", "two readable limb leads are needed")
    if np.isnan(waves.qrs_on):
        return _no("axis", "the QRS edges are not clear")
    median = stack.median_LW * spread[:, None]
    rows = [leads.index(lead) for lead in limb]
    if limb_disagreement(median[rows, round(waves.qrs_on): round(waves.qrs_off) + 1], limb) > MAX_DISAGREEMENT:
        return _no("axis", "the limb leads contradict one another (Einthoven's law): "
                           "their gains differ or they are mislabelled")
    area = net_qrs(median, waves.qrs_on, waves.qrs_off)
    angle = axis_from_leads({lead: float(area[leads.index(lead)]) for lead in limb})
    if angle is None:
        return _no("axis", "the net QRS is zero in the limb leads")
    return Measurement(angle, "deg", limb, int(stack.usual_B.sum()))


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
