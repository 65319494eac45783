"""A folder of simulated records: NPZ files, one line of truth each, and what was asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.errors import UsageError
from ecglm.records.arrays import write_npz
from ecglm.signal.simulate.conditions import CONDITIONS
from ecglm.signal.simulate.request import stream

#: Changes whenever the same request gives other records, so that a folder is not continued with another simulator.
VERSION = 2


def write_folder(out: str | os.PathLike[str], conditions: Sequence[str] | None, n: int, *, seed: int = 0, fs: float = 500.0,
                 duration_s: float = 10.0, tell: Callable[[int], None] = lambda done: None) -> int:
    """Write records 0 to n - 1 of `simulate` into a folder; returns how many were new.

    Each record is one NPZ file; truth.jsonl has one line per record with its file name and `Truth.to_dict`;
    request.json says what was asked for. Called again it writes what is missing. tell: called with the number of
    records done. Raises UsageError when the folder belongs to another request.
    """
    folder = Path(out)
    names = list(CONDITIONS) if conditions is None else list(conditions)
    stream(names, n, seed=seed, fs=fs, duration_s=duration_s)  # refuses a bad request before anything is written
    request = {"version": VERSION, "conditions": names, "seed": seed, "fs": fs, "duration_s": duration_s}
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; name a folder")
    place = folder / "request.json"
    if place.exists():
        if _json(place) != request:
            raise UsageError(f"{folder}: holds records of another request (request.json); choose another folder")
    elif folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is not empty and was not written by synth; choose another folder")
    else:
        write_text(place, json.dumps(request, indent=1) + "\n")
    lines = _lines(folder)
    write_text(folder / "truth.jsonl", "".join(lines[i] for i in sorted(lines)))  # a crash may have left half a line
    new = 0
    with open(folder / "truth.jsonl", "a", encoding="utf-8") as truth:
        for i in range(n):
            if i not in lines:
                made = next(stream(names, i + 1, start=i, seed=seed, fs=fs, duration_s=duration_s))
                name = f"{i:06d}-{made.truth.condition}.npz"
                write_npz(made.record, folder / name)
                truth.write(json.dumps({"file": name, "index": i, **made.truth.to_dict()}) + "\n")
                truth.flush()
                new += 1
            tell(i + 1)
    return new


def _lines(folder: Path) -> dict[int, str]:
    """Whole lines of truth.jsonl whose record is there, by index."""
    path = folder / "truth.jsonl"
    found: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
            if (folder / Path(row["file"]).name).is_file():
                found[int(row["index"])] = line + "\n"
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
