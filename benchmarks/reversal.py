"""Fit and judge the search for exchanged electrodes. `python benchmarks/reversal.py [--fit] [-o RESULTS.json]`

Every exchange is put on the median beats of real recordings, where it is the same linear map as on the signal: PTB-XL fold 8
(thresholds were checked there) and 9, LUDB and the Challenge 2021 sample. --fit writes src/ecglm/signal/reversal.json from
PTB-XL folds 1-7, thresholds from predictions out of fold. Reads the public sets from $ECGLM_DATA or ../shared/data.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecglm.atomic import write_text  # noqa: E402
from ecglm.bench.provenance import git_commit, versions  # noqa: E402
from ecglm.corpus import ptbxl  # noqa: E402
from ecglm.corpus.folder import data_folder  # noqa: E402
from ecglm.knowledge.statements import keys  # noqa: E402
from ecglm.records import read  # noqa: E402
from ecglm.records.leads import CHEST_LEADS, LIMB_LEADS  # noqa: E402
from ecglm.records.record import Record  # noqa: E402
from ecglm.signal.axis import frontal_beat  # noqa: E402
from ecglm.signal.beats import Beats  # noqa: E402
from ecglm.signal.measure import usual_beat  # noqa: E402
from ecglm.signal.quality import assess  # noqa: E402
from ecglm.signal.reversal import (  # noqa: E402
    CHEST_SWAPS,
    GROUND_SWAPS,
    LEAST_CHEST,
    LIMB_SWAPS,
    TypicalBeat,
    chest_features,
    find_reversals,
    limb_features,
    log_odds,
    segments,
)

#: Strength of the ridge, in variances of the features, and the shares of right recordings that may be named and sure.
RIDGE, NAMED, SURE = 1e-3, 0.015, 0.005
PARTS = ((1, 2), (3, 4), (5,), (6, 7))


def frontal_of(beat: TypicalBeat) -> np.ndarray | str:
    """The frontal vector of a beat, or why there is none."""
    limb = tuple(lead for lead in beat.leads if lead in LIMB_LEADS)
    if np.isnan(beat.waves.qrs_on):
        return "no QRS"
    return frontal_beat(beat.median_LW[[beat.leads.index(lead) for lead in limb]], limb, beat.scaled)


def features(data: ptbxl.PtbXl, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Limb and chest features ``[record, K, feature]``, P scores and the rows they are of."""
    limb, chest, p_score, kept = [], [], [], []
    for row in rows:
        beat = usual(data.record(row))
        frontal = "unreadable" if beat is None else frontal_of(beat)
        if beat is None or isinstance(frontal, str) or sum(lead in beat.leads for lead in CHEST_LEADS) < LEAST_CHEST:
            continue
        parts = segments(beat, frontal)
        limb.append(limb_features(parts))
        chest.append(chest_features(parts))
        p_score.append(beat.p_score)
        kept.append(row)
    return np.array(limb), np.array(chest), np.array(p_score), np.array(kept)


def fitted(features_NKF: np.ndarray) -> np.ndarray:
    """Weights of the conditional logit in which the way a recording was made is the right one."""
    scale = features_NKF.reshape(-1, features_NKF.shape[2]).std(axis=0) + 1e-6
    gap = (features_NKF[:, 1:] - features_NKF[:, :1]) / scale

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = gap @ weights
        top = np.maximum(z.max(axis=1), 0)
        e = np.exp(z - top[:, None])
        total = np.exp(-top) + e.sum(axis=1)
        slope = np.einsum("nk,nkf->f", e / total[:, None], gap) / len(gap)
        return float((np.log(total) + top).mean() + RIDGE / 2 * weights @ weights), slope + RIDGE * weights

    return minimize(loss, np.zeros(gap.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 3000}).x / scale


def fit() -> None:
    """Weights from folds 1-7, thresholds from what models that had not seen a fold say of it."""
    data = ptbxl.load()
    limb, chest, p_score, rows = features(data, data.rows((1, 2, 3, 4, 5, 6, 7)))
    fold, out = data.fold[rows], {}
    for where, table in (("limb", limb), ("chest", chest)):
        odds = np.empty(len(table))
        for part in PARTS:
            held = np.isin(fold, part)
            odds[held] = log_odds(table[held] @ fitted(table[~held]))
        with_p = p_score >= 0.5
        named, sure = (float(np.quantile(odds[with_p], 1 - share)) for share in (NAMED, SURE))
        extra = max(0.0, float(np.quantile(odds[~with_p], 1 - NAMED)) - named)
        print(f"{where}: {len(table)} recordings, {(~with_p).sum()} without P; named {named:.2f}, sure {sure:.2f}, "
              f"without P +{extra:.2f}")
        out[where] = {"named": round(named, 3), "sure": round(sure, 3), "without_p": round(extra, 3),
                      "weights": [float(f"{w:.4g}") for w in fitted(table)]}
    (ROOT / "src/ecglm/signal/reversal.json").write_text(json.dumps(out) + "\n")


def usual(record: Record) -> TypicalBeat | None:
    """The median beat of a recording; None when it cannot be read."""
    judged = assess(record)
    found = usual_beat(record, judged) if judged.verdict is None else None
    return None if found is None or isinstance(found, Beats) else found.typical(record.axis_known)


