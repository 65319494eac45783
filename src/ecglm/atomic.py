"""Files appear whole or not at all: written beside their place under another name, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecglm.errors import UsageError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder (made if missing) that replaces `path` on success.

    On an exception the temporary file is removed and `path` stays as it was. The temporary
    name keeps the suffix, for writers that look at it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".partial-", suffix=target.suffix)
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp makes it private
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The same for a folder: yield an empty one beside it, which takes its place, with all that was there, on success."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield scratch
        scratch.chmod(0o755)  # mkdtemp and safetensors make things private
        for file in scratch.rglob("*.safetensors"):
            file.chmod(0o644)
        if target.exists():
            old = scratch.with_name(scratch.name + "-old")
            target.rename(old)
            scratch.rename(target)
            shutil.rmtree(old)
        else:
            scratch.rename(target)
    finally:
        if scratch.exists():
            shutil.rmtree(scratch)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file (UTF-8) atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_output(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that a user asked for atomically. Raises UsageError when the place cannot be written."""
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{os.fspath(path)}: cannot be written ({error.strerror}); choose another path") from error
