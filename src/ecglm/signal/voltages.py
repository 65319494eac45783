"""Heights of the waves as measurements: of every lead, and the sums over two leads that speak of hypertrophy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecglm.records.record import Record
from ecglm.schema import LeadProblem, LeadValues, Measurement
from ecglm.signal.intervals import NO_T
from ecglm.signal.missing import FloatArray
from ecglm.signal.morphology import MIN_WAVE_MV, NAMES, LeadWaves, spread_over_beats

NORMALIZED = "the amplitudes of this record are normalized: there are no millivolts"
_MISSING = "the samples are missing"
_QS = "a QS complex: its depth is that of q"
_ABSENT = {name: f"no {wave} wave above {MIN_WAVE_MV} mV" for name, wave in
           (("q", "Q"), ("r", "R"), ("s", "S"), ("r_prime", "R'"))} | {"t": NO_T}
_LENGTHS = ("q_duration", "r_duration", "s_duration")
_Q, _R, _S, _R_PRIME, _ST_J = (NAMES.index(name) for name in ("q", "r", "s", "r_prime", "st_j"))


@dataclass(frozen=True)
class Heights:
    """Waves of the readable leads, and by lead why its heights, its QRS peaks or its name are not to be trusted."""

    leads: tuple[str, ...]
    waves: LeadWaves
    refused: Mapping[str, str]
    clipped: Mapping[str, str]
    moved: Mapping[str, str]
    unlike: str | None = None  #: why no two leads may be added: several leads show that gains differ

    @staticmethod
    def of(record: Record, leads: tuple[str, ...], waves: LeadWaves, problems: Iterable[LeadProblem]) -> Heights:
        """leads: the rows of waves; problems: those of the record."""
        problems = tuple(problems)
        why = {lead: problem.text for problem in problems if problem.severity == "major" for lead in problem.leads}
        refused = {lead: why.get(lead, "the lead is not readable") for lead in record.leads if lead not in leads}
        clipped: dict[str, str] = {}
        moved: dict[str, str] = {}
        unlike: str | None = None
        for problem in problems:
            texts = dict.fromkeys(problem.leads, problem.text)
            if problem.cause == "saturated":
                clipped |= texts
            elif problem.severity == "major" and problem.cause in ("gain", "mislabelled"):
                refused = texts | refused
                unlike = problem.text if len(problem.leads) > 2 else unlike
            elif problem.severity == "major" and problem.cause in ("limb_reversal", "chest_swap"):
                moved |= texts
        return Heights(leads, waves, refused, clipped, moved, unlike)


def no_heights(leads: Iterable[str], reason: str) -> dict[str, LeadValues]:
    """Leads of which nothing can be given, for one reason."""
    mv, ms = Measurement(None, "mV", reason=reason), Measurement(None, "ms", reason=reason)
    nothing: dict[str, Any] = dict.fromkeys(NAMES, mv) | dict.fromkeys(_LENGTHS, ms)
    return dict.fromkeys(leads, LeadValues(**nothing))


def lead_values(record: Record, heights: Heights, no_p: str | None) -> dict[str, LeadValues]:
    """The waves of every lead of a record in mV. no_p: why there is no P wave, None when there is."""
    reasons = _ABSENT if no_p is None else _ABSENT | {"p": no_p}
    spread_LN = spread_over_beats(heights.waves.each_BLN)
    return {lead: no_heights((lead,), heights.refused[lead])[lead] if lead in heights.refused
            else _lead(lead, heights, spread_LN, reasons) for lead in record.leads}


def _lead(lead: str, heights: Heights, spread_LN: FloatArray, reasons: Mapping[str, str]) -> LeadValues:
    row, waves, clipped = heights.leads.index(lead), heights.waves, heights.clipped.get(lead)
    place, n, values = (lead,), len(waves.each_BLN), waves.height_LN[row].tolist()
    found: dict[str, Measurement] = {}
    for at, (name, value, spread) in enumerate(zip(NAMES, values, spread_LN[row].tolist(), strict=True)):
        if clipped is not None and _Q <= at <= _R_PRIME:
            found[name] = Measurement(None, "mV", reason=clipped)
        elif value != value:
            qs = at == _S and values[_R] != values[_R] and values[_Q] == values[_Q]
            found[name] = Measurement(None, "mV", reason=_QS if qs else reasons.get(name, _MISSING))
        else:
            found[name] = Measurement(value, "mV", place, n, spread if spread == spread else None)
    for name, wave, seconds in zip(_LENGTHS, "qrs", waves.length_L3[row].tolist(), strict=True):
        reason = found[wave].reason
        found[name] = Measurement(1000 * seconds, "ms", place, n) if reason is None else Measurement(None, "ms", reason=reason)
    return LeadValues(**found, t_shape=waves.t_shape[row] if found["t"].reason is None else None)


def sokolow_lyon(heights: Heights) -> Measurement:
    """S in V1 and the higher R of V5 and V6, mV (Sokolow and Lyon 1949, Am Heart J 37:161)."""
    lateral = [lead for lead in ("V5", "V6") if lead in heights.leads and lead not in heights.refused]
    best = max(lateral, key=lambda lead: float(_upward(heights.waves.height_LN[heights.leads.index(lead)])), default="V5")
    return _sum(heights, "V1", best)


def cornell(heights: Heights) -> Measurement:
    """S in V3 and R in aVL, mV (Casale et al. 1987, 10.1161/01.CIR.75.3.565)."""
    return _sum(heights, "V3", "aVL")


def _sum(heights: Heights, down: str, up: str) -> Measurement:
    for lead in (down, up):
        for reason in (heights.refused.get(lead), heights.clipped.get(lead), heights.moved.get(lead)):
            if reason is not None:
                return Measurement(None, "mV", reason=reason if lead in reason else f"{lead}: {reason}")
        if lead not in heights.leads:
            return Measurement(None, "mV", reason=f"lead {lead} is needed")
    if heights.unlike is not None:
        return Measurement(None, "mV", reason=heights.unlike)
    waves = heights.waves
    s, r = heights.leads.index(down), heights.leads.index(up)
    if np.isnan(waves.height_LN[[s, r], _ST_J]).any():
        return Measurement(None, "mV", reason=_MISSING)
    spread = float(spread_over_beats(_downward(waves.each_BLN[:, s]) + _upward(waves.each_BLN[:, r])))
    value = float(_downward(waves.height_LN[s]) + _upward(waves.height_LN[r]))
    return Measurement(value, "mV", (down, up), len(waves.each_BLN), spread if spread == spread else None)


def _downward(heights_N: FloatArray) -> FloatArray:
    """Depth ``[...]`` of the S wave, or of a QS complex, of heights ``[..., NAMES]``; 0 without one."""
    return np.nan_to_num(-np.where(np.isnan(heights_N[..., _R]), heights_N[..., _Q], heights_N[..., _S]))


def _upward(heights_N: FloatArray) -> FloatArray:
    """Height ``[...]`` of the R wave, or of an R' above it; 0 without one."""
    return np.nan_to_num(np.fmax(heights_N[..., _R], heights_N[..., _R_PRIME]))
