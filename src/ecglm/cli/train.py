"""`ecglm train RECIPE [key=value ...]`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.output import print_text, verb_app

app = verb_app()


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A YAML file, such as recipes/default.yaml.")],
    overrides: Annotated[list[str] | None, typer.Argument(
        metavar="KEY=VALUE", help="Changes to the recipe.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
) -> None:
    """Train from a recipe."""
    from ecglm import training

    print_text(f"wrote {training.run(recipe, overrides or [], resume)}")
