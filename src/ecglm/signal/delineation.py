"""`delineate`: where P, QRS and T begin, peak and end, in every lead and over all of them.

Probabilities come from `wave_network`; an edge is where they cross half of the wave's largest, between samples. Over all
leads a wave begins where it begins in the first lead and ends where it ends in the last (CSE Working Party 1985, Eur Heart
J 6:815), among the leads that agree on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record, checked_record
from ecglm.signal.beat_types import NAMES, beat_types
from ecglm.signal.conduction import conduction
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.pacing import paced_beats
from ecglm.signal.prepare import prepare, scale_leads
from ecglm.signal.quality import QUALITY_FS, USABLE, Assessment, assess
from ecglm.signal.wave_network import CLASSES, FS, wave_probabilities

IntArray = NDArray[np.int64]

WAVES = CLASSES[1:]
#: A wave shorter than this (s) is none; pieces closer than GAP_S are one wave.
SHORTEST_S, GAP_S = {"p": 0.03, "qrs": 0.03, "t": 0.05}, 0.02
#: A wave is where its probability exceeds this. The network doubts small P waves: a lower bar finds more of them than it
#: makes up, but where the atria fibrillate, so there it is higher.
LEAST = {"p": 0.25, "qrs": 0.5, "t": 0.5}
LEAST_FIBRILLATING = 0.9
#: Of the leads that show a wave, the share whose onset (offset) may lie before (after) the one over all leads: a lead in
#: which noise moves an edge must not move the record's.
OUTLIERS = 0.1
#: A complex so soon (s) after another is a T wave where it is less than this share as steep (Pan & Tompkins 1985, IEEE Trans
#: Biomed Eng 32:230, who say half; at half, ventricular beats of MIT-BIH's training records are lost).
SOON_S, FLATTER = 0.36, 0.4
#: A beat after less than this share of the usual RR interval comes early.
EARLY = 0.85


@dataclass(frozen=True, eq=False)
class Delineation:
    """Waves by name ("p", "qrs", "t") as arrays ``[wave, 3]``: onset, peak, offset in seconds, in order of time.

    leads: those that could be read. by_lead: one array per lead. overall: the waves of all leads together. types: the AAMI
    class of each of its QRS complexes (`beat_types`), empty with too few beats; one that an end of the signal cuts off is never
    V or F, unless it comes early; Q: set off by a pacemaker (`pacing`). reason: why there is nothing, or None.
    """

    leads: tuple[str, ...]
    by_lead: dict[str, tuple[FloatArray, ...]]
    overall: dict[str, FloatArray]
    types: tuple[str, ...] = ()
    reason: str | None = None

    def rows(self) -> list[tuple[str, str, float, float, float, str]]:
        """Every wave as (lead, wave, onset, peak, offset, kind of beat), by time; lead "all" for those over all leads."""
        out = []
        for wave in WAVES:
            kinds = self.types if wave == "qrs" else ()
            for lead, waves in (("all", self.overall[wave]), *zip(self.leads, self.by_lead[wave], strict=True)):
                for number, (on, peak, off) in enumerate(waves):
                    kind = NAMES[kinds[number]] if lead == "all" and kinds else ""
                    out.append((lead, wave, float(on), float(peak), float(off), kind))
        order = {lead: number for number, lead in enumerate(("all", *self.leads))}
        return sorted(out, key=lambda row: (row[2], order[row[0]]))


def delineate(record: Record, weights: Mapping[str, NDArray[np.float32]] | None = None) -> Delineation:
    """Every wave of a record of any leads, rate and length, in mV or normalized; nothing is raised for poor signal.
    weights: of another network than the shipped one (`wave_network.fold_weights`)."""
    judged = assess(checked_record(record))
    used = tuple(lead for lead in record.leads if judged.quality[lead] >= USABLE)
    if judged.verdict is not None or not used:
        return Delineation((), dict.fromkeys(WAVES, ()), {wave: np.empty((0, 3)) for wave in WAVES},
                           reason=judged.verdict or "no lead can be read")
    leads, scaled = prepared_leads(record, used, judged)
    found = waves_of(leads, scaled, weights)
    qrs = found.overall["qrs"]
    types = beat_types(scaled, np.round(qrs[:, 1] * FS).astype(np.int64), FS, cut_off_B=_cut_off(qrs, scaled.shape[1]))
    paced = paced_beats(record, leads, qrs)
    if paced.any():
        types = tuple("Q" if by_spike else kind for by_spike, kind in zip(paced, types or "N" * len(qrs), strict=True))
    return replace(found, types=types)


def _cut_off(qrs_W3: FloatArray, total: int) -> BoolArray:
    """Whether a QRS reaches an end of the signal: half of it has another shape. One that comes early is premature all the same,
    so it does not count."""
    on, rr = qrs_W3[:, 0], np.diff(qrs_W3[:, 0])
    early = np.r_[False, rr < EARLY * np.median(rr)] if len(rr) else np.zeros(len(on), bool)
    out: BoolArray = ((on <= 1 / FS) | (qrs_W3[:, 2] >= (total - 2) / FS)) & ~early
    return out


def prepared_leads(record: Record, used: tuple[str, ...], judged: Assessment) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Those of some leads that are not flat, and as `prepare` makes them at FS, which is the rate they were judged at."""
    if judged.clean_LT is None or QUALITY_FS != FS:
        scaled, live = prepare(record.select(used), FS)
    else:
        scaled_LT, live, _ = scale_leads(judged.clean_LT[[record.leads.index(lead) for lead in used]])
        scaled = scaled_LT.astype(np.float32)
    return tuple(lead for lead, there in zip(used, live, strict=True) if there), scaled[live]


