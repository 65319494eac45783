"""A fixed vector of wave shapes: heights, areas and lengths of P, QRS, ST and T in every lead, and what all leads tell together.

No label has part in it, so it can describe a finding that nothing was ever trained on. Heights are in standard deviations of
the lead, hence free of gain and unit. Values are NaN-free and bounded; what cannot be measured is 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.delineation import Delineation, delineate
from ecglm.signal.missing import FloatArray, median_of_known
from ecglm.signal.prepare import prepare
from ecglm.signal.stack import cut
from ecglm.signal.wave_network import FS

#: Seconds of a beat kept before and after the QRS peak.
BEFORE_S, AFTER_S = 0.35, 0.65
#: The level just before the QRS is the zero of all heights.
ISO_S = (0.02, 0.004)
LEAD_NAMES = ("p_max", "p_min", "q", "r", "s", "qrs_area", "r_share", "st_j", "st_60", "st_80", "st_slope", "t_max", "t_min",
              "t_area", "qrs_s", "r_late", "t_of_qrs")
WHOLE_NAMES = ("measured", "p_share", "p_s", "pr_s", "qrs_s", "qt_s", "qtc_s", "jt_s", "tpe_s", "pr_sd", "qrs_sd", "rr_s",
               "ventricular", "supraventricular", "fusion", "qrs_t_cos", "progression")
NAMES = (*WHOLE_NAMES, *(f"{lead}_{name}" for lead in STANDARD_12 for name in LEAD_NAMES))
#: No value exceeds this.
BOUND = 10.0


class _Edges(NamedTuple):
    """Median times of a record's waves in seconds from the QRS peak; NaN where there is no such wave."""

    p_on: float
    p_off: float
    qrs_on: float
    qrs_off: float
    t_peak: float
    t_off: float
    pr_sd: float
    qrs_sd: float
    p_share: float


def wave_features(record: Record) -> NDArray[np.float32]:
    """Values of NAMES; zeros where no beat is found. Absent leads are 0."""
    return features_of(record, delineate(record))


def features_of(record: Record, found: Delineation) -> NDArray[np.float32]:
    """The same for waves that were found before."""
    out = dict.fromkeys(NAMES, 0.0)
    qrs = found.overall["qrs"]
    if len(qrs) < 2:
        return np.zeros(len(NAMES), np.float32)
    usual = _usual(found)
    edges = _edges(found, usual)
    scaled_LT = prepare(record.select(found.leads), FS)[0].astype(np.float64)
    before, after = round(BEFORE_S * FS), round(AFTER_S * FS)
    at = np.round(qrs[usual, 1] * FS).astype(np.int64)
    inside = at[(at >= before) & (at + after <= scaled_LT.shape[1])]
    if not len(inside):
        return np.zeros(len(NAMES), np.float32)
    median_LW = median_of_known(cut(scaled_LT, inside, before, after))
    lead_LF = _heights(median_LW, edges)
    for lead, values in zip(found.leads, lead_LF, strict=True):
        if lead in STANDARD_12:
            out |= {f"{lead}_{name}": float(v) for name, v in zip(LEAD_NAMES, values, strict=True)}
    out |= _whole(found, edges, lead_LF)
    values = np.nan_to_num(np.array([out[name] for name in NAMES]), nan=0.0, posinf=BOUND, neginf=-BOUND)
    bounded: NDArray[np.float32] = np.clip(values, -BOUND, BOUND).astype(np.float32)
    return bounded


def _usual(found: Delineation) -> NDArray[np.int64]:
    """Beats of the commonest type."""
    count = len(found.overall["qrs"])
    if not found.types:
        return np.arange(count)
    names, counts = np.unique(found.types, return_counts=True)
    return np.flatnonzero(np.array(found.types) == names[counts.argmax()])


def _edges(found: Delineation, usual: NDArray[np.int64]) -> _Edges:
    """Waves are given to the beat whose QRS follows (P) or precedes (T) within the usual distance."""
    qrs = found.overall["qrs"]
    on, off, t_peak, t_off = (np.full(len(qrs), np.nan) for _ in range(4))
    p, t = found.overall["p"], found.overall["t"]
    if len(p):
        last = np.searchsorted(p[:, 2], qrs[:, 0] + 0.02) - 1
        near = (last >= 0) & (qrs[:, 0] - p[last, 0] < 0.4)
        near[1:] &= p[last[1:], 0] > qrs[:-1, 2]
        on[near], off[near] = p[last[near], 0] - qrs[near, 1], p[last[near], 2] - qrs[near, 1]
    if len(t):
        first = np.searchsorted(t[:, 1], qrs[:, 2])
        first_safe = np.minimum(first, len(t) - 1)
        near = (first < len(t)) & (t[first_safe, 2] - qrs[:, 0] < 0.75)
        near[:-1] &= t[first_safe[:-1], 1] < qrs[1:, 0]
        t_peak[near], t_off[near] = t[first_safe[near], 1] - qrs[near, 1], t[first_safe[near], 2] - qrs[near, 1]
    begin, end = qrs[:, 0] - qrs[:, 1], qrs[:, 2] - qrs[:, 1]

    def middle(values: FloatArray) -> float:
        known = values[usual][~np.isnan(values[usual])]
        return float(np.median(known)) if len(known) else float("nan")

    pr = (begin - on)[usual]
    pr = pr[~np.isnan(pr)]
    return _Edges(middle(on), middle(off), middle(begin), middle(end), middle(t_peak), middle(t_off),
                  float(pr.std()) if len(pr) > 1 else 0.0, float((end - begin)[usual].std()), float(np.mean(~np.isnan(on))))


