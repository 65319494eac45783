"""`ecglm fewshot run RECIPE [key=value ...] | bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import print_text, verb_app

app = verb_app("Train and test few-shot methods on episodes.")


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A YAML file of kind fewshot, such as recipes/fewshot.yaml.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Changes to the recipe.")] = None,
) -> None:
    """Meta-train methods and test them on episodes.

    The episodes are of other attributes and patients, with controls. An interrupted run goes on where it stopped.
    """
    from ecglm.training.fewshot import recipe as fewshot

    print_text(f"wrote {fewshot.run(recipe, overrides or [])}")


@app.command()
def bench(
    out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Gets one folder per task.")] = "runs/bench",
    language: Annotated[bool, typer.Option("--language", help="Also the methods that need a language model: an hour.")] = False,
    json: Json = False,
) -> None:
    """The few-shot tables of docs/results.md.

    The same as `ecglm bench run fewshot`."""
    from ecglm.cli.bench import run as run_tasks

    run_tasks(["fewshot", *(["fewshot-language"] if language else [])], out=out, json=json)
