"""The table of labelled recordings that a question is taught with, checked before anything is learnt from it.

`read_table` reads the CSV, `checks` looks at what the recordings show; together they say everything that is wrong at once.
"""

from __future__ import annotations

import csv
import io
import os
import re
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
#: Columns named in a message.
SHOWN = 6
#: What Excel puts first where the machine's separator is another, and how its workbooks begin (ZIP, OLE2).
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?[,;\t]*\n', re.I)
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
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
        #: What this message does not say itself: a single error is in it.
        self.listed = tuple(p for p in problems if len(errors) > 1 or p.severity != "error")


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
    declared = _SEPARATOR.match(text)  # Excel's first line, which it does not count as a row
    text = text[declared.end():] if declared else text
    head = text.split("\n", 1)[0]
    delimiter = declared[1] if declared else max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{name}: not readable as CSV ({error}); save it as CSV with columns {','.join(COLUMNS)}") from None
    columns = [cell.strip().lower() for cell in lines[0]] if lines else []
    if missing := [column for column in COLUMNS if column not in columns]:
        raise UsageError(f"{name}: {_without(missing, columns)}")
    if twice := [column for column in (*COLUMNS, *OPTIONAL) if columns.count(column) > 1]:
        raise UsageError(f"{name}: column {', '.join(twice)} is there twice; keep one of them")
    problems = []
    if extra := [column or "(no name)" for column in columns if column not in (*COLUMNS, *OPTIONAL)]:
        read = ", ".join((*COLUMNS, *OPTIONAL))
        problems.append(Problem("warning", f"column {_few(extra)} is ignored{_meant(columns)}; {read} are read", 1))
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
    if not rows and not any(problem.severity == "error" for problem in problems):
        raise UsageError(f"{name}: has no rows; give one labelled recording per row")
    if len(rows) > MAX_ROWS:
        raise UsageError(f"{name}: {len(rows):,} rows; teach with at most {MAX_ROWS}, or train a model (docs/train.md)")
    return rows, problems


def _without(missing: Sequence[str], columns: Sequence[str]) -> str:
    """What is said of a header in which columns are missing."""
    found = [column for column in columns if column]
    shown = f"found {_few(found)}{_meant(columns)}; " if found else ""
    return f"column {', '.join(missing)} is missing; {shown}the first row must be {','.join(COLUMNS)}[,patient]"


def _few(columns: Sequence[str]) -> str:
    return ", ".join(columns[:SHOWN]).strip()[:MAX_ANSWER] + (", ..." if len(columns) > SHOWN else "")


def _meant(columns: Sequence[str]) -> str:
    """Of a header: names that are near one that is not there."""
    absent = [column for column in (*COLUMNS, *OPTIONAL) if column not in columns]
    near = {column: closest(column, absent) for column in columns[:MAX_ANSWER]
            if 0 < len(column) <= MAX_ANSWER and column not in (*COLUMNS, *OPTIONAL)}
    hints = [f"{column}: {hint}" for column, hint in near.items() if hint.startswith("did you mean")]
    return f" ({'; '.join(hints[:SHOWN])})" if hints else ""


def _text(name: str) -> str:
    try:
        if os.path.getsize(name) > MAX_BYTES:
            raise UsageError(f"{name}: larger than {MAX_BYTES:,} bytes; is this a table of paths and answers?")
        if not os.path.isfile(name):
            raise UsageError(f"{name}: not a file; give a CSV file with columns {','.join(COLUMNS)}")
        raw = Path(name).read_bytes()
        if raw.startswith(_WORKBOOK):
            raise UsageError(f"{name}: a workbook of a spreadsheet; save it as CSV UTF-8")
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
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
            if not answer:
                raise UsageError("the answer is empty; say what the recording shows")
            if len(answer) > MAX_ANSWER:
                raise UsageError(f"the answer has {len(answer)} letters; give at most {MAX_ANSWER}")
        except UsageError as error:
            problems.append(Problem("error", str(error), row.row))
            continue
        good.append(replace(row, question=question, answer=spelling.setdefault(answer.casefold(), answer)))
    return good, problems
