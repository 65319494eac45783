"""From the encoder's fused logits to probabilities and decisions: the "findings" entry of ``calibration.json``.

Shapes: N or B records, C labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ecglm.knowledge.statements import GROUPS, STATEMENTS
from ecglm.models.facts import UNSPOKEN

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
#: A statement is called present above this share of its base rate's log-odds: between even odds (0: rare statements are
#: hardly ever called) and twice as likely as usual (1: rare ones are called too often). Chosen on out-of-fold predictions.
PRIOR_SHARE = 0.4
#: How much less plausible, in log-odds, a combination of statements is that no four training recordings showed.
NOVELTY = 2.0
_CLIP = 1e-3
#: A statement keeps its ranking however many leads are missing.
LEAST_SLOPE = 0.02
_NORMAL = [s.key for s in STATEMENTS].index("super_class:NORM")
_MEMBERS = {group: [i for i, s in enumerate(STATEMENTS) if s.group == group and s.key not in UNSPOKEN] for group in GROUPS}


def log_odds(probability: FloatArray) -> FloatArray:
    """Log-odds of probabilities kept within 0.001 to 0.999."""
    return np.asarray(logit(np.clip(probability, _CLIP, 1 - _CLIP)))


@dataclass(frozen=True)
class FindingCalibration:
    """Per label: probability = sigmoid(slope * logit + bias); threshold of "possible" (highest balanced accuracy);
    prevalence in the training data. combinations: by group, sets of labels that recordings show together. missing: change
    of slope and of bias per share of limb leads, and of chest leads, that a recording lacks, rows (slope limb, slope
    chest, bias limb, bias chest). unrecorded: change of slope and of bias of these calibrated log-odds per share of the time in
    which leads were not recorded since others were, as on paper, rows (slope, bias). either: slope and bias of the log-odds that
    an answer to "A or B?" is right (`ecglm.training.either`). All fitted on training recordings, on out-of-fold predictions but
    `unrecorded`, which makes pages say what the whole recordings say (`ecglm.training.unrecorded`)."""

    slope: tuple[float, ...]
    bias: tuple[float, ...]
    possible: tuple[float, ...]
    prevalence: tuple[float, ...]
    combinations: Mapping[str, tuple[tuple[int, ...], ...]]
    missing: tuple[tuple[float, ...], ...]
    unrecorded: tuple[tuple[float, ...], ...] = ()
    either: tuple[float, float] = (1.0, 0.0)

    def calibrated(self, logits_BC: FloatArray, mask_L: FloatArray | None = None, unrecorded: float = 0.0) -> FloatArray:
        """Calibrated logits, same shape. mask_L: which of the 12 leads the recording has; None all. unrecorded: the share of
        its time in which its leads were not recorded since others were."""
        slope, bias = np.array(self.slope, np.float32), np.array(self.bias, np.float32)
        if mask_L is not None:
            limb, chest = missing_shares(mask_L[None])[0]
            change = np.array(self.missing, np.float32)
            slope, bias = slope + limb * change[0] + chest * change[1], bias + limb * change[2] + chest * change[3]
        out = logits_BC * np.maximum(slope, LEAST_SLOPE) + bias
        if self.unrecorded and unrecorded > 0:
            steeper, higher = unrecorded * np.array(self.unrecorded, np.float32)
            out = out * np.maximum(1.0 + steeper, LEAST_SLOPE) + higher
        return np.asarray(out, np.float32)

    def probability(self, logits_BC: FloatArray, mask_L: FloatArray | None = None) -> FloatArray:
        """Calibrated probabilities, same shape. mask_L as for `calibrated`."""
        return np.asarray(expit(self.calibrated(logits_BC, mask_L)), np.float32)

    def even(self, prob_C: FloatArray) -> FloatArray:
        """What the probabilities would be if half of all recordings had each statement."""
        return np.asarray(expit(self.lift(prob_C)), np.float32)

    def lift(self, prob_C: FloatArray) -> FloatArray:
        """Log-odds above the base rate: how far each statement is likelier here than in any recording."""
        return log_odds(prob_C) - log_odds(np.array(self.prevalence, np.float32))

    def possible_C(self, prob_C: FloatArray) -> BoolArray:
        """Statements that are at least possible: which way an even question about each would go."""
        return np.asarray(prob_C >= np.array(self.possible, np.float32))

    def present_C(self, prob_C: FloatArray) -> BoolArray:
        """Statements called present: per group the most plausible combination of possible statements."""
        margin = log_odds(prob_C) - PRIOR_SHARE * log_odds(np.array(self.prevalence, np.float32))
        possible = self.possible_C(prob_C)
        present = possible & (margin > 0)
        for group, members in _MEMBERS.items():
            alone = tuple(c for c in members if present[c])
            seen = self.combinations.get(group, ())
            if alone in seen:
                continue  # the sum of all positive margins: nothing can beat it
            score, best = max(((float(margin[list(s)].sum()), s) for s in seen if possible[list(s)].all()), default=(-np.inf, ()))
            present[members] = False
            present[list(best if score >= margin[list(alone)].sum() - NOVELTY else alone)] = True
        superclasses = _MEMBERS["super_class"]
        if present[_NORMAL] and present[superclasses].sum() > 1:  # a normal ECG has no other superclass: the likelier side wins
            others = [c for c in superclasses if c != _NORMAL and present[c]]
            present[others if prob_C[_NORMAL] >= prob_C[others].max() else [_NORMAL]] = False
        return present

    def to_dict(self) -> dict[str, Any]:
        """For ``calibration.json``."""
        return {**{key: list(getattr(self, key)) for key in ("slope", "bias", "possible", "prevalence")},
                "combinations": {group: [list(s) for s in sets] for group, sets in self.combinations.items()},
                "missing": [list(row) for row in self.missing], "unrecorded": [list(row) for row in self.unrecorded],
                "either": list(self.either)}

    @staticmethod
    def of(data: Mapping[str, Any]) -> FindingCalibration:
        """Inverse of `to_dict`."""
        numbers = {key: tuple(float(v) for v in data[key]) for key in ("slope", "bias", "possible", "prevalence")}
        sets = {str(group): tuple(tuple(int(i) for i in s) for s in found) for group, found in data["combinations"].items()}
        missing, unrecorded = (tuple(tuple(map(float, row)) for row in data.get(key, ())) for key in ("missing", "unrecorded"))
        slope, bias = map(float, data.get("either", (1.0, 0.0)))
        if len(missing) != 4 or len(unrecorded) not in (0, 2):
            raise ValueError("not four rows for missing leads, or not two for leads that were not recorded all the time")
        return FindingCalibration(**numbers, combinations=sets, missing=missing, unrecorded=unrecorded, either=(slope, bias))


def missing_shares(mask_NL: FloatArray) -> FloatArray:
    """Shares [N, 2] of limb leads and of chest leads that are absent from masks over the 12 standard leads."""
    return np.asarray(1.0 - np.stack([mask_NL[:, :6].mean(1), mask_NL[:, 6:].mean(1)], axis=1), np.float32)


def seen_together(label_NC: NDArray[np.uint8], least: int = 4) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Combinations of a group's statements that at least `least` recordings show."""
    combinations = {}
    for group, members in _MEMBERS.items():
        sets, count = np.unique(label_NC[:, members], axis=0, return_counts=True)
        combinations[group] = tuple(_set(members, row) for row, n in zip(sets, count, strict=True) if n >= least)
    return combinations


def _set(members: list[int], row: Iterable[int]) -> tuple[int, ...]:
    return tuple(c for c, there in zip(members, row, strict=True) if there)
