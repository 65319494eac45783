"""The frontal axes of P, QRS and T as measurements, with the same grounds for refusal."""

from __future__ import annotations

import numpy as np

from ecglm.records.leads import LIMB_LEADS
from ecglm.records.record import Record
from ecglm.schema import Measurement
from ecglm.signal.axis import MAX_DISAGREEMENT, axis_differences, axis_from_leads, limb_disagreement, net_area
from ecglm.signal.intervals import NO_QRS, NO_T
from ecglm.signal.missing import FloatArray
from ecglm.signal.morphology import ST_S, RecordedBeats, spread_over_beats
from ecglm.signal.stack import BeatStack
from ecglm.signal.waves import Waves

#: An axis that varies more than this from beat to beat (degrees) is that of a flat wave: none is given.
MAX_SPREAD_DEG = 45.0
AXES = ("p_axis", "axis", "t_axis")


def no_axes(reason: str) -> dict[str, Measurement]:
    """All three axes, not given for one reason."""
    return dict.fromkeys(AXES, _no(reason))


def frontal_axes(axis: Measurement, leads: tuple[str, ...], seen: RecordedBeats, no_p: str | None) -> dict[str, Measurement]:
    """The axes of P and T from the net areas of the waves, and the QRS axis with its spread over beats.

    axis: the QRS axis, given. leads: the rows of seen. no_p: why there is no P wave, None when there is. T is taken from
    80 ms after the J point, above the line from there to its end, so that a raised ST segment is not part of it.
    """
    rows = [leads.index(lead) for lead in axis.leads]
    beats, median, waves = seen.beats_BLW[:, rows], seen.median_LW[rows], seen.waves
    out = {"axis": _with_spread(axis, net_area(beats, waves.qrs_on, waves.qrs_off))}
    for name, on, off, reason in (("p_axis", waves.p_on, waves.p_off, no_p),
                                  ("t_axis", waves.qrs_off + ST_S[-1] * seen.fs, waves.t_off, NO_T)):
        if np.isnan(off) or np.isnan(on) or (name == "p_axis" and reason is not None):
            out[name] = _no(reason or "")
            continue
        angle = axis_from_leads(dict(zip(axis.leads, net_area(median, on, off).tolist(), strict=True)))
        if angle is None:
            out[name] = _no(f"the net {name[0].upper()} is zero in the limb leads")
            continue
        found = _with_spread(Measurement(angle, "deg", axis.leads, len(beats)), net_area(beats, on, off))
        flat = found.spread is not None and found.spread > MAX_SPREAD_DEG
        out[name] = _no(f"the {name[0].upper()} wave is too flat in the limb leads: its axis varies by "
                        f"{found.spread:.0f}\u00b0 from beat to beat") if flat else found
    return out


def _with_spread(axis: Measurement, net_BL: FloatArray) -> Measurement:
    away = axis_differences(net_BL[np.isfinite(net_BL).all(axis=1)], axis.leads, axis.value or 0.0)
    spread = float(spread_over_beats(away)) if len(away) > 1 else None
    return Measurement(axis.value, "deg", axis.leads, axis.beats, spread)


def qrs_axis(record: Record, stack: BeatStack, waves: Waves, spread: FloatArray, leads: tuple[str, ...]) -> Measurement:
    """The QRS axis of the median beat. spread: what undoes the scaling of the stack."""
    limb = tuple(lead for lead in leads if lead in LIMB_LEADS)
    if not record.axis_known:
        return _no("the amplitudes of this record are normalized, so leads cannot be compared")
    if len(limb) < 2:
        return _no("two readable limb leads are needed")
    if np.isnan(waves.qrs_on):
        return _no(NO_QRS)
    median = stack.median_LW * spread[:, None]
    rows = [leads.index(lead) for lead in limb]
    if limb_disagreement(median[rows, round(waves.qrs_on): round(waves.qrs_off) + 1], limb) > MAX_DISAGREEMENT:
        return _no("the limb leads contradict one another (Einthoven's law): their gains differ or they are mislabelled")
    area = net_area(median, waves.qrs_on, waves.qrs_off)
    angle = axis_from_leads({lead: float(area[leads.index(lead)]) for lead in limb})
    if angle is None:
        return _no("the net QRS is zero in the limb leads")
    return Measurement(angle, "deg", limb, int(stack.usual_B.sum()))


def _no(reason: str) -> Measurement:
    return Measurement(None, "deg", reason=reason)
