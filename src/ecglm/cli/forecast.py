"""`ecglm forecast`: what may begin after a recording, with the evidence, or why that cannot be said."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ecglm.cli.options import File, Json, Opener, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, print_text, verb_app

app = verb_app()


@app.command()
@reads_recordings
def forecast(
    file: File, read: Reader, open_windows: Opener, json: Json = False,
    event: Annotated[str, typer.Option("--event", help="af, aflutter, or any of the two.")] = "af",
    horizon: Annotated[float, typer.Option("--horizon", metavar="S", help="Within so many seconds, 60 to 600.")] = 300.0,
    window: Annotated[float, typer.Option("--window", metavar="S", help="By so many seconds before, 10 to 600.")] = 600.0,
    at: Annotated[float | None, typer.Option("--at", metavar="S", help="From this moment on; default: the end.")] = None,
    base_rate: Annotated[float | None, typer.Option(
        "--base-rate", metavar="SHARE", help="How often the event follows in people like this one, 0 to 1.")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="DIR", help="Folder of a forecaster; default: the one that "
                                              "ships.")] = None,
) -> None:
    """How probable it is that atrial fibrillation or flutter begins soon, by the minutes before."""
    from ecglm.inference.forecast import forecast as ask
    from ecglm.models.forecast.forecaster import SHIPPED

    windows = open_windows(file, longer_s=0.0)
    found = ask(read(file) if windows is None else windows, event, horizon, window, at_s=at, base_rate=base_rate,
                model=SHIPPED if model is None else model, progress=sys.stderr.isatty())
    if json:
        print_json(found.to_dict())
        return
    print_text(found.answer)
    if found.note:
        print_text(f"note: {found.note}")
    if not found.abstained:
        print_table(("", ""), [
            ("one of these follows in nine of ten simulated people", ", ".join(found.classes)), ("model", found.model)])
