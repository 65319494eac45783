"""Rate, variability and the lengths of waves as measurements, each with spread or the reason why not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecglm.schema import Measurement
from ecglm.signal.atrial import P_PRESENT, PWaves
from ecglm.signal.beats import Beats
from ecglm.signal.missing import FloatArray
from ecglm.signal.rhythm import rmssd
from ecglm.signal.stack import BeatStack
from ecglm.signal.waves import PR_RANGE_S, QT_RANGE_S, Waves, qrs_edges, t_off, t_search

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


def no_p_wave(p: PWaves | None, waves: Waves, fs: float) -> str | None:
    """Why nothing is said of P waves; None when they are there."""
    if np.isnan(waves.qrs_on):
        return NO_QRS
    if p is None or p.score < P_PRESENT:
        return "no consistent P wave before the QRS" if p is not None else "no room to look for P waves"
    pr = (waves.qrs_on - waves.p_on) / fs
    if not PR_RANGE_S[0] <= pr <= PR_RANGE_S[1]:
        return f"the P wave found {1000 * pr:.0f} ms before the QRS is not plausible"
    return None


def durations(stack: BeatStack, waves: Waves, p: PWaves | None, no_p: str | None, beats: Beats,
              leads: tuple[str, ...]) -> dict[str, Measurement]:
    """P, PR, QRS, QT and QTc. no_p: what `no_p_wave` says."""
    ms, n = 1000 / stack.fs, int(stack.usual_B.sum())
    if np.isnan(waves.qrs_on):
        return dict.fromkeys(("p_duration", "pr", "qrs", "qt", *CORRECTIONS), _no(NO_QRS))
    usual = stack.beats_BLW[stack.usual_B]
    on, off = qrs_edges(usual, stack.r, stack.fs)
    out = {"qrs": Measurement((waves.qrs_off - waves.qrs_on) * ms, "ms", leads, n, _spread((off - on) * ms))}
    if p is None or no_p is not None:
        out |= dict.fromkeys(("p_duration", "pr"), _no(no_p or ""))
    else:
        out["p_duration"] = Measurement((waves.p_off - waves.p_on) * ms, "ms", leads, p.beats)
        out["pr"] = Measurement(1000 * ((waves.qrs_on - waves.p_on) / stack.fs), "ms", leads, p.beats, 1000 * p.lag_sd_s)
    if np.isnan(waves.t_off):
        return out | dict.fromkeys(("qt", *CORRECTIONS), _no(NO_T))
    start, stop = t_search(waves.qrs_off, stack.r, stack.fs, float(np.median(beats.rr_s)), usual.shape[2])
    each = (t_off(usual, start, stop, stack.fs) - on) * ms
    each = np.where((each >= 1000 * QT_RANGE_S[0]) & (each <= 1000 * QT_RANGE_S[1]), each, np.nan)
    qt, spread, mean_rr = (waves.t_off - waves.qrs_on) * ms, _spread(each), float(beats.rr_s.mean())
    out["qt"] = Measurement(qt, "ms", leads, n, spread)
    for name, correct in CORRECTIONS.items():
        # That of QT, corrected: all formulas are linear in QT.
        varies = None if spread is None else correct(qt + spread, mean_rr) - correct(qt, mean_rr)
        out[name] = Measurement(correct(qt, mean_rr), "ms", leads, n, varies)
    return out


def _no(reason: str) -> Measurement:
    return Measurement(None, "ms", reason=reason)


def _spread(values: FloatArray) -> float | None:
    """Standard deviation over beats, from the median absolute deviation: one badly seen beat must not decide it."""
    known = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(known - np.median(known)))) if len(known) > 1 else None
