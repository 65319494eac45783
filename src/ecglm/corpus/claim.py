"""A folder that a set is built in belongs to one request: it is begun when empty, and gone on with only by the same request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.errors import UsageError


def claim(request: Path, asked: dict[str, Any], resume: bool) -> None:
    """Make the folder of the file `request`, which keeps what was asked for, this request's own.

    Raises UsageError for a folder that is a file, is not empty (unless `resume`), or belongs to another request.
    """
    folder, text = request.parent, json.dumps(asked, indent=1) + "\n"
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        write_text(request, text)
        return
    if not resume:
        raise UsageError(f"{folder}: is not empty; choose another folder, or go on with it with --resume")
    try:
        there = json.loads(request.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        there = None
    wanted = json.loads(text)  # as the file holds it: tuples are lists there
    other = [key for key in wanted if not isinstance(there, dict) or there.get(key) != wanted[key]]
    if other:
        raise UsageError(f"{folder}: was made of another request ({', '.join(other)}; see {request.name}); choose another folder")
