"""Grounding of the numbers in reports: what each is off by, and which trace to no measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecglm.bench.grounding import error, grounded, numbers
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Table
from ecglm.records.record import Record
from ecglm.schema import LABELS, UNITS


@dataclass(frozen=True)
class Grounding:
    """Of one report: numbers with a unit, those given as limits, errors by quantity, and those that trace to nothing, as read."""

    numbers: int
    limits: int
    errors: dict[str, list[float]] = field(default_factory=dict)
    ungrounded: Sequence[str] = ()
    answered: bool = False

    @staticmethod
    def of(text: str, record: Record, answered: bool = False) -> Grounding:
        """Of a finished text against a fresh measurement of its record."""
        from ecglm.signal import measure

        measured, stated = measure(record), numbers(text)
        values = [one for one in stated if not one.limit]
        errors: dict[str, list[float]] = {}
        for one in values:
            off = error(one, measured)
            if off is not None and np.isfinite(off):
                errors.setdefault(one.quantity or "", []).append(off)
        bad = tuple(f"{one.value:g} {one.unit}: {one.text[:120]}" for one in values if not grounded(one, measured, record))
        return Grounding(len(values), len(stated) - len(values), errors, bad, answered)

    def to_dict(self) -> dict[str, Any]:
        return {"numbers": self.numbers, "limits": self.limits, "answered": self.answered, "ungrounded": list(self.ungrounded),
                "errors": {name: [round(e, 3) for e in errors] for name, errors in self.errors.items()}}


def grounding_table(found: Sequence[Grounding], patients: Sequence[str], draws: int, seed: int) -> Table:
    """A row per quantity: how often it is stated and the root mean square of stated minus measured, then all numbers."""
    rows = []
    boot = Bootstrap(patients, draws, seed)
    for name in (name for name in LABELS if any(name in one.errors for one in found)):
        square = np.array([sum(e * e for e in one.errors.get(name, ())) for one in found])
        count = np.array([len(one.errors.get(name, ())) for one in found], dtype=float)
        sums = boot.sums(np.stack([square, count], axis=1))
        drawn = np.sqrt(sums[:, 0] / np.maximum(sums[:, 1], 1))
        low, high = np.percentile(drawn, [2.5, 97.5])
        rows.append([LABELS[name], UNITS[name], str(int(count.sum())),
                     f"{np.sqrt(square.sum() / count.sum()):.2f} [{low:.2f}, {high:.2f}]", ""])
    for title, part in (("all numbers, reports without answers", [one for one in found if not one.answered]),
                        ("all numbers, reports with answers", [one for one in found if one.answered])):
        if part:
            bad = sum(len(one.ungrounded) for one in part)
            rows.append([f"{title} ({len(part)} reports)", "", str(sum(one.numbers for one in part)), "", str(bad)])
    return Table("Numbers in the reports against a fresh measurement", ("quantity", "unit", "stated", "RMSE", "ungrounded"), rows)
