"""A medical history as the user gives it: words, or a text file of them."""

from __future__ import annotations

from pathlib import Path

from ecglm.errors import UsageError
from ecglm.reporting.report import MOST_HISTORY


def read_history(given: str) -> str:
    """The text of the file of this name, where there is one; otherwise the words themselves. Raises UsageError for a file
    that is not UTF-8 text or too long."""
    try:
        path = Path(given)
        there = len(given) < 1000 and path.is_file()
    except (OSError, ValueError):
        return given
    if not there:
        if path.is_dir() or (len(given.split()) == 1 and path.suffix.lower() in (".txt", ".md")):
            raise UsageError(f"{given}: there is no such text file; give the history as words, or a file of them")
        return given
    try:
        with path.open("rb") as file:
            text = file.read(4 * MOST_HISTORY + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{given}: the medical history is not text in UTF-8; save it as plain text") from error
    except OSError as error:
        raise UsageError(f"{given}: cannot be read ({error.strerror}); check its permissions") from error
    if len(text) > MOST_HISTORY:
        raise UsageError(f"{given}: the medical history is longer than {MOST_HISTORY:,} characters; shorten it")
    return text
