"""The `ecglm` command. One file per verb; none holds logic, all call the public API.

Importing this package imports nothing heavy: `ecglm --help` prints the table below without
loading Typer, and a verb's file is imported only when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

#: Verb -> one line of help. The verb's file in this folder has the same name.
VERBS: dict[str, str] = {
    "info": "What is in a recording: format, leads, rate, length, quality.",
    "measure": "Rate, intervals, axes, voltages, rhythm and the waves of every lead, each with unit or the reason why not.",
    "ask": "Ask a question about one or several recordings.",
    "chat": "Talk about recordings in the terminal.",
    "adapt": "Teach it your own question: five labelled recordings per answer.",
    "forecast": "How probable it is that atrial fibrillation or flutter begins soon, by the minutes before.",
    "monitor": "Watch a recording or a live stream: rhythm, quality, ectopy, what may begin, alarms; a line for every step.",
    "search": "Find reports and recordings like a recording, or for a text.",
    "index": "Make a folder of recordings and reports searchable.",
    "report": "Write a report; the extension of its name chooses the format.",
    "render": "Draw the ECG page as PNG.",
    "plot": "Draw an ECG with its waves, intervals, kinds of beats and findings marked.",
    "digitize": "Read an ECG off an image of its page, with a confidence for each lead, or say why it cannot be read.",
    "convert": "Write a recording, or a part of it, in another format.",
    "synth": "Simulate labelled recordings.",
    "deidentify": "Remove what says whose a recording is: same signal, same format, dates shifted.",
    "train": "Train from a recipe.",
    "bench": "List, run and compare benchmarks.",
    "fewshot": "Train and test few-shot methods on episodes.",
    "knowledge": "Ask and search the cited knowledge base and your own documents.",
    "data": "Data sets ecglm can use.",
    "pull": "Fetch a base language model once, for offline use.",
    "doctor": "Check that this installation can do its work.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code (0 done, 2 bad input or usage, 130 interrupted)."""
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("ecglm: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough; nothing more can be flushed
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("--help", "-h"):
        print(_help())
        return 0 if arguments else 2
    if arguments[0] in ("--version", "-V"):
        from ecglm import __version__

        print(f"ecglm {__version__}")
        return 0
    verb, rest = arguments[0], arguments[1:]
    if verb not in VERBS:
        from ecglm.cli.output import clean
        from ecglm.config import closest

        print(f"ecglm: no command '{clean(verb)}'; {closest(verb, VERBS)}", file=sys.stderr)
        return 2
    from ecglm.cli.dispatch import dispatch

    return dispatch(verb, rest)


def _help() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {text}" for name, text in VERBS.items())
    return ("Usage: ecglm COMMAND ...\n\nAsk an ECG recording anything, offline, with evidence.\n\n"
            f"Commands:\n{verbs}\n\n"
            "  ecglm COMMAND --help shows a command's arguments; ecglm --version the version.\n\n"
            "Research use only, not a medical device.")
