"""How real are simulated records: the items and the small models of the tasks `simulate-*`.

A twin is a record simulated from nothing but the labels of a PTB-XL recording, so that real and simulated sets have the
same mixture of diagnoses. All features come after the processing PTB-XL's copy went through (0.5-40 Hz, each lead in its
own standard deviations), and are those a small model can learn from: rhythm and intervals, the median beat, spectra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.task import BenchItem, FindingScores
from ecglm.corpus import ptbxl
from ecglm.corpus.ecgqa import findings_items
from ecglm.corpus.external import bench_record
from ecglm.knowledge.statements import BY_KEY, GROUPS, keys
from ecglm.records.record import Record
from ecglm.signal import prepare, read_rhythm
from ecglm.signal.simulate import Simulated, resembling, simulate_one

Floats = NDArray[np.float32]
#: Probabilities ``[N]`` by group and code, and what gives them for features ``[N, F]`` and median beats ``[N, lead * window]``.
Probabilities = dict[str, dict[str, NDArray[np.float64]]]
Judge = Callable[[Floats, Floats], Probabilities]
TRAIN_FOLDS, TEST_FOLD = (1, 2, 3, 4, 5, 6, 7, 8), 9
#: Edges (Hz) of the bands whose power is a feature.
BANDS_HZ = (0.5, 1, 2, 4, 7, 10, 15, 20, 25, 30, 35, 40)
#: Median beats enter as this many principal components.
BEAT_COMPONENTS = 40


def twin(row: int, seed: int = 0) -> Simulated:
    """The simulated twin of a PTB-XL row: same statements as far as they can be simulated, nothing else in common."""
    labels = [key for key, given in zip(keys(), ptbxl.load().labels_NC[row], strict=True) if given]
    rng = np.random.default_rng((seed, row))
    return simulate_one(resembling(labels, rng), seed=int(rng.integers(2**31)))


def realism_items() -> list[BenchItem]:
    """Every record of the test fold and its twin; the label is whether it was simulated."""
    items: list[BenchItem] = []
    for item in findings_items(TEST_FOLD):
        for simulated in (0, 1):
            key = f"{'twin' if simulated else 'real'}:{item.record_key}"
            items.append(replace(item, id=key, record_key=key, meta={"labels": {"origin": {"simulated": simulated}}}))
    return items


def features(record: Record) -> tuple[Floats, Floats]:
    """Features ``[F]`` (rhythm, band powers, slopes and correlations of leads) and the median beat ``[lead * window]``."""
    rhythm = read_rhythm(record)
    signal = prepare(record).signal
    power = np.abs(np.fft.rfft(signal * np.hanning(signal.shape[1]), axis=1)) ** 2 / signal.shape[1]
    hz = np.fft.rfftfreq(signal.shape[1], 1 / 250)
    bands = [np.log(power[:, (hz >= low) & (hz < high)].mean(axis=1) + 1e-9)
             for low, high in pairwise(BANDS_HZ)]
    slopes = np.log(np.quantile(np.abs(np.diff(signal, axis=1)), (0.1, 0.5, 0.9, 0.99), axis=1) + 1e-6)
    alike = np.nan_to_num((signal @ signal.T / signal.shape[1])[np.triu_indices(len(signal), 1)])
    return np.concatenate([rhythm.values_F, *bands, *slopes, alike]).astype(np.float32), rhythm.beat_LW.ravel()


def _stacked(records: Iterable[Record]) -> tuple[Floats, Floats]:
    pairs = [features(record) for record in records]
    return np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])


@lru_cache(maxsize=1)
def _real() -> tuple[Floats, Floats]:
    data = ptbxl.load()
    return _stacked(data.record(int(row)) for row in data.rows(TRAIN_FOLDS))


@lru_cache(maxsize=1)
def _twins() -> tuple[Floats, Floats, NDArray[np.uint8]]:
    """Features of the twins of the training folds, and the labels they carry by construction ``[record, statement]``."""
    made = [twin(int(row)) for row in ptbxl.load().rows(TRAIN_FOLDS)]
    labels = np.array([[key in m.truth.labels for key in keys()] for m in made], np.uint8)
    return (*_stacked(m.record for m in made), labels)


@lru_cache(maxsize=1024)
def _item_features(record_key: str) -> tuple[Floats, Floats]:
    kind, _, key = record_key.rpartition(":")
    record = bench_record(key)
    if kind == "twin":
        row = int(np.flatnonzero(ptbxl.load().ecg_id == int(key))[0])
        record = twin(row, seed=1).record
    return features(record)


class Subject:
    """A small model trained on PTB-XL's training folds, their twins or both. Learns when it is first asked."""

    def __init__(self, name: str, learn: Callable[[], Judge]) -> None:
        data = ptbxl.load()
        self.id, self.fingerprint = name, f"{name}-1"
        self.train_patients = frozenset(str(p) for p in data.patient[data.rows(TRAIN_FOLDS)])
        self.train_hashes = None
        self._learn = learn
        self._judge: Judge | None = None

    def score_items(self, items: list[BenchItem], progress: bool) -> list[FindingScores]:
        """Probabilities for every item, in order."""
        if self._judge is None:
            self._judge = self._learn()
        pairs = [_item_features(item.record_key) for item in items]
        found = self._judge(np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs]))
        return [FindingScores(item.id, {group: {code: float(p[n]) for code, p in codes.items()}
                                        for group, codes in found.items()}) for n, item in enumerate(items)]


