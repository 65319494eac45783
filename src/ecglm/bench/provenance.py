"""What a result was made with: commit, library versions, machine. Reads metadata, imports no library."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path

LIBRARIES = ("ecglm", "numpy", "scipy", "torch", "transformers", "peft", "safetensors")


def versions() -> dict[str, str | None]:
    """Installed versions (None when absent) of Python and of the libraries that shape a result."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def code_hash() -> str:
    """Hash of ecglm's own source: predictions made by other code are not reused."""
    package = Path(__file__).resolve().parents[1]
    content = b"".join(path.read_bytes() for path in sorted(package.rglob("*.py")))
    return hashlib.sha256(content).hexdigest()[:16]


def git_commit() -> str | None:
    """Commit of the checkout that ecglm runs from, with "+changes" when src differs from it; None outside git."""
    package = Path(__file__).resolve().parents[1]
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = _git(package, "rev-parse", "HEAD")
    return f"{commit}+changes" if commit and _git(package, "status", "--porcelain", ".") else commit


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
