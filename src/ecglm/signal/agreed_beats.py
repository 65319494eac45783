"""The beats that are measured: those of the detector, set right by the waves that the network marks, without ventricular ones.

The detector of `beats` looks for activity like that of the other beats: it misses ventricular beats and the small ones of
alternans, and counts tall T waves. The network of `delineation` knows the shape of a QRS complex, in three or more leads better.
"""

from __future__ import annotations

import numpy as np

from ecglm.signal.beat_types import beat_types
from ecglm.signal.beats import Beats
from ecglm.signal.missing import BoolArray, FloatArray
from ecglm.signal.stack import BeatStack, align

#: With fewer leads the detector is as good (MIT-BIH, two leads) or better (CPSC2019, one): docs/results.md, "R peaks".
LEAST_LEADS = 3
#: A peak of the network and one of the detector so close together (s) are one beat.
SAME_S = 0.15
#: So close to an end of the record (s) the network takes the rest of a wave for a QRS complex: none is added there, nor so
#: close to another.
END_S = 0.25
#: The share of the detector's beats that the network must know to be believed where they differ.
BELIEVED = 0.5
#: Kinds of beats are looked at where fewer than this share of the beats look like the median beat (by that correlation), and
#: ventricular ones are left out unless they are more than MOSTLY of all.
ALIKE, LIKE, MOSTLY = 0.7, 0.8, 0.67


def agreed_beats(beats: Beats, network_S: FloatArray, signal_LT: FloatArray) -> Beats:
    """The beats that the network marks (times in s), at the detector's place where both know them; the detector's where the
    network is not believed."""
    mine = beats.times_s
    if len(signal_LT) < LEAST_LEADS or not len(mine) or not len(network_S):
        return beats
    known, inside = _near(mine, network_S), (network_S > END_S) & (network_S < signal_LT.shape[1] / beats.fs - END_S)
    new = inside & ~_near(network_S, mine) & (np.diff(network_S, prepend=-np.inf) > END_S)
    if known.mean() < BELIEVED or (known.all() and not new.any()):
        return beats
    samples = np.r_[beats.samples[known], np.round(network_S[new] * beats.fs).astype(np.int64)]
    votes, added = np.r_[beats.votes[known], np.zeros(new.sum())], np.r_[np.zeros(known.sum(), bool), np.ones(new.sum(), bool)]
    order = np.argsort(samples, kind="stable")
    samples, votes, added = samples[order], votes[order], added[order]
    placed = np.where(added, align(signal_LT, samples, beats.fs), samples)  # the network's peak is the largest wave, R or S
    return Beats(placed if (np.diff(placed) > 0).all() else samples, beats.fs, votes)


def _near(times: FloatArray, others: FloatArray) -> BoolArray:
    after = np.searchsorted(others, times).clip(0, len(others) - 1)
    before = np.maximum(after - 1, 0)
    near: BoolArray = np.minimum(np.abs(others[after] - times), np.abs(others[before] - times)) < SAME_S
    return near


def ventricular(beats: Beats, stack: BeatStack, signal_LT: FloatArray) -> BoolArray:
    """Which beats are ventricular and none of the usual ones, ``[beat]``; none where nearly all beats look alike."""
    none = np.zeros(len(beats), bool)
    if (stack.corr_B >= LIKE).mean() >= ALIKE:
        return none
    found = np.array(beat_types(signal_LT, beats.samples, beats.fs) or ["N"] * len(beats)) == "V"
    return found if found.mean() <= MOSTLY else none
