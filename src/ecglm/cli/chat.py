"""`ecglm chat FILE...`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecglm.cli.options import Adapter, Files, Model, Reader, reads_recordings
from ecglm.cli.output import clean, how_sure, print_json, print_text, verb_app

if TYPE_CHECKING:
    from ecglm.inference import ChatSession

app = verb_app()
_HELP = """Ask about
  rhythm, rate, intervals, axis     "What is the rhythm?", "Is the QTc prolonged?", "and the QRS?", "is that normal?"
  findings                          "Is there LBBB?", "Is the ECG abnormal?", "Where is the ST depression?"
  leads (recordings in millivolts)  "How high is the R wave in V5?", "In which leads is the T wave inverted?"
  several recordings                "what about ECG 2?", "and in the other one?", "What changed since ECG 1?"
  ECG in general                    "What causes AV block?", quoted from the knowledge base
  the last answer                   "Why?", "Are you sure?"
Commands: use 2 (talk about the second recording), ? (this text), quit (or an empty line, or Ctrl-D)."""
_QUIT = ("quit", "exit", "/quit", "/exit")


@app.command()
@reads_recordings
def chat(
    files: Files, read: Reader,
    script: Annotated[str | None, typer.Option(
        "--script", metavar="FILE", help='Questions from a file, one a line; "-": standard input; # begins a comment.')] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole dialogue as one JSON object when it ends.")] = False,
    model: Model = None, adapter: Adapter = None,
) -> None:
    """Talk about recordings in the terminal. At a terminal an empty line, quit or Ctrl-D ends it; ? shows examples."""
    import ecglm
    from ecglm.errors import UsageError

    lines = _typed() if script is None else iter(_scripted(script))
    records = [read(file) for file in files]
    loaded = ecglm.load(model=model, adapter=adapter)
    session = loaded.chat(records)
    if script is None and sys.stdin.isatty():
        print_text("Ask about the recording; ? shows examples, an empty line ends. Research use only, not a medical device.")
    if len(records) > 1 and not json:
        for number, file in enumerate(files, 1):
            print_text(f"ECG {number}: {file}")
    turns: list[dict[str, Any]] = []
    for line in lines:
        if line.lower() in _QUIT:
            break
        if line in ("?", "/help", "help"):
            if not json:
                print_text(_HELP)
            continue
        if script is not None and not json:
            print_text(f"> {line}")
        try:
            turns.append(_used(session, line, files, json) or _turn(session, line, json))
        except UsageError as error:  # this question cannot be put; the next one may
            turns.append({"said": line, "error": str(error)})
            print(f"ecglm: {clean(error)}", file=sys.stderr)
    if json:
        print_json({"recordings": list(files), "model": loaded.id, "turns": turns})


def _used(session: ChatSession, line: str, files: list[str], quiet: bool) -> dict[str, Any] | None:
    """`use 2`, None for other lines."""
    word, _, number = line.partition(" ")
    if word.lower() != "use" or not number.strip().isdecimal():
        return None
    session.use(int(number))
    if not quiet:
        print_text(f"ECG {int(number)}: {files[int(number) - 1]}")
    return {"said": line, "use": int(number)}


def _turn(session: ChatSession, line: str, quiet: bool) -> dict[str, Any]:
    """Put one question; printed as it comes unless quiet."""
    reply = ""
    for piece in session.stream(line):
        reply += piece
        if not quiet:
            print(clean(piece), end="", flush=True)
    answer = session.answer
    if not quiet:
        print("" if answer is None or answer.abstained else f"  {clean(how_sure(answer))}")
        for evidence in session.evidence:
            print_text(f"  - {evidence.text}")
    return {"said": line, "question": session.question, "recordings": list(session.about), "reply": reply,
            "asks_back": session.asked_back, "answer": None if answer is None else answer.to_dict(),
            "background": None if session.quoted is None else session.quoted.to_dict()}


def _scripted(path: str) -> list[str]:
    """The questions of a script. Raises UsageError when it cannot be read."""
    from pathlib import Path

    from ecglm.errors import UsageError

    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or "cannot be read"
        raise UsageError(f"{path}: {why}; give a text file with one question a line") from None
    return [line for raw in text.lstrip("\ufeff").splitlines() if (line := raw.strip()) and not line.startswith("#")]


def _typed() -> Iterator[str]:
    """Lines of standard input: until an empty one at a terminal, elsewhere to the end, empty ones skipped."""
    at_terminal = sys.stdin.isatty()
    while True:
        try:
            line = input("> " if at_terminal else "").strip()
        except EOFError:
            return
        if line:
            yield line
        elif at_terminal:
            return
