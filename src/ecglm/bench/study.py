"""A study: a benchmark that is no list of questions, such as delineation against annotators, as tables with its raw numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; the first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Study:
    """What a study found. n_items recordings of n_patients people; data_hash of what was read; notes: sentences on how;
    values: the numbers behind the tables, for machines."""

    tables: Sequence[Table]
    n_items: int
    n_patients: int
    data_hash: str
    notes: Sequence[str] = ()
    values: dict[str, Any] = field(default_factory=dict)
