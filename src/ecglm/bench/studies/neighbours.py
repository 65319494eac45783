"""Retrieval as a baseline of report generation: the training recordings that lie nearest by the encoder's embedding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.bench.task import digest
from ecglm.corpus.ptbxl import PtbXl

CHUNK = 32


def embeddings(model: Any, data: PtbXl, rows: Sequence[int], folder: Path, progress: bool = False) -> NDArray[np.float32]:
    """emb_ND of these rows by `model.embed`, length 1; kept in `folder` for the same model and recordings."""
    from rich.progress import track

    first = model.embed([data.record(int(rows[0]))])[0]  # other weights under the same name give another one
    key = digest([model.id, [round(float(x), 3) for x in first], [int(data.ecg_id[row]) for row in rows]])
    path = folder / f"embeddings-{key}.npy"
    if path.is_file():
        found: NDArray[np.float32] = np.load(path, allow_pickle=False)
        if len(found) == len(rows):
            return found
    starts = range(0, len(rows), CHUNK)
    parts = [model.embed([data.record(int(row)) for row in rows[start:start + CHUNK]])
             for start in track(starts, "Embeddings", disable=not progress)]
    emb_ND = np.concatenate(parts).astype(np.float32)
    emb_ND /= np.linalg.norm(emb_ND, axis=1, keepdims=True) + 1e-9
    with replacing(path) as temporary, open(temporary, "wb") as handle:
        np.save(handle, emb_ND, allow_pickle=False)
    return emb_ND


def nearest(near_NM: NDArray[np.float32], allowed_M: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Per query the most similar that is allowed. Raises ValueError when none is."""
    if not allowed_M.any():
        raise ValueError("no recording is allowed as a neighbour")
    return np.asarray(np.where(allowed_M, near_NM, -np.inf).argmax(axis=1), dtype=np.int64)
