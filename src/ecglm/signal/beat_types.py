"""What kind of beat each one is, by AAMI class: normal, supraventricular, ventricular, fusion (paced ones: `pacing`).

Gradient-boosted trees on each beat's shape, size, width and timing beside those of the record's dominant beat, so that
any leads, gain and unit will do. Trained by `ecglm train recipes/beat-types.yaml` on half of the MIT-BIH records.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ecglm.signal.beats import IntArray
from ecglm.signal.missing import BoolArray, FloatArray, median_of_known
from ecglm.signal.stack import align, correlation, cut
from ecglm.signal.wave_network import WEIGHTS

CLASSES = ("N", "S", "V", "F")
NAMES = {"N": "normal", "S": "supraventricular", "V": "ventricular", "F": "fusion", "Q": "paced"}
#: Those that no P wave conducts.
FROM_BELOW = ("V", "Q")
#: Fewer beats than this have no dominant beat to be compared with.
LEAST_BEATS = 4
#: Windows around the QRS peak, seconds: the beat, its QRS, what comes before (P) and after (T), and the search for width.
BEAT_S, QRS_S, P_S, T_S, WIDE_S = (-0.30, 0.50), (-0.10, 0.12), (-0.26, -0.07), (0.12, 0.42), (-0.16, 0.20)
#: Beats whose features are computed at once: bounds the memory of a day's recording.
PART = 4096
#: Beats that go through the trees at once: what they need fits a processor's cache.
SCORED = 256


@dataclass(frozen=True)
class Trees:
    """Trees ``[tree, node]``: a node sends beats with ``feature <= threshold`` left, a leaf points at itself; value is what
    a leaf adds to the score of class ``tree % classes``. start: score of each class before any tree."""

    feature: NDArray[np.int16]
    threshold: FloatArray
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    value: FloatArray
    depth: int
    start: FloatArray

    def scores(self, feat_BF: FloatArray) -> FloatArray:
        """Log-odds-like scores ``[beat, class]``."""
        # One index for tree and node, and `take`: five times as fast as two indices.
        trees, nodes = self.feature.shape
        first = np.arange(trees) * nodes
        feature, threshold, value = self.feature.ravel().astype(np.intp), self.threshold.ravel(), self.value.ravel()
        child = (np.stack([self.right, self.left], axis=2) + first[:, None, None]).ravel()
        flat, rows = feat_BF.ravel(), np.arange(len(feat_BF))[:, None] * feat_BF.shape[1]
        node = np.broadcast_to(first, (len(feat_BF), trees))
        for _ in range(self.depth):
            goes_left = flat.take(feature.take(node) + rows) <= threshold.take(node)
            node = child.take(2 * node + goes_left)
        per_tree = value.take(node)
        classes = len(self.start)
        out: FloatArray = self.start + np.stack([per_tree[:, k::classes].sum(axis=1) for k in range(classes)], axis=1)
        return out


@lru_cache(maxsize=1)
def shipped_trees() -> Trees:
    """The trees in the package."""
    with np.load(WEIGHTS / "beat_types.npz") as file:
        known = {name: file[name] for name in file.files}
    return Trees(known["feature"], known["threshold"].astype(float), known["left"], known["right"], known["value"].astype(float),
                 int(known["depth"]), known["start"].astype(float))


def beat_types(scaled_LT: NDArray[np.floating], samples: IntArray, fs: float, trees: Trees | None = None,
               cut_off_B: BoolArray | None = None) -> tuple[str, ...]:
    """The class of each beat of prepared leads; empty when there are fewer than LEAST_BEATS. cut_off_B: beats of which an end of
    the signal leaves a part: their shape tells nothing, so they are normal or supraventricular."""
    if len(samples) < LEAST_BEATS:
        return ()
    feat = type_features(scaled_LT, samples, fs)
    known = shipped_trees() if trees is None else trees
    scores = np.concatenate([known.scores(feat[k:k + SCORED]) for k in range(0, len(feat), SCORED)])
    if cut_off_B is not None:
        scores[np.ix_(cut_off_B, np.isin(CLASSES, ("V", "F")))] = -np.inf
    best = scores.argmax(axis=1)
    return tuple(CLASSES[k] for k in best)


def type_features(scaled_LT: NDArray[np.floating], samples: IntArray, fs: float) -> FloatArray:
    """Features ``[beat, feature]``; the order is fixed, the trees know it by number."""
    signal = np.asarray(scaled_LT, np.float64)
    at = align(signal, samples, fs)
    some = np.unique(np.linspace(0, len(at) - 1, min(len(at), PART)).round().astype(int))
    usual = _dominant(_windows(signal, at[some], fs))
    parts = [_shape_features(_completed(_windows(signal, at[k:k + PART], fs), at[k:k + PART], signal.shape[1], usual.whole, fs),
                             usual, fs) for k in range(0, len(at), PART)]
    return np.clip(np.column_stack([np.concatenate(parts), _timing_features(at, fs)]), -10, 10)


def _windows(scaled_LT: FloatArray, at: IntArray, fs: float) -> FloatArray:
    return cut(scaled_LT, at, round(-BEAT_S[0] * fs), round(BEAT_S[1] * fs))


def _completed(beats_BLW: FloatArray, at: IntArray, total: int, usual_LW: FloatArray, fs: float) -> FloatArray:
    """The beats with what lies beyond the ends of the signal taken from the dominant beat: an end must not look like a beat
    of another kind."""
    before, width = round(-BEAT_S[0] * fs), beats_BLW.shape[2]
    for row in np.flatnonzero((at < before) | (at - before + width > total)):
        first, last = max(0, before - int(at[row])), min(width, total + before - int(at[row])) - 1
        for edge, part in ((first, slice(0, first)), (last, slice(last + 1, width))):
            beats_BLW[row][:, part] = usual_LW[:, part] + (beats_BLW[row][:, edge] - usual_LW[:, edge])[:, None]
    return beats_BLW


def _part(beats_BLW: FloatArray, span_s: tuple[float, float], fs: float) -> FloatArray:
    """One stretch of every beat without its mean, all leads in a row ``[beat, lead * time]``."""
    first = round((span_s[0] - BEAT_S[0]) * fs)
    part = beats_BLW[:, :, first: first + round((span_s[1] - span_s[0]) * fs)]
    flat: FloatArray = (part - part.mean(axis=2, keepdims=True)).reshape(len(part), -1)
    return flat


@dataclass(frozen=True)
class _Usual:
    """The dominant beat ``[lead, window]``, its stretches, and the usual widths and sizes."""

    whole: FloatArray
    qrs: FloatArray
    p: FloatArray
    t: FloatArray
    widths: FloatArray
    sizes: FloatArray


def _dominant(beats_BLW: FloatArray) -> _Usual:
    fs = beats_BLW.shape[2] / (BEAT_S[1] - BEAT_S[0])
    qrs = _part(beats_BLW, QRS_S, fs)
    corr = correlation(qrs, median_of_known(qrs))
    for _ in range(2):
        corr = correlation(qrs, median_of_known(qrs[corr >= np.quantile(corr, 0.4)]))
    good = corr >= max(0.8, float(np.quantile(corr, 0.3)))
    good = good if good.sum() >= 3 else corr >= np.quantile(corr, 0.5)
    widths, sizes = _widths(beats_BLW, fs), _sizes(beats_BLW, fs)
    usual_qrs, usual_p, usual_t = (median_of_known(_part(beats_BLW, span, fs)[good]) for span in (QRS_S, P_S, T_S))
    whole, width, size = (median_of_known(values[good]) for values in (beats_BLW, widths, sizes))
    return _Usual(whole, usual_qrs, usual_p, usual_t, width, size)


def _widths(beats_BLW: FloatArray, fs: float) -> FloatArray:
    """Seconds ``[beat, 2]`` that the QRS spends above 30 and 50 % of its largest size over all leads."""
    first = round((WIDE_S[0] - BEAT_S[0]) * fs)
    part = beats_BLW[:, :, first: first + round((WIDE_S[1] - WIDE_S[0]) * fs)]
    size = np.sqrt(((part - np.median(part, axis=2, keepdims=True)) ** 2).sum(axis=1))
    top = size.max(axis=1, keepdims=True)
    return np.stack([(size > share * top).sum(axis=1) / fs for share in (0.3, 0.5)], axis=1)


def _sizes(beats_BLW: FloatArray, fs: float) -> FloatArray:
    """Steepest slope and height of the QRS, spread of the P and T stretches ``[beat, 4]``."""
    first = round((QRS_S[0] - BEAT_S[0]) * fs)
    qrs = beats_BLW[:, :, first: first + round((QRS_S[1] - QRS_S[0]) * fs)]
    slope = np.sqrt((np.diff(qrs, axis=2) ** 2).sum(axis=1)).max(axis=1)
    return np.stack([slope, np.ptp(qrs, axis=2).mean(axis=1), _part(beats_BLW, P_S, fs).std(axis=1),
                     _part(beats_BLW, T_S, fs).std(axis=1)], axis=1) + 1e-3


def _shape_features(beats_BLW: FloatArray, usual: _Usual, fs: float) -> FloatArray:
    qrs, p, t = (_part(beats_BLW, span, fs) for span in (QRS_S, P_S, T_S))
    widths = _widths(beats_BLW, fs)
    return np.column_stack([
        correlation(qrs, usual.qrs), qrs @ usual.qrs / (usual.qrs @ usual.qrs + 1e-9), correlation(p, usual.p),
        correlation(t, usual.t), widths, widths / np.maximum(usual.widths, 1e-3), np.log(_sizes(beats_BLW, fs) / usual.sizes),
    ])


def _timing_features(at: IntArray, fs: float) -> FloatArray:
    """Intervals before and after beside the usual one around, their quotient, how irregular it is around, the usual interval."""
    rr = np.diff(at) / fs
    around = median_filter(rr, size=11, mode="nearest")
    before, after = np.r_[np.median(rr), rr], np.r_[rr, np.median(rr)]
    usual_before, usual_after = np.r_[around[0], around], np.r_[around, around[-1]]
    change = median_filter(np.abs(np.diff(np.r_[rr[0], rr])) / around, size=15, mode="nearest")
    return np.column_stack([np.log(before / usual_before), np.log(after / usual_after), np.log(before / after),
                            np.r_[change[0], change], np.log(usual_before)])
