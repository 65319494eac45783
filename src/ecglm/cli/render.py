"""`ecglm render FILE -o PAGE.png`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Reader, reads_recordings
from ecglm.cli.output import print_text, verb_app

app = verb_app()


@app.command()
@reads_recordings
def render(
    read: Reader,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="A recording; only --gallery can do without.")] = None,
    out: Annotated[str | None, typer.Option(
        "-o", "--out", metavar="PAGE.png", help="Where to write the page, .png or .jpg.")] = None,
    layout: Annotated[str, typer.Option(
        "--layout", help="3x4, 6x2 or 12x1; 3x4+1R, 3x4+3R or 6x2+1R with rhythm strips.")] = "3x4",
    order: Annotated[str, typer.Option("--order", help="standard or cabrera.")] = "standard",
    leads: Annotated[str | None, typer.Option("--leads", metavar="II,V5", help="Only these leads.")] = None,
    rhythm: Annotated[str | None, typer.Option(
        "--rhythm", metavar="II,V1", help="Leads of the rhythm strips; none for no strip.")] = None,
    speed: Annotated[float, typer.Option("--speed", metavar="MM/S", help="25 or 50 mm/s.")] = 25.0,
    gain: Annotated[float, typer.Option("--gain", metavar="MM/MV", help="5, 10 or 20 mm/mV.")] = 10.0,
    dpi: Annotated[int, typer.Option("--dpi", help="Pixels per inch, 50 to 600.")] = 200,
    style: Annotated[str, typer.Option("--style", help="red, brown, blue, green or bw.")] = "red",
    heading: Annotated[str, typer.Option(
        "--heading", help="How the header is arranged: columns, ledger, banner or card.")] = "columns",
    header: Annotated[bool, typer.Option(
        "--header/--no-header", help="Print age, sex and the measured values above the traces.")] = True,
    distort: Annotated[str, typer.Option(
        "--distort", metavar="HOW", help="none, light, heavy, scan, photo or pulse; or names: rotation,stains:0.5.")] = "none",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same distortions.")] = 0,
    truth: Annotated[str | None, typer.Option(
        "--truth", metavar="T.json", help="Also write where everything is drawn.")] = None,
    gallery: Annotated[str | None, typer.Option(
        "--gallery", metavar="SHEET.png",
        help="Every preset and distortion on a sheet; without FILE of a simulated recording.")] = None,
) -> None:
    """Draw the ECG page as PNG or JPEG, clean or as it looks used, scanned or photographed."""
    import ecglm
    from ecglm.errors import UsageError
    from ecglm.paper import PageHeader
    from ecglm.signal import unreadable

    record = None if file is None else read(file)
    if gallery is not None:
        _gallery(record, gallery, seed)
    if out is None and gallery is not None:
        return
    if record is None or out is None:
        raise UsageError("nothing to draw; give a recording and -o PAGE.png, or --gallery SHEET.png")
    shown = None if leads is None else record.leads  # which `read` has chosen and put in order
    strips = None if rhythm is None else [lead.strip() for lead in rhythm.split(",") if lead.strip() != "none"]
    measured = ecglm.measure(record)
    head = PageHeader.of(record, measured, heading) if header else None  # type: ignore[arg-type]
    page = ecglm.render(record, layout=layout, order=order, leads=shown, rhythm=strips, speed=speed, gain=gain, dpi=dpi,
                        style=style, header=head, distort=distort, seed=seed)
    page.save(out)
    print_text(f"wrote {out}")
    if (reason := unreadable(record, measured.quality)) is not None:
        print_text(f"note: {reason}")
    if truth is not None:
        page.truth.save(truth)
        print_text(f"wrote {truth}")


def _gallery(record: object, path: str, seed: int) -> None:
    from ecglm.paper import save_image
    from ecglm.paper.distort.sheet import sheet
    from ecglm.signal.simulate import simulate

    save_image(sheet(simulate(["normal"], 1, seed=7)[0].record if record is None else record, seed=seed), path)  # type: ignore[arg-type]
    print_text(f"wrote {path}")
