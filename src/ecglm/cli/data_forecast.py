"""`ecglm data build forecast`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import counting, print_json, print_table, print_text


def forecast(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="mitdb, afpdb or cpsc2021 in the data folder, or LAYOUT:DIR, also of icentia11k, ltafdb and afdb.",
        ),
    ],
    out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Folder to write.")],
    windows: Annotated[str, typer.Option("--windows", metavar="S,S", help="Lengths of windows.")] = "10,30,60,120,300,600",
    horizons: Annotated[str, typer.Option("--horizons", metavar="S,S", help="From a window to the onset.")] = "60,180,300,600",
    purity: Annotated[float, typer.Option("--purity", metavar="SHARE", help="Least share of sinus rhythm in a window.")] = 0.0,
    negatives: Annotated[int, typer.Option("--negatives", help="Windows without event for each with one, of the patient.")] = 1,
    controls: Annotated[int, typer.Option("--controls", help="For each cell, of each patient without any event.")] = 0,
    clear: Annotated[float, typer.Option("--clear", metavar="S", help="No event so long after their horizon.")] = 600.0,
    missing: Annotated[float, typer.Option("--missing", metavar="SHARE", help="Most of a window without signal.")] = 0.05,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other windows without event.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a build was interrupted.")] = False,
    json: Json = False,
) -> None:
    """Windows before the onset of atrial fibrillation or flutter, and matched ones without, with a manifest."""
    from ecglm.corpus.windows import Rules
    from ecglm.corpus.windows.build import build

    grid = _seconds("--windows", windows), _seconds("--horizons", horizons)
    rules = Rules(*grid, purity, negatives, controls, clear, missing, seed)
    with counting("subjects", 1) as tell:
        made = build(source, out, rules, resume=resume, tell=lambda done, total: tell(done / total))
    if json:
        print_json(made)
        return
    items, subjects = made["items"], made["subjects"]
    print_text(f"wrote {out}: {items['all']} windows of {subjects['with_items']} subjects, {made['onsets']} onsets seen")
    print_table(("window s", "horizon s", "sinus", "af", "aflutter"), [list(cell.values()) for cell in made["cells"]], True)
    reasons = [("windows", *row) for row in made["left_out"].items()]
    reasons += [("records", *row) for row in made["records"]["skipped"].items()]
    if reasons:
        print_text("left out")
        print_table(("what", "why", "how many"), reasons, True)
    for line in made["limits"]:
        print_text(f"note: {line}")


def _seconds(option: str, text: str) -> tuple[int, ...]:
    from ecglm.errors import UsageError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} {text}: is no list of whole seconds; write it as 60,300") from None
