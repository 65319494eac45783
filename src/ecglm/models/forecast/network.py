"""The network of the forecaster as plain matrix products: which sign precedes an onset, if any, and what follows such a sign.

Shapes: N windows, C numbers of each (`course`), M members, S signs (mechanisms of `signal.simulate.onset`, the last is none).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from ecglm.signal.missing import FloatArray


@dataclass(frozen=True, eq=False)
class Network:
    """mean_C, scale_C: of the training windows; weights ``[M, in, out]`` and biases ``[M, out]`` of the layers; follows_S3: how
    often each class follows each sign."""

    mean_C: NDArray[np.float32]
    scale_C: NDArray[np.float32]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    follows_S3: NDArray[np.float32]

    def standard(self, course_NC: FloatArray) -> NDArray[np.float32]:
        """Numbers beside those of the training windows; what is not known is what is usual."""
        scaled = np.nan_to_num((course_NC - self.mean_C) / self.scale_C, nan=0.0)
        return np.asarray(np.clip(scaled, -8, 8), np.float32)

    def signs(self, course_NC: FloatArray) -> FloatArray:
        """Probability of every sign ``[N, S]``: the mean over the members."""
        hidden = self.standard(np.atleast_2d(course_NC))[None]
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = hidden @ weight + bias[:, None]
            if number + 1 < len(self.weights):
                hidden = np.maximum(hidden, 0)
        out: FloatArray = softmax(hidden.astype(float), axis=2).mean(axis=0)
        return out

    def probabilities(self, course_NC: FloatArray) -> FloatArray:
        """Of every class ``[N, 3]``."""
        out: FloatArray = self.signs(course_NC) @ self.follows_S3
        return out

    def to_arrays(self) -> dict[str, NDArray[np.float32]]:
        """By name, for a file."""
        layers = {f"layer{k}.{name}": value for k, pair in enumerate(zip(self.weights, self.biases, strict=True))
                  for name, value in zip(("weight", "bias"), pair, strict=True)}
        return {"mean": self.mean_C, "scale": self.scale_C, "follows": self.follows_S3, **layers}

    @staticmethod
    def of(arrays: Mapping[str, NDArray[np.float32]]) -> Network:
        """The inverse of `to_arrays`. Raises KeyError where one is missing."""
        count = sum(name.endswith(".weight") for name in arrays)
        weights, biases = (tuple(arrays[f"layer{k}.{name}"] for k in range(count)) for name in ("weight", "bias"))
        return Network(arrays["mean"], arrays["scale"], weights, biases, arrays["follows"])
