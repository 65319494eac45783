"""A window before an event, and the grid of windows and horizons that CAMEL (arXiv 2602.15677) published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ecglm.schema import ATRIAL_RHYTHMS

#: Classes of forecasts, in the order of every column of probabilities.
CLASSES = ATRIAL_RHYTHMS
#: Published lengths (s) of a window and horizons (s) from its end to the onset.
WINDOWS, HORIZONS = (10, 30, 60, 120, 300, 600), (60, 180, 300, 600)
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class ForecastItem:
    """What happens horizon_s after the window [start_s, stop_s) of a record (s from its beginning).

    record: its path below the data set's folder, without suffix. subject: clusters intervals, never on two sides of a split.
    onset_s: when the event begins, stop_s + horizon_s; None where there is none. label: one of CLASSES. purity: share of the
    window in annotated sinus rhythm (NaN: not annotated). mechanism: of a simulated onset. kind: "onset", "matched" (a window
    of the same subject with no event), "control" (of a subject without events), or, in afpdb, "imminent", "distant", "none".
    dataset and split: of the folder it was read from.
    """

    record: str
    subject: str
    window_s: float
    horizon_s: float
    start_s: float
    stop_s: float
    onset_s: float | None
    label: str
    purity: float
    mechanism: str = ""
    kind: str = ""
    dataset: str = ""
    split: str = ""

    def __post_init__(self) -> None:
        if self.label not in CLASSES:
            raise ValueError(f"label {self.label!r} must be one of {', '.join(CLASSES)}")
        if not 0 <= self.start_s < self.stop_s:
            raise ValueError(f"a window from {self.start_s} s to {self.stop_s} s is none")
        if self.onset_s is not None and self.stop_s > self.onset_s - self.horizon_s + 1e-6:
            raise ValueError(f"a window that ends at {self.stop_s} s is less than {self.horizon_s} s before {self.onset_s} s")

    @property
    def target(self) -> int:
        """Its column among CLASSES."""
        return CLASSES.index(self.label)

    def to_dict(self) -> dict[str, Any]:
        """A line of a manifest: NaN becomes None."""
        return asdict(self) | {"purity": None if self.purity != self.purity else self.purity}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> ForecastItem:
        """The inverse; further keys of the line are left out."""
        known = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        return cls(**known | {"purity": float("nan") if row.get("purity") is None else float(row["purity"])})


def select(items: Iterable[ForecastItem], *, purity: float = 0.0, window_s: float | None = None, horizon_s: float | None = None,
           split: str | None = None, kinds: Sequence[str] = ()) -> list[ForecastItem]:
    """Items of a cell of the grid, of a split, of these kinds, with at least this purity (0 takes the unannotated as well)."""
    return [item for item in items
            if (purity <= 0 or item.purity >= purity) and window_s in (None, item.window_s)
            and horizon_s in (None, item.horizon_s) and split in (None, item.split) and (not kinds or item.kind in kinds)]
