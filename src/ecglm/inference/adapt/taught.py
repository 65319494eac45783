"""`Taught`: a question with its labelled examples, what it answers for a new recording, and how often that is right.

Shapes: K examples, C answers, S sides, Q recordings asked about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import RecordError
from ecglm.inference.adapt.kernels import FloatArray, predict, similarities
from ecglm.inference.adapt.space import NAMES, Description, FewShotSpace, describe
from ecglm.inference.guard import decline_record
from ecglm.models.processor import EcgProcessor, ProcessorConfig
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal import USABLE, measure

#: So much of a recording, from its start, is looked at (s).
MAX_S = ProcessorConfig().max_s
#: Times that every example is left out, with other partners from the other answers, and how often that may be in all.
ROUNDS, MAX_LEFT_OUT = 10, 500
#: With C answers so many patients tell as much as n (2 / C)^SHRINK that are independent: measured on PTB-XL (docs/log.md).
SHRINK = 0.7
_95 = 1.959964


def described(record: Record) -> tuple[Description, tuple[str, ...]]:
    """What is measured of a recording (its first 60 s), and the leads that cannot be read. Raises RecordError when none can."""
    part = record if record.duration_s <= MAX_S else record.crop(0.0, MAX_S)
    measurements = measure(part)
    reason = decline_record(part, measurements.quality)
    if reason is None and not set(part.leads) & set(STANDARD_12):
        reason = f"none of its leads ({', '.join(part.leads)}) is one of the 12 standard leads"
    if reason is not None:
        raise RecordError(reason)
    found = describe(part, EcgProcessor()(part, measurements))
    return found, tuple(lead for lead, quality in measurements.quality.items() if lead in STANDARD_12 and quality < USABLE)


@dataclass(frozen=True)
class Estimate:
    """Cross-validated share of right answers with its 95 % interval; chance: what always giving the commonest answer, or
    guessing, reaches; n_patients: what the interval rests on."""

    accuracy: float
    low: float
    high: float
    chance: float
    n_patients: int

    @property
    def above_chance(self) -> bool:
        """Whether the interval leaves chance out."""
        return self.low > self.chance

    @property
    def text(self) -> str:
        """In one line."""
        right, low, high, chance = (100 * p for p in (self.accuracy, self.low, self.high, self.chance))
        return f"{right:.0f} % right ({low:.0f}-{high:.0f} %), chance {chance:.0f} %"

    def to_dict(self) -> dict[str, Any]:
        return {**{name: round(getattr(self, name), 4) for name in ("accuracy", "low", "high", "chance")},
                "n_patients": self.n_patients, "above_chance": self.above_chance}


@dataclass(frozen=True)
class Told:
    """What examples say of a recording. prob_C: of the answers; side_S: how much each side (NAMES) was heard; like_K: how
    similar each example is, seen from these sides."""

    prob_C: FloatArray
    side_S: FloatArray
    like_K: FloatArray

    @property
    def sides(self) -> list[tuple[str, float]]:
        """Names of the sides, most heard first."""
        return [(NAMES[i], float(self.side_S[i])) for i in np.argsort(-self.side_S, kind="stable")]


@dataclass(frozen=True)
class Taught:
    """wordings: how the question was put; answer_K: numbers of `answers`; row_K: of the examples in the table; patients: how
    many they are of."""

    wordings: tuple[str, ...]
    answers: tuple[str, ...]
    answer_K: NDArray[np.int64]
    row_K: NDArray[np.int64]
    examples: Description
    n_patients: int
    estimate: Estimate

    @property
    def counts(self) -> dict[str, int]:
        """Examples by answer."""
        return {answer: int((self.answer_K == number).sum()) for number, answer in enumerate(self.answers)}

    @property
    def shown(self) -> str:
        """Of how much the question was taught by."""
        counts = ", ".join(f"{count} {answer}" for answer, count in self.counts.items())
        return f"{len(self.answer_K)} examples of {self.n_patients} patients ({counts})"

    def told(self, space: FewShotSpace, asked: Description) -> Told:
        """What the examples say of one recording."""
        a, b = _seen(space, self.examples, asked.mask_NL[0]), space(asked)
        to_SQK = similarities(b, a, space.baseline_S)
        found = predict(similarities(a, a, space.baseline_S), to_SQK, self.answer_K)
        return Told(found.prob_QC[0], found.side_S, np.asarray(np.einsum("s,sqk->qk", found.side_S, to_SQK)[0], np.float32))


def _seen(space: FewShotSpace, examples: Description, mask_L: FloatArray) -> dict[str, FloatArray]:
    """Sides of the examples in the leads that a recording has: what is measured in others could be compared with nothing
    (docs/log.md has what that gains)."""
    return space(Description(examples.value_NV, examples.beat_NLK, examples.mask_NL * mask_L))


def cross_validate(space: FewShotSpace, examples: Description, answer_K: NDArray[np.int64], patient_K: Sequence[str],
                   after: Callable[[], None], seed: int = 0) -> Estimate:
    """Each example is answered by examples of other patients. One of every other answer is left out with it, or the answer that
    then is rarer would lose whenever nothing is known; several times, with others. after: called for every example."""
    rng = np.random.default_rng(seed)
    patient = np.unique(np.asarray(patient_K), return_inverse=True)[1]
    rounds = int(np.clip(MAX_LEFT_OUT // len(answer_K), 1, ROUNDS))
    right_K = np.zeros(len(answer_K))
    for mask_L in np.unique(examples.mask_NL, axis=0):
        sides = _seen(space, examples, mask_L)
        kernel_SKK = similarities(sides, sides, space.baseline_S)
        for number in np.flatnonzero((examples.mask_NL == mask_L).all(1)):
            for _ in range(rounds):
                kept = _others(answer_K, patient, int(number), rng)
                if len(np.unique(answer_K[kept])) == len(np.unique(answer_K)):
                    found = predict(kernel_SKK[:, kept][:, :, kept], kernel_SKK[:, [number]][:, :, kept], answer_K[kept])
                    right_K[number] += (found.best_Q[0] == answer_K[number]) / rounds
            after()
    counts = np.bincount(answer_K)
    n = int(patient.max()) + 1
    low, high = wilson(float(right_K.mean()), n * (2 / len(counts)) ** SHRINK)
    return Estimate(round(float(right_K.mean()), 4), low, high, max(float(counts.max()) / len(answer_K), 1 / len(counts)), n)


def _others(answer_K: NDArray[np.int64], patient_K: NDArray[np.int64], number: int, rng: np.random.Generator,
            ) -> NDArray[np.int64]:
    """Examples that an example is answered by."""
    out = patient_K == patient_K[number]
    for other in np.unique(answer_K[answer_K != answer_K[number]]):
        left = np.flatnonzero((answer_K == other) & ~out)
        if len(left) > 1:
            out |= patient_K == patient_K[rng.choice(left)]
    return np.flatnonzero(~out)


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % interval of a share of n (Wilson 1927, 10.1080/01621459.1927.10502953), which may be a mean: n need not be whole."""
    scale, middle = 1 + _95 ** 2 / n, share + _95 ** 2 / (2 * n)
    half = _95 * math.sqrt(share * (1 - share) / n + _95 ** 2 / (4 * n ** 2))
    return max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)
