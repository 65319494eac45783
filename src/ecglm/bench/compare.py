"""Is model A better than model B? A paired, patient-clustered bootstrap between two runs of one task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.scoring import QaTable
from ecglm.bench.task import BenchItem, TaskConfig
from ecglm.config import load_config
from ecglm.errors import UsageError


def compare(a: str | Path, b: str | Path, condition: str = "full") -> dict[str, Any]:
    """Headline score of run `a` minus run `b` under one condition, with interval and p, by question type.

    a, b: results.json files or their folders, of the same task version and items. Raises
    UsageError when they cannot be compared.
    """
    first, second = load_results(a), load_results(b)
    if first["task"]["hash"] != second["task"]["hash"]:
        raise UsageError(f"{a} and {b} are of different tasks or versions "
                         f"({_name(first)}, {_name(second)}); run both on one")
    if first["data_hash"] != second["data_hash"]:
        raise UsageError(f"{a} and {b} were run on different items; run both with the same data and limit")
    if first["task"]["kind"] != "qa":
        raise UsageError(f"{first['task']['name']} has no answers to pair; compare its intervals in the results")
    task = load_config(TaskConfig, first["task"]["config"])
    items, hits_a = _items(a, first, condition)
    other, hits_b = _items(b, second, condition)
    order = {item.id: n for n, item in enumerate(other)}
    if set(order) != {item.id for item in items}:
        raise UsageError(f"{a} and {b} hold different items; run both with the same data and limit")
    hits_b = hits_b[[order[item.id] for item in items]]
    return {"task": task.name, "condition": condition, "a": first["model"]["id"], "b": second["model"]["id"],
            "differences": QaTable(task, items).differences(hits_a, hits_b)}


def load_results(path: str | Path) -> dict[str, Any]:
    """A results file (or the folder it is in). Raises UsageError when it is not one."""
    file = _file(path)
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        if result["schema"] != 1:
            raise UsageError(f"{file}: results of schema {result['schema']} are not known; run the task again")
        result["task"]["hash"], result["model"]["id"], result["data_hash"]
    except OSError:
        raise UsageError(f"{file}: no such results file; make one with `ecglm bench run`") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file}: not a results file of `ecglm bench run`") from None
    loaded: dict[str, Any] = result
    return loaded


def _file(path: str | Path) -> Path:
    return Path(path) / "results.json" if Path(path).is_dir() else Path(path)


def _name(result: dict[str, Any]) -> str:
    return f"{result['task']['name']} v{result['task']['version']}"


def _items(path: str | Path, result: dict[str, Any], condition: str) -> tuple[list[BenchItem], Any]:
    file = _file(path).parent / "predictions" / "items.jsonl"
    try:
        head, *rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        if head["data_hash"] != result["data_hash"]:
            raise UsageError(f"{file}: belongs to another run; run the task again")
        hits = np.array([row["correct"][condition] for row in rows], dtype=np.float64)
        items = [BenchItem(r["id"], r["patient"], r["id"], "", r["answer"], r["qtype"], "", "") for r in rows]
    except OSError:
        raise UsageError(f"{file}: missing; compare needs the predictions beside the results") from None
    except KeyError as error:
        raise UsageError(f"{file}: has no {error}; this run did not include the condition {condition}") from None
    except ValueError:
        raise UsageError(f"{file}: damaged; run the task again") from None
    return items, hits
