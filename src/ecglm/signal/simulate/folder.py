"""A folder of simulated records: NPZ files, one line of truth each, and what was asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.errors import UsageError
from ecglm.records.arrays import write_npz
from ecglm.signal.simulate.conditions import CONDITIONS
from ecglm.signal.simulate.onset import stream_onset
from ecglm.signal.simulate.request import stream
from ecglm.signal.simulate.synthesis import Simulated

#: Changes whenever the same request gives other records, so that a folder is not continued with another simulator.
VERSION = 2


@dataclass(frozen=True)
class OnsetRequest:
    """What `simulate_onset` is asked for, beside length and rate."""

    target: str
    mechanism: str | None = None
    onset_s: float | None = None
    lasts_s: float | None = None


def write_folder(out: str | os.PathLike[str], conditions: Sequence[str] | None, n: int, *, seed: int = 0, fs: float | None = None,
                 duration_s: float | None = None, leads: Sequence[str] | None = None, onset: OnsetRequest | None = None,
                 tell: Callable[[int], None] = lambda done: None) -> int:
    """Write records 0 to n - 1 of `simulate` into a folder, or of `simulate_onset` (onset); returns how many were new.

    fs, duration_s, leads: None for what these functions take by default.

    Each record is one NPZ file; truth.jsonl has one line per record with its file name and `Truth.to_dict`;
    request.json says what was asked for. Called again it writes what is missing. tell: called with the number of
    records done. Raises UsageError when the folder belongs to another request.
    """
    folder = Path(out)
    if onset is not None and conditions is not None:
        raise UsageError("an onset comes in sinus rhythm of a healthy heart; leave out the conditions")
    names = [] if onset else list(CONDITIONS) if conditions is None else list(conditions)
    fs = (250.0 if onset else 500.0) if fs is None else fs
    duration_s = (1440.0 if onset else 10.0) if duration_s is None else duration_s
    how: dict[str, Any] = {"seed": seed, "fs": fs, "duration_s": duration_s, **({} if leads is None else {"leads": list(leads)})}

    def records(count: int, start: int = 0) -> Iterator[Simulated]:
        if onset is None:
            return stream(names, count, start=start, **how)
        return stream_onset(n=count, start=start, **asdict(onset), **how)

    records(n)  # refuses a bad request before anything is written
    request = {"version": VERSION, "conditions": names, **how, **({} if onset is None else {"onset": asdict(onset)})}
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
                made = next(records(i + 1, i))
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