def _heights(median_LW: FloatArray, edges: _Edges) -> FloatArray:
    """Values of LEAD_NAMES ``[lead, name]``."""
    zero = round(BEFORE_S * FS)
    last = median_LW.shape[1]

    def between(start: float, stop: float) -> FloatArray:
        """Part of the beat, one sample at least; a NaN edge gives nothing."""
        if np.isnan(start + stop):
            return np.zeros((len(median_LW), 1))
        a = int(np.clip(zero + round(start * FS), 0, last - 1))
        return median_LW[:, a:int(np.clip(zero + round(stop * FS) + 1, a + 1, last))]

    iso = between(edges.qrs_on - ISO_S[0], edges.qrs_on - ISO_S[1]).mean(1, keepdims=True)
    median_LW = median_LW - iso
    p = between(edges.p_on, edges.p_off)
    p = p - p[:, :1]
    qrs = between(edges.qrs_on, edges.qrs_off)
    peak = qrs.argmax(1)
    r = qrs.max(1)
    order = np.arange(qrs.shape[1])
    q = np.where(order <= peak[:, None], qrs, np.inf).min(1)
    s = np.where(order >= peak[:, None], qrs, np.inf).min(1)
    swing = qrs.max(1) - qrs.min(1) + 1e-6
    moving = np.abs(np.diff(qrs, axis=1)) if qrs.shape[1] > 1 else np.zeros((len(qrs), 1))
    levels = [between(edges.qrs_off + late, edges.qrs_off + late)[:, 0] for late in (0.0, 0.06, 0.08)]
    end = edges.t_off if not np.isnan(edges.t_off) else edges.qrs_off + 0.3
    t = between(edges.qrs_off + 0.08, end)
    t_area = t.sum(1) / FS
    return np.stack([
        p.max(1), p.min(1), np.minimum(q, 0), np.maximum(r, 0), np.minimum(s, 0), qrs.sum(1) / FS * 10,
        np.maximum(r, 0) / swing, *levels, levels[2] - levels[0], t.max(1), t.min(1), t_area * 5,
        (moving > 0.05 * swing[:, None]).sum(1) / FS * 20, peak / FS * 20,
        np.where(np.abs(t.max(1)) > np.abs(t.min(1)), t.max(1), t.min(1)) / swing,
    ], axis=1)


def _whole(found: Delineation, edges: _Edges, lead_LF: FloatArray) -> dict[str, float]:
    """Values of WHOLE_NAMES."""
    rr = float(np.median(np.diff(found.overall["qrs"][:, 1])))
    qrs_s, qt_s = edges.qrs_off - edges.qrs_on, edges.t_off - edges.qrs_on
    share = {kind: found.types.count(kind) / max(len(found.types), 1) for kind in "VSF"}
    area, t_area = (lead_LF[:, LEAD_NAMES.index(name)] for name in ("qrs_area", "t_area"))
    across = float(area @ t_area / (np.linalg.norm(area) * np.linalg.norm(t_area) + 1e-6))
    chest = [lead_LF[found.leads.index(lead), LEAD_NAMES.index("r_share")] for lead in STANDARD_12[6:] if lead in found.leads]
    slope = float(np.polyfit(np.arange(len(chest)), chest, 1)[0]) if len(chest) > 2 else 0.0
    return {"measured": 1.0, "p_share": edges.p_share, "p_s": (edges.p_off - edges.p_on) * 10,
            "pr_s": (edges.qrs_on - edges.p_on) * 10, "qrs_s": qrs_s * 10, "qt_s": qt_s * 5, "qtc_s": qt_s / np.sqrt(rr) * 5,
            "jt_s": (qt_s - qrs_s) * 5, "tpe_s": (edges.t_off - edges.t_peak) * 10, "pr_sd": edges.pr_sd * 20,
            "qrs_sd": edges.qrs_sd * 20, "rr_s": rr, "ventricular": share["V"], "supraventricular": share["S"],
            "fusion": share["F"], "qrs_t_cos": across, "progression": slope * 5}
