"""`ecglm chat FILE...`."""

from __future__ import annotations

import sys

from ecglm.cli.options import Adapter, Files, Model, Reader, reads_recordings
from ecglm.cli.output import clean, how_sure, print_text, verb_app

app = verb_app()
_HELP = """Ask about rhythm, rate, intervals, axis, diagnoses and wave forms, such as "What is the rhythm?",
"Is the QTc prolonged?", "LBBB or RBBB?", "Is the ECG abnormal?", and about ECG in general, such as "What causes AV block?",
which is quoted from the knowledge base. "Why?" or "Are you sure?" tells what the last answer
rests on. With several recordings, "ECG 2: what is the rate?" turns to the second. /quit or an empty line ends."""


@app.command()
@reads_recordings
def chat(files: Files, read: Reader, model: Model = None, adapter: Adapter = None) -> None:
    """Talk about recordings in the terminal. An empty line, /quit or Ctrl-D ends it; /help shows examples."""
    import ecglm
    from ecglm.errors import UsageError

    records = [read(file) for file in files]
    session = ecglm.load(model=model, adapter=adapter).chat(records)
    if sys.stdin.isatty():
        print_text("Ask about the recording; /help shows examples, an empty line ends. Research use only, not a medical device.")
    while (line := _line()) not in ("", "/quit", "/exit"):
        if line == "/help":
            print_text(_HELP)
            continue
        try:
            for piece in session.stream(line):
                print(clean(piece), end="", flush=True)
            answer = session.answer
            print("" if answer is None or answer.abstained else f"  {clean(how_sure(answer))}")
            for evidence in session.evidence:
                print_text(f"  - {evidence.text}")
        except UsageError as error:  # this question cannot be put; the next one may
            print(f"ecglm: {clean(error)}", file=sys.stderr)


def _line() -> str:
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
