"""The folder of an adapter: adapter.json, adapter.safetensors (what was measured of the examples) and README.md, the model card.

No file name, patient or date goes into it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import replacing_folder
from ecglm.errors import CheckpointError, argument
from ecglm.inference.adapt.card import card
from ecglm.inference.adapt.space import VALUES, Description, FewShotSpace
from ecglm.inference.adapt.support import MAX_ANSWER, MAX_ROWS
from ecglm.inference.adapt.taught import Estimate, Taught
from ecglm.inference.guard import MAX_QUESTION
from ecglm.models.processor import BEAT_LENGTH
from ecglm.records.leads import STANDARD_12

#: Number of the folder's layout.
FORMAT = 2
_JSON, _TENSORS, _CARD = "adapter.json", "adapter.safetensors", "README.md"
#: An adapter is far smaller.
MAX_BYTES = 4_000_000


def write_adapter(folder: str | Path, questions: Sequence[Taught], space: FewShotSpace, name: str, overwrite: bool) -> int:
    """Write the folder, whole or not at all; returns its size in bytes. Raises CheckpointError when it would replace
    something else, or an adapter without `overwrite`, and where nothing can be written."""
    from safetensors.numpy import save_file

    target = Path(os.path.expanduser(folder))  # Path's own raises for users that are none
    check_writable(target, overwrite)
    joined = Description.join([one.examples for one in questions])
    tensors = {"value_NV": joined.value_NV.astype(np.float32), "beat_NLK": joined.beat_NLK.astype(np.float16),
               "mask_NL": joined.mask_NL.astype(np.uint8)}
    for key in ("answer_K", "row_K"):
        tensors[key] = np.concatenate([getattr(one, key) for one in questions]).astype(np.int32)
    try:
        with replacing_folder(target) as scratch:
            save_file({key: np.ascontiguousarray(t) for key, t in tensors.items()}, scratch / _TENSORS)
            about = {"format": FORMAT, "space": space.fingerprint,
                     "sha256": hashlib.sha256((scratch / _TENSORS).read_bytes()).hexdigest(),
                     "questions": [{"wordings": list(one.wordings), "answers": list(one.answers),
                                    "examples": len(one.answer_K), "patients": one.n_patients,
                                    "estimate": vars(one.estimate)} for one in questions]}
            about["sha256_of_this"] = _digest(about)
            (scratch / _JSON).write_text(json.dumps(about, indent=1) + "\n", encoding="utf8")
            (scratch / _CARD).write_text(card(questions, name), encoding="utf8")
            size = sum(file.stat().st_size for file in scratch.iterdir())
    except OSError as error:  # which names the temporary folder
        raise _unwritable(target, error.strerror or str(error)) from None
    return size


def read_adapter(folder: str | Path) -> tuple[list[Taught], FewShotSpace, str]:
    """Questions, their space and the folder's name. Raises CheckpointError for a folder that is missing, damaged, or of another
    space."""
    path = Path(os.path.expanduser(folder))
    if path.is_file():
        raise CheckpointError(f"{path}: is a file; give the folder that `ecglm adapt` made"
                              f"{f', {path.parent}' if path.name in (_JSON, _TENSORS, _CARD) else ''}")
    if not path.is_dir():
        raise CheckpointError(f"{path}: no such adapter folder; make one with `ecglm adapt`")
    raw = _bytes(path / _JSON)
    try:
        about = json.loads(raw.decode("utf8"))
        layout, fingerprint = about["format"], about["space"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(path / _JSON) from None
    space = FewShotSpace.load()
    if layout != FORMAT or fingerprint != space.fingerprint:
        raise CheckpointError(f"{path}: was made by another version of ecglm, whose measurements differ; make it again from "
                              "its examples with `ecglm adapt`")
    try:
        if about.pop("sha256_of_this") != _digest(about):
            raise _damaged(path / _JSON)
        return _questions(about, _tensors(path / _TENSORS, about["sha256"])), space, path.resolve().name
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
        raise _damaged(path / _JSON) from None


def check_writable(folder: Path, overwrite: bool) -> None:
    """Raises CheckpointError when an adapter may not be written here."""
    try:
        nearest = next(parent for parent in folder.absolute().parents if parent.exists())
        if not nearest.is_dir():
            raise _unwritable(folder, f"{nearest} is a file")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise _unwritable(folder, f"nothing may be written in {nearest}")
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from None
    if not (folder / _JSON).is_file():
        raise CheckpointError(f"{folder}: exists and is not an adapter folder; name another place")
    if not overwrite:
        raise CheckpointError(f"{folder}: holds an adapter; name another place, or pass {argument('overwrite', True)}")


def _unwritable(folder: Path, why: str) -> CheckpointError:
    return CheckpointError(f"{folder}: cannot be written ({why}); check the permissions, or name another place")


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path}: damaged; make the adapter again from its examples with `ecglm adapt`")


def _digest(about: dict[str, Any]) -> str:
    """Of what adapter.json says, however it is laid out."""
    return hashlib.sha256(json.dumps(about, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _damaged(path)
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: missing or unreadable; give a folder made by `ecglm adapt`") from error


def _tensors(path: Path, digest: str) -> dict[str, Any]:
    """Checked arrays of the examples."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    raw = _bytes(path)
    if hashlib.sha256(raw).hexdigest() != digest:
        raise _damaged(path)
    try:
        tensors: dict[str, Any] = load(raw)
        count = len(tensors["value_NV"])
        shapes = {"value_NV": (count, len(VALUES)), "beat_NLK": (count, len(STANDARD_12), BEAT_LENGTH),
                  "mask_NL": (count, len(STANDARD_12)), "answer_K": (count,), "row_K": (count,)}
        fits = count <= MAX_ROWS and all(tensors[name].shape == shape and np.isfinite(tensors[name]).all()
                                         for name, shape in shapes.items()) and (tensors["mask_NL"] <= 1).all()
    except (SafetensorError, KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise _damaged(path)
    return tensors


def _questions(about: dict[str, Any], tensors: dict[str, Any]) -> list[Taught]:
    """Raises ValueError, KeyError, TypeError or OverflowError for what does not fit together."""
    joined = Description(*(tensors[name].astype(np.float32) for name in ("value_NV", "beat_NLK", "mask_NL")))
    questions, start = [], 0
    for one in about["questions"]:
        wordings, answers = (tuple(map(str, one[name])) for name in ("wordings", "answers"))
        count = int(one["examples"])
        if not 0 < count <= len(joined.value_NV) - start:
            raise ValueError
        rows = np.arange(start, start := start + count)
        answer_K = tensors["answer_K"][rows].astype(np.int64)
        shares = {name: float(one["estimate"][name]) for name in ("accuracy", "low", "high", "chance")}
        if not wordings or max(map(len, wordings)) > MAX_QUESTION or max(map(len, answers)) > MAX_ANSWER or len(answers) < 2 \
                or set(answer_K) != set(range(len(answers))) or not all(0 <= share <= 1 for share in shares.values()):
            raise ValueError
        estimate = Estimate(**shares, n_patients=int(one["estimate"]["n_patients"]))
        questions.append(Taught(wordings, answers, answer_K, tensors["row_K"][rows].astype(np.int64), joined.rows(rows),
                                int(one["patients"]), estimate))
    if start != len(joined.value_NV) or not questions:
        raise ValueError
    return questions
