"""Beats of recordings with the rhythm of each: MIT-BIH as marked, and simulated people who go from rhythm to rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.rhythms import Rhythms
from ecglm.records.record import Record
from ecglm.records.windows import Windows
from ecglm.signal.beats import IntArray
from ecglm.signal.holter.minutes import FS
from ecglm.signal.holter.stream import gather
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate import simulate_one
from ecglm.signal.spans.evidence import Evidence
from ecglm.signal.spans.features import rhythm_features
from ecglm.signal.spans.model import AF, FLUTTER, SINUS

#: Simulated rhythms by class, and shapes that they may be joined with; what is named twice is drawn as often.
RHYTHMS: dict[int, tuple[str, ...]] = {
    SINUS: ("normal", "premature_atrial", "premature_atrial", "premature_ventricular", "bigeminy", "trigeminy",
            "sinus_arrhythmia", "sinus_arrhythmia", "sinus_tachycardia", "sinus_bradycardia", "av_block_2_1", "av_block_2_2",
            "junctional_rhythm", "ectopic_atrial_rhythm", "supraventricular_tachycardia", "ventricular_run", "av_block_1",
            "idioventricular_rhythm"),
    AF: ("atrial_fibrillation",),
    FLUTTER: ("atrial_flutter_2", "atrial_flutter_3", "atrial_flutter_4", "atrial_flutter_variable", "atrial_flutter_variable"),
}
SHAPES = ("", "", "", "+lbbb", "+rbbb", "+lvh")
#: Shares of the classes among their stretches, and how long these are (s).
SHARES, STRETCH_S = (0.5, 0.3, 0.2), (15.0, 150.0)
LEADS = ("I", "II", "III", "aVF", "V1", "V2", "V5")


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats of a recording as `rhythm_features` takes them, and the class of each (-1: not known)."""

    name: str
    subject: str
    times_B: FloatArray
    kinds_B: NDArray[np.str_]
    p_B3: NDArray[np.float32]
    gaps_G2: FloatArray
    seen: Evidence
    class_B: IntArray

    def features(self) -> FloatArray:
        """Of each beat."""
        return rhythm_features(self.times_B, self.kinds_B, self.p_B3, self.gaps_G2, self.seen)

    def cut(self, first: int, stop: int) -> Beats:
        """Some beats in a row, as if the recording began and ended with them."""
        part = slice(first, stop)
        return Beats(self.name, self.subject, self.times_B[part], self.kinds_B[part], self.p_B3[part], self.gaps_G2,
                     self.seen.at(part), self.class_B[part])


def beats_of(recording: str | Record | Windows, name: str, subject: str, rhythms: Rhythms | None = None) -> Beats:
    """Beats of a recording; classes as in rhythms, 0 without."""
    seen, _ = gather(recording)
    times = np.concatenate(seen.times) / FS
    classes = np.zeros(len(times), np.int64)
    if rhythms is not None:
        classes = np.where(rhythms.doubtful(times), -1, rhythms.at(times))
    return Beats(name, subject, times, np.concatenate(seen.types), np.concatenate(seen.p), np.concatenate(seen.gaps) / FS,
                 Evidence.joined(seen.evidence), classes)


def simulated_person(seed: int, number: int) -> Beats:
    """Some stretches of one heart, each of another rhythm, in one or two leads."""
    rng = np.random.default_rng([seed, number])
    shape = SHAPES[rng.integers(len(SHAPES))]
    leads = tuple(rng.choice(LEADS, 1 + int(rng.random() < 0.67), replace=False).tolist())
    parts: list[Beats] = []
    begins, last = [0.0], -1
    for _ in range(int(rng.integers(2, 5))):
        kind = int(rng.choice(3, p=SHARES))
        kind = SINUS if kind == last else kind
        names = RHYTHMS[last := kind]
        long_s = float(np.exp(rng.uniform(*np.log(STRETCH_S))))
        record = simulate_one(names[rng.integers(len(names))] + shape, fs=FS, duration_s=long_s, leads=leads,
                              seed=1_000_000 * seed + number).record
        found = beats_of(record, f"simulated {number}", f"simulated {number}")
        parts.append(Beats(found.name, found.subject, found.times_B + begins[-1], found.kinds_B, found.p_B3,
                           found.gaps_G2 + begins[-1], found.seen, np.full(len(found.times_B), kind)))
        begins.append(begins[-1] + record.duration_s)
    return joined(parts)


def joined(parts: Sequence[Beats]) -> Beats:
    """One after the other, as of one recording."""
    return Beats(parts[0].name, parts[0].subject, np.concatenate([one.times_B for one in parts]),
                 np.concatenate([one.kinds_B for one in parts]), np.concatenate([one.p_B3 for one in parts]),
                 np.concatenate([one.gaps_G2 for one in parts]), Evidence.joined([one.seen for one in parts]),
                 np.concatenate([one.class_B for one in parts]))
