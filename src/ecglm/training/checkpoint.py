"""Resume points: any nested state of tensors and plain values in one safetensors file, written atomically.

Nothing is pickled: tensors go into the file under their path, everything else into its JSON header.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ecglm.atomic import replacing
from ecglm.errors import CheckpointError

_TENSOR = "__tensor__"


def _split(value: Any, path: str, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        tensors[path] = value.detach().cpu().contiguous()
        return {_TENSOR: path}
    if isinstance(value, dict):
        return {"keys": [[k, type(k).__name__] for k in value],
                "values": [_split(v, f"{path}/{k}", tensors) for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_split(v, f"{path}/{i}", tensors) for i, v in enumerate(value)]
    return value


def _join(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, dict) and _TENSOR in value:
        return tensors[value[_TENSOR]]
    if isinstance(value, dict):
        keys = [int(k) if kind == "int" else k for k, kind in value["keys"]]
        return dict(zip(keys, (_join(v, tensors) for v in value["values"]), strict=True))
    if isinstance(value, list):
        return [_join(v, tensors) for v in value]
    return value


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a nested state atomically: a crash leaves the previous file."""
    tensors: dict[str, torch.Tensor] = {}
    tree = _split(state, "", tensors)
    # Shared storage (tied weights) is not allowed in safetensors; a resume point simply stores both.
    with replacing(path) as temporary:
        save_file({k: v.clone() for k, v in tensors.items()}, temporary, metadata={"state": json.dumps(tree)})


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote. Raises CheckpointError when it is damaged."""
    try:
        with safe_open(path, framework="pt") as handle:
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118 - not a dict
            state: dict[str, Any] = _join(json.loads(handle.metadata()["state"]), tensors)
        return state
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged resume point; delete it to start this stage again") from error
