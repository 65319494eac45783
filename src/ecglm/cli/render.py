"""`ecglm render FILE -o PAGE.png`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import File, Reader, reads_recordings
from ecglm.cli.output import print_text, verb_app

app = verb_app()


@app.command()
@reads_recordings
def render(
    file: File, read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="PAGE.png", help="Where to write the page.")],
    layout: Annotated[str, typer.Option("--layout", help="3x4, 6x2 or 12x1.")] = "3x4",
    seed: Annotated[int, typer.Option("--seed", help="For whatever the page leaves to chance.")] = 0,
    header: Annotated[bool, typer.Option(
        "--header/--no-header", help="Print age, sex and the measured values above the traces.")] = True,
    truth: Annotated[str | None, typer.Option(
        "--truth", metavar="T.json", help="Also write where everything is drawn.")] = None,
) -> None:
    """Draw the ECG page as PNG."""
    import ecglm
    from ecglm.paper import PageHeader
    from ecglm.signal import unreadable

    record = read(file)
    measured = ecglm.measure(record)
    shown = PageHeader.of(record, measured) if header else None
    page = ecglm.render(record, layout=layout, seed=seed, header=shown)
    page.save(out)
    print_text(f"wrote {out}")
    if (reason := unreadable(record, measured.quality)) is not None:
        print_text(f"note: {reason}")
    if truth is not None:
        page.truth.save(truth)
        print_text(f"wrote {truth}")
