"""What a benchmark asks: tasks as versioned YAML, items in, predictions out.

A task names registered functions (`ecglm.registry`), never code. ``include: other.yaml`` (or
a list) takes the keys of other tasks in the same folder first; the including file wins.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ecglm.config import closest, load_config, read_yaml, to_dict
from ecglm.errors import ConfigError, UsageError

Control = Literal["full", "text-only", "no-signal", "other-patient", "heads"]

#: Folder of the built-in tasks.
TASKS = Path(__file__).parent / "tasks"


@dataclass(frozen=True)
class BenchItem:
    """One question about one record, or, in a findings task, one record (question and answer empty).

    patient clusters the intervals and must never occur in training. options are the answers
    the question offers. Known keys of meta: ``hash`` (waveform hash, checked for leakage),
    ``valid`` (answers valid for the template), ``labels`` ({group: {code: 0 or 1}}, findings
    tasks) and ``swap_record_key`` (set by the runner for the control "other-patient": the
    record to look at instead of record_key).
    """

    id: str
    patient: str
    record_key: str
    question: str
    answer: str
    qtype: str
    template: str
    attribute: str
    options: tuple[str, ...] | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Prediction:
    """The reply to one item. An abstention counts as wrong, and is counted."""

    id: str
    text: str
    confidence: float = float("nan")
    abstained: bool = False


@dataclass(frozen=True)
class FindingScores:
    """Per record: probability and decision (thresholds come from validation data) by group and code."""

    id: str
    probability: dict[str, dict[str, float]]
    present: dict[str, dict[str, bool]] | None = None


class AnswersItems(Protocol):
    """A model the runner can put questions to.

    id names it in results; train_patients and train_hashes are what it was trained on (None:
    not known, and the results say so). recipe_hash and seeds are copied to the results if present.
    """

    id: str
    train_patients: frozenset[str] | set[str] | None
    train_hashes: frozenset[str] | set[str] | None

    def answer_items(self, items: list[BenchItem], control: str, progress: bool) -> list[Prediction]:
        """One prediction per item, in order. control "text-only" shows the question alone,
        "no-signal" the question with an empty signal, "other-patient" the record in
        ``meta["swap_record_key"]``, "heads" answers straight from heads and measurements."""
        ...


class ScoresFindings(Protocol):
    """A model the runner can ask for finding probabilities (for tasks of kind findings)."""

    id: str
    train_patients: frozenset[str] | set[str] | None
    train_hashes: frozenset[str] | set[str] | None

    def score_items(self, items: list[BenchItem], progress: bool) -> list[FindingScores]:
        """Probabilities for every item, in order."""
        ...


@dataclass(frozen=True)
class TaskConfig:
    """A benchmark task. `version` changes whenever results stop being comparable."""

    name: str
    version: int
    description: str
    dataset: str
    kind: Literal["qa", "findings", "study", "protocol"] = "qa"
    dataset_args: dict[str, Any] = field(default_factory=dict)
    conditions: tuple[Control, ...] = ("full", "text-only", "no-signal", "other-patient")
    references: tuple[str, ...] = ("heads", "chance")
    scoring: tuple[str, ...] = ("strict", "paper")
    balanced: tuple[str, ...] = ("verify",)
    groups: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()  #: models the task brings along (registry.SUBJECTS) instead of the one under test
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.references) - {"heads", "chance"}
        if unknown:
            raise ValueError(f"references {sorted(unknown)} are unknown; use heads, chance")
        if self.kind == "qa" and (not self.conditions or not self.scoring):
            raise ValueError("a task of kind qa needs conditions and scoring")
        if self.subjects and self.kind != "findings":
            raise ValueError("only a task of kind findings brings subjects along")
        if self.draws < 100:
            raise ValueError("draws must be at least 100 for a 95 % interval")

    @property
    def hash(self) -> str:
        """Of every key that matters to the result."""
        # A key that most tasks leave out must not change their hash.
        return digest({key: value for key, value in to_dict(self).items() if key != "subjects" or value})


def task_names() -> list[str]:
    """The built-in tasks."""
    return sorted(path.relative_to(TASKS).with_suffix("").as_posix() for path in TASKS.rglob("*.yaml")
                  if not path.stem.startswith("_"))


def load_task(name: str | os.PathLike[str], overrides: Sequence[str] = ()) -> TaskConfig:
    """A task by name, or from a YAML file. Raises UsageError when there is none, ConfigError for a bad one."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = TASKS / f"{name}.yaml"
        if str(name) not in task_names():
            raise UsageError(f"there is no task {str(name)!r}; {closest(str(name), task_names())}")
    return load_config(TaskConfig, _included(path, ()), overrides)


def _included(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path in seen:
        raise ConfigError(f"{path}: includes itself; remove the circle")
    data = read_yaml(path)
    parents = data.pop("include", [])
    merged: dict[str, Any] = {}
    for parent in [parents] if isinstance(parents, str) else parents:
        if Path(parent).name != parent:
            raise ConfigError(f"{path}: include {parent!r} must be a file name in the same folder")
        merged = _merge(merged, _included(path.parent / parent, (*seen, path)))
    return _merge(merged, data)


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in top.items():
        old = result.get(key)
        result[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def digest(value: Any) -> str:
    """The first 16 hex digits of the SHA-256 of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def data_hash(items: Sequence[BenchItem]) -> str:
    """Of every item as asked and expected, so results on other data never look alike."""
    return digest([[i.id, i.patient, i.record_key, i.question, i.answer, i.qtype, i.options,
                    i.meta.get("labels"), i.meta.get("hash")] for i in items])
