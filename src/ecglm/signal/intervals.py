"""Rate, variability and the lengths of waves as measurements, each with spread or the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ecglm.schema import Measurement
from ecglm.signal.atrial import P_PRESENT, PWaves, repeated_after
from ecglm.signal.beats import Beats
from ecglm.signal.missing import FloatArray
from ecglm.signal.rhythm import rmssd
from ecglm.signal.stack import BeatStack
from ecglm.signal.usual_waves import UsualWaves, usual
from ecglm.signal.waves import Waves

NO_QRS = "the QRS edges are not clear"
NO_T = "the end of the T wave is not clear"


def bazett(qt_ms: float, rr_s: float) -> float:
    """QT / RR^(1/2), ms (Bazett 1920, Heart 7:353)."""
    return float(qt_ms / np.sqrt(rr_s))


def fridericia(qt_ms: float, rr_s: float) -> float:
    """QT / RR^(1/3), ms (Fridericia 1920, Acta Med Scand 53:469)."""
    return float(qt_ms / np.cbrt(rr_s))


def framingham(qt_ms: float, rr_s: float) -> float:
    """QT + 154 (1 - RR), ms (Sagie et al. 1992, Am J Cardiol 70:797)."""
    return float(qt_ms + 154.0 * (1.0 - rr_s))


def hodges(qt_ms: float, rr_s: float) -> float:
    """QT + 1.75 (rate - 60), ms (Hodges, Salerno and Erlien 1983, J Am Coll Cardiol 1:694)."""
    return float(qt_ms + 1.75 * (60.0 / rr_s - 60.0))


#: Corrections of QT (ms) for the mean RR interval (s).
CORRECTIONS: dict[str, Callable[[float, float], float]] = {
    "qtc_bazett": bazett, "qtc_fridericia": fridericia, "qtc_framingham": framingham, "qtc_hodges": hodges}


def rates(beats: Beats, leads: tuple[str, ...]) -> dict[str, Measurement]:
    """Rate, RR interval and its variability."""
    rr, n = beats.rr_s, len(beats)
    mean = float(rr.mean())

    def value(unit: str, number: float, spread: float | None = None) -> Measurement:
        return Measurement(float(number), unit, leads, n, spread)

    out = {"heart_rate": value("bpm", 60 / mean, float((60 / rr).std())),
           "rr": value("ms", 1000 * mean, float(1000 * rr.std()))}
    few = "fewer than three QRS complexes found"
    out["rr_sd"] = value("ms", 1000 * rr.std(ddof=1)) if len(rr) > 1 else _no(few)
    out["rmssd"] = value("ms", 1000 * rmssd(rr)) if len(rr) > 1 else _no(few)
    return out


def no_p_wave(p: PWaves | None, waves: UsualWaves, signal_LT: FloatArray, stack: BeatStack) -> str | None:
    """Why nothing is said of P waves; None when they are there: alike from beat to beat, marked before most QRS complexes, and
    not one of a flutter's waves. signal_LT: what the stack was cut from."""
    if not usual(waves.qrs_s):
        return NO_QRS
    if p is None or p.score < P_PRESENT:
        return "no consistent P wave before the QRS" if p is not None else "no room to look for P waves"
    if not usual(waves.pr_s):
        return f"P waves can be marked before only {int(np.isfinite(waves.pr_s).sum())} of {len(waves.pr_s)} QRS complexes"
    at, every = waves.beats_s, stack.samples_B / stack.fs
    before = np.searchsorted(every, at - 0.1) - 1
    earlier_off = np.where(before >= 0, every[before] + np.nanmedian(waves.qrs_B2[:, 1]), 0.0)
    again_s = repeated_after(signal_LT, stack.fs, waves.p_B2 + at[:, None], waves.qrs_B2[:, 0] + at, earlier_off)
    if again_s is not None:
        return f"the same atrial wave comes {60 / again_s:.0f} times a minute, as in flutter: none belongs to a QRS alone"
    return None


def durations(waves: Waves, fs: float, marked: UsualWaves, no_p: str | None, beats: Beats) -> dict[str, Measurement]:
    """P, PR, QRS, QT and QTc of the usual edges, in samples, with their spread over the beats. no_p: what `no_p_wave` says."""
    if np.isnan(waves.qrs_on):
        return dict.fromkeys(("p_duration", "pr", "qrs", "qt", *CORRECTIONS), _no(NO_QRS))

    def between(start: float, stop: float, each_B: FloatArray) -> Measurement:
        known = 1000 * each_B[np.isfinite(each_B)]
        spread = 1.4826 * float(np.median(np.abs(known - np.median(known)))) if len(known) > 1 else None
        return Measurement(1000 * (stop - start) / fs, "ms", marked.leads, len(known), spread)

    out = {"qrs": between(waves.qrs_on, waves.qrs_off, marked.qrs_s)}
    if no_p is not None:
        out |= dict.fromkeys(("p_duration", "pr"), _no(no_p))
    else:
        out["p_duration"] = between(waves.p_on, waves.p_off, marked.p_s)
        out["pr"] = between(waves.p_on, waves.qrs_on, marked.pr_s)
    if np.isnan(waves.t_off):
        return out | dict.fromkeys(("qt", *CORRECTIONS), _no(NO_T))
    out["qt"] = between(waves.qrs_on, waves.t_off, marked.qt_s)
    qt, spread, mean_rr = 1000 * (waves.t_off - waves.qrs_on) / fs, out["qt"].spread, float(beats.rr_s.mean())
    for name, correct in CORRECTIONS.items():
        # The spread of QT, corrected: all formulas are linear in QT.
        varies = None if spread is None else correct(qt + spread, mean_rr) - correct(qt, mean_rr)
        out[name] = replace(out["qt"], value=correct(qt, mean_rr), spread=varies)
    return out


def _no(reason: str) -> Measurement:
    return Measurement(None, "ms", reason=reason)
