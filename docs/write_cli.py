"""Write docs/cli.md from the `--help` texts. tests/cli/test_cli_docs.py fails when the page is out of date."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import typer

from ecglm.cli import VERBS, main

PAGE = Path(__file__).with_name("cli.md")
SUBCOMMANDS = {"bench": ("list", "run", "compare"), "data": ("list", "build pages"), "fewshot": ("run", "bench"),
               "knowledge": ("ask", "search", "show", "add", "list", "remove")}

_HEAD = f"""# Command line

Written by `make docs` from `--help` (typer {typer.__version__}); do not edit.

Bad input ends with exit code 2 and one line on stderr that names the file, what is wrong and what to do. `--json`
prints one object; [json.md](json.md) lists its keys.
"""


def shown(*arguments: str) -> str:
    """The `--help` text of one command at 100 columns."""
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "100"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main([*arguments, "--help"])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def page() -> str:
    """The whole page."""
    parts = [_HEAD, f"```\n{shown()}\n```\n"]
    for verb in VERBS:
        parts.append(f"## ecglm {verb}\n\n```\n{shown(verb)}\n```\n")
        parts += [f"### ecglm {verb} {sub}\n\n```\n{shown(verb, *sub.split())}\n```\n" for sub in SUBCOMMANDS.get(verb, ())]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
