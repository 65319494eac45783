"""Resampling, filters, prepare, beats and quality: what a caller relies on."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sawtooth, sosfiltfilt, square
from sleepecg import detect_heartbeats

from ecglm.errors import EcglmError
from ecglm.records.record import Record
from ecglm.signal import (
    FEATURE_NAMES,
    bandpass,
    detect_beats,
    lead_quality,
    prepare,
    remove_baseline,
    remove_mains,
    resample,
    rhythm_features,
    unreadable,
)
from ecglm.signal.beats import _by_lead
from ecglm.signal.features import axis_features
from ecglm.signal.filters import mains_frequency
from ecglm.signal.missing import median_of_known
from ecglm.signal.quality import _in_runs
from ecglm.signal.resample import rational_ratio
from tests.signal.synthetic import synthetic_ecg

RNG = np.random.default_rng(7)


@pytest.mark.parametrize(("fs", "target"), [(500, 250), (360, 250), (128, 500), (257.3, 250), (50_000, 250), (20, 500)])
def test_resampling_keeps_a_slow_wave_and_its_time(fs, target):
    t = np.arange(round(4 * fs)) / fs
    out = resample(np.sin(2 * np.pi * 2 * t), fs, target)[0]
    at = np.arange(len(out)) / target
    assert len(out) == pytest.approx(4 * target, abs=1)
    inner = (at > 1) & (at < 3)
    assert np.abs(out - np.sin(2 * np.pi * 2 * at))[inner].max() < 0.03


def test_resampling_does_not_alias_and_keeps_gaps():
    t = np.arange(5000) / 1000
    x = np.sin(2 * np.pi * 200 * t)
    assert np.abs(resample(x, 1000, 250)[0, 200:-200]).max() < 0.02
    x[1000:2000] = np.nan
    out = resample(x, 1000, 250)[0]
    assert np.isnan(out[255:495]).all()
    assert not np.isnan(out[:245]).any()


def test_filters_remove_what_they_name_and_leave_the_rest():
    t = np.arange(5000) / 500
    ten, mains, drift = np.sin(2 * np.pi * 10 * t), np.sin(2 * np.pi * 50 * t), 3 * np.sin(2 * np.pi * 0.1 * t)
    inner = slice(1000, 4000)
    assert mains_frequency(ten + mains, 500) == 50
    assert mains_frequency(np.sin(2 * np.pi * 60 * t) + ten, 500) == 60
    assert mains_frequency(ten + 0.01 * RNG.normal(size=5000), 500) is None
    assert np.abs(remove_mains(ten + mains, 500)[0] - ten)[inner].max() < 0.05
    assert np.abs(remove_baseline(ten + drift, 500)[0] - ten)[inner].max() < 0.15
    assert np.abs(bandpass(ten + drift + np.sin(2 * np.pi * 120 * t), 500)[0] - ten)[inner].max() < 0.05


@pytest.mark.parametrize("n", [1, 2, 30, 1500, 5000])
@pytest.mark.parametrize(("low", "high", "order", "pad"), [(0.5, 40.0, 4, 1000), (5.0, 30.0, 2, 250), (0.5, np.inf, 2, 1000)])
def test_filters_are_those_of_scipy_to_the_bit(n, low, high, order, pad):
    x = RNG.normal(size=(3, n))
    kind, corner = ("highpass", low) if high == np.inf else ("bandpass", (low, high))
    sections = butter(order, corner, kind, fs=500, output="sos")
    assert np.array_equal(bandpass(x, 500, low, high, order), sosfiltfilt(sections, x, padlen=min(n - 1, pad)))


@pytest.mark.parametrize(("fs", "target"), [(500, 250), (360, 250), (257.3, 250), (250, 500), (250, 250), (250, 250 + 1e-9)])
def test_resampling_is_that_of_scipy_to_the_bit(fs, target):
    x, ratio = RNG.normal(size=(3, 1000)).cumsum(axis=1), rational_ratio(fs, target)
    assert np.array_equal(resample(x, fs, target), resample_poly(x, ratio.numerator, ratio.denominator, axis=1, padtype="line"))


@pytest.mark.parametrize("fs", [250.0, 360.0, 500.0])
def test_the_leads_vote_as_sleepecg_finds_the_beats_of_each(fs):
    leads = synthetic_ecg(fs=fs)[0].signal[:4].astype(float) + RNG.normal(0, 0.05, (4, round(10 * fs)))
    leads[1, :300] = leads[1, 0]  # sleepecg begins where the lead does
    leads[2, :2] = leads[2, 0]
    for ours, lead in zip(_by_lead(leads, fs), leads, strict=True):
        assert len(ours) > 5
        assert np.array_equal(ours, detect_heartbeats(lead, fs))


def test_a_lead_that_moves_in_its_last_samples_only_does_not_vote():
    record, truth = synthetic_ecg()
    leads = record.signal.copy()
    leads[3] = 0
    leads[3, -4:] = 1
    found, without = (detect_beats(rows, record.fs) for rows in (leads, np.delete(leads, 3, axis=0)))
    assert len(found) == len(without) >= len(truth.onsets) - 1


@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_medians_are_those_of_numpy_to_the_bit(n):
    x = RNG.normal(size=(n, 3, 50))
    assert np.array_equal(median_of_known(x), np.median(x, axis=0))
    x[0, 1] = np.nan
    if n > 1:
        assert np.array_equal(median_of_known(x), np.nanmedian(x, axis=0))


@pytest.mark.parametrize("shortest", [4, 10])
def test_runs_are_counted_lead_by_lead(shortest):
    mask = RNG.random((5, 400)) < 0.8
    mask[1], mask[2] = True, False
    mask[3, -20:], mask[4, :20] = True, True  # a run ends with its lead
    by_hand = [sum(n for same, n in ((k, len(list(g))) for k, g in groupby(row)) if same and n >= shortest) / 400 for row in mask]
    assert _in_runs(mask, shortest).tolist() == by_hand


@pytest.mark.parametrize("n", [2, 10, 250])
def test_filters_accept_short_and_gappy_signals(n):
    x = RNG.normal(size=(2, n))
    x[1] = np.nan
    for out in (bandpass(x, 500), remove_baseline(x, 500), remove_mains(x, 500)):
        assert np.isfinite(out[0]).all()
        assert np.isnan(out[1]).all()


def test_prepare_is_blind_to_unit_gain_and_offset_and_masks_dead_leads():
    record, _ = synthetic_ecg()
    signal = record.signal * RNG.uniform(0.5, 20, size=(12, 1)).astype(np.float32) + 3
    signal[3], signal[4] = np.nan, 0.7
    a, b = prepare(record), prepare(replace(record, signal=signal))
    live = [0, 1, 2, *range(5, 12)]
    assert a.signal.dtype == np.float32
    assert a.signal.shape == (12, 2500)
    np.testing.assert_allclose(a.signal[live], b.signal[live], atol=2e-3)
    np.testing.assert_allclose(a.signal.std(axis=1), 1, atol=1e-3)
    assert b.mask.tolist() == [i in live for i in range(12)]
    assert not b.signal[[3, 4]].any()


@pytest.mark.parametrize("fs", [100, 128, 250, 360, 500, 1000])
@pytest.mark.parametrize("duration", [2, 10, 60])
def test_every_beat_of_a_clean_record_is_found(fs, duration):
    record, truth = synthetic_ecg(75, fs=fs, duration=duration)
    beats = detect_beats(record.signal, fs)
    inner = truth.onsets[(truth.onsets > 0.15) & (truth.onsets < duration - 0.25)]
    nearest = np.abs(beats.times_s[:, None] - 0.035 - inner).min(axis=0)
    assert nearest.max() < 0.05
    assert len(beats) <= len(truth.onsets) + 1


def test_beats_survive_noise_in_most_leads():
    record, truth = synthetic_ecg(80, duration=20)
    signal = record.signal.copy()
    signal[3:9] = RNG.normal(size=(6, signal.shape[1]))
    quality = list(lead_quality(replace(record, signal=signal)).values())
    assert max(quality[3:9]) < 0.3 < min(quality[:3])
    assert abs(len(detect_beats(signal, 500, quality)) - len(truth.onsets)) <= 1


T = np.arange(5000) / 500
NOT_ECG = {
    "flat": np.zeros(5000), "white": RNG.normal(size=5000), "brown": np.cumsum(RNG.normal(size=5000)) / 30,
    "hum": np.sin(2 * np.pi * 50 * T), "hum and noise": np.sin(2 * np.pi * 50 * T) + 0.05 * RNG.normal(size=5000),
    "sine": np.sin(2 * np.pi * 1.2 * T), "sawtooth": sawtooth(2 * np.pi * 1.2 * T),
    "square": square(2 * np.pi * 1.2 * T), "noisy square": square(2 * np.pi * T) + 0.01 * RNG.normal(size=5000),
    "missing": np.full(5000, np.nan), "short": RNG.normal(size=500),
}


@pytest.mark.parametrize("name", NOT_ECG)
@pytest.mark.parametrize("n_leads", [1, 3])
def test_what_is_no_ecg_is_called_unreadable(name, n_leads):
    record = Record(np.tile(NOT_ECG[name], (n_leads, 1)).astype(np.float32), 500, ("I", "II", "V1")[:n_leads])
    assert unreadable(record)
    assert max(lead_quality(record).values()) < 0.3


@pytest.mark.parametrize("change", [lambda x: x, lambda x: 40 * x, lambda x: -x])
def test_a_clean_record_is_readable(change):
    record, _ = synthetic_ecg()
    record = replace(record, signal=change(record.signal))
    assert unreadable(record) is None
    assert np.median(list(lead_quality(record).values())) > 0.7


def test_features_are_fixed_finite_and_blind_to_amplitude():
    record, _ = synthetic_ecg(fs=250)
    a, names = rhythm_features(record)
    b, _ = rhythm_features(record.signal * np.linspace(0.1, 9, 12)[:, None], 250, record.leads)
    assert names == FEATURE_NAMES
    assert a.shape == (len(FEATURE_NAMES),)
    np.testing.assert_allclose(a, b, atol=2e-2)
    shown = dict(zip(names, a, strict=True))
    assert shown["rate"] == pytest.approx(0.72, abs=0.01)
    assert shown["pr_s"] == pytest.approx(0.16, abs=0.02)


@pytest.mark.parametrize("signal", [np.zeros((12, 2500)), np.full((1, 2500), np.nan), RNG.normal(size=(2, 125)),
                                    RNG.normal(size=(12, 2500)), np.ones((1, 3))])
def test_features_of_nothing_are_finite(signal):
    values, _ = rhythm_features(signal, 250, [f"L{i}" for i in range(len(signal))])
    assert np.isfinite(values).all()


def test_axis_features():
    assert axis_features(None).tolist() == [0, 0, 0]
    np.testing.assert_allclose(axis_features(90), [1, 1, 0], atol=1e-6)


@pytest.mark.parametrize("call", [lambda: resample(np.zeros(9), 0, 250), lambda: bandpass(np.zeros(9), np.nan),
                                  lambda: rhythm_features(np.zeros((2, 500)), 250, ("I",)),
                                  lambda: detect_beats(np.zeros((0, 5)), 250)])
def test_bad_arguments_raise_our_error(call):
    with pytest.raises(EcglmError):
        call()


def test_twenty_minutes_of_two_leads_take_seconds():
    record, truth = synthetic_ecg(70, fs=250, duration=1200, leads=("II", "V5"))
    start = time.perf_counter()
    beats = detect_beats(record.signal, 250)
    assert abs(len(beats) - len(truth.onsets)) <= 2
    assert time.perf_counter() - start < 5