def real_or_simulated() -> Subject:
    """Tells simulated from real. AUROC 0.5 would mean that it cannot."""
    return Subject("gradient-boosting", _tell_apart)


def trained_on_simulated() -> Subject:
    """Has seen simulated records only."""
    return Subject("trained-on-simulated", lambda: _statements(*_twins()))


def trained_on_real() -> Subject:
    """The same model with real records: what the simulated ones could reach at best."""
    data = ptbxl.load()
    return Subject("trained-on-real", lambda: _statements(*_real(), data.labels_NC[data.rows(TRAIN_FOLDS)]))


def _joiner(beats: Floats) -> Callable[[Floats, Floats], Floats]:
    """Features and median beats -> features with the principal components of these, the training beats."""
    from sklearn.decomposition import PCA

    components = PCA(BEAT_COMPONENTS, random_state=0).fit(beats)
    return lambda values, others: np.hstack([values, components.transform(others)]).astype(np.float32)


def _tell_apart() -> Judge:
    """Gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    (real, real_beats), (twins, twin_beats, _) = _real(), _twins()
    values, beats = np.vstack([real, twins]), np.vstack([real_beats, twin_beats])
    joined = _joiner(beats)
    model = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.08, max_leaf_nodes=15, random_state=0)
    model.fit(joined(values, beats), np.r_[np.zeros(len(real)), np.ones(len(twins))])
    return lambda values, beats: {"origin": {"simulated": model.predict_proba(joined(values, beats))[:, 1]}}


def _statements(values: Floats, beats: Floats, labels: NDArray[np.uint8]) -> Judge:
    """Every statement at once: extremely randomised trees."""
    from sklearn.ensemble import ExtraTreesClassifier

    joined = _joiner(beats)
    known = [i for i in range(labels.shape[1]) if 0 < labels[:, i].sum() < len(labels)]
    trees = ExtraTreesClassifier(400, min_samples_leaf=2, max_features=0.2, random_state=0, n_jobs=1)
    trees.fit(joined(values, beats), labels[:, known])
    names = [BY_KEY[keys()[i]] for i in known]

    def judge(values: Floats, beats: Floats) -> Probabilities:
        each = trees.predict_proba(joined(values, beats))
        return {group: {s.code: p[:, 1] for s, p in zip(names, each, strict=True) if s.group == group} for group in GROUPS}

    return judge
