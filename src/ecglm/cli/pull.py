"""`ecglm pull NAME`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.output import print_text, verb_app

app = verb_app()


@app.command()
def pull(name: Annotated[str, typer.Argument(metavar="NAME", help="A base model, such as smollm2-135m.")]) -> None:
    """Fetch a base language model once, for offline use."""
    from ecglm.models import base

    print_text(base.pull(name, progress=True))
