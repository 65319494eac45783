"""Fit the search for exchanged electrodes (`ecglm.signal.reversal`): `ecglm train recipes/reversal.yaml`.

Conditional logit: of all ways to undo an exchange, the way the recording was made is the right one. Weights from all its
folds, thresholds from what models that had not seen a fold say of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import write_text
from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.errors import UsageError
from ecglm.records.leads import CHEST_LEADS
from ecglm.signal.measure import typical_beat
from ecglm.signal.reversal import LEAST_CHEST, chest_features, frontal_of, limb_features, log_odds, segments

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReversalRecipe:
    """See recipes/reversal.yaml. parts: folds that are held out together; ridge: in variances of the features; named, sure:
    shares of right recordings that may be called exchanged, and surely so."""

    kind: str = "reversal"
    run: str = "runs/reversal"
    parts: tuple[tuple[int, ...], ...] = ((1, 2), (3, 4), (5,), (6, 7))
    ridge: float = 1e-3
    named: float = 0.015
    sure: float = 0.005


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Fit; returns ``<run>/reversal.json``, which ships in ecglm/signal. Two minutes: nothing to resume."""
    recipe = load_config(ReversalRecipe, recipe_path, list(overrides))
    output = Path(recipe.run) / "reversal.json"
    if output.exists() and not resume:
        raise UsageError(f"{output}: exists; pass --resume to replace it, or run=OTHER_FOLDER")
    data = ptbxl.load()
    limb, chest, p_score, rows = _features(data, data.rows(tuple(f for part in recipe.parts for f in part)), progress)
    fold, out = data.fold[rows], {}
    for where, table in (("limb", limb), ("chest", chest)):
        odds = np.empty(len(table))
        for part in recipe.parts:
            held = np.isin(fold, part)
            odds[held] = log_odds(table[held] @ fitted(table[~held], recipe.ridge))
        with_p = p_score >= 0.5
        named, sure = (float(np.quantile(odds[with_p], 1 - share)) for share in (recipe.named, recipe.sure))
        extra = max(0.0, float(np.quantile(odds[~with_p], 1 - recipe.named)) - named)
        out[where] = {"named": round(named, 3), "sure": round(sure, 3), "without_p": round(extra, 3),
                      "weights": [float(f"{w:.4g}") for w in fitted(table, recipe.ridge)]}
    write_text(output, json.dumps(out) + "\n")
    return output


def _features(data: ptbxl.PtbXl, rows: NDArray[np.int64], progress: bool) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Limb and chest features ``[record, K, feature]``, P scores and the rows they are of."""
    from rich.progress import track

    limb, chest, p_score, kept = [], [], [], []
    for row in track(rows, "Reading beats", disable=not progress):
        beat = typical_beat(data.record(int(row)))
        frontal = "unreadable" if beat is None else frontal_of(beat)
        if beat is None or isinstance(frontal, str) or sum(lead in beat.leads for lead in CHEST_LEADS) < LEAST_CHEST:
            continue
        parts = segments(beat, frontal)
        limb.append(limb_features(parts))
        chest.append(chest_features(parts))
        p_score.append(beat.p_score)
        kept.append(row)
    return np.array(limb), np.array(chest), np.array(p_score), np.array(kept)


def fitted(features_NKF: Floats, ridge: float) -> Floats:
    """Weights ``[feature]`` of the conditional logit in which way 0 of K, nothing exchanged, is the right one."""
    from scipy.optimize import minimize

    scale = features_NKF.reshape(-1, features_NKF.shape[2]).std(axis=0) + 1e-6
    gap = (features_NKF[:, 1:] - features_NKF[:, :1]) / scale

    def loss(weights: Floats) -> tuple[float, Floats]:
        z = gap @ weights
        top = np.maximum(z.max(axis=1), 0)
        e = np.exp(z - top[:, None])
        total = np.exp(-top) + e.sum(axis=1)
        slope = np.einsum("nk,nkf->f", e / total[:, None], gap) / len(gap)
        return float((np.log(total) + top).mean() + ridge / 2 * weights @ weights), slope + ridge * weights

    found = minimize(loss, np.zeros(gap.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 3000})
    return np.asarray(found.x / scale, dtype=np.float64)
