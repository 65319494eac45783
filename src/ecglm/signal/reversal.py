"""Electrodes in each other's place: the limbs from the frontal plane, the chest from the order of its leads.

Every exchange of electrodes is a known linear map of the leads, so each is undone in turn and a linear score of how
natural the median beat then looks decides (conditional logit, McFadden 1974; weights in reversal.json, fitted by
recipes/reversal.yaml). Only shapes and angles enter, so leads z-scored one by one are judged as well.
Shapes: K ways to undo, S segments (P, QRS, T), W samples of the beat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np

from ecglm.records.leads import CHEST_LEADS, LIMB_LEADS
from ecglm.signal.axis import frontal_beat
from ecglm.signal.missing import FloatArray
from ecglm.signal.waves import Waves

#: Beats are judged at this rate (Hz); they hold nothing above 40 Hz.
REVERSAL_FS = 250.0
#: A limb lead whose median beat is smaller than this share of the largest one shows two points of one potential.
#: The smallest of 1,813 real recordings is 0.116.
FLAT_SHARE = 0.10
#: Fewer readable chest leads say too little about the limbs.
LEAST_CHEST = 4

#: What is searched for exchanges.
ELECTRODES = ("limb leads", "chest leads")
#: Exchanges of the three active limb electrodes, as who is seen at RA, LA and LL; the first is the right way.
LIMB_SWAPS: dict[str, tuple[str, str, str]] = {
    "none": ("RA", "LA", "LL"), "RA/LA": ("LA", "RA", "LL"), "RA/LL": ("LL", "LA", "RA"), "LA/LL": ("RA", "LL", "LA"),
    "RA→LA→LL": ("LL", "RA", "LA"), "RA→LL→LA": ("LA", "LL", "RA"),
}
#: The exchange that makes this lead flat: it then lies between the legs, which share one potential.
GROUND_SWAPS: dict[str, str] = {"II": "RA/RL", "III": "LA/RL", "I": "arms/legs"}
#: Exchanges of two chest electrodes, and all six in reverse; the first is the right way.
CHEST_SWAPS: dict[str, tuple[int, ...]] = {"none": (0, 1, 2, 3, 4, 5)} | {
    f"V{a + 1}/V{b + 1}": tuple({a: b, b: a}.get(k, k) for k in range(6)) for a, b in combinations(range(6), 2)
} | {"V1…V6 reversed": (5, 4, 3, 2, 1, 0)}
_PLACES = np.array(list(CHEST_SWAPS.values()))
_NEAR = np.array([(k, k + step) for step in (1, 2) for k in range(6 - step)])


def limb_map(swap: str) -> FloatArray:
    """How an exchange of `LIMB_SWAPS` turns the frontal vector, ``[2, 2]``: potentials of Einthoven's triangle, permuted."""
    corners = np.radians([-150.0, -30.0, 90.0])
    potential = np.stack([np.cos(corners), np.sin(corners)], axis=1)
    seen = [("RA", "LA", "LL").index(limb) for limb in LIMB_SWAPS[swap]]
    return np.asarray(np.linalg.pinv(potential) @ potential[seen], dtype=np.float64)


#: The map that undoes each exchange, and whether it mirrors.
_UNDO_K22 = np.stack([np.linalg.inv(limb_map(swap)) for swap in LIMB_SWAPS])
_MIRROR_K = np.linalg.det(_UNDO_K22)


@dataclass(frozen=True)
class Reversal:
    """An exchange of electrodes. log_odds: of any exchange against none, before base rates; sure: rarely wrong, so what
    depends on it is withheld; mirrored: chest leads that fit a heart on the right as well."""

    where: Literal["limb", "chest"]
    swap: str
    log_odds: float
    sure: bool
    mirrored: bool = False


@dataclass(frozen=True)
class TypicalBeat:
    """A median beat ``[lead, window]`` at fs. scaled: its limb leads share one scale and do not contradict one another."""

    median_LW: FloatArray
    leads: tuple[str, ...]
    waves: Waves
    p_score: float
    fs: float
    scaled: bool


class Segment(NamedTuple):
    """P, QRS or T above its base line: frontal vector ``[2, n]`` and its norm; chest leads ``[6, n]`` (zeros where absent),
    and each of them and its slope with norm 1; how much the segment counts."""

    limb: FloatArray
    power: float
    chest: FloatArray
    shape: FloatArray
    slope: FloatArray
    weight: float


