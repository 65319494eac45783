"""The table of labelled recordings that a question is taught with, checked before anything is learnt from it.

`read_table` reads the CSV, `checks` looks at what the recordings show; together they say everything that is wrong at once.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ecglm.config import closest
from ecglm.errors import UsageError
from ecglm.inference.guard import check_question
from ecglm.models.prompt import clean_question
from ecglm.records.record import Record

COLUMNS, OPTIONAL = ("path", "question", "answer"), ("patient",)
#: Larger tables are no support of a few examples; they also bound an adapter to 2 MB.
MAX_BYTES, MAX_ROWS, MAX_ANSWER = 1_000_000, 400, 80
#: First row of a table below its header, as spreadsheets count.
FIRST_ROW = 2


@dataclass(frozen=True)
class Problem:
    """What is wrong and what to do about it. row: of the table as a spreadsheet counts (the header is row 1), or the number of
    the example in a list; None for what concerns all."""

    severity: Literal["error", "warning"]
    text: str
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.severity}: {'' if self.row is None else f'row {self.row}: '}{self.text}"

    def to_dict(self) -> dict[str, Any]:
        return {"severity": self.severity, "row": self.row, "text": self.text}


class SupportError(UsageError):
    """Examples that nothing can be learnt from as they are; `problems` lists all that is wrong."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        errors = [p for p in problems if p.severity == "error"]
        first = str(errors[0]).removeprefix("error: ")
        more = f" ({len(errors) - 1} more {'error is' if len(errors) == 2 else 'errors are'} listed)" if len(errors) > 1 else ""
        super().__init__(f"{source}: {first}{more}")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Row:
    """A row of the table, or an example of a list. source: the path of the recording as given, or the recording. patient: whose
    it is, where that is said; for comparing alone, it is never kept."""

    row: int
    source: str | Record
    question: str
    answer: str
    patient: str | None = None


def read_table(path: str | os.PathLike[str]) -> tuple[list[Row], list[Problem]]:
    """Rows of a CSV file (comma, semicolon or tab; UTF-8) that can be used, and what is wrong with the others. Paths are
    relative to the file. Raises UsageError when it is no such table."""
    name = os.fspath(path)
    text = _text(name)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{name}: not readable as CSV ({error}); save it as CSV with columns {','.join(COLUMNS)}") from None
    columns = [cell.strip().lower() for cell in lines[0]] if lines else []
    if missing := [column for column in COLUMNS if column not in columns]:
        raise UsageError(f"{name}: column {', '.join(missing)} is missing; the first row must be {','.join(COLUMNS)}"
                         f"{'[,patient]' if columns else ''}")
    problems = [Problem("error", f"column {column!r} is unknown or there twice; "
                                 f"{closest(column, (*COLUMNS, *OPTIONAL)) if column else 'name or remove it'}", 1)
                for number, column in enumerate(columns) if column not in (*COLUMNS, *OPTIONAL) or column in columns[:number]]
    rows = []
    for number, line in enumerate(lines[1:], FIRST_ROW):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(columns):
            problems.append(Problem("error", f"{len(line)} cells where the header has {len(columns)}; quote cells that hold "
                                             f"{delimiter!r}", number))
            continue
        cell = dict(zip(columns, line, strict=True))
        rows.append(Row(number, cell["path"].strip(), cell["question"], cell["answer"], cell.get("patient", "").strip() or None))
    if not rows and not problems:
        raise UsageError(f"{name}: has no rows; give one labelled recording per row")
    if len(rows) > MAX_ROWS:
        raise UsageError(f"{name}: {len(rows):,} rows; teach with at most {MAX_ROWS}, or train a model (docs/train.md)")
    return rows, problems


def _text(name: str) -> str:
    try:
        if os.path.getsize(name) > MAX_BYTES:
            raise UsageError(f"{name}: larger than {MAX_BYTES:,} bytes; is this a table of paths and answers?")
        if not os.path.isfile(name):
            raise UsageError(f"{name}: not a file; give a CSV file with columns {','.join(COLUMNS)}")
        return Path(name).read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise UsageError(f"{name}: no such file; give a CSV file with columns {','.join(COLUMNS)}") from None
    except OSError as error:
        raise UsageError(f"{name}: cannot be read ({error.strerror}); check its permissions") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name}: not UTF-8 text; save it as CSV UTF-8") from None


def cleaned(rows: Sequence[Row]) -> tuple[list[Row], list[Problem]]:
    """Questions and answers on one line, answers that differ in case alone spelled alike; what is empty or too long."""
    spelling: dict[str, str] = {}
    good, problems = [], []
    for row in rows:
        try:
            question, answer = check_question(row.question), clean_question(str(row.answer))
            if row.source == "":
                raise UsageError("the path is empty; name the recording")
            if not answer or len(answer) > MAX_ANSWER:
                raise UsageError(f"the answer has {len(answer)} letters; give 1 to {MAX_ANSWER}")
        except UsageError as error:
            problems.append(Problem("error", str(error), row.row))
            continue
        good.append(replace(row, question=question, answer=spelling.setdefault(answer.casefold(), answer)))
    return good, problems
