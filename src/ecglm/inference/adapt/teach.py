"""`teach`: labelled recordings to an `Adapter`; `teach_table` begins with a CSV file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.errors import EcglmError, ReadError, RecordError, UsageError
from ecglm.inference.adapt.adapter import Adapter
from ecglm.inference.adapt.checks import Example, Group, check, kind_of
from ecglm.inference.adapt.space import Description, FewShotSpace
from ecglm.inference.adapt.support import MAX_ROWS, Problem, Row, SupportError, cleaned, read_table
from ecglm.inference.adapt.taught import Taught, cross_validate, described
from ecglm.inference.adapt.wording import Wording, wording
from ecglm.records.record import Record, checked_record

#: A labelled recording in Python: (record, question, answer), or with the patient as a fourth.
Labelled = tuple[Record, str, str] | tuple[Record, str, str, str | None]


@dataclass(frozen=True)
class Lesson:
    """What came of teaching: the adapter, and warnings about its examples."""

    adapter: Adapter
    problems: tuple[Problem, ...]

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm adapt --json`` prints, but for the folder."""
        return {"questions": [{"question": one.wordings[0], "answers": one.counts, "n_patients": one.n_patients,
                               "estimate": one.estimate.to_dict()} for one in self.adapter.questions],
                "problems": [problem.to_dict() for problem in self.problems]}


def teach(given: Sequence[Labelled], *, same_patient: bool = False, progress: bool = False) -> Lesson:
    """Of records in memory, numbered from 1. Raises SupportError that lists everything wrong, UsageError for none."""
    if not given:
        raise UsageError("no examples; give (record, question, answer) of several recordings")
    if len(given) > MAX_ROWS:
        raise UsageError(f"{len(given):,} examples; teach with at most {MAX_ROWS}")
    rows = []
    for number, item in enumerate(given, 1):
        if not isinstance(item, (tuple, list)) or len(item) not in (3, 4):
            raise UsageError(f"example {number} is not (record, question, answer) or (record, question, answer, patient)")
        patient = None if len(item) == 3 or item[3] is None else str(item[3])
        rows.append(Row(number, checked_record(item[0]), item[1], item[2], patient))
    return _learn("examples", rows, [], lambda record: (checked_record(record), None), same_patient, progress)


def teach_table(path: str | os.PathLike[str], read: Callable[[str], Record] | None = None, *, same_patient: bool = False,
                progress: bool = False) -> Lesson:
    """Of a CSV file with columns path, question, answer and perhaps patient. read: what reads a recording (default `ecglm.read`).
    Raises SupportError, and UsageError when it is no such table."""
    from ecglm.records import read as read_any
    from ecglm.records.deidentify import patient_of

    rows, problems = read_table(path)
    folder, reader = Path(path).parent, read or read_any

    def load(source: str | Record) -> tuple[Record, str | None]:
        name = str(folder / str(source))
        try:
            return reader(name), patient_of(name)
        except ReadError as error:
            what, meant, hint = str(error).partition("did you mean ")
            raise UsageError(what + meant + hint.replace(f"{folder}{os.sep}", "")) from None  # as the table would have it

    return _learn(os.fspath(path), rows, problems, load, same_patient, progress)


@dataclass(frozen=True)
class _Seen:
    """What is needed of a recording once it was read."""

    patient: str | None
    described: Description
    kind: dict[str, str]
    lost: tuple[str, ...]


def _learn(source: str, given: Sequence[Row], problems: list[Problem],
           load: Callable[[str | Record], tuple[Record, str | None]], same_patient: bool, progress: bool) -> Lesson:
    """load: recording and patient of a row's source; every recording is read and measured once."""
    space = FewShotSpace.load()
    rows, more = cleaned(given)
    problems = [*problems, *more]
    seen: dict[str | int, _Seen | EcglmError] = {}
    by_question: dict[Wording, list[Example]] = {}
    with _bar(progress, 2 * len(rows)) as tell:
        for row in rows:
            key = row.source if isinstance(row.source, str) else id(row.source)
            if key not in seen:
                seen[key] = _see(row.source, load)
            one = seen[key]
            if isinstance(one, EcglmError):
                problems.append(Problem("error", str(one), row.row))
            else:
                if one.lost:
                    problems.append(Problem("warning", f"lead {', '.join(one.lost)} cannot be read and is left out; `ecglm info` "
                                                       "says what is wrong", row.row))
                by_question.setdefault(wording(row.question), []).append(
                    Example(row.row, row.question, row.answer, row.patient or one.patient, one.described, one.kind))
            tell()
        groups = [Group(tuple(examples)) for examples in by_question.values()]
        whole = all(problem.severity != "error" for problem in problems)
        problems += [problem for group in groups for problem in check(group, space, same_patient, whole)]
        problems.sort(key=lambda p: (p.severity, p.row or 0))
        if not groups or any(problem.severity == "error" for problem in problems):
            raise SupportError(source, problems)
        return Lesson(Adapter([_taught(group, space, tell) for group in groups], space), tuple(problems))


def _see(source: str | Record, load: Callable[[str | Record], tuple[Record, str | None]]) -> _Seen | EcglmError:
    try:
        record, patient = load(source)
        try:
            found, lost = described(record)
        except RecordError as error:
            raise UsageError(f"{error}; give another recording") from None
        kept = replace(found, beat_NLK=found.beat_NLK.astype(np.float16).astype(np.float32))  # as the folder keeps it
        return _Seen(patient, kept, kind_of(record), lost)
    except EcglmError as error:
        return error


def _taught(group: Group, space: FewShotSpace, tell: Callable[[], None]) -> Taught:
    estimate = cross_validate(space, group.described, group.answer_K, group.patient_K, tell)
    wordings = tuple(dict.fromkeys(example.question for example in group.examples))
    return Taught(wordings, group.answers, group.answer_K, np.array([example.row for example in group.examples]), group.described,
                  len(set(group.patient_K)), estimate)


@contextmanager
def _bar(progress: bool, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's stderr; what is yielded advances it."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        task = bar.add_task("Learning", total=total)
        yield lambda: bar.advance(task)
