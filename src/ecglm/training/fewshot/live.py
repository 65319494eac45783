"""The table of a running few-shot recipe, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from ecglm.training.fewshot.recipe import Row, Tell


@contextmanager
def live() -> Iterator[Tell]:
    """What it yields is told of every line. Without a terminal, the table is printed once, at the end."""
    console = Console(stderr=True)
    rows: dict[tuple[str, str, str], Row] = {}
    with Live(console=console, refresh_per_second=4, auto_refresh=console.is_terminal) as shown:
        def tell(row: Row) -> None:
            rows[row.method, row.task, row.condition] = row
            if console.is_terminal:
                shown.update(_table(list(rows.values())))

        yield tell
        shown.update(_table(list(rows.values())))
    if not console.is_terminal:
        console.print()


def _table(rows: list[Row]) -> Table:
    table = Table("method", "task", "condition", "episodes", "accuracy, %", "95 % interval", "chance", "loss", "s / episode")
    for row in rows:
        s = row.score
        table.add_row(
            row.method, row.task, row.condition, f"{row.done}/{row.total}",
            "" if row.accuracy is None else f"{100 * row.accuracy:.1f}",
            "" if s is None else f"{100 * s.attributes.low:.1f} to {100 * s.attributes.high:.1f}",
            "" if s is None else f"{100 * s.chance:.0f}", "" if row.loss is None else f"{row.loss:.2f}",
            "" if not row.seconds else f"{row.seconds / max(row.done, 1):.2f}")
    return table
