"""Train the trees of `ecglm.signal.beat_types`: `ecglm train recipes/beat-types.yaml`.

Half of the MIT-BIH records teach, and simulated ones beside them: a dozen patients have only so many shapes of beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.config import load_config
from ecglm.corpus.mitdb import PACED, Beats, beat_records
from ecglm.errors import UsageError
from ecglm.signal import prepare
from ecglm.signal.beat_types import CLASSES, Trees, type_features
from ecglm.signal.delineation import waves_of
from ecglm.signal.simulate import Truth, stream
from ecglm.signal.wave_network import FS

SIMULATED = ("premature_ventricular", "bigeminy", "trigeminy", "ventricular_run", "premature_ventricular+lbbb",
             "premature_ventricular+rbbb", "atrial_fibrillation", "premature_atrial", "normal", "lbbb", "r_on_t")


@dataclass(frozen=True)
class BeatTypesRecipe:
    """See recipes/beat-types.yaml: settings of scikit-learn's HistGradientBoostingClassifier. Every record weighs the same,
    each of the `simulated` ones weight_simulated as much; ventricular is added to the score of that class, so that as many
    ventricular beats are missed as are made up."""

    kind: str = "beat-types"
    run: str = "runs/beat-types"
    rounds: int = 120
    lr: float = 0.08
    leaves: int = 6
    least: int = 60
    l2: float = 5.0
    simulated: int = 264
    weight_simulated: float = 0.07
    ventricular: float = 0.5
    seed: int = 0


def typed_beats(one: Beats) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features of the beats that are found in a record and marked as one of CLASSES, and the class of each."""
    signal = prepare(one.record, FS).signal
    found = waves_of(one.record.leads, signal).overall["qrs"][:, 1]
    feat = type_features(signal, np.round(found * FS).astype(np.int64), FS)
    right = np.searchsorted(one.times_s, found).clip(1, len(one.times_s) - 1)
    nearest = np.where(abs(found - one.times_s[right - 1]) < abs(found - one.times_s[right]), right - 1, right)
    number = np.array([CLASSES.index(name) if name in CLASSES else -1 for name in one.classes])[nearest]
    kept = (abs(found - one.times_s[nearest]) < 0.15) & (number >= 0)
    return feat[kept], number[kept]


def simulated_beats(count: int, seed: int) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """The same of simulated minutes in two leads each."""
    rng, out = np.random.default_rng(seed), []
    for one in stream(SIMULATED, count, seed=seed, fs=FS, duration_s=60.0):
        leads = [one.record.leads[k] for k in sorted(rng.choice(12, 2, replace=False))]
        out.append(typed_beats(Beats(one.truth.condition, one.record.select(leads), one.truth.r_peak, _classes(one.truth),
                                     np.empty((0, 2)))))
    return out


def _classes(truth: Truth) -> NDArray[np.str_]:
    """AAMI class of each simulated beat: supraventricular where an ectopic P wave led to it."""
    early = np.array(truth.atrial_on)[np.array(truth.atrial_kind) == "ectopic"]
    led = [bool(np.isclose(early, on, atol=0.002).any()) for on in truth.p_on]
    return np.array(["V" if kind == "ventricular" else "S" if ectopic else "N"
                     for kind, ectopic in zip(truth.kind, led, strict=True)])


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train and export; returns ``<run>/beat_types.npz``, which ships in ecglm/signal/weights. A minute: nothing to resume."""
    from rich.progress import track
    from sklearn.ensemble import HistGradientBoostingClassifier

    recipe = load_config(BeatTypesRecipe, recipe_path, list(overrides))
    records = [one for one in beat_records(train=True) if one.name not in PACED]
    output = Path(recipe.run) / "beat_types.npz"
    if output.exists() and not resume:
        raise UsageError(f"{output}: exists; pass --resume to replace it, or run=OTHER_FOLDER")
    parts = [typed_beats(one) for one in track(records, "Reading beats", disable=not progress)]
    made = simulated_beats(recipe.simulated, recipe.seed)
    share = [1.0] * len(parts) + [recipe.weight_simulated] * len(made)
    parts = [part for part in parts + made if len(part[1])]
    weight = np.concatenate([np.full(len(number), 1000 * s / len(number)) for s, (_, number) in zip(share, parts, strict=True)])
    model = HistGradientBoostingClassifier(max_iter=recipe.rounds, learning_rate=recipe.lr, max_leaf_nodes=recipe.leaves,
                                           min_samples_leaf=recipe.least, l2_regularization=recipe.l2, early_stopping=False,
                                           random_state=recipe.seed)
    model.fit(np.concatenate([feat for feat, _ in parts]), np.concatenate([number for _, number in parts]), sample_weight=weight)
    trees = exported(model)
    trees.start[CLASSES.index("V")] += recipe.ventricular
    with replacing(output) as temporary:
        np.savez_compressed(temporary, **vars(trees))
    return output


def exported(model: object) -> Trees:
    """The trees of a fitted HistGradientBoostingClassifier of numbers without gaps."""
    nodes = [tree.nodes for trees in model._predictors for tree in trees]  # type: ignore[attr-defined]
    size = max(len(tree) for tree in nodes)

    def table(field: str, kind: type) -> Any:
        return np.stack([np.pad(tree[field], (0, size - len(tree))) for tree in nodes]).astype(kind)

    leaf = table("is_leaf", bool)
    itself = np.broadcast_to(np.arange(size), leaf.shape)
    left, right = (np.where(leaf, itself, table(side, np.int16)).astype(np.int16) for side in ("left", "right"))
    return Trees(table("feature_idx", np.int16), table("num_threshold", np.float64), left, right, table("value", np.float64),
                 max(int(tree["depth"].max()) for tree in nodes), model._baseline_prediction.ravel())  # type: ignore[attr-defined]
