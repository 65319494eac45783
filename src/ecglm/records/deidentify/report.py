"""What a run of `deidentify` did: names of fields and counts, never a value, and no name of a source unless asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Deidentified:
    """One recording: its new files (the one to read first), its pseudonym, and by field name how much was removed and shifted."""

    target: str
    patient: str
    format: str
    removed: dict[str, int]
    shifted: dict[str, int]
    kept: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "target": self.target, "patient": self.patient, "format": self.format,
            "removed": self.removed, "shifted": self.shifted, "kept": list(self.kept),
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A whole run.

    skipped are outputs that were there from an earlier run with the same key (or a recording that is twice in the
    source); failed are (source, reason); left_out are files that are no recordings. key_kept: names and shifts come
    again. mapping has source, target and pseudonym of every output: it says whose they are, keep it as safe as the sources.
    """

    files: tuple[Deidentified, ...] = ()
    skipped: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    left_out: tuple[str, ...] = field(default=(), repr=False)
    key_kept: bool = False
    mapping: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The object of ``ecglm deidentify --json``. Errors name sources: who must act has to know which file it is."""
        return {
            "files": [one.to_dict() for one in self.files],
            "skipped": list(self.skipped),
            "failed": [reason for _, reason in self.failed],
            "left_out": dict(sorted(Counter(Path(name).suffix.lower() or "(none)" for name in self.left_out).items())),
            "key_kept": self.key_kept,
        }
