"""`ecglm plot FILE -o OUT.png`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Duration, File, Model, Reader, Start, reads_recordings
from ecglm.cli.output import print_text, verb_app, waiting

app = verb_app()


@app.command()
@reads_recordings
def plot(
    file: File, read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT", help="A page as .png, or .html to explore in a browser.")],
    layout: Annotated[str, typer.Option("--layout", help="Of the page: 3x4, 6x2 or 12x1.")] = "3x4",
    findings: Annotated[bool | None, typer.Option(
        "--findings/--no-findings", help="Name the model's findings; by default where its checkpoint is there.")] = None,
    model: Model = None,
    start_s: Start = None, duration_s: Duration = None,
) -> None:
    """Draw an ECG with its waves, intervals, kinds of beats and findings marked."""
    import ecglm
    from ecglm.errors import CheckpointError
    from ecglm.reporting.plot import check_format

    check_format(out)  # before the work, not after it
    record = read(file)
    loaded = None
    with waiting("Plotting"):
        if findings is not False:
            try:
                loaded = ecglm.load(model=model)
            except CheckpointError as error:
                if findings or model is not None:
                    raise
                print_text(f"note: no findings: {error}")
        begins_s = None if start_s is None and duration_s is None else start_s or 0.0
        done = ecglm.plot(record, layout=layout, duration_s=duration_s, model=loaded, begins_s=begins_s)
        done.save(out)
    print_text(f"wrote {out}")
    if (part := done.shown(out)):
        print_text(f"note: it shows {part}")
