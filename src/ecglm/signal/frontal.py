"""The frontal axes of P, QRS and T as measurements, with the same grounds for refusal."""

from __future__ import annotations

import numpy as np

from ecglm.records.leads import LIMB_LEADS
from ecglm.records.record import Record
from ecglm.schema import Measurement
from ecglm.signal.axis import MAX_DISAGREEMENT, axes_of, axis_from_leads, limb_disagreement, net_area, net_qrs_area
from ecglm.signal.intervals import NO_QRS, NO_T
from ecglm.signal.missing import FloatArray
from ecglm.signal.morphology import RecordedBeats, spread_over_beats, t_on
from ecglm.signal.stack import BeatStack
from ecglm.signal.waves import Waves

#: An axis that varies more than this from beat to beat (degrees) is that of a flat wave: none is given.
MAX_SPREAD_DEG = 45.0
AXES = ("p_axis", "axis", "t_axis")


def no_axes(reason: str) -> dict[str, Measurement]:
    """All three axes, not given for one reason."""
    return dict.fromkeys(AXES, _no(reason))


def frontal_axes(axis: Measurement, leads: tuple[str, ...], seen: RecordedBeats, no_p: str | None) -> dict[str, Measurement]:
    """The axes of P, QRS and T from the net areas of the waves, with their spread over beats.

    axis: the QRS axis by the rules encoders were trained with (`qrs_axis`), given. leads: the rows of seen. no_p: why there
    is no P wave, None when there is. The T wave is taken above the line from its earliest onset to its end, so that a raised
    ST segment is not part of it, nor is it of the QRS (`net_qrs_area`).
    """
    waves, rows = seen.waves, [leads.index(lead) for lead in axis.leads]
    limb_BLW = np.concatenate([seen.beats_BLW[:, rows], seen.median_LW[None, rows]])
    net = {"axis": net_qrs_area(limb_BLW, waves.qrs_on, waves.qrs_off)}
    if no_p is None:
        net["p_axis"] = _p_area(limb_BLW, waves)
    if not np.isnan(waves.t_off):
        net["t_axis"] = net_area(limb_BLW, t_on(waves, seen.fs), waves.t_off)
    angle_NB = axes_of(np.stack(list(net.values())), axis.leads)
    middle = angle_NB[:, -1]
    spread = spread_over_beats((angle_NB[:, :-1].T - middle + 180.0) % 360.0 - 180.0).tolist()
    out = {"p_axis": _no(no_p or ""), "t_axis": _no(NO_T)}
    for name, value, varies in zip(net, middle.tolist(), spread, strict=True):
        wave = name[0].upper()
        if value != value:
            out[name] = _no(f"the net {wave} is zero in the limb leads")
        elif varies > MAX_SPREAD_DEG and name != "axis":
            out[name] = _no(f"the {wave} wave is too flat in the limb leads: its axis varies by {varies:.0f}° from beat to beat")
        else:
            beats = axis.beats if name == "axis" else len(limb_BLW) - 1
            out[name] = Measurement(value, "deg", axis.leads, beats, varies if varies == varies else None)
    return out


def _p_area(limb_BLW: FloatArray, waves: Waves) -> FloatArray:
    """Net P area ``[beat, lead]`` above the level before the QRS or above the line that joins the ends of the wave. Either
    cuts into the wave where an end or the PR segment is misjudged; the one that leaves more of the median (last) is taken."""
    areas = limb_BLW[..., round(waves.p_on): round(waves.p_off) + 1].sum(axis=-1), net_area(limb_BLW, waves.p_on, waves.p_off)
    return max(areas, key=lambda net_BL: float(np.abs(net_BL[-1]).sum()))


def qrs_axis(record: Record, stack: BeatStack, waves: Waves, spread: FloatArray, leads: tuple[str, ...]) -> Measurement:
    """The QRS axis of the median beat, as encoders were trained with it. spread: what undoes the scaling of the stack."""
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
