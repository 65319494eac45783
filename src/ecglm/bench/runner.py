"""Run a task: every condition, with its controls, into one results.json.

Predictions are appended to ``predictions/<condition>.jsonl`` beside the result as they come,
so an interrupted run goes on where it stopped. Knows nothing of torch: the model is any
object that answers items (`ecglm.bench.task.AnswersItems`).
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ecglm.atomic import write_text
from ecglm.bench.metrics import normalize
from ecglm.bench.provenance import code_hash, git_commit, versions
from ecglm.bench.scoring import Floats, QaTable, correctness, findings_table, majority, uniform
from ecglm.bench.study import Study
from ecglm.bench.task import BenchItem, FindingScores, Prediction, TaskConfig, data_hash, digest
from ecglm.config import to_dict
from ecglm.errors import UsageError
from ecglm.registry import DATASETS, PROTOCOLS, STUDIES, SUBJECTS

Row = TypeVar("Row", Prediction, FindingScores)

SCHEMA = 1


def run(task: TaskConfig, model: Any, out: str | Path, *, items: Sequence[BenchItem] | None = None,
        limit: int | None = None, chunk: int = 256, progress: bool = False) -> Path:
    """Run `task` on `model` and write ``<out>/results.json``; returns its path.

    A task with subjects of its own is run on these, whatever `model` is; one of kind protocol takes a model's name (None: the
    embedded one), for it decides who can answer.

    items: instead of the task's dataset. limit: ask only this many (chosen by the task's
    seed). chunk: predictions are saved about this often. Raises UsageError when test and
    training data overlap, or the items are not usable.
    """
    folder = Path(out)
    if task.kind == "study":
        if limit is not None or items is not None:
            raise UsageError(f"{task.name}: a study is run as a whole; leave out --limit")
        return _write(folder, _study(task, progress))
    if task.kind == "protocol":
        return _write(folder, _protocol(task, model, folder, limit, progress))
    chosen = _prepare(DATASETS.get(task.dataset)(**task.dataset_args) if items is None else items, task, limit)
    models = [SUBJECTS.get(name)() for name in task.subjects] or [model]
    jobs = [_Job(task, m, chosen, folder / m.id if task.subjects else folder, chunk, progress) for m in models]
    leakages = [check_leakage(chosen, m) for m in models]
    result = _describe(jobs[0], leakages[0], limit)
    result |= _findings(jobs[0]) if task.kind == "findings" else _questions(jobs[0])
    if len(jobs) > 1:
        result["others"] = {job.model.id: _findings(job)["findings"] for job in jobs[1:]}
    return _write(folder, result)


def _write(folder: Path, result: dict[str, Any]) -> Path:
    result["created"] = datetime.now(UTC).isoformat(timespec="seconds")
    path = folder / "results.json"
    write_text(path, json.dumps(result, indent=1, allow_nan=False) + "\n")
    return path


def check_leakage(items: Sequence[BenchItem], model: Any) -> dict[str, Any]:
    """What was compared with the model's training lists. Raises UsageError on any overlap."""
    report: dict[str, Any] = {}
    for what, attribute, present in (
        ("patients", "train_patients", {str(item.patient) for item in items}),
        ("waveforms", "train_hashes", {str(item.meta["hash"]) for item in items if item.meta.get("hash")}),
    ):
        trained = getattr(model, attribute, None)
        if trained is None or not present:
            report[what] = f"not checked: {'the model gives no list' if trained is None else 'the items have none'}"
            continue
        shared = sorted(present & {str(t) for t in trained})
        if shared:
            raise UsageError(f"{len(shared)} of {len(present)} test {what} are in the training data of {model.id} "
                             f"(e.g. {shared[0]}); such a score would be false, test on other {what}")
        report[what] = f"none of {len(present)} shared with {len(set(trained))} training {what}"
    return report


def swap_records(items: Sequence[BenchItem], seed: int) -> list[BenchItem]:
    """Items with ``meta["swap_record_key"]``: one record of another patient per record, by `seed`.

    Raises UsageError when there is only one patient.
    """
    owner = {item.record_key: item.patient for item in items}
    if len(set(owner.values())) < 2:
        raise UsageError("the control other-patient needs at least two patients; run more items or leave it out")
    records = sorted(owner)
    shuffled = random.Random(seed).sample(records, len(records))
    place = {record: index for index, record in enumerate(shuffled)}

    def partner(record: str) -> str:
        for step in range(1, len(shuffled)):
            other = shuffled[(place[record] + step) % len(shuffled)]
            if owner[other] != owner[record]:
                return other
        raise AssertionError("unreachable: there are two patients")

    swapped = {record: partner(record) for record in records}
    return [replace(item, meta={**item.meta, "swap_record_key": swapped[item.record_key]}) for item in items]


