"""Features of beats → the rhythm of each, and spans of it.

Boosted trees score every beat; the most likely sequence of rhythms (Viterbi 1967, 10.1109/TIT.1967.1054010) pays for every
change. Trained by `ecglm train recipes/rhythm-spans.yaml`. Shapes: B beats, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ecglm.schema import ATRIAL_RHYTHMS
from ecglm.signal.beat_types import SCORED, Trees
from ecglm.signal.beats import IntArray
from ecglm.signal.missing import FloatArray
from ecglm.signal.wave_network import WEIGHTS

#: Classes of rhythm, in the order of the scores; "sinus" is whatever is neither of the others.
CLASSES = ATRIAL_RHYTHMS
SINUS, AF, FLUTTER = range(3)


@dataclass(frozen=True)
class Decoder:
    """How scores become spans. weight: of a beat's log probability, as neighbours share most of what they rest on; change: what
    going from one class to another costs; shortest_s: spans of fibrillation and flutter below this are none."""

    weight: float
    change: float
    shortest_s: float


@dataclass(frozen=True)
class SpanModel:
    """Trees and what is done with their scores."""

    trees: Trees
    decoder: Decoder

    def log_probabilities(self, feat_BF: FloatArray) -> FloatArray:
        """Of each class ``[B, K]``."""
        parts = [self.trees.scores(feat_BF[k:k + SCORED]) for k in range(0, len(feat_BF), SCORED)]
        score = np.concatenate(parts) if parts else np.empty((0, len(CLASSES)))
        top = score.max(axis=1, keepdims=True)
        out: FloatArray = score - top - np.log(np.exp(score - top).sum(axis=1, keepdims=True))
        return out


def viterbi(log_BK: FloatArray, change: float) -> IntArray:
    """The sequence of classes ``[B]`` of the largest sum of log_BK less `change` for every change."""
    if not len(log_BK):
        return np.empty(0, np.int64)
    beats, classes = log_BK.shape
    back = np.empty((beats, classes), np.int8)
    total = log_BK[0].tolist()
    rows = log_BK.tolist()
    own = list(range(classes))
    for beat in range(1, beats):
        best = max(own, key=total.__getitem__)
        other = total[best] - change
        row = rows[beat]
        for k in own:
            back[beat, k] = k if total[k] >= other else best
        total = [max(total[k], other) + row[k] for k in own]
    path = np.empty(beats, np.int64)
    path[-1] = max(own, key=total.__getitem__)
    for beat in range(beats - 1, 0, -1):
        path[beat - 1] = back[beat, path[beat]]
    return path


def stored(model: SpanModel) -> dict[str, Any]:
    """What `loaded` takes: the trees with half the digits, and the decoder."""
    known = vars(model.trees)
    small = {name: value.astype(np.float32) for name, value in known.items() if name in ("threshold", "value")}
    rule = model.decoder
    return {**known, **small, "decoder": np.array([rule.weight, rule.change, rule.shortest_s])}


def loaded(known: Mapping[str, Any]) -> SpanModel:
    """The model of what `stored` gave."""
    trees = Trees(known["feature"], known["threshold"].astype(float), known["left"], known["right"], known["value"].astype(float),
                  int(known["depth"]), known["start"].astype(float))
    return SpanModel(trees, Decoder(*known["decoder"].astype(float).tolist()))


@lru_cache(maxsize=1)
def shipped_model() -> SpanModel:
    """The one in the package."""
    with np.load(WEIGHTS / "rhythm_spans.npz") as file:
        return loaded({name: file[name] for name in file.files})


def fold_models() -> dict[str, SpanModel]:
    """By MIT-BIH record, a model that was trained without the person: for benchmarks."""
    with np.load(WEIGHTS / "rhythm_spans_folds.npz") as file:
        every = {name: file[name] for name in file.files}
    out: dict[str, SpanModel] = {}
    for name, records in every.items():
        fold, _, what = name.partition("/")
        if what == "records":
            model = loaded({n.partition("/")[2]: v for n, v in every.items() if n.startswith(f"{fold}/") and n != name})
            out |= {str(record): model for record in records}
    return out
