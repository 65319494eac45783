"""P waves before beats, by what the wave network says of the leads together: is there one, how long is it, how long is PR.

Shapes: L leads, C classes, T samples at FS, B beats.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecglm.signal.beats import IntArray
from ecglm.signal.holter.minutes import FS
from ecglm.signal.missing import FloatArray
from ecglm.signal.wave_network import CLASSES

#: Where the P wave of a beat is looked for (s before its QRS peak), and no further back than this share of the RR interval.
SEARCH_S, SEARCH_RR = (0.40, 0.05), 0.6
#: A wave of less probability is none (as in `delineation.LEAST`).
LEAST = 0.25
#: Columns of what is found of each beat.
COLUMNS = ("p", "p_s", "pr_s")


def p_before(prob_LCT: NDArray[np.float32], samples: IntArray) -> NDArray[np.float32]:
    """``[beat, 3]``: the probability (0..1) of a P wave before each QRS peak, its duration and the PR interval (s; NaN where
    there is no wave or it is not seen whole). Leads that cannot be read have probability 0."""
    out = np.full((len(samples), len(COLUMNS)), np.nan, np.float32)
    out[:, 0] = 0.0
    if not len(samples) or not prob_LCT.shape[0]:
        return out
    live_LT = prob_LCT.sum(axis=1) > 0
    count_T = np.maximum(live_LT.sum(axis=0), 1)
    p_T, qrs_T = (prob_LCT[:, CLASSES.index(wave)].sum(axis=0) / count_T for wave in ("p", "qrs"))
    first, last = round(SEARCH_S[0] * FS), round(SEARCH_S[1] * FS)
    place_BW = samples[:, None] + np.arange(-first, -last + 1)
    rr = np.diff(samples, prepend=samples[0] - 10 * first)
    allowed = (place_BW >= 0) & (place_BW > samples[:, None] - SEARCH_RR * rr[:, None])
    near_BW = np.where(allowed, p_T[place_BW.clip(0, len(p_T) - 1)], 0.0)
    peak = near_BW.argmax(axis=1)
    height = near_BW[np.arange(len(samples)), peak]
    begin, end = _crossings(near_BW, peak, np.maximum(LEAST, 0.5 * height))
    onset = _qrs_onset(qrs_T, samples)
    whole = (height >= LEAST) & np.isfinite(begin) & np.isfinite(end)
    out[:, 0] = height
    out[whole, 1] = ((end - begin) / FS)[whole]
    out[whole, 2] = ((onset + first - begin) / FS)[whole]
    return out


def _crossings(prob_BW: FloatArray, peak: IntArray, level: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the probability around each peak falls to the level on either side: samples of the window with
    fractions, NaN where it does not."""
    columns = np.arange(prob_BW.shape[1])
    below = prob_BW < level[:, None]
    rows = np.arange(len(prob_BW))
    left = np.where(below & (columns < peak[:, None]), columns, -1).max(axis=1)
    right = np.where(below & (columns > peak[:, None]), columns, prob_BW.shape[1]).min(axis=1)
    out = []
    for outside, inward in ((left, 1), (right, -1)):
        known = (outside >= 0) & (outside < prob_BW.shape[1])
        at = outside.clip(0, prob_BW.shape[1] - 1)
        low, high = prob_BW[rows, at], prob_BW[rows, (at + inward).clip(0, prob_BW.shape[1] - 1)]
        part = np.divide(level - low, high - low, out=np.zeros(len(low)), where=high > low)
        out.append(np.where(known, at + inward * part, np.nan))
    return out[0], out[1]


def _qrs_onset(qrs_T: NDArray[np.float32], samples: IntArray) -> FloatArray:
    """Sample before each QRS peak, relative to it, from which the network sees a QRS complex."""
    reach = round(0.12 * FS)
    place = (samples[:, None] + np.arange(-reach, 1)).clip(0, len(qrs_T) - 1)
    before = np.where(qrs_T[place] < 0.5, np.arange(reach + 1), -1).max(axis=1)
    out: FloatArray = np.where(before < 0, np.nan, before - reach + 0.5)
    return out
