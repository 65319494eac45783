"""`ecglm index TABLE.csv -o DIR`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ecglm.cli.options import Json, Model, Reader, Towers, reads_recordings
from ecglm.cli.output import print_json, print_text, verb_app

app = verb_app()


@app.command()
@reads_recordings
def index(
    table: Annotated[str, typer.Argument(
        metavar="TABLE.csv", help="Columns path (relative to it), text, or both, perhaps id; or: ptbxl, your copy of it.")],
    read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Index folder to write.")],
    model: Model = None, towers: Towers = None, json: Json = False,
) -> None:
    """Make a folder of recordings and reports searchable.

    Texts stay as they are and are not sent anywhere. A recording that cannot be read is named and left out.
    """
    import ecglm
    from ecglm.inference.model import whole
    from ecglm.inference.retrieval.build import build

    built, problems = build(whole(ecglm.load(model=model, towers=towers)), table, read, progress=sys.stderr.isatty())
    size = built.save(out)
    if json:
        print_json({"index": out, "entries": len(built), "sides": list(built.vectors), "bytes": size, "problems": problems})
        return
    for problem in problems:
        print_text(f"left out: {problem}")
    print_text(f"wrote {out}: {len(built)} entries, {' and '.join(built.vectors)}, {size / 1e6:.2f} MB")
