"""`ecglm fewshot run RECIPE`: meta-train methods on episodes, then answer episodes of other attributes and patients.

Everything is kept as it comes, under a name made from the recipe and of what the methods see: an interrupted run goes on where
it stopped, unless either has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from ecglm.atomic import write_text
from ecglm.bench.task import digest
from ecglm.config import load_config, to_dict
from ecglm.corpus.ecgqa_classes import ecgqa_classes
from ecglm.corpus.ecgqa_official import all_questions
from ecglm.corpus.episodes import (
    AnswerGroup,
    AttributePool,
    Draw,
    Episode,
    EpisodeConfig,
    Task,
    episodes,
    published,
    split_classes,
)
from ecglm.corpus.splits import FewShotSplit, check_classes
from ecglm.errors import UsageError
from ecglm.models.encoders.fairseq_ecg import check_folder
from ecglm.registry import METHODS
from ecglm.training.fewshot.descriptions import LEAD_SETS
from ecglm.training.fewshot.evaluate import Reply, Score, replies, score
from ecglm.training.fewshot.gradient import GradientConfig, GradientMethod
from ecglm.training.fewshot.in_context import InContext
from ecglm.training.fewshot.method import Condition, FewShotData, Method
from ecglm.training.fewshot.protonet import ProtoNet
from ecglm.training.fewshot.reader import PrefixReader
from ecglm.training.fewshot.setup import FewShotSetup

#: Fewest recordings of a class made from labels, in the published protocol: five shots, five queries and one to spare.
LEAST = 11
#: Methods that never look at the embedding.
WITHOUT_ENCODER = ("averaged", "in-context")


@dataclass(frozen=True)
class FewShotRecipe:
    """See recipes/fewshot.yaml. run: gets a folder per recipe; cache: encoders and descriptions; examples: run of the prepared
    recordings. splits: how many of the five are used. questions: made from labels, or ECG-QA's own files. encoder: ours,
    which is trained without the labels of a split, label-free values in its place, the folder of a fairseq-signals one, or none
    where no method needs it.
    task of `episode` is not used."""

    kind: str = "fewshot"
    run: str = "runs/fewshot/episodes"
    cache: str = "runs/fewshot"
    examples: str = "runs/default"
    methods: tuple[str, ...] = ("averaged",)
    tasks: tuple[Task, ...] = ("verify",)
    conditions: tuple[Condition, ...] = ("full", "text-only", "no-signal", "shuffled-support")
    episode: EpisodeConfig = field(default_factory=EpisodeConfig)
    questions: Literal["made", "official"] = "made"
    splits: int = 5
    leads: str = "12 leads"
    encoder: str = "ours"
    llm: str = "smollm2-135m"
    gradient: GradientConfig = field(default_factory=GradientConfig)
    meta_episodes: int = 400
    test_episodes: int = 600
    draws: int = 1000
    seed: int = 222

    def __post_init__(self) -> None:
        kinds = [METHODS.get(name) for name in self.methods]
        if not (self.methods and self.tasks and self.conditions):
            raise ValueError("methods, tasks and conditions must each name one at least")
        if min(self.test_episodes, self.draws) < 1 or self.meta_episodes < 0:
            raise ValueError("test_episodes and draws must be 1 or more, meta_episodes 0 or more")
        if self.encoder == "none" and set(self.methods) - set(WITHOUT_ENCODER):
            raise ValueError(f"encoder none suits {', '.join(WITHOUT_ENCODER)} alone; set it to ours, label-free or a folder")
        if any(kind is InContext for kind in kinds) and self.leads != "12 leads":
            raise ValueError("in-context reads what was measured in 12 leads; leave it out where leads are others")
        if self.leads not in LEAD_SETS:
            raise ValueError(f"leads {self.leads!r} is unknown; one of {', '.join(LEAD_SETS)}")
        if not 1 <= self.splits <= 5:
            raise ValueError("splits must be 1 to 5")
        if self.questions == "official" and self.episode.protocol != "published":
            raise ValueError("ECG-QA's own questions are drawn as published; set episode.protocol to published")


@dataclass
class Row:
    """One line of the live table. done: of `total` episodes; loss of the last training episode; accuracy in this
    split so far, and of all in the end."""

    method: str
    task: str
    condition: str
    total: int
    done: int = 0
    accuracy: float | None = None
    loss: float | None = None
    score: Score | None = None
    seconds: float = 0.0


#: Is told of every line, again and again.
Tell = Callable[[Row], None]


def run(recipe_path: str | Path, overrides: Sequence[str] = (), resume: bool = False, progress: bool = True) -> Path:
    """Run a recipe of kind fewshot; returns the results file. It always goes on where it stopped, `resume` or not."""
    return shown(load_config(FewShotRecipe, recipe_path, overrides), progress).path


def shown(recipe: FewShotRecipe, progress: bool) -> Outcome:
    """`evaluate`, with a table of how far it is."""
    if not progress:
        return evaluate(recipe)
    from ecglm.training.fewshot.live import live

    with live() as tell:
        return evaluate(recipe, tell, progress=True)


@dataclass(frozen=True)
class Outcome:
    """rows in the order of methods, tasks and conditions; path of results.json."""

    rows: list[Row]
    path: Path
    n_recordings: int
    n_patients: int
    data_hash: str


def evaluate(recipe: FewShotRecipe, tell: Tell = lambda _: None, progress: bool = False,
             setup: FewShotSetup | None = None) -> Outcome:
    """Meta-train and test every method on every task. setup: of other recordings than PTB-XL's."""
    if recipe.encoder not in ("ours", "label-free", "none"):
        check_folder(Path(recipe.encoder))  # before the work, not after it; so is the language model
    reader = PrefixReader.load(recipe.llm) if any(_generates(name) for name in recipe.methods) else None
    setup = setup or FewShotSetup(Path(recipe.cache), Path(recipe.examples), progress=progress)
    splits = setup.splits[:recipe.splits]
    made: dict[int, FewShotData] = {}
    rows = []
    for name in recipe.methods:
        for task in recipe.tasks:
            rows += _one(recipe, setup, splits, name, task, reader, made, tell)
    data_hash = digest([setup.table.keys, [s.test for s in splits], setup.table.patient_N.tolist()])
    folder = Path(recipe.run) / digest(to_dict(recipe))
    path = folder / "results.json"
    content = {"recipe": to_dict(recipe), "rows": [_plain(row) for row in rows], "data": data_hash}
    write_text(path, json.dumps(content, indent=1) + "\n")
    return Outcome(rows, path, len(setup.table), len(set(setup.table.patient_N.tolist())), data_hash)