def waves_of(leads: tuple[str, ...], scaled_LT: NDArray[np.float32], weights: Mapping[str, NDArray[np.float32]] | None = None,
             ) -> Delineation:
    """The waves of prepared leads."""
    return waves_from(leads, scaled_LT, wave_probabilities(scaled_LT, weights))


def qrs_from(scaled_LT: NDArray[np.float32], prob_LCT: NDArray[np.float32]) -> FloatArray:
    """The QRS complexes over all leads ``[wave, 3]`` of prepared leads whose `wave_probabilities` are known."""
    return _qrs(scaled_LT, prob_LCT)[1]


def _qrs(scaled_LT: NDArray[np.float32], prob_LCT: NDArray[np.float32]) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """QRS complexes by lead and over all leads, without T waves that were taken for some."""
    by_lead, overall = _found(prob_LCT[:, CLASSES.index("qrs")], "qrs", scaled_LT, LEAST["qrs"])
    false = _flat_and_soon(scaled_LT, overall)
    if not false.any():
        return by_lead, overall
    on, off = overall[false, 0], overall[false, 2]
    return tuple(each[~_inside(each[:, 1], on, off)] for each in by_lead), overall[~false]


def _flat_and_soon(scaled_LT: NDArray[np.float32], qrs_W3: FloatArray) -> BoolArray:
    """Which complexes follow another within SOON_S and are far less steep."""
    soon = np.r_[False, np.diff(qrs_W3[:, 1]) < SOON_S] if len(qrs_W3) else np.zeros(0, bool)
    if not soon.any():
        return soon
    steep_T = np.r_[np.sqrt((np.diff(scaled_LT, axis=1) ** 2).mean(axis=0)), 0.0]
    first = (qrs_W3[:, 0] * FS).astype(np.int64).clip(0, len(steep_T) - 2)
    last = np.maximum(np.ceil(qrs_W3[:, 2] * FS).astype(np.int64).clip(0, len(steep_T) - 1), first + 1)
    steep_W = np.maximum.reduceat(steep_T, np.stack([first, last], axis=1).ravel())[::2]
    soon[1:] &= steep_W[1:] < FLATTER * steep_W[:-1]
    return soon


def _inside(times: FloatArray, on: FloatArray, off: FloatArray) -> BoolArray:
    """Which times lie in one of some stretches, that are in order and do not overlap."""
    owner = np.searchsorted(on, times, side="right") - 1
    out: BoolArray = (owner >= 0) & (times <= off[owner.clip(0)])
    return out


def waves_from(leads: tuple[str, ...], scaled_LT: NDArray[np.float32], prob_LCT: NDArray[np.float32]) -> Delineation:
    """The waves of prepared leads whose `wave_probabilities` are known."""
    by_lead, overall = {}, {}
    for wave in WAVES:
        by_lead[wave], overall[wave] = (_qrs(scaled_LT, prob_LCT) if wave == "qrs" else
                                        _found(prob_LCT[:, CLASSES.index(wave)], wave, scaled_LT, LEAST[wave]))
    qrs = overall["qrs"]
    if len(qrs) > 2 and conduction(overall["p"], qrs).fibrillates:
        by_lead["p"], overall["p"] = _found(prob_LCT[:, CLASSES.index("p")], "p", scaled_LT, LEAST_FIBRILLATING)
    return Delineation(leads, by_lead, overall)


def _found(prob_LT: NDArray[np.float32], wave: str, scaled_LT: NDArray[np.float32], least: float,
           ) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """One kind of wave, by lead and over all of them."""
    leads = len(scaled_LT)
    # What the leads show together is looked at as one lead more: the mean of their probabilities, and their size.
    prob_RT = np.concatenate([prob_LT, prob_LT.mean(axis=0, keepdims=True)])
    shown_RT = np.concatenate([scaled_LT, np.sqrt((scaled_LT**2).mean(axis=0, keepdims=True))])
    lead, on, off = _segments(prob_RT, wave, least)
    every = np.stack([on, _peaks(shown_RT, lead, on, off), off], axis=1) / FS
    edges = np.searchsorted(lead, np.arange(leads + 2))
    by_lead = tuple(every[first:last] for first, last in pairwise(edges[:-1].tolist()))
    return by_lead, _overall(every[edges[leads]:], every[:edges[leads]], leads)


