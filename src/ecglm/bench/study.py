"""A study: a benchmark that is no list of questions, such as delineation against annotators, as tables with its raw numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ecglm.bench.stats import Interval


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


def percent(value: Interval, factor: float = 100.0, digits: int = 1) -> str:
    """A cell such as "43.1 [38.0, 48.2]": value and interval times `factor`; a dash where nothing can be computed."""
    if value.value != value.value:
        return "–"
    return f"{factor * value.value:.{digits}f} [{factor * value.low:.{digits}f}, {factor * value.high:.{digits}f}]"