def _generates(name: str) -> bool:
    return bool(METHODS.get(name).generates)


def _plain(row: Row) -> dict[str, Any]:
    return {"method": row.method, "task": row.task, "condition": row.condition, "seconds": row.seconds} | (
        {} if row.score is None else row.score.to_dict())


def _make(name: str, width: int, reader: PrefixReader | None, recipe: FewShotRecipe, folder: Path) -> Method:
    kind = METHODS.get(name)
    if reader is not None and issubclass(kind, GradientMethod):
        method: Method = kind(reader, width, replace(recipe.gradient, seed=recipe.seed), folder)
        return method
    if reader is not None and issubclass(kind, InContext):
        return InContext(reader, recipe.seed)
    return ProtoNet(width, seed=recipe.seed) if issubclass(kind, ProtoNet) else kind()


def _one(recipe: FewShotRecipe, setup: FewShotSetup, splits: Sequence[FewShotSplit], name: str, task: Task,
         reader: PrefixReader | None, made: dict[int, FewShotData], tell: Tell) -> list[Row]:
    """A method and a task over the splits."""
    config = replace(recipe.episode, task=task)
    share = -(-recipe.test_episodes // len(splits))
    training = Row(name, task, "meta-training", recipe.meta_episodes * len(splits))
    rows = [Row(name, task, condition, share * len(splits)) for condition in recipe.conditions]
    answers: dict[str, list[Reply]] = {condition: [] for condition in recipe.conditions}
    tokens = None if reader is None else reader.words
    for number, split in enumerate(splits):
        if number not in made:
            needed = recipe.encoder if set(recipe.methods) - set(WITHOUT_ENCODER) else "none"  # it takes minutes to train
            made[number] = setup.data(split, recipe.leads, needed)
        data = made[number]
        folder = Path(recipe.run) / digest(
            [to_dict(replace(recipe, methods=(name,), tasks=(task,))), number, data.fingerprint])
        method = _make(name, data.emb_NE.shape[1], reader, recipe, folder)
        train, test = _draws(recipe, setup, split, config)
        start = perf_counter()

        def step(count: int, loss: float, before: int = number * recipe.meta_episodes) -> None:
            training.done, training.loss = before + count, loss
            tell(training)

        method.meta_train(_some(train, setup, config, recipe.meta_episodes, recipe.seed + number), data, step)
        training.seconds += perf_counter() - start
        shown = list(_some(test, setup, config, share, recipe.seed + 1000 + number))
        for row in rows:
            start, before = perf_counter(), list(answers[row.condition])

            def asked(count: int, right: float, row: Row = row, before: int = number * share) -> None:
                row.done, row.accuracy = before + count, right
                tell(row)

            found = replies(method, data, shown, setup.table.patient_N, row.condition,  # type: ignore[arg-type]
                            folder / f"{row.condition}.jsonl", asked)
            answers[row.condition] = before + [replace(r, episode=r.episode + number * share) for r in found]
            row.seconds += perf_counter() - start
            row.done = (number + 1) * share
            row.score = score(answers[row.condition], recipe.draws, tokens)
            row.accuracy = row.score.attributes.value
            tell(row)
    return ([training] if recipe.meta_episodes and training.done else []) + rows


def _some(draw: Draw, setup: FewShotSetup, config: EpisodeConfig, count: int, seed: int) -> Iterator[Episode]:
    return episodes(draw, setup.table.patient_N, config, count, seed)


def _draws(recipe: FewShotRecipe, setup: FewShotSetup, split: FewShotSplit, config: EpisodeConfig) -> tuple[Draw, Draw]:
    """Episodes of meta-train and of meta-test."""
    table = setup.table
    if config.protocol == "balanced":
        return (AttributePool(table, split.train, split.train_rows).balanced(config),
                AttributePool(table, split.test, split.test_rows).balanced(config))
    train, test = published_classes(recipe, setup, split, config)
    return published(train, config), published(test, config)


Classes = list[Sequence[AnswerGroup]]


def published_classes(recipe: FewShotRecipe, setup: FewShotSetup, split: FewShotSplit, config: EpisodeConfig,
                      ) -> tuple[Classes, Classes]:
    """Classes of meta-train and of meta-test, of the recordings of each. Raises UsageError when too few are left or any leaks."""
    table = setup.table
    asked = all_questions() if recipe.questions == "official" else []
    sides = []
    for rows in (split.train_rows, split.test_rows):
        if recipe.questions == "official":
            row_of = {int(setup.ecg_id_N[row]): int(row) for row in rows}
            sides.append(ecgqa_classes(asked, row_of, config.task, config.wording))
        else:
            sides.append(AttributePool(table, table.keys, rows).classes(config.task, LEAST))
    names = [[_name(groups) for groups in side] for side in sides]
    shared = [groups for groups, name in zip(sides[1], names[1], strict=True) if name in names[0]]
    if len(shared) < config.ways:
        raise UsageError(f"{len(shared)} classes have enough recordings in meta-train and meta-test, {config.ways} ways are "
                         "wanted; give all of ECG-QA's files, or take fewer ways")
    train, test = split_classes(shared, seed=recipe.seed)
    kept = {_name(groups) for groups in train}
    train = [groups for groups, name in zip(sides[0], names[0], strict=True) if name in kept]
    check_classes(train, test, table.patient_N)
    return train, test


def _name(groups: Sequence[AnswerGroup]) -> tuple[str, str]:
    """What a class is, on either side of a split."""
    return groups[0].attribute, groups[0].answer
