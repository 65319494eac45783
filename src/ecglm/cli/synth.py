"""`ecglm synth -o DIR --n 100 --seed N`."""

from __future__ import annotations

from typing import Annotated

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
    duration: Annotated[float, typer.Option("--duration", metavar="S", help="Length of each record.")] = 10.0,
    fs: Annotated[float, typer.Option("--fs", metavar="HZ", help="Sampling rate.")] = 500.0,
    gallery: Annotated[str | None, typer.Option(
        "--gallery", metavar="FILE.png", help="Draw one strip of every condition on a sheet.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the conditions.")] = False,
    json: Json = False,
) -> None:
    """Simulate labelled recordings. Writes NPZ files, and truth.jsonl with labels, intervals, fiducials and events of each."""
    from ecglm.errors import UsageError
    from ecglm.signal.simulate import CONDITIONS, simulate

    if show:
        if json:
            print_json({"conditions": [{"name": c.name, "title": c.title, "criterion": c.criterion, "source": c.source,
                                        "labels": list(c.labels)} for c in CONDITIONS.values()]})
        else:
            print_table(("condition", "criterion", "labels"),
                        [(c.name, c.criterion, " ".join(c.labels)) for c in CONDITIONS.values()])
    if gallery is not None:
        from ecglm.paper import Cell, save_image
        from ecglm.paper import gallery as draw
        from ecglm.paper.gallery import CELL_S
        from ecglm.signal.simulate.telling import telling

        names = condition or list(CONDITIONS)
        made = simulate(names, len(names), fs=fs, duration_s=duration, seed=seed)
        save_image(draw([Cell(s.truth.condition, *telling(s, CELL_S)) for s in made]), gallery)
        print_text(f"wrote {gallery}")
    if out is not None:
        _write(out, condition, n, seed, fs, duration, json)
    elif not show and gallery is None:
        raise UsageError("nothing to do; give a folder with -o, or --list, or --gallery FILE.png")


def _write(out: str, condition: list[str] | None, n: int, seed: int, fs: float, duration: float, json: bool) -> None:
    from ecglm.signal.simulate import write_folder

    with counting("synth", n) as tell:
        new = write_folder(out, condition, n, seed=seed, fs=fs, duration_s=duration, tell=tell)
    if json:
        print_json({"folder": out, "records": n, "new": new})
    else:
        print_text(f"wrote {new} records to {out}" + (f" ({n - new} were there)" if new < n else ""))
