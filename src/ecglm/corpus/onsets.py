"""Cohorts of simulated subjects for forecasting: long records that end in fibrillation or flutter, and controls; no files.

Every subject has one record of 24 minutes. Onsets lie 1,290 to 1,400 s into it, so that the longest window (600 s) fits in
front of the longest horizon (600 s); controls have a moment drawn in the same way to count their windows from. Subjects of the
splits have different seeds. A subject without an onset, and one whose onset comes without a sign, are drawn alike: what a
forecast finds in the cohort `UNANNOUNCED`, where all onsets are such, is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ecglm.config import closest
from ecglm.corpus.windows.item import CLASSES, HORIZONS, SPLITS, WINDOWS, ForecastItem
from ecglm.errors import UsageError
from ecglm.records.record import Record
from ecglm.signal.simulate import Simulated, stream_onset
from ecglm.signal.simulate.onset import MIXTURES

#: Length of every record, and where its onset, or the moment that a control is looked at from, may lie (s).
DURATION_S, ONSET_RANGE_S = 1440.0, (1290.0, 1400.0)
#: Rate and leads of the cohort's recordings, as long-term recorders have them.
FS, LEADS = 128.0, ("II", "V1")


@dataclass(frozen=True)
class Cohort:
    """A name, whether onsets announce themselves, and how many subjects each class has by split."""

    name: str
    announced: bool
    seed: int
    per_class: tuple[int, int, int]


ANNOUNCED = Cohort("onsets", True, 7001, (400, 200, 200))
UNANNOUNCED = Cohort("onsets-unannounced", False, 7002, (200, 200, 200))
COHORTS = {cohort.name: cohort for cohort in (ANNOUNCED, UNANNOUNCED)}


@dataclass(frozen=True)
class OnsetSubject:
    """One subject and its only record. moment_s: the onset, or of a control the moment that its windows are counted from."""

    key: str
    cohort: str
    split: str
    label: str
    mechanism: str
    moment_s: float
    seed: int

    @property
    def onset_s(self) -> float | None:
        """When the event begins, None for a control."""
        return None if self.label == "sinus" else self.moment_s


def subjects(split: str, cohort: Cohort = ANNOUNCED, per_class: int | None = None) -> list[OnsetSubject]:
    """The subjects of a split, classes in turn; those of a smaller number are the first of a larger one."""
    if split not in SPLITS:
        raise UsageError(f"split {split!r} is unknown; {closest(split, SPLITS)}")
    n = cohort.per_class[SPLITS.index(split)] if per_class is None else per_class
    return [_subject(cohort, split, label, i) for i in range(n) for label in CLASSES]


def subject(key: str) -> OnsetSubject:
    """The subject of a key such as "onsets/test/af/0012". Raises UsageError for a key that no cohort has."""
    try:
        name, split, label, number = key.split("/")
        cohort, i = COHORTS[name], int(number)
        if split not in SPLITS or label not in CLASSES or i < 0:
            raise ValueError(key)
    except (ValueError, KeyError):
        raise UsageError(f"subject {key!r} is in no cohort; keys are such as {ANNOUNCED.name}/test/af/0012") from None
    return _subject(cohort, split, label, i)


def _subject(cohort: Cohort, split: str, label: str, i: int) -> OnsetSubject:
    rng = np.random.default_rng((cohort.seed, SPLITS.index(split), CLASSES.index(label), i))
    seed, moment_s = int(rng.integers(2**53)), float(rng.uniform(*ONSET_RANGE_S))
    mixture = MIXTURES[label]
    mechanism = str(rng.choice(list(mixture), p=list(mixture.values()))) if cohort.announced else "none"
    return OnsetSubject(f"{cohort.name}/{split}/{label}/{i:04d}", cohort.name, split, label, mechanism, round(moment_s, 3), seed)


def items(split: str, cohort: Cohort = ANNOUNCED, *, per_class: int | None = None, windows: Sequence[float] = WINDOWS,
          horizons: Sequence[float] = HORIZONS) -> list[ForecastItem]:
    """The windows of a split, those of a subject together; the published grid unless other lengths and horizons are given.

    Raises UsageError for a window that does not fit in front of its horizon.
    """
    if max(windows) + max(horizons) > ONSET_RANGE_S[0]:
        raise UsageError(f"a window of {max(windows):g} s and a horizon of {max(horizons):g} s do not fit in the "
                         f"{ONSET_RANGE_S[0]:g} s before an onset; ask for shorter ones")
    return [ForecastItem(s.key, s.key, window, horizon, s.moment_s - horizon - window, s.moment_s - horizon, s.onset_s, s.label,
                         1.0, s.mechanism, "control" if s.onset_s is None else "onset", s.cohort, s.split)
            for s in subjects(split, cohort, per_class) for window in windows for horizon in horizons]


def simulated(who: OnsetSubject, fs: float = FS, leads: Sequence[str] = LEADS) -> Simulated:
    """The whole record of a subject and its truth, made anew (about 0.15 s)."""
    return next(stream_onset(who.label, who.mechanism, fs=fs, duration_s=DURATION_S, onset_s=who.onset_s, leads=tuple(leads),
                             seed=who.seed))


@lru_cache(maxsize=4)
def _record(key: str) -> Record:
    return simulated(subject(key)).record


def window(item: ForecastItem) -> Record:
    """The signal of an item's window. Items of a subject should follow one another: only the last few records are kept."""
    whole = _record(item.record)
    low, high = round(item.start_s * whole.fs), round(item.stop_s * whole.fs)
    return Record(whole.signal[:, low:high], whole.fs, whole.leads, meta=whole.meta, source=f"{item.record}@{item.start_s:g}",
                  format=whole.format)
