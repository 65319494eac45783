"""Exchanged electrodes (`ecglm.signal.reversal`): every exchange is put on the median beats of real recordings, where it is the
same linear map as on the signal. Weights were fitted on PTB-XL folds 1-7, thresholds checked on fold 8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import binomtest

from ecglm.bench.study import Study, Table
from ecglm.bench.task import BenchItem, digest
from ecglm.corpus.ecgqa import findings_items
from ecglm.corpus.external import bench_record, challenge_items, ludb_items
from ecglm.records.leads import CHEST_LEADS
from ecglm.signal.measure import typical_beat
from ecglm.signal.missing import FloatArray
from ecglm.signal.reversal import CHEST_SWAPS, GROUND_SWAPS, LIMB_SWAPS, TypicalBeat, find_reversals, frontal_of

#: What the right leg sees: the left leg and so much of the right arm.
LEG_SHARE = 0.05


def run(seed: int, draws: int, progress: bool) -> Study:
    """PTB-XL fold 9, LUDB, and the Challenge 2021 recordings that are not from PTB-XL. seed and draws are not needed."""
    from rich.progress import track

    sets: dict[str, list[BenchItem]] = {"PTB-XL fold 9": findings_items(), "LUDB": ludb_items(),
                                        "Challenge 2021": challenge_items()}
    found: dict[str, dict[str, list[tuple[bool, ...]]]] = {}
    for title, items in sets.items():
        beats = [typical_beat(bench_record(item.record_key)) for item in track(items, title, disable=not progress)]
        found[title] = {f"{where} {swap}": _tried([beat for beat in beats if beat is not None], where, swap)
                        for where, swaps in (("limb", (*LIMB_SWAPS, *GROUND_SWAPS.values())), ("chest", CHEST_SWAPS))
                        for swap in swaps}
    names = list(next(iter(found.values())))
    rows = [[name.replace("none", "none: false alarms"), *(_cell(found[title][name]) for title in sets)] for name in names]
    notes = ("Share of recordings in which an exchange of that kind (limb or chest) is found, with exact 95 % intervals, and in "
             "brackets the share in which it is sure. RL is taken to see what LL sees and 5 % of RA.",)
    count = sum(map(len, sets.values()))
    values = {title: {name: {"n": len(rows), "found": sum(r[0] for r in rows), "sure": sum(r[1] for r in rows),
                             "named": sum(r[2] for r in rows)} for name, rows in by_name.items()}
              for title, by_name in found.items()}
    data = digest([item.id for items in sets.values() for item in items])
    return Study([Table("Exchanged electrodes found, %", ("exchange", *sets), rows)], count, count, data, notes, values)


def _tried(beats: list[TypicalBeat], where: str, swap: str) -> list[tuple[bool, ...]]:
    """Per beat in which the exchange could be made: found, sure, named rightly."""
    out: list[tuple[bool, ...]] = []
    for beat in beats:
        tried = beat if swap == "none" else exchanged(beat, swap)
        if tried is not None:
            mine = [r for r in find_reversals(tried)[0] if r.where == where]
            out.append((bool(mine), any(r.sure for r in mine), any(r.swap == swap for r in mine)))
    return out


def _cell(rows: list[tuple[bool, ...]]) -> str:
    hits, n = sum(row[0] for row in rows), len(rows)
    low, high = binomtest(hits, n).proportion_ci(0.95)
    return f"{100 * hits / n:.1f} ({100 * low:.0f}-{100 * high:.0f}) [{100 * sum(row[1] for row in rows) / n:.0f}]"


def _limb_rows(potential: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The six limb leads of what the electrodes at RA, LA and LL see."""
    ra, la, ll = (potential[limb] for limb in ("RA", "LA", "LL"))
    return {"I": la - ra, "II": ll - ra, "III": ll - la, "aVR": ra - (la + ll) / 2, "aVL": la - (ra + ll) / 2,
            "aVF": ll - (ra + la) / 2}


def exchanged(beat: TypicalBeat, swap: str) -> TypicalBeat | None:
    """The beat as it looks with these electrodes exchanged; None where the limb leads do not tell their potentials.

    Leads without a common scale get one, are exchanged, and are scaled one by one again. What an electrode
    on the right leg does to the chest leads (a third of its change) is left out, as their scale is not always known.
    """
    out = beat.median_LW.astype(float).copy()
    if swap in CHEST_SWAPS and swap != "none":
        if any(lead not in beat.leads for lead in CHEST_LEADS):
            return None
        rows = np.array([beat.leads.index(lead) for lead in CHEST_LEADS])
        out[rows] = beat.median_LW[rows[list(CHEST_SWAPS[swap])]]
        return replace(beat, median_LW=out)
    frontal = frontal_of(beat)
    if isinstance(frontal, str):
        return None
    i, ii = frontal[0], np.array([0.5, np.sqrt(3) / 2]) @ frontal
    true = {"RA": -(i + ii) / 3, "LA": (2 * i - ii) / 3, "LL": (2 * ii - i) / 3}
    leg = true["LL"] + LEG_SHARE * true["RA"]
    seen = {"RA/RL": {**true, "RA": leg}, "LA/RL": {**true, "LA": leg},
            "arms/legs": {"RA": leg, "LA": true["LL"], "LL": true["LA"]}}.get(swap)
    for lead, row in _limb_rows(seen or dict(zip(true, (true[limb] for limb in LIMB_SWAPS[swap]), strict=True))).items():
        if lead in beat.leads:
            out[beat.leads.index(lead)] = row / (1 if beat.scaled else row.std() + 1e-9)
    return replace(beat, median_LW=out)
