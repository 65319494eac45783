"""Bench `camel`: a lead-second model that recipes/camel.yaml made, on recordings of other people than it learnt from, beside its
controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecglm.bench.metrics import strict_match
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.errors import UsageError
from ecglm.models.seconds.language import SecondsLanguageModel
from ecglm.training.curriculum.evaluate import Asked, ask_all, marks
from ecglm.training.curriculum.lessons import Lesson, Teacher
from ecglm.training.curriculum.recipe import CurriculumRecipe
from ecglm.training.curriculum.recordings import Recordings, measurements
from ecglm.training.examples import data_hash

#: PTB-XL's fold of the tables.
TEST_FOLD = 9
#: Lessons of each stage that are asked.
ASKED = {"labels": 120, "statistics": 80, "dialogue": 40, "forecast": 72}
CONDITIONS = ("full", "text-only", "other patient")


def run(model: str, seed: int, draws: int, progress: bool) -> Study:
    """Every stage's questions under every condition. model: its folder. Raises UsageError where there is none, and for one that
    somebody taught who is asked about."""
    if not Path(model).is_dir():
        raise UsageError(f"{model}: no such model; make it by `ecglm train recipes/camel.yaml`, or name another in "
                         "dataset_args of a copy of the task")
    elm = SecondsLanguageModel.from_pretrained(model)
    recipe = load_config(CurriculumRecipe, elm.run["recipe"])
    lessons, recordings = examination(recipe, seed, progress)
    check_apart(lessons, elm.run.get("train_patients", ()))
    found = {condition: ask_all(elm, swapped(lessons, condition, seed), recordings, condition == "text-only", progress)
             for condition in CONDITIONS}
    notes = (
        f"PTB-XL fold {TEST_FOLD}, every fourth LUDB recording, a third of the subjects of the AF prediction set: none of these "
        "people taught the model. text-only: the same questions without an ECG. other patient: with the ECG of somebody else. "
        "Right is exact match of the free answer; intervals are of 95 %, clustered by patient.",
        "Forecast: windows that end before an onset, and windows of people without fibrillation: who is asked as much as when.",
        "median: the root mean square error of always giving the median of the right answers.")
    return Study(tables(found, draws, seed), sum(map(len, found.values())), len({a.patient for a in found["full"]}),
                 digest([data_hash(ptbxl.load()), elm.run["recipe_hash"]]), notes,
                 {condition: marks(asked) for condition, asked in found.items()})


def examination(recipe: CurriculumRecipe, seed: int, progress: bool, asked: Mapping[str, int] = ASKED,
                ) -> tuple[list[Lesson], Recordings]:
    """So many lessons of each stage, about people that no recipe learns from."""
    rows = ptbxl.load().rows((TEST_FOLD,))
    teacher = Teacher(rows, measurements(rows, progress), True, 6)
    rng = np.random.default_rng(seed)
    lessons = [lesson for stage, count in asked.items() for lesson in teacher.lessons(stage, count, rng)]
    recordings = Recordings(recipe.seconds)
    recordings.prepare([key for lesson in lessons for key in lesson.ecgs], progress)
    return lessons, recordings


def check_apart(lessons: Sequence[Lesson], taught: Iterable[str]) -> None:
    """Raises UsageError where a patient of the lessons taught the model."""
    shared = sorted({lesson.patient for lesson in lessons} & set(taught))
    if shared:
        raise UsageError(f"{len(shared)} people (e.g. {shared[0]}) taught this model and are asked about; train it on other "
                         "folds of PTB-XL than the test fold")


def swapped(lessons: Sequence[Lesson], condition: str, seed: int) -> list[Lesson]:
    """For "other patient" each lesson with the ECGs of another lesson of its stage and patient elsewhere."""
    if condition != "other patient":
        return list(lessons)
    rng, out = np.random.default_rng(seed + 1), []
    for lesson in lessons:
        others = [other for other in lessons if other.stage == lesson.stage and other.patient != lesson.patient
                  and len(other.ecgs) == len(lesson.ecgs)]
        out.append(replace(lesson, ecgs=others[int(rng.integers(len(others)))].ecgs))
    return out


def tables(found: dict[str, list[Asked]], draws: int, seed: int) -> list[Table]:
    """Right answers by stage and kind; numbers; forecasts."""
    full = found["full"]
    rows = []
    for stage, kind in dict.fromkeys((a.stage, a.kind) for a in full if a.kind != "number"):
        cells = []
        for asked in found.values():
            own = [a for a in asked if (a.stage, a.kind) == (stage, kind)]
            boot = Bootstrap([a.patient for a in own], draws, seed)
            cells.append(percent(boot.balanced_accuracy([a.answer for a in own], [strict_match(a.answer, a.said) for a in own])
                                 if kind == "yes/no" else boot.mean([strict_match(a.answer, a.said) for a in own])))
        rows.append([stage, kind, str(sum((a.stage, a.kind) == (stage, kind) for a in full)), *cells])
    out = [Table("Right answers, % (yes/no: balanced)", ("stage", "kind", "questions", *CONDITIONS), rows)]
    numbers = {condition: marks(asked)["statistics"]["number"]["questions"] for condition, asked in found.items()}
    out.append(Table("Numbers: root mean square error", ("question", "asked", "given", *CONDITIONS, "median"), [
        [question, str(one["n"]), str(one["given"]),
         *(f"{numbers[c].get(question, {}).get('rmse', float('nan')):.3g}" for c in CONDITIONS), f"{one['rmse_of_median']:.3g}"]
        for question, one in numbers["full"].items() if one["n"] >= 8]))
    forecasts = []
    for condition, asked in found.items():
        own = [a for a in asked if a.p_yes is not None]
        boot = Bootstrap([a.patient for a in own], draws, seed)
        forecasts.append([condition, str(len(own)), str(len({a.patient for a in own})),
                          percent(boot.auroc([int(a.answer == "yes") for a in own], [a.p_yes or 0.0 for a in own]), 1.0, 3)])
    out.append(Table("Forecast: does atrial fibrillation begin within the horizon, AUROC of P(yes)",
                     ("condition", "windows", "subjects", "AUROC"), forecasts))
    return out
