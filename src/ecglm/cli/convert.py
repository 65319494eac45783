"""`ecglm convert FILE -o OUT`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import File, Reader, reads_recordings
from ecglm.cli.output import print_text, verb_app

app = verb_app()


@app.command()
@reads_recordings
def convert(
    file: File, read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT", help="Such as ecg.hea (WFDB), .edf, .dcm, .csv or .npz.")],
) -> None:
    """Write a recording, or a part of it, in another format; the extension chooses it."""
    from ecglm.records.export import check_format

    check_format(out)  # before the work, not after it
    read(file).save(out)
    print_text(f"wrote {out}")
