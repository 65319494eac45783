"""Where P, QRS and T of the usual beats begin and end: what intervals and heights are measured on.

The network of `delineation` marks the waves of every beat and lead. In each beat a wave begins at the median of its onsets
over the leads and ends at the median of its offsets, where at least half of the leads show it: the middle of the leads, which
no single lead can move. Over the beats the median is taken, less the mean error that such networks make in recordings they
were not trained on. Where the rules of `waves` put an edge of the median beat within 20 ms of it, the mean of both is taken:
they err independently, the network by less far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.records.record import Record
from ecglm.signal.delineation import WAVES, Delineation, prepared_leads, waves_of
from ecglm.signal.missing import FloatArray, median_of_known
from ecglm.signal.quality import Assessment
from ecglm.signal.stack import BeatStack
from ecglm.signal.wave_network import FS
from ecglm.signal.waves import PR_RANGE_S, QRS_RANGE_S, QT_RANGE_S, Waves

#: In longer recordings (s) waves are marked in so many stretches of this length (s), evenly spread.
LONG_S, STRETCHES, STRETCH_S = 300.0, 30, 10.0
#: Of the leads this share must show a wave for the beat to have it, and of the beats this share for the record to have it.
SHOWN = 0.5
#: Mean error (s) of onset and offset against LUDB's cardiologists, cross-validated (docs/results.md, "Waves in every lead").
ERROR_S = {"p": (-0.0044, 0.0035), "qrs": (-0.0030, 0.0020), "t": (-0.0015, 0.0021)}
#: Two edges of the same wave, found in two ways, lie so close together (s).
AGREE_S = 0.020
#: How far from the QRS (s) the peak of the wave may lie that is marked as the same QRS, as its P, as its T wave.
_REACH_S = {"qrs": 0.12, "p": 0.45, "t": 0.65}


@dataclass(frozen=True)
class UsualWaves:
    """Onset and offset ``[beat, 2]`` of P, QRS and T of each usual beat, in seconds from its place in the stack; NaN where
    the wave is not there. leads: those that were read; beats_s: when these beats are."""

    leads: tuple[str, ...]
    beats_s: FloatArray
    p_B2: FloatArray
    qrs_B2: FloatArray
    t_B2: FloatArray

    @property
    def qrs_s(self) -> FloatArray:
        """QRS durations ``[beat]``."""
        return _within(self.qrs_B2[:, 1] - self.qrs_B2[:, 0], QRS_RANGE_S)

    @property
    def p_s(self) -> FloatArray:
        """P durations ``[beat]``."""
        return np.asarray(self.p_B2[:, 1] - self.p_B2[:, 0])

    @property
    def pr_s(self) -> FloatArray:
        """PR intervals ``[beat]``."""
        return _within(self.qrs_B2[:, 0] - self.p_B2[:, 0], PR_RANGE_S)

    @property
    def qt_s(self) -> FloatArray:
        """QT intervals ``[beat]``."""
        return _within(self.t_B2[:, 1] - self.qrs_B2[:, 0], QT_RANGE_S)

    def typical(self, by_rule: Waves, r: int, fs: float) -> Waves:
        """The usual edges in samples of the stack's window, whose QRS peak is sample r; NaN for a wave that is not there.
        by_rule: those that `waves.delineate` finds in the median beat."""
        nothing = np.full(2, np.nan)
        p, qrs, t = (median_of_known(edges) if usual(there) else nothing for edges, there in (
            (self.p_B2, self.pr_s), (self.qrs_B2, self.qrs_s), (self.t_B2, self.qt_s)))
        mine, theirs = r + fs * np.r_[p, qrs, t[1]], np.array(list(vars(by_rule).values()))
        return Waves(*np.where(np.abs(mine - theirs) <= AGREE_S * fs, 0.5 * (mine + theirs), mine).tolist())


def usual(values_B: FloatArray) -> bool:
    """Whether enough beats have a value for the record to have it."""
    return bool(len(values_B)) and float(np.isfinite(values_B).mean()) >= SHOWN


def usual_waves(record: Record, judged: Assessment, leads: tuple[str, ...], stack: BeatStack, found: Delineation | None,
                ) -> UsualWaves:
    """Waves of the usual beats of a stack. leads: those that are read; found: their waves (`marked_waves`), None for those of
    long recordings, of which stretches are marked."""
    beats, every = (stack.samples_B[which] / stack.fs for which in (stack.usual_B, slice(None)))
    if found is None:
        beats, found = _stretches(record, judged, leads, beats)
    edges = {wave: _over_leads(found.by_lead[wave], wave, beats, every) for wave in WAVES}
    return UsualWaves(found.leads, beats, *(edges[wave] - beats[:, None] for wave in ("p", "qrs", "t")))


def marked_waves(record: Record, judged: Assessment, leads: tuple[str, ...]) -> Delineation | None:
    """The waves of these leads, None for a long recording: it is marked in stretches, when its beats are known."""
    return None if record.duration_s > LONG_S else waves_of(*prepared_leads(record, leads, judged))


def _stretches(record: Record, judged: Assessment, used: tuple[str, ...], beats_s: FloatArray) -> tuple[FloatArray, Delineation]:
    """Waves of a long record in STRETCHES, and the beats among which they were looked for."""
    leads, signal = prepared_leads(record, used, judged)
    length = round(STRETCH_S * FS)
    starts = np.linspace(0, signal.shape[1] - length, STRETCHES).round().astype(int)
    parts = [waves_of(leads, signal[:, start: start + length]).by_lead for start in starts]
    by_lead = {wave: tuple(np.concatenate([part[wave][row] + start / FS for part, start in zip(parts, starts, strict=True)])
                           for row in range(len(leads))) for wave in WAVES}
    first, inside = _REACH_S["p"], STRETCH_S - _REACH_S["t"]
    into = beats_s - starts[np.maximum(np.searchsorted(starts / FS, beats_s, side="right") - 1, 0)] / FS
    return beats_s[(into >= first) & (into <= inside)], Delineation(leads, by_lead, {})


def _over_leads(leads: tuple[FloatArray, ...], wave: str, beats_B: FloatArray, every_A: FloatArray) -> FloatArray:
    """Median onset and offset over leads ``[beat, 2]`` (s) of the waves ``[wave, 3]`` of one kind that belong to the beats."""
    each = np.full((max(1, len(leads)), len(beats_B), 2), np.nan)
    for row, waves in enumerate(leads):
        if len(waves):
            at = _belonging(waves[:, 1], wave, beats_B, every_A)
            each[row] = np.where(at[:, None] >= 0, waves[at][:, [0, 2]], np.nan)
    few = np.isfinite(each[..., 0]).mean(axis=0) < SHOWN
    each[:, few] = np.nan
    return median_of_known(each) - ERROR_S[wave]


def _belonging(peaks: FloatArray, wave: str, beats_B: FloatArray, every_A: FloatArray) -> NDArray[np.intp]:
    """Which of the waves with these peaks is the QRS, the last P before or the first T after each beat; -1 for none."""
    after = np.searchsorted(peaks, beats_B)
    before = after - 1
    if wave == "qrs":
        sides = np.clip(np.stack([before, after]), 0, len(peaks) - 1)
        near = sides[np.abs(peaks[sides] - beats_B).argmin(axis=0), np.arange(len(beats_B))]
        return np.where(np.abs(peaks[near] - beats_B) < _REACH_S[wave], near, -1)
    if wave == "p":
        last = np.r_[-np.inf, every_A][np.searchsorted(every_A, beats_B)]
        return np.where((before >= 0) & (peaks[before] > np.maximum(beats_B - _REACH_S[wave], last)), before, -1)
    following = np.r_[every_A, np.inf][np.searchsorted(every_A, beats_B, side="right")]
    at = np.minimum(after, len(peaks) - 1)
    return np.where((after < len(peaks)) & (peaks[at] < np.minimum(beats_B + _REACH_S[wave], following)), after, -1)


def _within(values_B: FloatArray, limits: tuple[float, float]) -> FloatArray:
    return np.where((values_B >= limits[0]) & (values_B <= limits[1]), values_B, np.nan)
