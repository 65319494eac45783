"""Checkpoint folders on disk: written whole or not at all, checked before anything is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ecglm.atomic import replacing_folder
from ecglm.errors import CheckpointError
from ecglm.models.wheels import sha256

_OUT_OF_FOLD = "out_of_fold.safetensors"
_JSON = {"config": "config.json", "processor": "processor_config.json", "calibration": "calibration.json", "run": "run.json"}


@dataclass(frozen=True)
class FolderContents:
    """What a checkpoint folder holds, parsed and verified. name: the folder's and the version of what it holds. out_of_fold: what
    teachers said of the training recordings, empty where that was not kept."""

    name: str
    config: dict[str, Any]
    processor: dict[str, Any]
    calibration: dict[str, Any]
    run: dict[str, Any]
    tensors: dict[str, Tensor]
    adapter: Path | None
    out_of_fold: dict[str, Tensor]


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf8"))
    except OSError as error:
        raise CheckpointError(f"{path}: missing or unreadable; give a folder made by `ecglm train`") from error
    except ValueError as error:
        raise CheckpointError(f"{path}: not valid JSON; the folder is damaged, fetch it again") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path}: not a JSON object; the folder is damaged, fetch it again")
    return data


def kind_of_folder(folder: Path) -> str:
    """The model_type of a checkpoint folder. Raises CheckpointError when its config.json cannot be read."""
    return str(_json(folder / "config.json").get("model_type"))


def verify_files(folder: Path, run: dict[str, Any]) -> None:
    """Every file listed in run.json must be there with its checksum. Raises CheckpointError."""
    listed = run.get("sha256")
    if not isinstance(listed, dict):
        raise CheckpointError(f"{folder / 'run.json'}: lists no checksums; the folder is damaged, fetch it again")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"run.json", "README.md"}
    foreign = sorted(present - set(listed))
    if foreign:
        raise CheckpointError(f"{folder / foreign[0]}: not listed in run.json, so nothing vouches for it; remove it")
    for name, digest in listed.items():
        path = folder / name
        if name == "README.md":
            continue  # a model card may be edited
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise CheckpointError(f"{folder / 'run.json'}: names a file outside the folder ({name}); do not use this checkpoint")
        if not path.is_file():
            raise CheckpointError(f"{path}: missing; the folder is incomplete, fetch it again")
        if sha256(path) != digest:
            raise CheckpointError(f"{path}: checksum differs from run.json (truncated or altered); fetch the folder again")


def read_folder(folder: Path) -> FolderContents:
    """Read and verify a checkpoint folder."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such checkpoint folder; give one made by `ecglm train`")
    parts = {key: _json(folder / name) for key, name in _JSON.items()}
    verify_files(folder, parts["run"])
    tensors = _tensors(folder / "model.safetensors")
    out_of_fold = _tensors(folder / _OUT_OF_FOLD) if (folder / _OUT_OF_FOLD).is_file() else {}
    adapter = folder / "adapter"
    return FolderContents(name=f"{folder.name}@{parts['run'].get('version', '?')}", **parts, tensors=tensors,
                          adapter=adapter if (adapter / "adapter_config.json").is_file() else None, out_of_fold=out_of_fold)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not readable ({error}); fetch the folder again") from error
    return tensors


def read_kind(folder: Path, model_type: str, form: int) -> FolderContents:
    """`read_folder` of a folder that must be of this model_type and format. Raises CheckpointError for any other."""
    files = read_folder(folder)
    kind = files.config.get("model_type"), files.config.get("format")
    if kind != (model_type, form):
        raise CheckpointError(f"{folder}: model_type {kind[0]!r} format {kind[1]!r}; this version of ecglm reads {model_type!r} "
                              f"format {form} here")
    return files


def check_replaceable(folder: Path) -> None:
    """Raises CheckpointError when writing a checkpoint here would destroy something else."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / "run.json").is_file())):
        raise CheckpointError(f"{folder}: exists and is not a checkpoint folder; choose another output")


def write_folder(
    folder: Path, *, config: dict[str, Any], processor: dict[str, Any], calibration: dict[str, Any],
    tensors: dict[str, Tensor], run: dict[str, Any], card: str, save_adapter: Callable[[Path], None] | None,
    out_of_fold: dict[str, Tensor] | None = None,
) -> None:
    """Write into a temporary sibling, then put it in place. An existing checkpoint is replaced at the end; a folder that
    is not a checkpoint is never touched (CheckpointError)."""
    check_replaceable(folder)
    with replacing_folder(folder) as scratch:
        for name, some in (("model.safetensors", tensors), (_OUT_OF_FOLD, out_of_fold)):
            if some is not None:
                kept = {key: value.detach().cpu().contiguous() for key, value in some.items()}
                save_file(kept, scratch / name, metadata={"format": "pt"})
        for key, data in (("config", config), ("processor", processor), ("calibration", calibration)):
            (scratch / _JSON[key]).write_text(json.dumps(data, indent=1) + "\n", encoding="utf8")
        (scratch / "README.md").write_text(card, encoding="utf8")
        if save_adapter is not None:
            save_adapter(scratch / "adapter")
            (scratch / "adapter" / "README.md").unlink(missing_ok=True)  # peft's empty template; ours is one level up
        hashes = {str(p.relative_to(scratch)): sha256(p) for p in sorted(scratch.rglob("*")) if p.is_file()}
        (scratch / _JSON["run"]).write_text(json.dumps({**run, "sha256": hashes}, indent=1) + "\n", encoding="utf8")
