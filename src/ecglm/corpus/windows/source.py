"""One record of a data set: its rhythms, where its signal is missing, hashes of its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ecglm.corpus.windows.layouts import Layout
from ecglm.corpus.windows.rhythms import RhythmError, Rhythms, rhythms
from ecglm.errors import EcglmError
from ecglm.records import Record, read
from ecglm.records.annotations import read_annotations
from ecglm.records.windows import Windows, open_windows
from ecglm.signal.holter.minutes import blanked

#: Read (s) at once to see where signal is missing.
BLOCK_S = 300


@dataclass(frozen=True, eq=False)
class Source:
    """A record that can be cut. name: its path below the root; rhythms None where the set has none. read and missing raise
    ReadError for a signal file that is damaged there."""

    name: str
    subject: str
    path: Path
    windows: Windows
    rhythms: Rhythms | None
    _seen: dict[int, list[bool]] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Of the signal."""
        return self.windows.duration_s

    def missing(self, start_s: float, stop_s: float) -> float:
        """Share of the seconds from start to stop in which no lead has signal, or all that have it stand still."""
        seconds = np.arange(int(start_s), int(np.ceil(stop_s)))
        for block in np.unique(seconds // BLOCK_S).tolist():
            if block not in self._seen:
                self._seen[block] = self._look(block * BLOCK_S)
        return float(np.mean([self._seen[s // BLOCK_S][s % BLOCK_S] for s in seconds.tolist()]))

    def _look(self, start_s: int) -> list[bool]:
        """Of each second of a block, whether most of it is missing; so it is beyond the record's end."""
        record = self.windows.read(float(start_s), min(float(BLOCK_S), self.duration_s - start_s))
        absent = np.asarray(np.isnan(blanked(record.signal, record.fs)).all(axis=0))
        parts = [absent[round(s * record.fs): round((s + 1) * record.fs)] for s in range(BLOCK_S)]
        return [not part.size or bool(part.mean() > 0.5) for part in parts]

    def hashes(self, annotator: str) -> dict[str, str]:
        """SHA-256 of its header, signal and annotation files by name."""
        found = {}
        for name in sorted(_files(self.path) | {f"{self.path.stem}.{annotator}"}):
            if (self.path.parent / name).is_file():
                with open(self.path.parent / name, "rb") as file:
                    found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        return found


def open_record(layout: Layout, root: Path, name: str, subject: str) -> Source | str:
    """The record, or why it cannot be used, in words that begin with the kind of reason and a colon where more follows."""
    path = root / f"{name}.hea"
    try:
        windows = open_windows(path)
        _whole(windows)
        if not layout.marked:
            return Source(name, subject, path, windows, None)
        marks = path.with_suffix(f".{layout.annotator}")
        if not marks.is_file():
            return "no annotations"
        header = path.read_text(encoding="utf-8", errors="replace")
        found = rhythms(read_annotations(marks), windows.first.fs, windows.duration_s, layout.first(header))
    except EcglmError as problem:
        return f"unreadable: {problem}"
    except RhythmError as problem:
        return str(problem)
    return Source(name, subject, path, windows, found)


def read_window(root: Path, name: str, start_s: float, stop_s: float) -> Record:
    """The samples from start to before stop. Raises ReadError."""
    return read(root / f"{name}.hea", start_s=start_s, duration_s=stop_s - start_s)


def _whole(windows: Windows) -> None:
    """Raises ReadError for a signal file that ends before its header says so."""
    windows.read(max(0.0, windows.duration_s - 1.0), min(1.0, windows.duration_s))


def _files(header: Path, inside: bool = False) -> set[str]:
    """Names of a header, the signal files that it names and, of a record of several segments, theirs; all are in one folder."""
    lines = [line.split() for line in header.read_text(encoding="utf-8", errors="replace").splitlines()
             if line.strip() and not line.startswith("#")]
    found = {header.name}
    if "/" not in lines[0][0]:
        return found | {Path(line[0]).name for line in lines[1:]}
    for line in lines[1:]:
        segment = header.with_name(f"{Path(line[0]).name}.hea")
        if not inside and segment.is_file():
            found |= _files(segment, True)
    return found
