"""`ecglm synth -o DIR --n 100 --seed N`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import counting, print_json, print_table, print_text, verb_app

app = verb_app()


@app.command()
def synth(
    out: Annotated[str | None, typer.Option("-o", "--out", metavar="DIR", help="Folder to write to, or to go on with.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="How many records.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same records.")] = 0,
    condition: Annotated[list[str] | None, typer.Option(
        "--condition", metavar="NAME", help="One of --list, several at once with +; repeat it to take them in turn.")] = None,
    duration: Annotated[float | None, typer.Option(
        "--duration", metavar="S", help="Length of each record: 10; with --onset 1440.")] = None,
    fs: Annotated[float | None, typer.Option("--fs", metavar="HZ", help="Sampling rate: 500; with --onset 250.")] = None,
    leads: Annotated[str | None, typer.Option(
        "--leads", metavar="NAMES", help="Leads with commas: the standard 12; with --onset II,V1.")] = None,
    onset: Annotated[str | None, typer.Option(
        "--onset", metavar="EVENT", help="Long records until af or aflutter begins; sinus: neither does.")] = None,
    mechanism: Annotated[str | None, typer.Option(
        "--mechanism", metavar="NAME", help="What precedes the onset, see --list; one that fits is drawn if not given.")] = None,
    onset_s: Annotated[float | None, typer.Option(
        "--onset-s", metavar="S", help="When it begins: two minutes before the end.")] = None,
    lasts: Annotated[float | None, typer.Option("--lasts", metavar="S", help="How long it lasts: until the end.")] = None,
    gallery: Annotated[str | None, typer.Option(
        "--gallery", metavar="FILE.png", help="Draw one strip of every condition on a sheet.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the conditions.")] = False,
    json: Json = False,
) -> None:
    """Simulate labelled recordings. Writes NPZ files, and truth.jsonl with labels, intervals, fiducials and events of each."""
    from ecglm.errors import UsageError
    from ecglm.signal.simulate import CONDITIONS, OnsetRequest, simulate
    from ecglm.signal.simulate.onset import MECHANISMS, MIXTURES

    if onset is None and (mechanism, onset_s, lasts) != (None, None, None):
        raise UsageError("--mechanism, --onset-s and --lasts say more of an --onset; name af, aflutter or sinus with it")
    if show:
        if json:
            print_json({"conditions": [{"name": c.name, "title": c.title, "criterion": c.criterion, "source": c.source,
                                        "labels": list(c.labels)} for c in CONDITIONS.values()],
                        "onsets": {event: dict(mixture) for event, mixture in MIXTURES.items()}})
        else:
            print_table(("condition", "criterion", "labels"),
                        [(c.name, c.criterion, " ".join(c.labels)) for c in CONDITIONS.values()])
            print_table(("mechanism of --onset", "af", "aflutter"),
                        [(m, *(f"{MIXTURES[event][m]:.0%}" for event in ("af", "aflutter"))) for m in MECHANISMS])
    if gallery is not None:
        from ecglm.paper import Cell, save_image
        from ecglm.paper import gallery as draw
        from ecglm.paper.gallery import CELL_S
        from ecglm.signal.simulate.telling import telling

        names = condition or list(CONDITIONS)
        made = simulate(names, len(names), fs=500.0 if fs is None else fs, duration_s=10.0 if duration is None else duration,
                        seed=seed)
        save_image(draw([Cell(s.truth.condition, *telling(s, CELL_S)) for s in made]), gallery)
        print_text(f"wrote {gallery}")
    if out is not None:
        asked = None if onset is None else OnsetRequest(onset, mechanism, onset_s, lasts)
        _write(out, condition, n, {"seed": seed, "fs": fs, "duration_s": duration, "onset": asked,
                                   "leads": leads and leads.split(",")}, json)
    elif not show and gallery is None:
        raise UsageError("nothing to do; give a folder with -o, or --list, or --gallery FILE.png")


def _write(out: str, condition: list[str] | None, n: int, how: dict[str, Any], json: bool) -> None:
    from ecglm.signal.simulate import write_folder

    with counting("synth", n) as tell:
        new = write_folder(out, condition, n, tell=tell, **how)
    if json:
        print_json({"folder": out, "records": n, "new": new})
    else:
        print_text(f"wrote {new} records to {out}" + (f" ({n - new} were there)" if new < n else ""))
