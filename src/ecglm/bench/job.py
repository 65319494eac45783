"""One task on one model: items are asked in chunks, and what was answered is kept on disk, so that an interrupted run goes on."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from ecglm.atomic import write_text
from ecglm.bench.patients import swap_records
from ecglm.bench.provenance import code_hash
from ecglm.bench.task import BenchItem, FindingScores, Prediction, TaskConfig, data_hash, digest
from ecglm.errors import UsageError

Row = TypeVar("Row", Prediction, FindingScores)


class Job:
    """What is asked, of whom, and where answers are kept. model: whatever answers items (`ecglm.bench.task.AnswersItems`)."""

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
