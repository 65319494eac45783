"""What a plot says of single beats: names of those that are not normal, their intervals, where calipers are laid."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ecglm.paper import Caliper
from ecglm.schema import Measurements
from ecglm.signal.delineation import Delineation
from ecglm.signal.rhythm import PREMATURE, premature_intervals
from ecglm.signal.waves import PR_RANGE_S, QT_RANGE_S

#: AAMI class of a beat, and whether it comes early: its name, and what that means.
_NAMES: MappingProxyType[tuple[str, bool], tuple[str, str]] = MappingProxyType({
    ("V", True): ("PVC", "premature ventricular"), ("V", False): ("V", "ventricular"),
    ("S", True): ("PAC", "premature atrial"), ("S", False): ("S", "supraventricular"),
    ("F", True): ("F", "fusion"), ("F", False): ("F", "fusion"), ("Q", True): ("pace", "paced"), ("Q", False): ("pace", "paced")})
#: What the usual beats of a record may be.
_USUAL = ("N", "Q")
INTERVALS = ("pr", "qrs", "qt")
#: Marked waves and measured values that differ by more than this (ms) are held against each other in words.
DIFFERENT_MS = MappingProxyType({"pr": 40.0, "qrs": 30.0, "qt": 50.0})
#: Room (s) that the words beside calipers need on both sides.
_BESIDE_S = 0.8


def odd_beats(found: Delineation) -> list[tuple[float, str, str]]:
    """Time (s), name and meaning of every beat that is not normal. Early ones are called premature; an early
    supraventricular one is "S" where no P waves are seen, as in atrial fibrillation, and is then not called atrial."""
    peaks = found.overall["qrs"][:, 1]
    if not found.types:
        return []
    rr = np.diff(peaks)
    early = np.r_[False, premature_intervals(rr) | (rr < PREMATURE * np.r_[rr[1:], 0.0])]
    has_p = len(found.overall["p"]) >= len(peaks) / 2
    return [(float(peak), *_NAMES[kind, bool(soon) and (kind != "S" or has_p)])
            for peak, kind, soon in zip(peaks, found.types, early, strict=True) if kind != "N"]


def beat_intervals(found: Delineation) -> NDArray[np.float64]:
    """PR, QRS and QT (s) of each beat ``[beat, 3]`` from the marked waves; NaN where a wave is not there."""
    waves = found.overall
    out = np.full((len(waves["qrs"]), 3), np.nan)
    for k, (on, _, off) in enumerate(waves["qrs"]):
        out[k, 1] = off - on
        for column, edge, (least, most) in ((0, on - waves["p"][:, 0], PR_RANGE_S), (2, waves["t"][:, 2] - on, QT_RANGE_S)):
            fits = edge[(edge >= least) & (edge <= most)]
            out[k, column] = fits.min() if len(fits) else np.nan
    return out


def contradictions(found: Delineation, measured: Measurements) -> list[str]:
    """Where the usual interval of the marked waves is far from the measured one, in words."""
    each = beat_intervals(found)
    usual = [kind in _USUAL for kind in found.types] if found.types else np.ones(len(each), bool)
    out = []
    for column, name in enumerate(INTERVALS):
        value, seen = getattr(measured, name).value, each[usual, column]
        seen = seen[~np.isnan(seen)]
        if value is not None and len(seen) and abs(1000 * np.median(seen) - value) > DIFFERENT_MS[name]:
            out.append(f"{name.upper()} {1000 * np.median(seen):.0f} ms by the marked waves, {value:.0f} ms measured")
    return out


def calipers(found: Delineation, measured: Measurements, until_s: float) -> tuple[Caliper, ...]:
    """PR, QRS and QT as measured, laid at the QRS onset of the beat before until_s whose own intervals are nearest to them."""
    length = {name: value / 1000 for name in INTERVALS if (value := getattr(measured, name).value) is not None}
    if "qrs" not in length:
        return ()
    onset, each = found.overall["qrs"][:, 0], beat_intervals(found)
    wanted = np.array([length.get(name, np.nan) for name in INTERVALS])
    apart = np.where(np.isnan(wanted), 0.0, np.nan_to_num(np.abs(each - wanted), nan=0.2)).sum(axis=1)
    apart += np.array([kind not in _USUAL for kind in found.types]) if found.types else 0.0
    fits = (onset - length.get("pr", 0.0) >= _BESIDE_S) & (onset + length.get("qt", length["qrs"]) <= until_s - _BESIDE_S)
    if not fits.any():
        return ()
    at = float(onset[np.where(fits, apart, np.inf).argmin()])
    starts = {"pr": at - length.get("pr", 0.0), "qrs": at, "qt": at}
    return tuple(Caliper(f"{name.upper()} {1000 * long:.0f} ms", starts[name], starts[name] + long)
                 for name, long in length.items())
