"""Fit and judge the search for exchanged electrodes. `python benchmarks/reversal.py [--fit]`

--fit writes src/ecglm/signal/reversal.json from PTB-XL folds 1-7 (thresholds from predictions out of fold).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecglm.corpus import ptbxl  # noqa: E402
from ecglm.signal.axis import frontal_beat  # noqa: E402
from ecglm.signal.beats import Beats  # noqa: E402
from ecglm.signal.measure import usual_beat  # noqa: E402
from ecglm.signal.quality import assess  # noqa: E402
from ecglm.signal.reversal import LEAST_CHEST, chest_features, limb_features, log_odds, segments  # noqa: E402

#: Strength of the ridge, in variances of the features, and the shares of right recordings that may be named and sure.
RIDGE, NAMED, SURE = 1e-3, 0.015, 0.005
PARTS = ((1, 2), (3, 4), (5,), (6, 7))


def features(data: ptbxl.PtbXl, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Limb and chest features ``[record, K, feature]``, P scores and the rows they are of."""
    limb, chest, p_score, kept = [], [], [], []
    for row in rows:
        record = data.record(row)
        judged = assess(record)
        usual = usual_beat(record, judged) if judged.verdict is None else None
        if usual is None or isinstance(usual, Beats) or np.isnan(usual.waves.qrs_on):
            continue
        beat = usual.typical(record.axis_known)
        names = tuple(lead for lead in beat.leads if not lead.startswith("V"))
        qrs = slice(round(beat.waves.qrs_on), round(beat.waves.qrs_off) + 1)
        frontal = frontal_beat(beat.median_LW[: len(names)], names, qrs, beat.scaled)
        if isinstance(frontal, str) or len(beat.leads) - len(names) < LEAST_CHEST:
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


if __name__ == "__main__":
    if "--fit" in sys.argv:
        fit()
