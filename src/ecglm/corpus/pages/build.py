"""The folder of a corpus of pages: what was asked for, pages and truths, and a manifest of one line a page.

    corpus.json      the request, and the version that made it
    manifest.jsonl   one line a page, in order: files, recording, licence, seed, look, distortions
    skipped.jsonl    recordings that could not be drawn, and why
    pages/0000/0000000.jpg, .json.gz   1,000 pages to a folder

While it is being made, lines lie in parts/, one file a batch, which is how it is resumed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.corpus.claim import claim
from ecglm.corpus.pages.engines import ENGINES, Batch
from ecglm.corpus.pages.item import Request, make
from ecglm.corpus.pages.source import Source, open_source
from ecglm.errors import UsageError

#: Items that one worker makes before their lines are kept: what is lost at most, per worker, when it is stopped.
BATCH = 16


@dataclass(frozen=True)
class _Work:
    """Makes batches; goes to the workers, which may be on other machines."""

    request: Request
    source: Source
    folder: str

    def __call__(self, batch: Batch) -> tuple[int, list[dict[str, Any]]]:
        number, indices = batch
        return number, [make(self.request, self.source, Path(self.folder), i) for i in indices]


def build(request: Request, out: str | os.PathLike[str], n: int, *, engine: str = "local", workers: int | None = None,
          resume: bool = False, tell: Callable[[int, int], None] = lambda done, skipped: None) -> dict[str, Any]:
    """Make pages 0 to n - 1 of a request in a folder; returns how many there are, how many are new, how many were skipped.

    Page i shows recording i of the source; beyond its last one each is drawn again, otherwise. The same request gives the
    same pages whatever the engine, the workers and the interruptions. workers: None for one per processor. resume: go on
    with a folder, or make it larger. tell: called with the number of items done and skipped.

    Raises UsageError for unusable arguments and for a folder that is not empty or belongs to another request.
    """
    if engine not in ENGINES:
        raise UsageError(f"engine {engine!r} is unknown; use one of {', '.join(ENGINES)}")
    if n < 1:
        raise UsageError(f"n {n!r} must be at least 1")
    workers = max(1, os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise UsageError(f"workers {workers!r} must be at least 1")
    source = open_source(request.source, request.licence)
    folder = Path(out).absolute()
    claim(folder / "corpus.json", request.to_dict() | {"recordings": len(source.keys), "licence": source.licence}, resume)
    rows = _rows(folder)
    waiting = [i for i in range(n) if i not in rows]
    skipped = before = sum("skipped" in row for row in rows.values())
    batches = [(start, tuple(waiting[start:start + BATCH])) for start in range(0, len(waiting), BATCH)]
    work = _Work(request, source, os.fspath(folder))
    tell(len(rows), skipped)
    for _, made in ENGINES[engine](work, batches, workers) if batches else ():
        _write(folder / "parts" / f"{made[0]['index']:07d}.jsonl", made)
        rows |= {row["index"]: row for row in made}
        skipped += sum("skipped" in row for row in made)
        tell(len(rows), skipped)
    return _finish(folder, rows) | {"new": len(waiting) - (skipped - before)}


def _rows(folder: Path) -> dict[int, dict[str, Any]]:
    """Lines whose page is there, by index."""
    found = {}
    for path in [folder / "manifest.jsonl", folder / "skipped.jsonl", *sorted((folder / "parts").glob("[0-9]*.jsonl"))]:
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            row = json.loads(line)
            if "skipped" in row or ((folder / row["image"]).is_file() and (folder / row["truth"]).is_file()):
                found[int(row["index"])] = row
    return found


def _finish(folder: Path, rows: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """All lines in order in two files, then the parts are no longer needed."""
    made = [rows[i] for i in sorted(rows)]
    pages, skipped = ([row for row in made if ("skipped" in row) == left] for left in (False, True))
    _write(folder / "manifest.jsonl", pages)
    if skipped or (folder / "skipped.jsonl").exists():
        _write(folder / "skipped.jsonl", skipped)
    if (folder / "parts").is_dir():
        shutil.rmtree(folder / "parts")
    for left in folder.glob("pages/*/.partial-*"):  # by a writer that was killed
        left.unlink()
    return {"folder": os.fspath(folder), "pages": len(pages), "skipped": len(skipped)}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows))
