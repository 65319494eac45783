"""`ecglm ask FILE... QUESTION`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecglm.cli.options import Adapter, Json, Model, Reader, Start, reads_recordings
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
    overlay: Annotated[str | None, typer.Option(
        "--overlay", metavar="O.png",
        help="Also write the page image with what was read, and the evidence, drawn over it.")] = None,
    start_s: Start = None, model: Model = None, adapter: Adapter = None, json: Json = False,
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
    if overlay is not None and len(files) != 1:
        raise UsageError(f"--overlay {overlay}: draws over one page image; give one file, not {len(files)}")
    if overlay is not None:
        from ecglm.paper import check_sheet

        check_sheet(overlay)
    if model is not None and (seer := page_model(model)) is not None:
        if overlay is not None:
            raise UsageError(f"--overlay {overlay}: {seer.id} reads nothing back that could be drawn; leave out --model")
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
    if overlay is not None and records[0].reading is None:
        raise UsageError(f"--overlay {overlay}: {files[0]} is a recording, not a page image; draw it with ecglm render or plot")
    with waiting("Answering"):
        loaded = ecglm.load(model=model, adapter=adapter)
        together = loaded.answerer.together(records, question) if len(records) > 1 and choices is None else None
        answers = [] if together else loaded.ask_batch([(record, question, choices) for record in records])
    if together is not None:
        print_json(together.to_dict()) if json else _print(together)
        return
    drawn = {} if overlay is None else {"overlay": _draw(files[0], overlay, answers[0], start_s or 0.0)}
    _show(files, answers, json, drawn)
    if not json:
        for written in drawn.values():
            print_text(f"wrote {written}" if written else f"{overlay} was not written: nothing was read off the page")


def _draw(file: str, out: str, answer: Answer, start_s: float) -> str | None:
    """Write the page with what was read off it and where the evidence was seen; None where nothing could be read. start_s: of
    the page, where the record that was asked about begins."""
    from dataclasses import replace

    from ecglm.errors import PageError
    from ecglm.paper import save_image
    from ecglm.paper.digitize import overlay, read_page

    evidence = [item if item.span_s is None else replace(item, span_s=(item.span_s[0] + start_s, item.span_s[1] + start_s))
                for item in answer.evidence]
    with waiting("Drawing what was read"):
        try:
            save_image(overlay(read_page(file), evidence), out)
        except PageError:
            return None
    return out


def _show(files: list[str], answers: list[Answer], json: bool, more: dict[str, Any] | None = None) -> None:
    from ecglm.inference import joined

    if json:
        each = [{"path": file, **answer.to_dict()} for file, answer in zip(files, answers, strict=True)]
        print_json(joined(answers).to_dict() | ({"recordings": each} if len(files) > 1 else {}) | (more or {}))
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
