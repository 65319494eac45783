"""`ecglm data list`."""

from __future__ import annotations

from ecglm.cli.options import Json
from ecglm.cli.output import print_json, print_table, verb_app

app = verb_app("Data sets ecglm can use.")


@app.callback()
def group() -> None:
    """Data sets ecglm can use."""


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
