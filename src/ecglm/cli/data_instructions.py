"""`ecglm data build instructions`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import print_json, print_table, print_text


def instructions(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help="ptbxl, ecgqa (in the data folder), or ptbxl:DIR, mimic:DIR, code15:DIR."),
    ],
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT.jsonl", help="Gets a data card beside it.")],
    n: Annotated[int, typer.Option("--n", help="So many items.")] = 10_000,
    form: Annotated[str, typer.Option("--form", help="Who writes: templates, endpoint or local.")] = "templates",
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another set.")] = 0,
    llava: Annotated[bool, typer.Option("--llava", help="Lines in LLaVA's form, the image first.")] = False,
    pages: Annotated[
        str | None, typer.Option("--pages", metavar="DIR", help="Pictures: a folder of `ecglm data build pages`. With --llava.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a build was interrupted.")] = False,
    held_out: Annotated[bool, typer.Option("--held-out", help="Take PTB-XL's folds 9 and 10 too: not for training.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Near-equal items kept across recordings.")] = 100,
    judge: Annotated[bool, typer.Option("--judge", help="Have every item scored 0 to 5 at ECGLM_JUDGE_URL.")] = False,
    threshold: Annotated[int, typer.Option("--threshold", help="Least score that is kept.")] = 4,
    per_minute: Annotated[float | None, typer.Option("--per-minute", help="Most requests in a minute.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what --form endpoint would cost, and stop.")] = False,
    price_in: Annotated[float, typer.Option("--price-in", metavar="USD", help="Per million tokens read.")] = 1.0,
    price_out: Annotated[float, typer.Option("--price-out", metavar="USD", help="Per million tokens written.")] = 4.0,
    json: Json = False,
) -> None:
    """Questions and answers on recordings, with checks and a data card.

    `--form endpoint` asks the model at ECGLM_ENDPOINT_URL, ECGLM_ENDPOINT_MODEL (key: ECGLM_ENDPOINT_KEY).
    """
    import sys

    from ecglm.corpus.instruct.build import build
    from ecglm.corpus.instruct.estimate import estimate
    from ecglm.corpus.instruct.settings import Settings

    settings = Settings(
        tuple(sources), n, form, seed, llava, held_out, most, judge, threshold, per_minute, pages  # type: ignore[arg-type]
    )
    found = estimate(settings, price_in, price_out) if dry_run else build(settings, out, resume, sys.stderr.isatty())
    if json:
        print_json(found)
        return
    outcomes = found.pop("outcomes", {})
    print_table(("", ""), list(found.items()))
    if outcomes:
        print_text("what became of the slots")
        print_table(("outcome", "slots"), list(outcomes.items()))
