"""Methods that let a language model answer, on a budget of one core: the study behind `ecglm bench run fewshot-language`."""

from __future__ import annotations

from typing import Any

from ecglm.bench.study import Study, Table
from ecglm.config import load_config, to_dict
from ecglm.training.fewshot.asking import cell
from ecglm.training.fewshot.recipe import FewShotRecipe, Outcome, shown


def run(seed: int, draws: int, progress: bool, **recipe: Any) -> Study:
    """recipe: keys of `FewShotRecipe`."""
    config = load_config(FewShotRecipe, recipe | {"seed": seed, "draws": draws})
    found = shown(config, progress)
    g = config.gradient
    notes = (
        f"{config.llm}, frozen; {config.meta_episodes} meta-training episodes per split and method, {g.inner_steps} "
        f"inner steps of {g.inner_lr:g}, query loss after {'the last' if g.outer == 'last' else 'every one from the second on'}; "
        f"{config.splits} of 5 splits, {config.test_episodes} test episodes. The published budget is 10,000 episodes and 15 "
        "steps: recipes/fsl_ecg_qa.yaml.",
        "Strict accuracy of freely written answers in %, 95 % intervals over attributes. averaged and linear-probe on the same "
        "episodes, for comparison.")
    values = {f"{row.method} | {row.task} | {row.condition}": row.score.to_dict() | {"seconds": row.seconds}
              for row in found.rows if row.score is not None}
    return Study([_table(config, found, task) for task in config.tasks], found.n_recordings, found.n_patients, found.data_hash,
                 notes, {"recipe": to_dict(config)} | values)


def _table(config: FewShotRecipe, found: Outcome, task: str) -> Table:
    """A row per method."""
    rows = []
    by = {(row.method, row.condition): row for row in found.rows if row.task == task}
    for method in config.methods:
        cells = [cell(by[method, condition].score) for condition in config.conditions]
        full = by[method, config.conditions[0]].score
        assert full is not None
        tokens = "" if full.tokens is None else f"{100 * full.tokens:.1f}"
        rows.append([method, *cells, tokens])
    return Table(f"{task}, {config.episode.shots}-shot, {config.episode.protocol}: strict, by condition, and token accuracy",
                 ("method", *config.conditions, "token accuracy"), rows)
