"""The network behind `delineate`, as plain matrix products: to which wave each sample of each lead belongs.

A U-Net on every lead, whose stages also see the mean over the record's leads, so any number of leads will do. It is
trained by `ecglm train recipes/delineator.yaml` (its twin in torch: `ecglm.models.delineator`).
Shapes: L leads, T samples at FS, N lead rows, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

#: Rate (Hz) of its input, and the classes of its output.
FS = 250.0
CLASSES = ("none", "p", "qrs", "t")
#: Input is padded to a multiple of this.
STRIDE = 16
WEIGHTS = Path(__file__).parent / "weights"
#: Samples that are computed at once, and how far the network sees beyond them: 64 s and 4 s.
CHUNK, MARGIN = 16000, 1008
#: Leads whose way up is computed at once.
TOGETHER = 4


@lru_cache(maxsize=1)
def shipped_weights() -> dict[str, FloatArray]:
    """The weights in the package."""
    with np.load(WEIGHTS / "delineator.npz") as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def fold_weights() -> dict[str, dict[str, FloatArray]]:
    """By LUDB record, the weights of a network that was trained without it: for benchmarks."""
    with np.load(WEIGHTS / "delineator_folds.npz") as file:
        every = {name: file[name] for name in file.files}
    out: dict[str, dict[str, FloatArray]] = {}
    for name, records in every.items():
        fold, _, what = name.partition("/")
        if what == "records":
            mine = {n: v for n, v in every.items() if n.startswith(f"{fold}/") and n != name}
            weights = {n.partition("/")[2]: v.astype(np.float32) for n, v in mine.items()}
            out |= {str(record): weights for record in records}
    return out


def wave_probabilities(scaled_LT: NDArray[np.floating], weights: Mapping[str, FloatArray] | None = None) -> FloatArray:
    """Probability ``[lead, class, time]`` of CLASSES for z-scored leads at FS, as `prepare` makes them; every lead must
    be one that can be read. Long signals are computed in overlapping pieces."""
    known = shipped_weights() if weights is None else weights
    total = scaled_LT.shape[1]
    out = np.empty((len(scaled_LT), len(CLASSES), total), np.float32)
    for start in range(0, total, CHUNK):
        stop = min(total, start + CHUNK)
        first, last = max(0, start - MARGIN), min(total, stop + MARGIN)
        part = np.asarray(scaled_LT[:, first:last], np.float32)
        padded = np.pad(part, ((0, 0), (0, -part.shape[1] % STRIDE)))
        out[:, :, start:stop] = _forward(padded, known)[:, :, start - first: stop - first]
    return out


def _forward(x_NT: FloatArray, w: Mapping[str, FloatArray]) -> FloatArray:
    """Probabilities ``[N, class, T]``; T a multiple of STRIDE."""
    n, total = x_NT.shape
    x0 = _conv(_conv(x_NT.reshape(n, total // 2, 2), w, "stem"), w, "down0")
    x1 = _mixed(_halved(x0), w, "down1")
    x2 = _mixed(_halved(x1), w, "down2")
    x3 = _mixed(_halved(x2), w, "down3")
    x3 = _conv(_mixed(x3, w, "wide1", 2), w, "wide2", 4)
    out = np.empty((n, len(CLASSES), total), np.float32)
    # From here on leads are alone: a few at a time, whose arrays stay in the processor's cache.
    for first in range(0, n, TOGETHER):
        some = slice(first, first + TOGETHER)
        up = _conv(_doubled(_conv(x3[some], w, "thin2", rectify=False), x2[some]), w, "up2")
        up = _conv(_doubled(_conv(up, w, "thin1", rectify=False), x1[some]), w, "up1")
        up = _conv(_doubled(_conv(up, w, "thin0", rectify=False), x0[some]), w, "up0")
        logits = out[some]
        logits[:] = _conv(up, w, "head", rectify=False).reshape(len(up), total, len(CLASSES)).transpose(0, 2, 1)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
    return out


def _conv(x_NTC: FloatArray, w: Mapping[str, FloatArray], name: str, dilation: int = 1, rectify: bool = True) -> FloatArray:
    """Convolution over time with zeros beyond the ends."""
    return _product(x_NTC, w[f"{name}.weight"], dilation, w[f"{name}.bias"], rectify)


def _product(x_NTC: FloatArray, kernel_KCO: FloatArray, dilation: int, add: FloatArray | None = None, rectify: bool = False,
             ) -> FloatArray:
    """Convolution without bias; add: what is added for every lead, ``[O]`` or ``[T, O]``, before negative values become 0."""
    taps, channels, _ = kernel_KCO.shape
    n, total = x_NTC.shape[:2]
    reach = taps // 2 * dilation
    # Lead by lead: what one of them needs stays in the processor's cache.
    padded = np.zeros((total + 2 * reach, channels), np.float32)
    step, channel = padded.strides
    seen = as_strided(padded, (total, taps, channels), (step, step * dilation, channel))
    columns = np.empty(seen.shape, np.float32)
    out = np.empty((n, total, kernel_KCO.shape[2]), np.float32)
    flat = kernel_KCO.reshape(taps * channels, -1)
    if add is not None and add.ndim == 1:  # several samples at once: adding so few numbers at a time is slow
        add = np.tile(add, total & -total)
    for row, product in enumerate(out):
        if taps == 1:
            np.matmul(x_NTC[row], flat, out=product)
        else:
            padded[reach: reach + total] = x_NTC[row]
            columns[:] = seen
            np.matmul(columns.reshape(total, -1), flat, out=product)
        if add is not None:
            samples = product.reshape(-1, add.shape[-1])
            samples += add
        if rectify:
            np.maximum(product, 0, out=product)
    return out


def _mixed(x_NTC: FloatArray, w: Mapping[str, FloatArray], name: str, dilation: int = 1) -> FloatArray:
    """Convolution of a lead and of the mean over leads; the mean's part is the same for every lead."""
    kernel_KCO, bias = w[f"{name}.weight"], w[f"{name}.bias"]
    channels = x_NTC.shape[2]
    mean = _product(x_NTC.mean(axis=0, keepdims=True), kernel_KCO[:, channels:], dilation, bias)
    return _product(x_NTC, kernel_KCO[:, :channels], dilation, mean[0], rectify=True)


def _halved(x_NTC: FloatArray) -> FloatArray:
    return np.maximum(x_NTC[:, ::2], x_NTC[:, 1::2])


def _doubled(x_NTC: FloatArray, beside_NTC: FloatArray) -> FloatArray:
    """Linear interpolation to twice the rate, as torch's `interpolate` without aligned corners, plus what is beside it."""
    n, total, channels = x_NTC.shape
    near, far = np.float32(0.75) * x_NTC, np.float32(0.25) * x_NTC
    out = np.empty((n, total, 2, channels), np.float32)
    np.add(near[:, 1:], far[:, :-1], out=out[:, 1:, 0])
    np.add(near[:, :-1], far[:, 1:], out=out[:, :-1, 1])
    out[:, 0, 0], out[:, -1, 1] = near[:, 0] + far[:, 0], near[:, -1] + far[:, -1]
    doubled = out.reshape(n, 2 * total, channels)
    doubled += beside_NTC
    return doubled