def find_reversals(beat: TypicalBeat) -> tuple[tuple[Reversal, ...], dict[str, str]]:
    """The exchanges seen in a median beat, and what could not be checked with its reason."""
    frontal = frontal_of(beat)
    if isinstance(frontal, str):
        return (), dict.fromkeys(ELECTRODES, frontal)
    flat = _flat_lead(frontal)
    if flat is not None:
        return (Reversal("limb", GROUND_SWAPS[flat], np.inf, True),), {"chest leads": "the limb leads look reversed"}
    chest = sum(lead in beat.leads for lead in CHEST_LEADS)
    missed: dict[str, str] = {}
    if chest < LEAST_CHEST:
        missed["limb leads"] = f"at least {LEAST_CHEST} readable chest leads are needed"
    if chest < len(CHEST_LEADS):
        missed["chest leads"] = "all six chest leads are needed"
    return tuple(_search(segments(beat, frontal), [w for w in ("limb", "chest") if f"{w} leads" not in missed])), missed


def frontal_of(beat: TypicalBeat) -> FloatArray | str:
    """The frontal vector ``[2, window]`` behind the limb leads of a beat, or why there is none."""
    if np.isnan(beat.waves.qrs_on):
        return "the QRS edges are not clear"
    limb = tuple(lead for lead in beat.leads if lead in LIMB_LEADS)
    return frontal_beat(beat.median_LW[[beat.leads.index(lead) for lead in limb]], limb, beat.scaled)


def _search(parts: tuple[Segment, ...], open_: list[str]) -> Iterator[Reversal]:
    """The clearest exchange first; the other kind is then looked for once that one is undone."""
    while open_:
        seen = [_judge(parts, where) for where in open_]
        found, excess = max(seen, key=lambda item: item[1])
        if excess <= 0:
            return
        yield found
        open_ = [where for where in open_ if where != found.where]
        parts = _undone(parts, found)


def _judge(parts: tuple[Segment, ...], where: str) -> tuple[Reversal, float]:
    """The likeliest exchange of limb or chest electrodes, and by how much its log-odds pass the level of being named."""
    fitted = _fitted()[where]
    scores = (limb_features if where == "limb" else chest_features)(parts) @ fitted["weights"]
    best, odds = 1 + int(scores[1:].argmax()), float(log_odds(scores))
    extra = (1 - parts[0].weight) * fitted["without_p"]  # higher where no P wave helps
    sure = odds > fitted["sure"] + extra
    if where == "chest":
        return Reversal("chest", list(CHEST_SWAPS)[best], odds, sure), odds - fitted["named"] - extra
    swap = list(LIMB_SWAPS)[best]
    mirrored = swap == "RA/LA" and bool((parts[1].chest[4:].sum(axis=1) < 0).all())  # QRS down in V5 and V6
    return Reversal("limb", swap, odds, sure, mirrored), odds - fitted["named"] - extra


def _undone(parts: tuple[Segment, ...], found: Reversal) -> tuple[Segment, ...]:
    if found.where == "limb":
        undo = _UNDO_K22[list(LIMB_SWAPS).index(found.swap)]
        return tuple(part._replace(limb=undo @ part.limb) for part in parts)
    rows = list(CHEST_SWAPS[found.swap])
    return tuple(p._replace(chest=p.chest[rows], shape=p.shape[rows], slope=p.slope[rows]) for p in parts)


def segments(beat: TypicalBeat, frontal_2W: FloatArray) -> tuple[Segment, ...]:
    """Cut the P, QRS and T parts out of a beat with known QRS edges; where P or T were not found, where they usually are."""
    step = max(1, round(beat.fs / REVERSAL_FS))
    limb = frontal_2W[:, ::step]
    chest = np.zeros((len(CHEST_LEADS), limb.shape[1]))
    for row, lead in enumerate(CHEST_LEADS):
        if lead in beat.leads:
            chest[row] = beat.median_LW[beat.leads.index(lead), ::step]
    at = beat.waves
    p_on, p_off, on, off, end = (x / beat.fs for x in (at.p_on, at.p_off, at.qrs_on, at.qrs_off, at.t_off))
    p_on = on - 0.18 if np.isnan(p_on) else p_on - 0.01
    p_off = on - 0.008 if np.isnan(p_off) else min(on - 0.004, p_off + 0.01)
    if p_off - p_on < 0.024:
        p_on, p_off = on - 0.12, on - 0.008
    end = off + 0.28 if np.isnan(end) else end
    both, last = np.concatenate([limb, chest]), limb.shape[1]
    out: list[Segment] = []
    spans = ((p_on, p_off, beat.p_score), (on, off + 0.004, 1.0), (off + 0.016, end, 1.0))
    for start, stop, weight in spans:
        first = min(max(0, round(start * REVERSAL_FS)), last - 12)
        part = both[:, first: max(first + 10, min(last, round(stop * REVERSAL_FS)))]
        if len(out) < 2:  # P and QRS stand above the line that joins their ends, T above its end
            ramp = np.linspace(0, 1, part.shape[1])
            part = part - part[:, :1] * (1 - ramp) - part[:, -1:] * ramp
        else:
            part = part - part[:, -1:]
        slope = np.zeros_like(part[2:])
        slope[:, 1:-1] = part[2:, 2:] - part[2:, :-2]
        out.append(Segment(part[:2], float(np.sqrt((part[:2] ** 2).sum())) + 1e-9, part[2:], _unit(part[2:]), _unit(slope),
                           weight))
    return tuple(out)


