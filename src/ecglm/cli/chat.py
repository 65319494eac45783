"""`ecglm chat FILE...`."""

from __future__ import annotations

import sys

from ecglm.cli.options import Files, Model
from ecglm.cli.output import clean, print_text, verb_app

app = verb_app()


@app.command()
def chat(files: Files, model: Model = None) -> None:
    """Talk about recordings in the terminal. An empty line, /quit or Ctrl-D ends it."""
    import ecglm
    from ecglm.errors import UsageError

    records = [ecglm.read(file) for file in files]
    session = ecglm.load(model=model).chat(records)
    if sys.stdin.isatty():
        print_text("Ask about the recording. An empty line ends. Research use only, not a medical device.")
    while (line := _line()) not in ("", "/quit", "/exit"):
        try:
            for piece in session.stream(line):
                print(clean(piece), end="", flush=True)
            print()
            for evidence in session.evidence:
                print_text(f"  - {evidence.text}")
        except UsageError as error:  # this question cannot be put; the next one may
            print(f"ecglm: {clean(error)}", file=sys.stderr)


def _line() -> str:
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
