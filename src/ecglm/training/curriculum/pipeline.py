"""`ecglm train recipes/camel.yaml`: all five stages in one command, resumable at any step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecglm.atomic import write_text
from ecglm.bench.provenance import git_commit, versions
from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.models import base as bases
from ecglm.models.folder import check_replaceable
from ecglm.models.seconds.language import SecondsLanguageConfig, SecondsLanguageModel
from ecglm.training.adapter import new_adapter
from ecglm.training.curriculum.align import Targets, align, marks_of, numbers_of
from ecglm.training.curriculum.autoencoder import autoencode
from ecglm.training.curriculum.evaluate import Asked, ask_all, confidence, marks
from ecglm.training.curriculum.fit import Reader, train_stage
from ecglm.training.curriculum.lessons import Lesson, Teacher
from ecglm.training.curriculum.recipe import CurriculumRecipe
from ecglm.training.curriculum.recordings import Recordings, measurements
from ecglm.training.examples import data_hash
from ecglm.training.run_folder import checked_recipe, start_run

#: Recordings of the validation fold that give the marks.
MARKED = 240


def run(recipe_path: str | Path | Mapping[str, Any], overrides: Sequence[str] = (), resume: bool = False, progress: bool = True,
        ) -> Path:
    """Train a recipe (a file, or its settings); returns the model's folder. Without `resume` an earlier run's folder must be
    absent."""
    recipe = load_config(CurriculumRecipe, recipe_path, list(overrides))
    ptbxl.load()  # what is missing must not leave a started run behind
    bases.resolve(recipe.base)
    folder, output = Path(recipe.run), Path(recipe.output or f"{recipe.run}/model")
    check_replaceable(output)
    text = checked_recipe(folder, recipe, resume)
    start_run(folder, text)
    school = School(recipe, progress)
    model, metrics = train(recipe, school, folder, progress)
    model.save_pretrained(output, _provenance(recipe, school, metrics, text), _card(recipe, school, metrics))
    return output


class School:
    """Lessons of every stage to learn from and to be marked by, and the recordings behind them."""

    def __init__(self, recipe: CurriculumRecipe, progress: bool = True) -> None:
        self.recipe, self.data = recipe, ptbxl.load()
        rng = np.random.default_rng(recipe.seed)
        train, valid = self.data.rows(recipe.train_folds), self.data.rows((recipe.validation_fold,))
        self.rows = np.sort(rng.choice(train, min(recipe.recordings, len(train)), replace=False))
        marked = np.sort(rng.choice(valid, min(MARKED, len(valid)), replace=False))
        self.marked_rows = marked
        self.measured = measurements(np.concatenate([self.rows, marked]), progress)
        self.teacher = Teacher(self.rows, self.measured, False, recipe.questions)
        examiner = Teacher(marked, self.measured, True, 6)
        self.learn: dict[str, list[Lesson]] = {}
        for name, stage in recipe.stages.items():
            if stage.sequences:
                repeated = round(stage.mix * stage.sequences) if self.learn else 0
                new = self.teacher.lessons(name, stage.sequences - repeated, rng)
                earlier = [lesson for lessons in self.learn.values() for lesson in lessons]
                again = [earlier[i] for i in rng.choice(len(earlier), repeated, replace=False)] if repeated else []
                both = [*new, *again]
                self.learn[name] = [both[i] for i in rng.permutation(len(both))]
        exam = np.random.default_rng(recipe.seed + 1)
        self.marked = {name: examiner.lessons(name, recipe.marked, exam) for name in recipe.stages}
        self.recordings = Recordings(recipe.seconds)
        every = [lesson for lessons in (*self.learn.values(), *self.marked.values()) for lesson in lessons]
        rows = [f"ptbxl:{row}" for row in self.measured]
        self.recordings.prepare([*rows, *(key for lesson in every for key in lesson.ecgs)], progress)


    def targets(self) -> tuple[list[str], Targets, Recordings, list[str]]:
        """For `align`: keys to learn from, labels and numbers of all, the recordings, keys that give the marks."""
        by_key = {f"ptbxl:{row}": (self.data.labels_NC[row], numbers_of(measured)) for row, measured in self.measured.items()}
        return ([f"ptbxl:{row}" for row in self.rows], by_key, self.recordings, [f"ptbxl:{row}" for row in self.marked_rows])


def train(recipe: CurriculumRecipe, school: School, folder: Path, progress: bool = True,
          ) -> tuple[SecondsLanguageModel, dict[str, Any]]:
    """The model after all stages, and its marks after each."""
    torch.manual_seed(recipe.seed)
    model = SecondsLanguageModel(SecondsLanguageConfig(base=recipe.base, layers=recipe.layers, seconds=recipe.seconds))
    metrics: dict[str, Any] = {}
    if recipe.autoencoder.steps:
        learned = {key for lessons in school.learn.values() for lesson in lessons for key in lesson.ecgs}
        kept = autoencode(model.seconds, school.recordings.seconds(learned), recipe.autoencoder, folder, recipe.seed, progress)
        metrics["autoencoder"] = {"variance_kept": round(kept, 4)}
    model.llm = new_adapter(model.llm, recipe.lora)
    reader = None
    if recipe.align.epochs:
        _, targets, _, valid = school.targets()
        head, metrics["align"] = align(model, *school.targets(), recipe.align, folder, recipe.seed, progress)
        reader = Reader(head, targets, recipe.read) if recipe.read else None
        model.llm.eval()
    for name, stage in recipe.stages.items():
        if not stage.sequences:
            continue
        losses = train_stage(model, name, school.learn[name], school.recordings, stage, recipe, folder, progress, reader)
        model.llm.eval()
        metrics[name] = {"loss_first": round(float(np.mean(losses[:20])), 3), "loss_last": round(float(np.mean(losses[-20:])), 3),
                         **({} if reader is None else {"reads": marks_of(model, reader.head, valid, targets, school.recordings)}),
                         "marks": marks(asked := examined(model, school, name, folder, progress))}
        model.calibration["answers"], metrics["confidence"] = confidence(asked)
    return model, metrics


def examined(model: SecondsLanguageModel, school: School, after: str, folder: Path, progress: bool) -> list[Asked]:
    """Answers to the lessons of this stage and those before it, kept in the run folder."""
    kept = folder / f"{after}.answers.json"
    if kept.is_file():
        return [Asked(*row) for row in json.loads(kept.read_text(encoding="utf8"))]
    names = list(school.recipe.stages)
    lessons = [lesson for name in names[: names.index(after) + 1] for lesson in school.marked[name]]
    asked = ask_all(model, lessons, school.recordings, progress=progress)
    write_text(kept, json.dumps(asked, indent=0))
    return asked


def _provenance(recipe: CurriculumRecipe, school: School, metrics: dict[str, Any], text: str) -> dict[str, Any]:
    return {
        "version": recipe.version, "recipe": asdict(recipe), "recipe_hash": hashlib.sha256(text.encode()).hexdigest()[:16],
        "data": {"ptbxl": data_hash(school.data), "lessons": _lessons_hash(school)}, "git_commit": git_commit(),
        "libraries": versions(), "metrics": metrics,
        "train_patients": sorted({*school.teacher.patient.values(),  # `align` learns from all of them
                                  *(lesson.patient for lessons in school.learn.values() for lesson in lessons)}),
    }


def _lessons_hash(school: School) -> str:
    """Of every question with its answer and the ECG it is about, also those of other data sets."""
    every = [[lesson.ecgs, lesson.pairs] for lessons in school.learn.values() for lesson in lessons]
    return hashlib.sha256(json.dumps(every).encode()).hexdigest()[:16]


def _card(recipe: CurriculumRecipe, school: School, metrics: dict[str, Any]) -> str:
    """The model card."""
    kept = f", {recipe.layers} of its layers" if recipe.layers else ""
    rows = "\n".join(f"| {name} | {len(lessons)} |" for name, lessons in school.learn.items())
    return f"""---
