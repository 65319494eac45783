"""`ecglm report FILE -o OUT`."""

from __future__ import annotations

from typing import Annotated

import typer

from ecglm.cli.options import Adapter, File, Model, Reader, reads_recordings
from ecglm.cli.output import print_text, verb_app, waiting

app = verb_app()


@app.command()
@reads_recordings
def report(
    file: File, read: Reader,
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT",
                                     help="A .pdf, .tex, .html, .md, .json, .fhir.json or .dcm (DICOM SR).")],
    lang: Annotated[str, typer.Option("--lang", metavar="en|de|zh", help="English, German or Chinese.")] = "en",
    previous: Annotated[str | None, typer.Option("--previous", metavar="FILE", help="An earlier recording, to compare.")] = None,
    history: Annotated[str | None, typer.Option("--history", metavar="TEXT|FILE", help="Medical history to print.")] = None,
    patient_name: Annotated[str | None, typer.Option("--patient-name", metavar="NAME",
                                                     help="A name to print; a file's is never taken.")] = None,
    question: Annotated[list[str] | None, typer.Option("--question", metavar="TEXT", help="A question to answer in it.")] = None,
    pdf_engine: Annotated[str, typer.Option("--pdf-engine", metavar="auto|typst|latexmk", help="What sets a .pdf.")] = "auto",
    narrative: Annotated[str, typer.Option("--narrative", metavar="templates|llm",
                                           help="Fixed sentences only, or also the language model's that trace.")] = "templates",
    model: Model = None, adapter: Adapter = None,
) -> None:
    """Write a report; the extension of its name chooses the format."""
    import ecglm
    from ecglm.inference.guard import check_question
    from ecglm.reporting.history import read_history
    from ecglm.reporting.language import language
    from ecglm.reporting.narrative import checked_writer
    from ecglm.reporting.pdf import check_letters, checked_engine
    from ecglm.reporting.save import check_format, save

    check_format(out)  # before the work, not after it
    language(lang)
    engine = checked_engine(pdf_engine)
    check_letters(out, lang, engine)
    writes = checked_writer(narrative, lang)
    for asked in question or ():
        check_question(asked)
    told = None if history is None else read_history(history)
    record = read(file)
    earlier = None if previous is None else read(previous)
    with waiting("Writing the report"):
        loaded = ecglm.load(model=model, adapter=adapter)
        made = loaded.report(record, question or (), previous=earlier, history=told, patient_name=patient_name,
                             narrative=writes)
        save(made, out, lang, engine)
    print_text(f"wrote {out}")
