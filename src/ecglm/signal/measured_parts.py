"""What was measured on each group of leads of a record (`parts`), put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecglm.knowledge.precision import with_confidence
from ecglm.records.record import Record
from ecglm.schema import LeadProblem, LeadValues, Measurement, Measurements
from ecglm.signal.intervals import CORRECTIONS
from ecglm.signal.parts import Part
from ecglm.signal.reversal import ELECTRODES

APART = "leads were recorded one group after another"
_RATES = ("heart_rate", "rr", "rr_sd", "rmssd")
_LENGTHS = ("p_duration", "pr", "qrs", "qt")
_AXES = ("axis", "p_axis", "t_axis")


def measured_parts(record: Record, parts: Sequence[Part], measured: Sequence[Measurements]) -> Measurements:
    """One set of measurements from those of every part: rate, rhythm and beats from the strips (else from the part with the most
    beats), lengths as the median of the parts, axes from the part that has one, heights of each lead from its own part."""
    by_beats = max(range(len(parts)), key=lambda i: (parts[i].strip, len(measured[i].r_peaks_s)))
    base = measured[by_beats]
    values: dict[str, Any] = {name: getattr(base, name) for name in _RATES}
    for name in _LENGTHS:
        values[name] = _median([getattr(one, name) for one in measured])
    rr = values["rr"].value
    for name, formula in CORRECTIONS.items():
        qt = values["qt"]
        known = qt.value is not None and rr is not None
        values[name] = replace(qt, value=formula(qt.value, rr / 1000.0)) if known else getattr(base, name) if qt.value else qt
    for name in _AXES:
        values[name] = next((value for one in measured if (value := getattr(one, name)).value is not None), getattr(base, name))
    by_lead: dict[str, LeadValues] = {}
    quality: dict[str, float] = dict.fromkeys(record.leads, 0.0)
    problems: list[LeadProblem] = []
    for part, one in reversed(list(zip(parts, measured, strict=True))):  # strips last: their leads have more beats
        by_lead |= one.by_lead
        quality |= one.quality
        problems += [replace(p, span_s=p.span_s and (p.span_s[0] + part.start_s, p.span_s[1] + part.start_s))
                     for p in one.problems]
    values |= {"sokolow_lyon": _heights(by_lead, "V1", ("V5", "V6"), base.sokolow_lyon),
               "cornell": _heights(by_lead, "V3", ("aVL",), base.cornell)}
    peaks = base.r_peaks_s if parts[by_beats].strip else tuple(sorted(
        round(t + part.start_s, 4) for part, one in zip(parts, measured, strict=True) for t in one.r_peaks_s))
    return Measurements(
        **with_confidence(values), rhythm=base.rhythm, r_peaks_s=peaks, quality=quality,
        by_lead={lead: by_lead[lead] for lead in record.leads if lead in by_lead},
        problems=tuple(dict.fromkeys(reversed(problems))), not_checked=dict.fromkeys(ELECTRODES, APART),
        axis_as_trained=next((one.axis_as_trained for one in measured if one.axis_as_trained is not None), None))


def _median(values: Sequence[Measurement]) -> Measurement:
    known = [value for value in values if value.value is not None]
    if not known:
        return values[0]
    middle = float(np.median([value.value for value in known]))
    spreads = [value.spread for value in known if value.spread is not None]
    leads = tuple(dict.fromkeys(lead for value in known for lead in value.leads))
    return Measurement(middle, known[0].unit, leads, sum(value.beats for value in known),
                       float(np.median(spreads)) if spreads else None)


def _heights(by_lead: Mapping[str, LeadValues], down: str, up: Sequence[str], otherwise: Measurement) -> Measurement:
    """Depth of S (or QS) in one lead and the highest R of others, mV."""
    if down not in by_lead or not any(lead in by_lead for lead in up):
        return otherwise if otherwise.value is None else Measurement(None, "mV", reason=f"leads {down} and {up[0]} are needed")
    low = by_lead[down].s if by_lead[down].r.value is not None else by_lead[down].q
    highs = [(max(r.value or 0.0, by_lead[lead].r_prime.value or 0.0), lead, r)
             for lead in up if lead in by_lead and (r := by_lead[lead].r).value is not None]
    if low.value is None or not highs:
        return Measurement(None, "mV", reason=low.reason or by_lead[next(lead for lead in up if lead in by_lead)].r.reason)
    height, lead, r = max(highs, key=lambda item: item[0])
    return Measurement(height - low.value, "mV", (down, lead), min(low.beats, r.beats))