def limb_features(parts: tuple[Segment, ...]) -> FloatArray:
    """What the frontal plane looks like after each exchange is undone, ``[K, feature]``.

    Per segment: direction of its area (and twice its angle), areas of its thirds, products with each chest lead and
    with its slope, and the sense in which the loop turns.
    """
    out = []
    for limb, power, _, shape, slope, weight in parts:
        thirds = _parts(limb, 3) / (np.abs(limb).sum() + 1e-9)
        turn = float((limb[0, :-1] * limb[1, 1:] - limb[1, :-1] * limb[0, 1:]).sum()) / power**2
        turned = _UNDO_K22 @ np.concatenate([thirds, limb @ shape.T / power, limb @ slope.T / power], axis=1)
        area = turned[:, :, :3].sum(axis=2)
        size = np.sqrt((area**2).sum(axis=1, keepdims=True)) + 1e-12
        unit, sure = area / size, np.minimum(1.0, 2 * size)
        double = np.stack([unit[:, 0] ** 2 - unit[:, 1] ** 2, 2 * unit[:, 0] * unit[:, 1]], axis=1)
        out.append(weight * np.concatenate(
            [unit * sure, double * sure, (turn * _MIRROR_K)[:, None], turned.reshape(len(turned), -1)], axis=1))
    return np.concatenate(out, axis=1)


def chest_features(parts: tuple[Segment, ...]) -> FloatArray:
    """What the row of chest leads looks like after each exchange is undone, ``[K, feature]``.

    Per place and segment: areas of its quarters, upright share of its height, products with the frontal vector;
    per pair of places one or two apart: how alike the leads are, and one with the slope of the other.
    """
    own, alike = [], []
    for limb, power, chest, shape, slope, weight in parts:
        up, down = np.maximum(chest.max(axis=1), 0), np.maximum(-chest.min(axis=1), 0)
        quarters = _parts(chest, 4) / (np.abs(chest).sum(axis=1, keepdims=True) + 1e-9)
        own.append(weight * np.concatenate(
            [quarters, (up / (up + down + 1e-9))[:, None], shape @ limb.T / power], axis=1))
        alike += [weight * shape @ shape.T, weight * slope @ shape.T]
    own_LF, alike_MLL = np.concatenate(own, axis=1), np.stack(alike)
    near_MKN = alike_MLL[:, _PLACES[:, _NEAR[:, 0]], _PLACES[:, _NEAR[:, 1]]]
    return np.concatenate([own_LF[_PLACES].reshape(len(_PLACES), -1),
                           near_MKN.transpose(1, 0, 2).reshape(len(_PLACES), -1)], axis=1)


def log_odds(scores_NK: FloatArray) -> FloatArray:
    """Log-odds ``[...]`` of any exchange against none from scores ``[..., K]``, none first."""
    others = scores_NK[..., 1:]
    top = others.max(axis=-1, keepdims=True)
    summed = top[..., 0] + np.log(np.exp(others - top).sum(axis=-1))
    return np.asarray(summed - scores_NK[..., 0], dtype=np.float64)


@lru_cache(maxsize=1)
def _fitted() -> dict[str, dict[str, Any]]:
    fitted = json.loads((files("ecglm.signal") / "reversal.json").read_text(encoding="utf8"))
    return {where: {**fitted[where], "weights": np.array(fitted[where]["weights"])} for where in ("limb", "chest")}


def _flat_lead(frontal_2W: FloatArray) -> str | None:
    """The lead among I, II, III that is flat in every wave, or None."""
    angles = np.radians([0.0, 60.0, 120.0])
    leads = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ frontal_2W[:, ::4]
    size = np.sqrt(((leads - np.median(leads, axis=1, keepdims=True)) ** 2).mean(axis=1))
    least = int(size.argmin())
    return ("I", "II", "III")[least] if size[least] < FLAT_SHARE * size.max() else None


def _parts(part_LW: FloatArray, count: int) -> FloatArray:
    """Sums of `count` nearly equal parts, ``[lead, count]``."""
    edges = [k * part_LW.shape[1] // count for k in range(count)]
    return np.asarray(np.add.reduceat(part_LW, edges, axis=1), dtype=np.float64)


def _unit(part_LW: FloatArray) -> FloatArray:
    """Each lead with norm 1."""
    return np.asarray(part_LW / (np.sqrt((part_LW**2).sum(axis=1, keepdims=True)) + 1e-9), dtype=np.float64)