class _Job:
    """One task on one model: asks in chunks and keeps what was answered on disk."""

    def __init__(self, task: TaskConfig, model: Any, items: list[BenchItem], folder: Path,
                 chunk: int, progress: bool) -> None:
        self.task, self.model, self.items, self.folder = task, model, items, folder
        self.chunk, self.progress = chunk, progress
        self.data_hash = data_hash(items)

    def ask(self, condition: str) -> list[Prediction]:
        """Predictions for every item under one condition, from disk where they are."""
        items = swap_records(self.items, self.task.seed) if condition == "other-patient" else self.items
        return self._collect(condition, items, Prediction,
                             lambda part: self.model.answer_items(part, control=condition, progress=False))

    def score(self) -> list[FindingScores]:
        """Finding probabilities for every item, from disk where they are."""
        return self._collect("findings", self.items, FindingScores,
                             lambda part: self.model.score_items(part, progress=False))

    def _collect(self, name: str, items: list[BenchItem], row_type: type[Row],
                 ask: Callable[[list[BenchItem]], list[Row]]) -> list[Row]:
        path = self.folder / "predictions" / f"{name}.jsonl"
        key = digest([self.task.hash, self.data_hash, name, getattr(self.model, "fingerprint", self.model.id), code_hash()])
        done: dict[str, Row] = _read_rows(path, key, row_type)
        todo = [item for item in items if item.id not in done]
        if not done:
            write_text(path, json.dumps({"key": key}) + "\n")
        elif todo:  # a crash may have left half a line
            write_text(path, "".join([json.dumps({"key": key}) + "\n", *map(_line, done.values())]))
        for part in _chunks(todo, self.chunk):
            rows = ask(part)
            if [row.id for row in rows] != [item.id for item in part]:
                raise UsageError(f"model {self.model.id} must return one prediction per item, in order")
            with open(path, "a", encoding="utf-8") as file:
                file.writelines(map(_line, rows))
            done |= {row.id: row for row in rows}
            self._tell(name, len(done), len(items))
        return [done[item.id] for item in items]

    def _tell(self, name: str, done: int, total: int) -> None:
        if self.progress:
            end = "\n" if done == total else ""
            print(f"\r{self.task.name}  {name}  {done}/{total}", end=end, file=sys.stderr, flush=True)


def _prepare(items: Sequence[BenchItem], task: TaskConfig, limit: int | None) -> list[BenchItem]:
    if not items:
        raise UsageError(f"{task.name}: the dataset has no items; run `ecglm data list` to see what is there")
    if len({item.id for item in items}) != len(items):
        raise UsageError(f"{task.name}: item ids repeat; give every item its own id")
    if any(not str(item.patient) for item in items):
        raise UsageError(f"{task.name}: an item has no patient; intervals and leakage checks need one")
    chosen = list(items)
    if limit is not None and limit < len(chosen):
        if limit < 1:
            raise UsageError("limit must be at least 1")
        chosen = random.Random(task.seed).sample(sorted(chosen, key=lambda i: i.id), limit)
    return sorted(chosen, key=lambda item: (item.record_key, item.id))


def _study(task: TaskConfig, progress: bool) -> dict[str, Any]:
    found: Study = STUDIES.get(task.dataset)(**task.dataset_args, seed=task.seed, draws=task.draws, progress=progress)
    return _found(task, found, f"ecglm {versions()['ecglm']}")


def _protocol(task: TaskConfig, model: str | None, folder: Path, limit: int | None, progress: bool) -> dict[str, Any]:
    found, who = PROTOCOLS.get(task.dataset)(model, folder, limit, task.seed, task.draws, progress, **task.dataset_args)
    return _found(task, found, who) | {"limit": limit}


def _found(task: TaskConfig, found: Study, who: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA, "task": _task(task), "model": {"id": who, "fingerprint": code_hash()},
        "recipe_hash": None, "data_hash": found.data_hash, "git_commit": git_commit(), "seeds": {"bench": task.seed},
        "versions": versions(), "leakage": {}, "limit": None, "n_items": found.n_items, "n_patients": found.n_patients,
        "study": {"tables": [asdict(table) for table in found.tables], "notes": list(found.notes), "values": found.values},
    }