license: apache-2.0
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
tags: [ecg, question-answering]
---
# ecglm {recipe.name} {recipe.version}: one token per lead and second

A language model ({recipe.base}{kept}, LoRA rank {recipe.lora.rank}) that reads ECG signals
of any length as tokens of one lead and one second, taught in CAMEL's five stages at a size that two
cores can train.

**Intended use:** research on long signals and on curricula. **Not a medical device**; no clinical claim is made.
The embedded default of ecglm answers better on 12-lead recordings, since it reads findings of an encoder with rhythm features.

| stage | sequences |
|---|---|
{rows}

**Training data:** {len(school.rows)} recordings of PTB-XL folds {recipe.train_folds[0]}-{recipe.train_folds[-1]}
(amplitude-normalised), three of four LUDB recordings, two thirds of the subjects of the PAF Prediction Challenge Database.

**Attribution**
Contains data from PTB-XL, Wagner P et al. (PhysioNet, doi:10.13026/kfzx-aw45), CC BY 4.0, modified; from LUDB, Kalyakulina A et
al. (PhysioNet), ODC-BY 1.0; and information from the PAF Prediction Challenge Database (Moody GB et al., PhysioNet), ODC-BY 1.0.
Base model: SmolLM2-135M-Instruct (Hugging Face TB), Apache-2.0, not included.
"""

