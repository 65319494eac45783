"""`ecglm adapt SUPPORT.csv -o DIR`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecglm.cli.options import Json, Reader, reads_recordings
from ecglm.cli.output import print_json, print_text, verb_app

if TYPE_CHECKING:
    from ecglm.inference.adapt.teach import Lesson

app = verb_app()


@app.command()
@reads_recordings
def adapt(
    support: Annotated[str, typer.Argument(
        metavar="SUPPORT.csv", help="Columns path, question, answer and perhaps patient; paths are relative to it.")],
    read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Adapter folder to write.")],
    same_patient: Annotated[bool, typer.Option(
        "--same-patient", help="A patient may have recordings of different answers, as before and after a treatment.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an adapter that is there.")] = False,
    json: Json = False,
) -> None:
    """Teach it your own question: five labelled recordings per answer.

    They should be of different patients. Checks the table, estimates how often the answers will be right, and writes an adapter
    for `ecglm ask --adapter`.
    """
    import os
    import shlex
    from pathlib import Path

    from ecglm.inference.adapt.folder import check_writable
    from ecglm.inference.adapt.support import SupportError
    from ecglm.inference.adapt.teach import teach_table

    check_writable(Path(os.path.expanduser(out)), overwrite)  # before the work, not after it
    try:
        lesson = teach_table(support, read, same_patient=same_patient, progress=sys.stderr.isatty())
    except SupportError as error:
        if json:
            print_json({"adapter": None, "questions": [], "problems": [problem.to_dict() for problem in error.problems]})
        else:
            for problem in error.listed:
                print_text(problem)
        raise
    size = lesson.adapter.save(out, overwrite)
    if json:
        print_json({"adapter": out, "bytes": size, **lesson.to_dict()})
    else:
        _print(lesson)
        asked = lesson.adapter.questions[0].wordings[0]
        print_text(f"wrote {out} ({size / 1e6:.2f} MB); ask: {shlex.join(['ecglm', 'ask', 'FILE', asked, '--adapter', out])}")


def _print(lesson: Lesson) -> None:
    for problem in lesson.problems:
        print_text(problem)
    for one in lesson.adapter.questions:
        print_text(f"{one.wordings[0]}\n  {one.shown}\n  cross-validated: {one.estimate.text}")
        if not one.estimate.above_chance:
            print_text("  warning: not above chance; the examples are too few, or these answers cannot be told from the ECG")
