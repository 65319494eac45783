"""Run a task: every condition, with its controls, into one results.json.

Predictions are appended to ``predictions/<condition>.jsonl`` beside the result as they come,
so an interrupted run goes on where it stopped. Knows nothing of torch: the model is any
object that answers items (`ecglm.bench.task.AnswersItems`).
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import write_text
from ecglm.bench.job import Job
from ecglm.bench.metrics import normalize
from ecglm.bench.patients import check_leakage
from ecglm.bench.provenance import code_hash, git_commit, versions
from ecglm.bench.scoring import Floats, QaTable, correctness, findings_table, majority, uniform
from ecglm.bench.study import Study
from ecglm.bench.task import BenchItem, TaskConfig
from ecglm.config import to_dict
from ecglm.errors import UsageError
from ecglm.registry import DATASETS, PROTOCOLS, STUDIES, SUBJECTS

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
    jobs = [Job(task, m, chosen, folder / m.id if task.subjects else folder, chunk, progress) for m in models]
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
        "study": {"tables": [asdict(table) for table in found.tables], "notes": list(found.notes),
                  "values": _known(found.values)},
    }


def _known(value: Any) -> Any:
    """The same with null for what could not be computed: JSON has no NaN, and an hour's study must not be lost to one."""
    if isinstance(value, Mapping):
        return {key: _known(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _task(task: TaskConfig) -> dict[str, Any]:
    return {"name": task.name, "version": task.version, "hash": task.hash, "kind": task.kind, "config": to_dict(task)}


def _describe(job: Job, leakage: dict[str, Any], limit: int | None) -> dict[str, Any]:
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


def _questions(job: Job) -> dict[str, Any]:
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


def _findings(job: Job) -> dict[str, Any]:
    if any("labels" not in item.meta for item in job.items):
        raise UsageError(f"{job.task.name}: every item of a findings task needs meta['labels']")
    return {"findings": findings_table(job.task, job.items, job.score())}


def _write_items(job: Job, correct: dict[str, dict[str, Floats]], scorer: str) -> None:
    """items.jsonl: what `compare` pairs two runs on. Stays beside the predictions, not for publication."""
    first = next(iter(correct))
    hits = {name: np.asarray(scores[scorer]) for name, scores in correct.items()}
    lines = [json.dumps({"id": item.id, "patient": item.patient, "qtype": item.qtype, "answer": normalize(item.answer),
                         "correct": {name: int(hits[name][n]) for name in hits}}) + "\n"
             for n, item in enumerate(job.items)]
    head = json.dumps({"data_hash": job.data_hash, "scorer": scorer, "condition": first}) + "\n"
    write_text(job.folder / "predictions" / "items.jsonl", head + "".join(lines))
