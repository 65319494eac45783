"""`ecglm digitize IMAGE -o RECORD`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import print_json, print_text, verb_app, waiting

app = verb_app()


@app.command()
def digitize(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A scan or photo of an ECG page: PNG, JPEG, TIFF, BMP, PDF.")],
    out: Annotated[str | None, typer.Option(
        "-o", "--out", metavar="RECORD", help="Such as ecg.hea (WFDB), .edf, .dcm, .csv or .npz.")] = None,
    overlay: Annotated[str | None, typer.Option(
        "--overlay", metavar="O.png", help="Also write the image with what was read drawn over it.")] = None,
    leads: Annotated[str | None, typer.Option(
        "--leads", metavar="I,II,…", help="Names of the leads, row by row; default: read, or the usual ones.")] = None,
    speed: Annotated[float | None, typer.Option(
        "--speed", metavar="MM/S", help="Paper speed. Default: as printed, by the calibration pulse, or 25.")] = None,
    gain: Annotated[float | None, typer.Option(
        "--gain", metavar="MM/MV", help="Default: by the calibration pulse, as printed, or 10.")] = None,
    page: Annotated[int, typer.Option("--page", help="Which page, of a file with several.")] = 1,
    text: Annotated[bool | None, typer.Option(
        "--text/--no-text", show_default=False,
        help="Read the printed speed, gain and names; default: where rapidocr is installed.")] = None,
    json: Json = False,
) -> None:
    """Read an ECG off an image of its page, with a confidence for each lead, or say why it cannot be read."""
    from ecglm.paper import check_sheet, save_image
    from ecglm.paper.digitize import overlay as drawn
    from ecglm.paper.digitize import read_page
    from ecglm.records.export import check_format

    if out is not None:
        check_format(out)  # before the work, not after it
    if overlay is not None:
        check_sheet(overlay)
    names = None if leads is None else [name.strip() for name in leads.split(",")]
    with waiting("Reading the page"):
        found = read_page(image, leads=names, speed=speed, gain=gain, page=page, text=text)
    if out is not None:
        found.record.save(out)
    if overlay is not None:
        save_image(drawn(found), overlay)
    if json:
        print_json({"path": image, "record": out, "overlay": overlay, **found.to_dict()})
        return
    print_text(found.text)
    for written in (out, overlay):
        if written is not None:
            print_text(f"wrote {written}")
