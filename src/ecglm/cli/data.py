"""`ecglm data list` and `ecglm data build pages | instructions | forecast`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.data_forecast import forecast
from ecglm.cli.data_instructions import instructions
from ecglm.cli.options import Json
from ecglm.cli.output import counting, print_json, print_table, print_text, verb_app

app = verb_app("Data sets ecglm can use, and corpora made of them.")
make = verb_app("Make a corpus of recordings.")
make.command()(instructions)
make.command()(forecast)
app.add_typer(make, name="build")


@app.callback()
def group() -> None:
    """Data sets ecglm can use, and corpora made of them."""


@make.callback()
def build() -> None:
    """Make a corpus of recordings."""


@app.command("list")
def list_(json: Json = False) -> None:
    """Every data set: is it here, where, and under which licence."""
    from ecglm import corpus

    sets = corpus.datasets()
    if json:
        print_json({"datasets": sets})
        return
    print_table(("name", "here", "licence", "folder"),
                [(s["name"], "yes" if s["path"] else "no", s["licence"], s["path"] or "-") for s in sets])


@make.command()
def pages(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder of recordings, or a data set of `ecglm data list`.")],
    out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Folder to write.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many pages.")] = 100,
    distort: Annotated[str, typer.Option("--distort", metavar="HOW", help="As for `ecglm render`.")] = "pulse",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same pages.")] = 0,
    vary: Annotated[bool, typer.Option("--vary/--alike", help="Change layout, order, gain, speed and colour, or not.")] = True,
    header: Annotated[float, typer.Option("--header", metavar="SHARE", help="Share of pages with a printed header.")] = 0.5,
    kind: Annotated[str, typer.Option("--format", help="jpg or png.")] = "jpg",
    dpi: Annotated[int, typer.Option("--dpi", min=50, max=600, help="Pixels per inch before distortion.")] = 200,
    licence: Annotated[str | None, typer.Option("--licence", help="Of a folder's recordings, for the manifest.")] = None,
    engine: Annotated[str, typer.Option("--engine", help="local or ray.")] = "local",
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; default: one per processor.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the folder, or make it larger.")] = False,
    json: Json = False,
) -> None:
    """Draw pages of recordings, with their truth and a manifest."""
    from ecglm.corpus.pages import Request
    from ecglm.corpus.pages import build as write

    request = Request(source, seed=seed, distort=distort, vary=vary, header=header, format=kind, dpi=dpi, licence=licence)
    with counting("pages", n) as tell:
        made = write(request, out, n, engine=engine, workers=workers, resume=resume, tell=tell)
    if json:
        print_json(made)
        return
    print_text(f"wrote {out}: {made['pages']} pages, {made['new']} of them new")
    if made["skipped"]:
        print_text(f"note: {made['skipped']} recordings could not be drawn; skipped.jsonl says why")
