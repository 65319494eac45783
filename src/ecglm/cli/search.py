"""`ecglm search FILE -k 5 [--index DIR] | --text "..."`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecglm.cli.options import Json, Model, Reader, Towers, reads_recordings
from ecglm.cli.output import print_error, print_json, print_table, verb_app, waiting

if TYPE_CHECKING:
    from ecglm.inference.retrieval.wording import Wording

app = verb_app()


@app.command()
@reads_recordings
def search(
    read: Reader,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="A recording; leave it out with --text.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many entries.")] = 5,
    index: Annotated[str | None, typer.Option(
        "--index", metavar="DIR", help="A folder that `ecglm index` made; default: the statements that ecglm knows.")] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT", help="Look for this text instead of a recording.")] = None,
    recordings: Annotated[bool, typer.Option(
        "--recordings", help="Compare with the recordings of the index, not with its reports.")] = False,
    model: Model = None, towers: Towers = None, json: Json = False,
) -> None:
    """Find reports and recordings like a recording, or for a text.

    Scores are cosine similarities; they rank entries and are no probabilities.
    """
    import ecglm
    from ecglm.errors import UsageError
    from ecglm.inference.retrieval.index import Index

    if (file is None) == (text is None):
        raise UsageError("give a recording or --text, one of them")
    opened = None if index is None else Index.load(index)  # before the recording and the model, which take longer
    query = read(file) if file is not None else str(text)
    with waiting("Searching"):
        loaded = ecglm.load(model=model, towers=towers)
        hits = loaded.search(query, opened, k, side="recordings" if recordings else "reports")
    for note in () if text is None else _notes(loaded.retriever.wording(text)):
        print_error(note)
    if json:
        print_json({"hits": [hit.to_dict() for hit in hits]})
        return
    print_table(("score", "id", "text"), [(f"{hit.score:.3f}", hit.id, hit.text) for hit in hits])


def _notes(read: Wording) -> list[str]:
    """What was made of a text, where it is not taken as it stands."""
    notes = [f"read as: {', '.join(f'{word} for {given}' for given, word in read.read_as)}"] if read.read_as else []
    if read.unknown:
        notes.append(f"no report that the model learned from has {', '.join(read.unknown)}; the ranking may mean nothing")
    return notes
