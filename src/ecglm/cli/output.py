"""How commands write: JSON, plain text that cannot drive the terminal, tables on a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from ecglm.answers import percent

if TYPE_CHECKING:
    from ecglm.answers import Answer
    from ecglm.schema import Measurements

#: Unicode categories a terminal may act on: control, format (direction), surrogate, private use.
_UNSAFE = ("Cc", "Cf", "Cs", "Co")


def verb_app(help_text: str | None = None) -> typer.Typer:
    """A Typer app with the settings every verb shares: plain help, no completion, no rich tracebacks."""
    return typer.Typer(help=help_text, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                       no_args_is_help=False)


def clean(text: object) -> str:
    """Text with control and direction-changing characters replaced, safe to print (newline and tab stay).

    File names, metadata and model output may hold escape sequences; a terminal must not obey them.
    """
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNSAFE and c not in "\n\t" else c
                   for c in str(text))


def print_json(value: Any) -> None:
    """One JSON object, ASCII only."""
    print(json.dumps(value, indent=2))


def print_text(text: object) -> None:
    """A line for people."""
    print(clean(text))


def print_error(message: str) -> None:
    """What went wrong, as one line on stderr."""
    print(f"ecglm: {clean(' '.join(message.split()))}", file=sys.stderr)


def how_sure(answer: Answer) -> str:
    """What follows an answer's text: "(possible, not called present: av block 6 %; confidence 77 %)"."""
    return f"({answer.note + '; ' if answer.note else ''}confidence {percent(answer.confidence)})"


def problem_rows(measured: Measurements) -> list[tuple[str, str]]:
    """What is wrong with which leads, and what could not be checked, as rows of a table."""
    return [("problem", problem.text) for problem in measured.problems] \
        + [("not checked", f"swapped {what}: {why}") for what, why in measured.not_checked.items()]


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on a terminal that something takes a while; silent elsewhere, and on standard output always."""
    if not sys.stderr.isatty():
        yield
        return
    print(f"{text} …", end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:  # what went wrong is printed on an empty line, too
        print("\x1b[2K", end="", file=sys.stderr, flush=True)


@contextmanager
def counting(text: str, total: int) -> Iterator[Callable[..., None]]:
    """A progress bar on a terminal, silent elsewhere; what it yields is called with the number done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done, *_: bar.update(task, completed=done)


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]], headed: bool = False) -> None:
    """A table: drawn on a terminal, tab-separated elsewhere, there without its head unless headed."""
    cells = [[clean(cell).replace("\n", " ").replace("\t", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        cells = [list(head), *cells] if headed else cells
        print("\n".join("\t".join(row) for row in cells))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=None, header_style="dim", pad_edge=False, show_header=any(head))
    for row in cells:
        table.add_row(*map(Text, row))
    Console().print(table)
