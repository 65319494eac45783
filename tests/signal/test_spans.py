"""Spans of rhythm: evidence tells what was simulated, the sequence is the best one, spans end at gaps, onsets are found."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
import pytest

from ecglm.records.record import Record
from ecglm.signal.holter import holter
from ecglm.signal.holter.minutes import FS
from ecglm.signal.holter.stream import gather
from ecglm.signal.simulate import simulate_one
from ecglm.signal.spans import features
from ecglm.signal.spans.evidence import Evidence
from ecglm.signal.spans.find import decoded, spans_of
from ecglm.signal.spans.model import AF, CLASSES, FLUTTER, SINUS, Decoder, SpanModel, loaded, shipped_model, stored, viterbi

LEADS = ("II", "V1")


@lru_cache(maxsize=8)
def beats(condition: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Evidence]:
    """Times (s), kinds, P waves, gaps and evidence of two simulated minutes."""
    seen, _ = gather(simulate_one(condition, fs=FS, duration_s=120, leads=LEADS, seed=seed).record)
    return (np.concatenate(seen.times) / FS, np.concatenate(seen.types), np.concatenate(seen.p), np.concatenate(seen.gaps) / FS,
            Evidence.joined(seen.evidence))


def test_what_precedes_the_beats_is_alike_in_sinus_rhythm_only() -> None:
    assert np.median(beats("normal")[4].alike) > 0.6
    assert np.median(beats("atrial_fibrillation")[4].alike) < 0.4


def test_waves_of_flutter_have_their_frequency() -> None:
    seen = beats("atrial_flutter_variable")[4]
    assert 250 / 60 - 0.3 < np.median(seen.hz_long) < 330 / 60 + 0.3
    assert np.median(seen.peak_long) > 1.3 * np.median(beats("atrial_fibrillation")[4].peak_long)


def test_features_do_not_depend_on_how_many_beats_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = features.rhythm_features(*beats("atrial_fibrillation"))
    monkeypatch.setattr(features, "PART", 50)
    np.testing.assert_allclose(features.rhythm_features(*beats("atrial_fibrillation")), whole, atol=1e-9)


def test_the_sequence_is_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    for change in (0.0, 0.7, 3.0):
        log = np.log(rng.dirichlet([1, 1, 1], 7))
        found = viterbi(log, change)

        def total(path: tuple[int, ...], log: np.ndarray = log, change: float = change) -> float:
            return float(log[np.arange(7), list(path)].sum() - change * np.count_nonzero(np.diff(path)))

        best = max(itertools.product(range(3), repeat=7), key=total)
        assert total(tuple(found)) == pytest.approx(total(best))


def test_a_gap_separates_and_short_spans_between_others_are_none() -> None:
    model = SpanModel(shipped_model().trees, Decoder(1.0, 2.0, 5.0))
    times = np.arange(60.0)
    kinds = np.r_[np.zeros(20, int), [AF] * 3, np.zeros(17, int), [AF] * 20]
    log = np.log(np.full((60, 3), 0.02))
    log[np.arange(60), kinds] = np.log(0.96)
    gaps = np.array([[39.2, 39.8]])
    found = decoded(times, gaps, log, model)
    assert found.tolist() == [SINUS] * 40 + [AF] * 20
    spans = spans_of(times, gaps, found, np.exp(log), 61.0)
    assert [(one.start_s, one.stop_s, one.name) for one in spans] == [(0.0, 39.2, "sinus"), (39.8, 61.0, "af")]
    assert spans[1].probability == pytest.approx(0.96)


def test_a_model_is_read_as_it_was_written() -> None:
    model = shipped_model()
    again = loaded(stored(model))
    rows = np.random.default_rng(0).normal(size=(40, 49))
    np.testing.assert_allclose(again.log_probabilities(rows), model.log_probabilities(rows), atol=1e-9)
    assert again.decoder == model.decoder
    assert len(model.trees.start) == len(CLASSES) == FLUTTER + 1


def joined(*parts: tuple[str, float]) -> Record:
    signal = np.concatenate([simulate_one(name, fs=FS, duration_s=long_s, leads=LEADS, seed=5).record.signal
                             for name, long_s in parts], axis=1)
    return Record(signal, FS, LEADS)


@pytest.mark.parametrize("leads", [LEADS, ("II",)])
def test_fibrillation_of_less_than_a_minute_is_found_where_it_is(leads: tuple[str, ...]) -> None:
    found = holter(joined(("premature_atrial", 130.0), ("atrial_fibrillation", 50.0), ("normal", 120.0)).select(leads))
    assert len(found.af) == 1
    assert found.af[0].start_s == pytest.approx(130, abs=10)
    assert found.af[0].stop_s == pytest.approx(180, abs=10)


@pytest.mark.parametrize("condition", ["premature_atrial", "sinus_arrhythmia", "premature_ventricular", "trigeminy"])
def test_other_irregular_rhythms_are_no_fibrillation(condition: str) -> None:
    found = holter(joined((condition, 240.0)))
    assert found.overall.af_min == 0
