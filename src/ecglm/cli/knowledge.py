"""`ecglm knowledge ask | search | show | add | list | remove`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import print_json, print_table, print_text, verb_app

app = verb_app("Ask and search the cited knowledge base and your own documents.")
Own = Annotated[bool, typer.Option("--documents/--no-documents", help="Search your own documents too.")]
Embeddings = Annotated[bool | None, typer.Option(
    "--embeddings/--no-embeddings", help="Use sentence embeddings; default: where the extra is installed.")]


@app.command()
def ask(question: Annotated[str, typer.Argument(metavar="QUESTION")], documents: Own = True, embeddings: Embeddings = None,
        json: Json = False) -> None:
    """Answer a background question with quoted sentences and their sources; it sees no recording."""
    from ecglm import knowledge

    found = knowledge.ask(question, documents, embeddings)
    if json:
        print_json(found.to_dict())
        return
    print_text(found.text or f"no answer: {found.reason}")
    for passage in found.passages:
        print_text(f"  - {passage.title} [{passage.id}]: {'; '.join(passage.citations)}")


@app.command()
def search(text: Annotated[str, typer.Argument(metavar="TEXT")],
           k: Annotated[int, typer.Option("-k", min=1, max=100, help="So many passages.")] = 5,
           documents: Own = True, embeddings: Embeddings = None, json: Json = False) -> None:
    """The passages that fit a text best, with their sources."""
    from ecglm import knowledge

    hits = knowledge.search(text, k, documents, embeddings)
    if json:
        print_json({"hits": [hit.to_dict() for hit in hits]})
        return
    print_table(("score", "id", "title", "source"), [(f"{hit.score:.2f}", hit.passage.id, hit.passage.title,
                                                     "; ".join(hit.passage.citations)) for hit in hits])


@app.command()
def show(entry: Annotated[str, typer.Argument(metavar="ID", help="Such as criterion.lbbb, or the number of a document.")],
         json: Json = False) -> None:
    """One entry with its links, codes and sources, or the passages of a document."""
    from ecglm.knowledge import base, store

    if entry.removeprefix("doc").isdigit():
        number = entry.removeprefix("doc")
        rows = [p for p in store.passages() if p.id.startswith(f"doc{number}.")]
        about = _document(int(number))
        if json:
            print_json({**about, "texts": [{"id": p.id, "text": p.text, "citation": p.citations[0]} for p in rows]})
            return
        print_table(("id", "source", "text"), [(p.id, p.citations[0], p.text) for p in rows])
        return
    found = base.load().get(entry)
    if json:
        print_json(found.to_dict())
        return
    codes = [f"{system} {', '.join(values)}" for system, values in found.to_dict()["codes"].items() if values]
    rows_ = [("kind", found.kind), ("title", found.title), ("text", found.text), ("also called", ", ".join(found.names[1:])),
             ("codes", "; ".join(codes)),
             *(("source", c.source.full + (f", {c.section}" if c.section else "")) for c in found.citations),
             *((near.kind, f"{near.id}: {near.title}") for near in base.load().neighbours(entry))]
    print_table(("", entry), [row for row in rows_ if row[1]])


@app.command()
def add(file: Annotated[str, typer.Argument(metavar="FILE", help="PDF, Markdown, text or HTML.")],
        title: Annotated[str | None, typer.Option("--title", help="How it is cited; default: its heading or name.")] = None,
        json: Json = False) -> None:
    """Add a document of yours; an interrupted run goes on where it stopped."""
    import sys

    from ecglm.knowledge import store

    def shown(page: int, pages: int) -> None:
        print(f"page {page} of {pages}", end="\r", file=sys.stderr, flush=True)

    added = store.add(file, title, shown if sys.stderr.isatty() else None)
    if json:
        print_json(added.to_dict())
    else:
        print_text(f"document {added.id}: {added.title}, {added.passages} passages from {added.pages} pages")


@app.command("list")
def list_(json: Json = False) -> None:
    """What is in the base, and the documents you added."""
    from collections import Counter

    from ecglm.knowledge import base, store

    every, own = base.load(), store.documents()
    kinds = Counter(entry.kind for entry in every.entries.values())
    if json:
        print_json({"version": base.VERSION, "digest": every.digest, "entries": dict(kinds),
                    "documents": [document.to_dict() for document in own]})
        return
    print_table(("what", "number", "about"), [
        *((kind, kinds[kind], "entries of the base") for kind in base.KINDS),
        *((f"document {d.id}", d.passages, f"{d.title} ({d.file})" + ("" if d.complete else ", incomplete: add it again"))
          for d in own)])


@app.command()
def remove(document: Annotated[int, typer.Argument(metavar="NUMBER", help="As `ecglm knowledge list` shows it.")],
           json: Json = False) -> None:
    """Remove a document you added."""
    from ecglm.knowledge import store

    gone = store.remove(document)
    if json:
        print_json(gone.to_dict())
    else:
        print_text(f"removed document {gone.id}: {gone.title}")


def _document(number: int) -> dict[str, Any]:
    from ecglm.errors import UsageError
    from ecglm.knowledge import store

    for found in store.documents():
        if found.id == number:
            return found.to_dict()
    raise UsageError(f"there is no document {number}; `ecglm knowledge list` shows their numbers")
