"""`ecglm report FILE -o OUT`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Adapter, File, Model, Reader, reads_recordings
from ecglm.cli.output import print_text, verb_app, waiting

app = verb_app()


@app.command()
@reads_recordings
def report(
    file: File, read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT", help="Such as report.html.")],
    model: Model = None, adapter: Adapter = None,
) -> None:
    """Write a report; the extension of its name chooses the format."""
    import ecglm
    from ecglm.reporting.save import check_format

    check_format(out)  # before the work, not after it
    record = read(file)
    with waiting("Writing the report"):
        ecglm.load(model=model, adapter=adapter).report(record).save(out)
    print_text(f"wrote {out}")
