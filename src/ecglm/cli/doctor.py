"""`ecglm doctor`."""

from __future__ import annotations

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import print_json, print_table, verb_app

app = verb_app()


@app.command()
def doctor(json: Json = False) -> None:
    """Check that this installation can do its work. Exit code 1 when something is missing."""
    from ecglm.doctor import checks

    found = checks()
    if json:
        print_json({"ok": all(c.ok for c in found),
                    "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in found]})
    else:
        print_table(("check", "", "detail"), [(c.name, "ok" if c.ok else "MISSING", c.detail) for c in found])
    if not all(c.ok for c in found):
        raise typer.Exit(1)
