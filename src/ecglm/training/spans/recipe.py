"""Train the trees of `ecglm.signal.spans`: `ecglm train recipes/rhythm-spans.yaml`.

MIT-BIH teaches with all its records, and for the bench without each of four parts of its people in turn; simulated people teach
beside it, as five people of MIT-BIH fibrillate or flutter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import replacing
from ecglm.config import load_config
from ecglm.corpus.rhythms import Rhythms, mitdb_rhythms
from ecglm.records.windows import open_windows
from ecglm.signal.spans.evidence import Evidence
from ecglm.signal.spans.model import CLASSES, Decoder, SpanModel, stored
from ecglm.training.beat_types import exported
from ecglm.training.run_folder import checked_recipe, start_run
from ecglm.training.spans.examples import Beats, beats_of, simulated_person

#: Parts of the people, for out-of-fold predictions; those who fibrillate or flutter are dealt out first.
FOLDS = 4


@dataclass(frozen=True)
class SpansRecipe:
    """See recipes/rhythm-spans.yaml: settings of scikit-learn's HistGradientBoostingClassifier and of `Decoder`. Every record
    weighs the same, each of the `simulated` people weight_simulated as much. every: of so many beats of a record in which all is
    one class one teaches. ends: as many times each record is cut short, so that the last beats before an end teach as well."""

    kind: str = "rhythm-spans"
    run: str = "runs/rhythm-spans"
    rounds: int = 60
    lr: float = 0.1
    leaves: int = 6
    least: int = 60
    l2: float = 5.0
    simulated: int = 80
    weight_simulated: float = 0.1
    every: int = 4
    ends: int = 15
    decoder_weight: float = 0.2
    decoder_change: float = 4.0
    shortest_s: float = 5.0
    seed: int = 0


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train and export; returns ``<run>/rhythm_spans.npz``, which ships in ecglm/signal/weights with ``rhythm_spans_folds.npz``
    beside it. Beats that were found are kept in ``<run>/beats``; with resume they are not sought again."""
    from rich.progress import track

    recipe = load_config(SpansRecipe, recipe_path, list(overrides))
    folder = Path(recipe.run)
    output = folder / "rhythm_spans.npz"
    text = checked_recipe(folder, recipe, resume)
    every = list(mitdb_rhythms())  # what is missing must not leave a started run behind
    start_run(folder, text)
    (folder / "beats").mkdir(exist_ok=True)
    real = [real_beats(folder, one) for one in track(every, "Reading beats", disable=not progress)]
    numbers = track(range(recipe.simulated), "Simulating", disable=not progress)
    made = [made_beats(folder, recipe.seed, number) for number in numbers]
    parts = folds(every)
    models: dict[str, SpanModel] = {}
    simulated = _examples(made, recipe, np.random.default_rng(recipe.seed), recipe.weight_simulated)
    taught = {one.name: _examples([one], recipe, np.random.default_rng([recipe.seed, number]), 1.0)
              for number, one in enumerate(real)}
    for fold in track([*range(FOLDS), -1], "Training", disable=not progress):
        some = [taught[one.name] for one in real if parts[one.subject] != fold]
        models[str(fold)] = _fitted([*some, simulated], recipe)
    with replacing(folder / "rhythm_spans_folds.npz") as temporary:
        kept: dict[str, Any] = {}
        for fold in range(FOLDS):
            kept[f"{fold}/records"] = np.array([one.name for one in real if parts[one.subject] == fold])
            kept |= {f"{fold}/{name}": value for name, value in stored(models[str(fold)]).items()}
        np.savez_compressed(temporary, **kept)
    with replacing(output) as temporary:
        whole: dict[str, Any] = dict(stored(models["-1"]))
        np.savez_compressed(temporary, **whole)
    return output


def folds(rhythms: Sequence[Rhythms]) -> dict[str, int]:
    """The part of each subject."""
    ill = {one.subject for one in rhythms if one.classes.any()}
    subjects = sorted({one.subject for one in rhythms}, key=lambda subject: (subject not in ill, subject))
    return {subject: number % FOLDS for number, subject in enumerate(subjects)}


def real_beats(folder: Path, one: Rhythms) -> Beats:
    """The beats of a record of MIT-BIH, kept in the folder."""
    path = folder / "beats" / f"{one.name}.npz"
    if not path.exists():
        _write(path, beats_of(open_windows(one.path), one.name, one.subject, one))
    return _read(path, one.name, one.subject)


def made_beats(folder: Path, seed: int, number: int) -> Beats:
    """The beats of a simulated person, kept in the folder."""
    path = folder / "beats" / f"simulated-{seed}-{number}.npz"
    if not path.exists():
        _write(path, simulated_person(seed, number))
    return _read(path, f"simulated {number}", f"simulated {number}")


def _write(path: Path, beats: Beats) -> None:
    with replacing(path) as temporary:
        np.savez_compressed(temporary, times=beats.times_B, kinds=beats.kinds_B, p=beats.p_B3, gaps=beats.gaps_G2,
                            classes=beats.class_B, **{one.name: getattr(beats.seen, one.name) for one in fields(Evidence)})


def _read(path: Path, name: str, subject: str) -> Beats:
    with np.load(path) as file:
        seen = Evidence(*(file[one.name] for one in fields(Evidence)))
        return Beats(name, subject, file["times"], file["kinds"], file["p"], file["gaps"], seen, file["classes"])


def _examples(beats: Sequence[Beats], recipe: SpansRecipe, rng: np.random.Generator, weight: float,
              ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, classes and weights of beats that teach."""
    features, classes, weights = [], [], []
    for one in beats:
        if len(one.times_B) < 20:
            continue
        chosen = np.flatnonzero(one.class_B >= 0)
        chosen = chosen if one.class_B.any() else chosen[int(rng.integers(recipe.every))::recipe.every]
        found = [one.features()[chosen]]
        numbers = [one.class_B[chosen]]
        ends = recipe.ends if one.subject[0] != "s" else 2
        for stop in rng.integers(15, len(one.times_B), ends):
            last = np.arange(max(0, stop - 60), stop)
            cut = one.cut(int(last[0]), int(stop)).features()
            kept = np.r_[np.arange(5, len(cut), 8), len(cut) - 1]
            kept = kept[one.class_B[last[kept]] >= 0]
            found.append(cut[kept])
            numbers.append(one.class_B[last[kept]])
        features.append(np.concatenate(found))
        classes.append(np.concatenate(numbers))
        weights.append(np.full(len(classes[-1]), 1000 * weight / max(1, len(classes[-1]))))
    return np.concatenate(features), np.concatenate(classes), np.concatenate(weights)


def _fitted(parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], recipe: SpansRecipe) -> SpanModel:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=recipe.rounds, learning_rate=recipe.lr, max_leaf_nodes=recipe.leaves, min_samples_leaf=recipe.least,
        l2_regularization=recipe.l2, early_stopping=False, random_state=recipe.seed)
    features, classes, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    model.fit(features, classes, sample_weight=weights)
    assert len(model.classes_) == len(CLASSES)
    return SpanModel(exported(model), Decoder(recipe.decoder_weight, recipe.decoder_change, recipe.shortest_s))
