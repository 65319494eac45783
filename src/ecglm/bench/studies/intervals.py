"""`measure` against what is true of simulated records, condition by condition: how far off, what is missing, what is made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.signal import measure
from ecglm.signal.simulate import CONDITIONS, stream

#: By name in a simulated record's truth: the field of `Measurements`, its title, and by how much it may be off.
KEYS: dict[str, tuple[str, str, float]] = {
    "heart_rate": ("heart_rate", "rate, bpm", 3.0), "p": ("p_duration", "P, ms", 30.0), "pr": ("pr", "PR, ms", 30.0),
    "qrs": ("qrs", "QRS, ms", 30.0), "qt": ("qt", "QT, ms", 40.0), "axis": ("axis", "QRS axis, deg", 20.0),
}
#: Simulated records of each condition, of a seed that nothing was chosen with.
EACH, SEED = 10, 90210


@dataclass
class Outcome:
    """One measurement of several records. errors: measured minus true; missing: records in which nothing is given; made_up,
    nothing_there: records in which there is nothing to measure, and those of them in which something is given."""

    errors: list[float] = field(default_factory=list)
    missing: int = 0
    made_up: int = 0
    nothing_there: int = 0

    def add(self, value: float | None, true: float | None, circular: bool) -> None:
        """Count one record."""
        if true is None:
            self.nothing_there += 1
            self.made_up += value is not None
        elif value is None:
            self.missing += 1
        else:
            error = value - true
            self.errors.append(round((error + 180.0) % 360.0 - 180.0 if circular else error, 1))

    def wrong(self, limit: float) -> int:
        """Records that are off by more."""
        return sum(abs(error) > limit for error in self.errors)

    def shown(self, limit: float) -> str:
        """Median error, then what is wrong."""
        cell = [f"{np.median(self.errors):+.0f}"] if self.errors else []
        if wrong := self.wrong(limit):
            cell.append(f"{wrong} off, most {max(self.errors, key=abs):+.0f}")
        if self.missing:
            cell.append(f"{self.missing} not given")
        if self.made_up:
            cell.append(f"{self.made_up} made up")
        return "; ".join(cell) or "none"


def run(seed: int, draws: int, progress: bool) -> Study:
    """All conditions; seed and draws belong to studies with confidence intervals."""
    from rich.progress import track

    found = {name: outcomes(name) for name in track(list(CONDITIONS), "Simulated", disable=not progress)}
    sums = [[title, f"{limit:g}", *_sums([by_key[key] for by_key in found.values()], limit)]
            for key, (_, title, limit) in KEYS.items()]
    rows = [[name, *(by_key[key].shown(limit) for key, (_, _, limit) in KEYS.items())] for name, by_key in found.items()]
    notes = (f"{EACH} recordings of 10 s and 12 leads of each condition, with recorder noise. Median error; how many are off by "
             "more than the limit; not given though it is there; made up: given with nothing to measure, such as PR in "
             "flutter. \"none\": nothing to measure and nothing given.",)
    return Study([Table("All conditions", ("measurement", "limit", "recordings", "median absolute error", "off by more, %",
                                           "not given, %", "made up"), sums),
                  Table("By condition", ("condition", *(title for _, title, _ in KEYS.values())), rows)],
                 len(found) * EACH, len(found) * EACH, digest([SEED, EACH, list(CONDITIONS)]), notes,
                 {name: {key: asdict(one) for key, one in by_key.items()} for name, by_key in found.items()})


def outcomes(condition: str, each: int = EACH, seed: int = SEED, noise: bool = True) -> dict[str, Outcome]:
    """Of so many records of a condition, by name in KEYS."""
    out = {key: Outcome() for key in KEYS}
    for one in stream(condition, each, seed=seed, noise=noise):
        measured = measure(one.record).named()
        for key, (name, _, _) in KEYS.items():
            out[key].add(measured[name].value, one.truth.intervals.get(key), key == "axis")
    return out


def _sums(every: Sequence[Outcome], limit: float) -> list[str]:
    errors = np.abs([error for one in every for error in one.errors])
    there = len(errors) + sum(one.missing for one in every)
    return [str(there), f"{np.median(errors):.1f}", f"{100 * (errors > limit).mean():.1f}",
            f"{100 * sum(one.missing for one in every) / there:.1f}",
            f"{sum(one.made_up for one in every)} of {sum(one.nothing_there for one in every)}"]