def _segments(prob_LT: NDArray[np.float32], wave: str, least: float) -> tuple[IntArray, FloatArray, FloatArray]:
    """Lead, onset and offset (samples, with fractions) of every wave, by lead and time."""
    leads, total = prob_LT.shape
    edge = np.zeros((leads, total + 2), np.int8)
    edge[:, 1:-1] = prob_LT > least
    step = np.diff(edge, axis=1)
    lead, first = np.nonzero(step == 1)
    last = np.nonzero(step == -1)[1] - 1
    if not len(lead):
        return lead, np.empty(0), np.empty(0)
    apart = np.r_[True, (lead[1:] != lead[:-1]) | (first[1:] - last[:-1] > GAP_S * FS + 1)]
    lead, first, last = lead[apart], first[apart], last[np.r_[np.flatnonzero(apart)[1:] - 1, len(last) - 1]]
    level, first, last = _core(prob_LT, lead, first, last, least)
    long = (last - first + 1) >= SHORTEST_S[wave] * FS
    lead, first, last, level = lead[long], first[long], last[long], level[long]
    return lead, _crossing(prob_LT, lead, first, -1, level), _crossing(prob_LT, lead, last, 1, level)


def _core(prob_LT: NDArray[np.float32], lead: IntArray, first: IntArray, last: IntArray, least: float,
          ) -> tuple[FloatArray, IntArray, IntArray]:
    """Half of each stretch's largest probability (at least `least`), and the first and last sample above it."""
    length = last - first + 1
    start = np.r_[0, np.cumsum(length)[:-1]]
    place = np.arange(length.sum()) + np.repeat(first - start, length)
    prob = prob_LT[np.repeat(lead, length), place]
    level = np.maximum(least, 0.5 * np.maximum.reduceat(prob, start).astype(float))
    above = prob > np.repeat(level, length)
    begin = np.minimum.reduceat(np.where(above, place, prob_LT.shape[1]), start)
    return level, begin, np.maximum.reduceat(np.where(above, place, -1), start)


def _crossing(prob_LT: NDArray[np.float32], lead: IntArray, inside: IntArray, side: int, level: FloatArray) -> FloatArray:
    """Where the probability crosses the level between the last sample inside a wave and its neighbour on one side."""
    outside = np.clip(inside + side, 0, prob_LT.shape[1] - 1)
    here, there = prob_LT[lead, inside].astype(float), prob_LT[lead, outside].astype(float)
    part = np.divide(here - level, here - there, out=np.zeros(len(lead)), where=here > there)
    out: FloatArray = inside + side * np.where(outside == inside, 0.0, part)
    return out


def _peaks(scaled_LT: NDArray[np.float32], lead: IntArray, on: FloatArray, off: FloatArray) -> FloatArray:
    """Sample of each wave's largest distance from the line between its ends."""
    if not len(lead):
        return np.empty(0)
    first, last = np.ceil(on).astype(int), np.floor(off).astype(int)
    at = np.arange((last - first).max() + 1)
    index = np.minimum(first[:, None] + at, last[:, None])
    wave = scaled_LT[lead[:, None], index]
    share = np.minimum(at / np.maximum(last - first, 1)[:, None], 1)
    away = np.abs(wave - (wave[:, :1] * (1 - share) + wave[:, -1:] * share))
    out: FloatArray = index[np.arange(len(lead)), away.argmax(axis=1)].astype(float)
    return out


def _overall(joint_W3: FloatArray, each_S3: FloatArray, leads: int) -> FloatArray:
    """Waves ``[wave, 3]`` on which the leads agree: from where a tenth of them have begun to where all but a tenth have ended.
    joint_W3: those of the mean over the leads; each_S3: those of every lead."""
    out = joint_W3.copy()
    if not len(out) or leads == 1:
        return out
    middle = each_S3[:, [0, 2]].mean(axis=1)
    owner = np.searchsorted(out[:, 0], middle, side="right") - 1
    fits: BoolArray = (owner >= 0) & (middle <= out[owner, 2])
    owner, each_S3 = owner[fits], each_S3[fits]
    known = np.unique(owner)
    out[known, 0], out[known, 2] = (_quantiles(owner, each_S3[:, k], q) for k, q in ((0, OUTLIERS), (2, 1 - OUTLIERS)))
    return out


def _quantiles(owner: IntArray, values: FloatArray, share: float) -> FloatArray:
    """`np.quantile` of the values of every owner, in the order of owners: at once, as a day has a hundred thousand of them."""
    values = values[np.lexsort((values, owner))]
    _, first, count = np.unique(np.sort(owner), return_index=True, return_counts=True)
    place = (count - 1) * share
    low, part = first + np.floor(place).astype(np.int64), place - np.floor(place)
    below, above = values[low], values[np.minimum(low + 1, first + count - 1)]
    out: FloatArray = np.where(part < 0.5, below + (above - below) * part, above - (above - below) * (1 - part))
    return out
