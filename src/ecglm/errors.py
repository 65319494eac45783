"""Every error a user of ecglm can meet is an `EcglmError`.

Its text is one line that names the file or argument, the problem and the remedy; the
command line prints it on stderr and exits with code 2.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_OPTIONS: ContextVar[Mapping[str, str]] = ContextVar("options")


@contextmanager
def options(names: Mapping[str, str]) -> Iterator[None]:
    """While this lasts, messages call arguments by these options: {"fs": "--fs"}."""
    token = _OPTIONS.set(names)
    try:
        yield
    finally:
        _OPTIONS.reset(token)


def argument(name: str, value: object = None) -> str:
    """An argument, for a message, as its giver writes it: ``fs=500`` in Python, ``--fs 500`` on the command line."""
    given = _OPTIONS.get({})
    option = given.get(name) or given.get(name.removesuffix("_s"))
    if option is None:
        return f"{name}={'' if value is None else repr(value)}"
    shown = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else value
    return option if shown is None or shown is True else f"{option} {shown}"


class EcglmError(Exception):
    """Base of all expected failures. `str(error)` is one line, ready to be shown."""

    def __init__(self, message: str) -> None:
        words = " ".join(str(message).split())
        super().__init__("".join(letter if letter.isprintable() else "?" for letter in words))  # names in files steer terminals


class ReadError(EcglmError):
    """A file cannot be read as an ECG: missing, truncated, hostile or of an unknown format."""

    def __init__(self, path: str | os.PathLike[str], problem: str, remedy: str = "") -> None:
        name = os.fspath(path)
        super().__init__(f"{name}: {problem}" + (f"; {remedy}" if remedy else ""))
        self.path = name


class PageError(ReadError):
    """An image cannot be read as an ECG page, or not surely enough. reason: "file", "size", "grid", "traces", "layout",
    "turned" or "unsure". twelve: whether it may be a page of the twelve leads, in rows and columns that were not made out."""

    def __init__(self, path: str | os.PathLike[str], reason: str, problem: str, remedy: str = "", twelve: bool = True) -> None:
        super().__init__(path, problem, remedy)
        self.reason, self.twelve = reason, twelve


class RecordError(EcglmError):
    """A signal, sampling rate or lead list does not form a valid `Record`."""


class ConfigError(EcglmError):
    """A recipe, task or configuration has an unknown key, a wrong type or a bad value."""


class CheckpointError(EcglmError):
    """A checkpoint folder or base model is missing, truncated, altered or of another version."""


class UsageError(EcglmError):
    """A call or command is not usable as given (empty question, no such option, ...)."""
