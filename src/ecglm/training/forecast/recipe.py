"""`ecglm train recipes/forecaster.yaml`: simulated people → the beats of their recordings → network, calibration, checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ecglm.bench.metrics import macro_f1
from ecglm.bench.provenance import git_commit, versions
from ecglm.config import load_config
from ecglm.corpus.onsets import ANNOUNCED, subjects
from ecglm.corpus.windows import HORIZONS, WINDOWS
from ecglm.models.folder import check_replaceable
from ecglm.models.forecast.forecaster import Forecaster
from ecglm.training.forecast.fit import FitSettings, Person, calibrate, cell_windows, drawn_windows, fit_network
from ecglm.training.forecast.series import people_of
from ecglm.training.run_folder import checked_recipe, start_run


@dataclass(frozen=True)
class ForecasterRecipe:
    """See recipes/forecaster.yaml. teach, check: simulated people of each class that teach the network, and that calibrate it."""

    kind: str = "forecaster"
    name: str = "forecaster"
    version: str = "0.1"
    run: str = "runs/forecaster"
    output: str = ""  #: checkpoint folder; empty: "checkpoint" inside the run folder
    teach: int = 300
    check: int = 150
    workers: int = 2
    windows_s: tuple[int, ...] = WINDOWS
    horizons_s: tuple[int, ...] = HORIZONS
    fit: FitSettings = field(default_factory=FitSettings)


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Train a forecaster; returns the checkpoint folder. The beats of every person are kept in the run folder, so that --resume
    goes on where it stopped."""
    recipe = load_config(ForecasterRecipe, recipe_path, list(overrides))
    folder = Path(recipe.run)
    output = Path(recipe.output or folder / "checkpoint")
    check_replaceable(output)
    text = checked_recipe(folder, recipe, resume)
    start_run(folder, text)
    teaching, checking = (people_of(subjects(split, ANNOUNCED, count), folder / "series", recipe.workers, progress)
                          for split, count in (("train", recipe.teach), ("valid", recipe.check)))
    network = fit_network(*drawn_windows(teaching, recipe.windows_s, recipe.horizons_s, recipe.fit), recipe.fit)
    calibration = calibrate(network, checking, recipe.windows_s, recipe.horizons_s)
    made = Forecaster(f"{recipe.name} {recipe.version}", network, calibration)
    scores = {f"{w}s before {h}s": _macro_f1(made, checking, w, h) for w in recipe.windows_s
              for h in recipe.horizons_s}
    made.save(output, {"recipe": asdict(recipe), "recipe_hash": hashlib.sha256(text.encode()).hexdigest()[:16],
                       "data": {"simulated people": {"teach": len(teaching), "check": len(checking)}},
                       "git_commit": git_commit(), "libraries": versions(), "metrics": {"macro_f1_on_check": scores}},
              _card(recipe, len(teaching), len(checking)))
    return output


def _macro_f1(made: Forecaster, people: Sequence[Person], window_s: float, horizon_s: float) -> float:
    rows, labels = cell_windows(people, window_s, horizon_s)
    return round(float(macro_f1(labels, made.network.probabilities(rows).argmax(axis=1))), 4)


def _card(recipe: ForecasterRecipe, teaching: int, checking: int) -> str:
    """The model card."""
    return f"""---
license: apache-2.0
tags: [ecg, forecasting]
---
# ecglm {recipe.name} {recipe.version}

Probability that atrial fibrillation or flutter begins within one to ten minutes, by the beats and P waves of the ten seconds
to ten minutes before, in any one or two leads.

**Intended use:** research and teaching. **Not a medical device**; no clinical claim is made.

**Training data:** {teaching} simulated people taught the network, {checking} others calibrated it (`ecglm.corpus.onsets`).
Nothing of it was seen in patients: which signs precede an onset, and how strongly, is what the simulator was given
(docs/simulate.md). On real recordings see docs/results.md, forecast-afpdb.
"""