def _task(task: TaskConfig) -> dict[str, Any]:
    return {"name": task.name, "version": task.version, "hash": task.hash, "kind": task.kind, "config": to_dict(task)}


def _describe(job: _Job, leakage: dict[str, Any], limit: int | None) -> dict[str, Any]:
    task, model = job.task, job.model
    return {
        "schema": SCHEMA,
        "task": _task(task),
        "model": {"id": model.id, "fingerprint": getattr(model, "fingerprint", None)},
        "recipe_hash": getattr(model, "recipe_hash", None),
        "data_hash": job.data_hash,
        "git_commit": git_commit(),
        "seeds": {**getattr(model, "seeds", {}), "bench": task.seed},
        "versions": versions(),
        "leakage": leakage,
        "limit": limit,
        "n_items": len(job.items),
        "n_patients": len({item.patient for item in job.items}),
    }


def _questions(job: _Job) -> dict[str, Any]:
    task, table = job.task, QaTable(job.task, job.items)
    correct: dict[str, dict[str, Floats]] = {}
    rows: dict[str, Any] = {}
    asked = [*task.conditions, *(["heads"] if "heads" in task.references and "heads" not in task.conditions else [])]
    for name in asked:
        predictions = job.ask(name)
        correct[name] = {scorer: correctness(job.items, predictions, scorer) for scorer in task.scoring}
        first = correct[name][task.scoring[0]]
        rows[name] = {**{scorer: table.accuracies(hits) for scorer, hits in correct[name].items()},
                      "confidence": table.confidence(first, predictions), "by_template": table.by_template(first)}
    if "chance" in task.references:
        constant = majority(job.items)
        for scorer in task.scoring:
            rows.setdefault("chance-majority", {})[scorer] = table.accuracies(
                correctness(job.items, constant, scorer))
            rows.setdefault("chance-uniform", {})[scorer] = table.accuracies(uniform(job.items))
    main = task.scoring[0]
    differences = {f"{asked[0]} - {name}": table.differences(correct[asked[0]][main], correct[name][main])
                   for name in asked[1:]}
    _write_items(job, correct, main)
    return {"sizes": table.sizes(), "rows": {name: rows[name] for name in rows}, "differences": differences}


def _findings(job: _Job) -> dict[str, Any]:
    if any("labels" not in item.meta for item in job.items):
        raise UsageError(f"{job.task.name}: every item of a findings task needs meta['labels']")
    return {"findings": findings_table(job.task, job.items, job.score())}


def _write_items(job: _Job, correct: dict[str, dict[str, Floats]], scorer: str) -> None:
    """items.jsonl: what `compare` pairs two runs on. Stays beside the predictions, not for publication."""
    first = next(iter(correct))
    hits = {name: np.asarray(scores[scorer]) for name, scores in correct.items()}
    lines = [json.dumps({"id": item.id, "patient": item.patient, "qtype": item.qtype, "answer": normalize(item.answer),
                         "correct": {name: int(hits[name][n]) for name in hits}}) + "\n"
             for n, item in enumerate(job.items)]
    head = json.dumps({"data_hash": job.data_hash, "scorer": scorer, "condition": first}) + "\n"
    write_text(job.folder / "predictions" / "items.jsonl", head + "".join(lines))


def _chunks(items: list[BenchItem], size: int) -> Iterator[list[BenchItem]]:
    """Parts of about `size` items; the questions about one record stay together, so its prefix is built once."""
    part: list[BenchItem] = []
    for item in items:
        if len(part) >= size and item.record_key != part[-1].record_key:
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _line(row: Prediction | FindingScores) -> str:
    values = asdict(row)
    if isinstance(row, Prediction) and not math.isfinite(row.confidence):
        values["confidence"] = None
    return json.dumps(values) + "\n"


def _read_rows(path: Path, key: str, row_type: type[Row]) -> dict[str, Row]:
    """Rows saved under this key; none when the file is of another model, task or data set."""
    if not path.exists():
        return {}
    rows: dict[str, Row] = {}
    with open(path, encoding="utf-8") as file:
        try:
            if json.loads(file.readline()).get("key") != key:
                return {}
            for line in file:
                values = json.loads(line)
                if values.get("confidence", 0) is None:
                    values["confidence"] = float("nan")
                rows[values["id"]] = row_type(**values)
        except (ValueError, TypeError, KeyError):
            pass  # the line a crash cut short; it is asked again
    return rows
