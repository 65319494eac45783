"""Run one verb and turn whatever it raises into an exit code and one line on stderr."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from ecglm.cli.output import print_error
from ecglm.errors import EcglmError, options


def dispatch(verb: str, arguments: Sequence[str]) -> int:
    """Import ``ecglm.cli.<verb>`` and run its `app`. Unexpected exceptions (bugs) pass through."""
    try:
        app: typer.Typer = import_module(f"ecglm.cli.{verb}").app
        command = typer.main.get_command(app)
        with options(_options(command)):
            code = command.main(args=list(arguments), prog_name=f"ecglm {verb}", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except EcglmError as error:
        return _fail(str(error))
    except typer.Abort:
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None:
            raise
        return _fail(f"{os.fsdecode(error.filename)}: {error.strerror or error}; check the path and its permissions")
    except Exception as error:
        message = getattr(error, "format_message", None)  # click's usage errors, wherever typer keeps them
        if message is None:
            raise
        return _fail(f"{message().rstrip('.')}; see `ecglm {verb} --help`")


def _options(command: Any) -> dict[str, str]:
    """Parameter to option, of a verb and of the verbs within it."""
    commands = [command, *getattr(command, "commands", {}).values()]
    return {p.name: max(p.opts, key=len) for c in commands for p in c.params if p.opts[0].startswith("-")}


def _fail(message: str) -> int:
    print_error(message)
    return 2
