"""Verdicts that measured values give: of a value that is taken to be too high or low, of the axis, of ST elevation, of a rate."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from ecglm.inference.caveats import WIDE_MS
from ecglm.inference.comparison import share_inside
from ecglm.inference.evidence import measurement_evidence
from ecglm.inference.lead_conditions import leads_showing
from ecglm.inference.reading import Reading
from ecglm.inference.waves import LEAST_SPREAD_MV
from ecglm.knowledge.precision import ERROR_SD, MOST_SURE, below
from ecglm.knowledge.ranges import ADULT_YEARS, flag, normal_range
from ecglm.knowledge.st_elevation import st_limit
from ecglm.models.facts import axis_name

#: Where a value may lie: beyond a limit, within both, or on a side of what is called a wide QRS, wherever its limit is: "Is the
#: QRS narrow?" asks whether the ventricles are activated normally (Brugada et al. 2020, 10.1093/eurheartj/ehz467).
Side = Literal["low", "normal", "high", "narrow", "wide"]
#: unshown: there is no sign of it, which does not exclude it.
State = Literal["absent", "unshown", "possible", "present", "unknown"]
_SECTORS = {"left": (-90.0, -30.0), "right": (90.0, 180.0), "extreme": (-180.0, -90.0)}
#: A tachycardia is faster (Page et al. 2015, 10.1161/CIR.0000000000000311), beats per minute.
TACHYCARDIA_BPM = 100


class Verdict(NamedTuple):
    """state of something; why: what shows it, or why it cannot be told; keys of the findings that it rests on."""

    state: State
    why: str
    confidence: float = 0.0
    keys: tuple[str, ...] = ()


def value_verdict(reading: Reading, measure: str, side: str) -> Verdict:
    """Of a measured value that is taken to lie on a side of its limits (`Side`)."""
    measured, meta = getattr(reading.measurements, measure), reading.record.meta
    shown = measurement_evidence(measure, measured, reading.record)
    limits = normal_range(measure, meta.sex)
    if shown is None or limits is None:
        return Verdict("unknown", str(measured.reason))
    state = flag(measure, measured.value, meta.sex, meta.age)
    if state is None:
        return Verdict("unknown", f"normal ranges are for adults from {ADULT_YEARS} years on; the patient is {meta.age}")
    within = (-math.inf if limits.low is None else limits.low, math.inf if limits.high is None else limits.high)
    low, high = {"low": (-math.inf, limits.low), "narrow": (-math.inf, WIDE_MS - 0.5), "normal": within,
                 "wide": (WIDE_MS - 0.5, math.inf)}.get(side, (limits.high, math.inf))
    if low is None or high is None:
        return Verdict("unknown", f"there is no limit on that side; measured: {shown.text}")
    inside = share_inside(measured.value, low, high, ERROR_SD[measure])
    wide = round(measured.value) >= WIDE_MS
    there = {"narrow": not wide, "wide": wide}.get(side, state == side)
    return Verdict("present" if there else "absent", shown.text, min(MOST_SURE, max(0.5, inside if there else 1.0 - inside)))


def axis_verdict(reading: Reading, side: str) -> Verdict:
    """Of an axis deviation to one side."""
    axis = reading.measurements.axis
    if axis.value is None:
        return Verdict("unknown", str(axis.reason))
    low, high = _SECTORS[side]
    there = axis_name(axis.value).startswith(side)
    inside = share_inside(axis.value, low, high, ERROR_SD["axis"])
    return Verdict(
        "present" if there else "absent",
        f"the axis is {axis.value:.0f}°, {axis_name(axis.value)}",
        min(MOST_SURE, max(0.5, inside if there else 1.0 - inside)),
    )


def measured_elevation(reading: Reading) -> Verdict | None:
    """ST elevation as measured; None when too few leads tell. One lead alone does not count."""
    shown = leads_showing("st_elevated", reading)
    if len(shown.found) + len(shown.others) < 6 and not shown.contiguous:
        return None
    values = shown.found or shown.others
    lead = max(values, key=lambda name: values[name].value or 0.0)
    most = f"{lead} {values[lead].value:.2f} mV"
    limit = st_limit(lead, reading.record.meta.sex, reading.record.meta.age)
    sure = min(MOST_SURE, below(abs((values[lead].value or 0.0) - limit) / max(LEAST_SPREAD_MV, values[lead].spread or 0.0)))
    if not shown.found:
        return Verdict("absent", f"no lead has it at the J point, the most is {most}", sure)
    if not shown.contiguous:
        return Verdict("absent", f"at the J point no two neighbouring leads reach the limit, only {most}", sure)
    return Verdict("present", f"at the J point in {', '.join(shown.found)}, most in {most}", sure, ("form:STE",))


def too_slow(reading: Reading) -> Verdict | None:
    """Of a tachycardia: absent where the ventricles are no faster than a tachycardia at least is; None elsewhere."""
    rate = reading.measurements.heart_rate
    shown = measurement_evidence("heart_rate", rate, reading.record)
    if shown is None or rate.value is None or round(rate.value) > TACHYCARDIA_BPM:
        return None
    sure = share_inside(rate.value, -math.inf, TACHYCARDIA_BPM, ERROR_SD["heart_rate"])
    why = f"{shown.text.split(';')[0]}; a tachycardia is faster than {TACHYCARDIA_BPM} bpm"
    return Verdict("absent", why, min(MOST_SURE, max(0.5, sure)))
