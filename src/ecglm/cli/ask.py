"""`ecglm ask FILE... QUESTION`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Files, Json, Model
from ecglm.cli.output import print_json, print_text, verb_app, waiting

app = verb_app()


@app.command()
def ask(
    files: Files,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In English, in quotes.")],
    options: Annotated[str | None, typer.Option(
        "--options", metavar="A,B", help="Allowed answers, comma-separated.")] = None,
    model: Model = None, json: Json = False,
) -> None:
    """Ask a question about one or several recordings."""
    import ecglm

    records = [ecglm.read(file) for file in files]
    choices = None if options is None else [part.strip() for part in options.split(",") if part.strip()]
    with waiting("Reading the recording"):
        answer = ecglm.load(model=model).ask(records[0] if len(records) == 1 else records, question, options=choices)
    if json:
        print_json(answer.to_dict())
        return
    if answer.abstained:
        print_text(f"No answer: {answer.reason or 'the recording does not allow one'}")
    else:
        print_text(f"{answer.text}  (confidence {100 * answer.confidence:.0f} %)")
    for evidence in answer.evidence:
        print_text(f"  - {evidence.text}")
