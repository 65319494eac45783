"""`ecglm ask FILE... QUESTION`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecglm.cli.options import Adapter, Json, Model, Reader, reads_recordings
from ecglm.cli.output import how_sure, print_json, print_text, verb_app, waiting

if TYPE_CHECKING:
    from ecglm.answers import Answer

app = verb_app()


@app.command()
@reads_recordings
def ask(
    asked: Annotated[list[str], typer.Argument(
        metavar="FILE... QUESTION", help="One or more recordings, then a question in English, in quotes.")],
    read: Reader,
    options: Annotated[str | None, typer.Option(
        "--options", metavar="A,B", help="Allowed answers, comma-separated.")] = None,
    model: Model = None, adapter: Adapter = None, json: Json = False,
) -> None:
    """Ask a question about one or several recordings."""
    import shlex
    from pathlib import Path

    import ecglm
    from ecglm.errors import PageError, ReadError, UsageError
    from ecglm.inference import page_model
    from ecglm.inference.guard import check_options, check_question

    *files, question = asked
    if not files:
        given = f"{shlex.quote(question)} 'What is the rhythm?'" if Path(question).exists() else f"FILE {shlex.quote(question)}"
        raise UsageError(f'"{question}" stands alone; give a recording and a question: ecglm ask {given}')
    choices = None if options is None else [part.strip() for part in options.split(",") if part.strip()]
    check_question(question)  # before the work, not after it
    check_options(choices)
    if model is not None and (seer := page_model(model)) is not None:
        with waiting("Looking at the page"):
            answers = [seer.ask(file, question, choices) for file in files]
        _show(files, answers, json)
        return
    records = []
    for number, file in enumerate(files):
        try:
            records.append(read(file))
        except PageError as refused:
            from ecglm.inference import only_looked

            records.append(only_looked(refused, file))
        except ReadError:
            if not (records and file.isalpha()):
                raise
            command = shlex.join(["ecglm", "ask", *files[:number], " ".join(asked[number:])])
            raise UsageError(f"{file}: is no recording; put the question in quotes: {command}") from None
    with waiting("Answering"):
        loaded = ecglm.load(model=model, adapter=adapter)
        together = loaded.answerer.together(records, question) if len(records) > 1 and choices is None else None
        answers = [] if together else loaded.ask_batch([(record, question, choices) for record in records])
    if together is not None:
        print_json(together.to_dict()) if json else _print(together)
        return
    _show(files, answers, json)


def _show(files: list[str], answers: list[Answer], json: bool) -> None:
    from ecglm.inference import joined

    if json:
        each = [{"path": file, **answer.to_dict()} for file, answer in zip(files, answers, strict=True)]
        print_json(joined(answers).to_dict() | ({"recordings": each} if len(files) > 1 else {}))
        return
    for file, answer in zip(files, answers, strict=True):
        if len(files) > 1:
            print_text(f"{file}:")
        _print(answer)


def _print(answer: Answer) -> None:
    from ecglm.answers import CONFIDENCE, two_figures

    if answer.abstained:
        print_text(f"No answer: {answer.reason or 'the recording does not allow one'}")
    else:
        print_text(f"{answer.text}  {how_sure(answer)}")
    for evidence in answer.evidence:
        print_text(f"  - {evidence.text}")
    if two_figures(answer):
        print_text(f"  ({CONFIDENCE})")