def limb_rows(potential: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The six limb leads of what the electrodes at RA, LA and LL see."""
    ra, la, ll = (potential[limb] for limb in ("RA", "LA", "LL"))
    return {"I": la - ra, "II": ll - ra, "III": ll - la, "aVR": ra - (la + ll) / 2, "aVL": la - (ra + ll) / 2,
            "aVF": ll - (ra + la) / 2}


def exchanged(beat: TypicalBeat, swap: str) -> TypicalBeat | None:
    """The beat as it looks with these electrodes exchanged; None where the limb leads do not tell their potentials.

    Leads without a common scale get one, are exchanged, and are scaled one by one again. RL is taken to see what LL sees
    but for 5 % of RA; what that does to the chest leads (a third of it) is left out, as their scale is not always known.
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
    leg = true["LL"] + 0.05 * true["RA"]
    seen = {"RA/RL": {**true, "RA": leg}, "LA/RL": {**true, "LA": leg},
            "arms/legs": {"RA": leg, "LA": true["LL"], "LL": true["LA"]}}.get(swap)
    for lead, row in limb_rows(seen or dict(zip(true, (true[limb] for limb in LIMB_SWAPS[swap]), strict=True))).items():
        if lead in beat.leads:
            out[beat.leads.index(lead)] = row / (1 if beat.scaled else row.std() + 1e-9)
    return replace(beat, median_LW=out)


def share(hits: int, n: int) -> dict[str, float]:
    """A proportion with its exact (Clopper-Pearson) 95 % interval; nearly every recording is of another patient."""
    low, high = binomtest(hits, n).proportion_ci(0.95)
    return {"value": round(hits / n, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def table(beats: list[TypicalBeat | None], scaled: bool) -> dict[str, dict[str, object]]:
    """Per exchange: share found (any exchange of that kind), sure and named rightly, and false alarms, with 95 % intervals."""
    beats = [b if b is None else replace(b, scaled=scaled and b.scaled) for b in beats]
    out: dict[str, dict[str, object]] = {"recordings": {"n": len(beats), "unreadable": sum(b is None for b in beats)}}
    for where, swaps in (("limb", [*LIMB_SWAPS, *GROUND_SWAPS.values()]), ("chest", list(CHEST_SWAPS))):
        for swap in swaps:
            hits = []
            for beat in beats:
                tried = None if beat is None else exchanged(beat, swap) if swap != "none" else beat
                if tried is None:
                    continue
                found, missed = find_reversals(tried)
                mine = [r for r in found if r.where == where]
                hits.append((bool(mine), any(r.sure for r in mine), any(r.swap == swap for r in mine),
                             len(found) > len(mine), f"{where} leads" in missed))
            rows = np.array(hits, dtype=float)
            named = ("found", "sure", "named", "other_kind", "not_checked")
            out[f"{where} {swap}"] = {"n": len(rows)} | {
                name: share(int(column.sum()), len(rows)) for name, column in zip(named, rows.T, strict=True)}
            print(f"  {where:5s} {swap:15s} n {len(rows):3d}  " + "  ".join(
                f"{name} {100 * v:5.1f}" for name, v in zip(named, rows.mean(axis=0), strict=True)), flush=True)
    return out


def judge(path: str | None) -> None:
    """Print the tables of docs/measure.md, and write them to `path`."""
    data = ptbxl.load()
    sets = {"PTB-XL fold 8": [data.record(k) for k in data.rows((8,))],
            "PTB-XL fold 9": [data.record(k) for k in data.rows((9,))],
            "LUDB": [read(file) for file in sorted((data_folder("ludb") / "data").glob("*.hea"))],
            "Challenge 2021": [read(file) for file in sorted((data_folder("challenge2021") / "records").glob("*.hea"))]}
    result: dict[str, object] = {"versions": versions(), "git_commit": git_commit(),
                                 "intervals": "95 %, Clopper-Pearson"}
    beats = {name: [usual(record) for record in records] for name, records in sets.items()}
    for name, group in beats.items():
        print(name)
        result[name] = table(group, scaled=True)
    print("PTB-XL fold 9, every lead scaled on its own")
    result["PTB-XL fold 9, leads scaled one by one"] = table(beats["PTB-XL fold 9"], scaled=False)
    rows = data.rows((8, 9))
    alarms = np.array([b is not None and any(r.where == "limb" for r in find_reversals(b)[0])
                       for b in beats["PTB-XL fold 8"] + beats["PTB-XL fold 9"]])
    for key in ("super_class:NORM", "super_class:MI", "super_class:CD", "super_class:HYP", "super_class:STTC", "sub_class:CLBBB",
                "sub_class:CRBBB", "rhythm:AFIB", "rhythm:PACE"):
        has = data.labels_NC[rows, keys().index(key)] == 1
        print(f"limb false alarms, folds 8-9, {key}: {alarms[has].sum()} of {has.sum()}")
        result[f"false alarms {key}"] = {"alarms": int(alarms[has].sum()), "n": int(has.sum())}
    if path is not None:
        write_text(Path(path), json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if "--fit" in sys.argv:
        fit()
    judge(sys.argv[sys.argv.index("-o") + 1] if "-o" in sys.argv else None)
