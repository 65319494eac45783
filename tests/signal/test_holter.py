"""`holter`: what it counts is there, once, however the recording is read; what cannot be seen is not counted."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

import ecglm
from ecglm.cli import main
from ecglm.errors import ReadError, UsageError
from ecglm.records.record import Record
from ecglm.records.windows import Windows, open_windows
from ecglm.signal.delineation import delineate
from ecglm.signal.holter import Holter, beats, holter
from ecglm.signal.holter.minutes import FS, Minute
from ecglm.signal.holter.summary import Seen, summarise
from ecglm.signal.simulate import simulate_one
from tests.signal.synthetic import synthetic_ecg

TWO = ("II", "V5")


@lru_cache(maxsize=1)
def long_sinus() -> tuple[Record, np.ndarray]:
    """75 minutes of sinus rhythm that varies, and its QRS onsets: three stretches."""
    record, truth = synthetic_ecg(fs=125, duration=75 * 60, rr_jitter=0.05, leads=TWO)
    return record, truth.onsets


def changed(record: Record, lead: int | slice, begin_s: float, end_s: float, value: float) -> Record:
    signal = record.signal.copy()
    signal[lead, round(begin_s * record.fs): round(end_s * record.fs)] = value
    return Record(signal, record.fs, record.leads)


def counted(kinds: str, rr_s: list[float] | None = None, gaps: list[tuple[float, float]] | None = None,
            duration_s: float = 600.0) -> Holter:
    """The summary of beats of these kinds, a second apart unless told."""
    steps = [1.0] * (len(kinds) - 1) if rr_s is None else rr_s
    times = np.round((10 + np.r_[0, np.cumsum(steps)]) * FS).astype(int)
    spans = np.round(np.array(gaps or []).reshape(-1, 2) * FS).astype(int)
    waves = np.full((len(times), 3), np.nan, np.float32)
    seen = Seen(duration_s, [times], [np.array(list(kinds))], [waves], [spans])
    return summarise(seen, Windows(duration_s, Record(np.zeros((1, 250), np.float32), 250, ("II",))))


def test_every_beat_of_the_joins_is_counted_once() -> None:
    record, onsets = long_sinus()
    found = holter(record)
    assert found.overall.total == len(found.types) == len(onsets)
    np.testing.assert_allclose(found.times_s - onsets, np.median(found.times_s - onsets), atol=0.012)
    assert found.overall.beats == {"N": len(onsets), "S": 0, "V": 0, "F": 0}
    assert [hour.total for hour in found.hours] == [np.sum(onsets < 3600), np.sum(onsets >= 3600)]
    assert found.overall.mean_bpm == pytest.approx(60 / np.diff(onsets).mean(), abs=0.01)
    assert found.overall.longest_rr_s == pytest.approx(np.diff(onsets).max(), abs=0.012)
    assert found.overall.hrv.sdnn_ms == pytest.approx(1000 * np.diff(onsets).std(ddof=1), abs=1.0)
    assert found.overall.unusable_min == found.overall.af_min == found.overall.pauses == 0


def test_the_result_does_not_depend_on_the_windows(tmp_path: Path) -> None:
    record, _ = long_sinus()
    record.save(tmp_path / "x.hea")
    windows = open_windows(tmp_path / "x.hea")
    assert windows.whole is None
    shown = [json.dumps(holter(windows, window_s=length).to_dict()) for length in (60, 420, 1e9)]
    assert shown[0] == shown[1] == shown[2]


@pytest.mark.parametrize("fs", [128.0, 200.0, 360.0])
def test_nor_at_rates_that_must_be_changed(fs: float) -> None:
    record = simulate_one("premature_ventricular", fs=fs, duration_s=660, leads=TWO, seed=2).record
    first, second = (holter(record, window_s=length).to_dict() for length in (60, 1e9))
    assert first == second


def test_no_more_is_read_than_a_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    record, _ = long_sinus()
    record.crop(0, 1800).save(tmp_path / "x.hea")
    asked: list[float] = []
    known = Windows.read
    monkeypatch.setattr(Windows, "read", lambda self, start, length: asked.append(length) or known(self, start, length))
    holter(tmp_path / "x.hea", window_s=300)
    assert max(asked) <= 304 + 1
    assert len(asked) == 6


@pytest.mark.parametrize("condition", ["premature_ventricular", "bigeminy", "atrial_fibrillation"])
def test_a_half_hour_is_what_the_whole_record_analysis_says(condition: str) -> None:
    record = simulate_one(condition, fs=250, duration_s=900, leads=TWO, seed=4).record
    whole, found = delineate(record), holter(record)
    types = np.array(whole.types)
    assert found.overall.total == pytest.approx(len(types), rel=0.005)
    assert found.overall.beats["V"] == pytest.approx((types == "V").sum(), rel=0.02, abs=2)


@pytest.mark.parametrize("name", ["100", "106", "119", "200", "221"])
def test_mit_bih_is_what_the_whole_record_analysis_says(data_dir: Path, name: str) -> None:
    path = data_dir / "mitdb" / "records" / f"{name}.hea"
    whole, found = delineate(ecglm.read(path)), holter(path)
    types = np.array(whole.types)
    if name != "200":  # whose V1 is too noisy in some minutes: it is left out of them, and more beats are found
        assert found.overall.total == pytest.approx(len(types), rel=0.005)
    assert found.overall.beats["V"] == pytest.approx((types == "V").sum(), rel=0.03 if name != "200" else 0.1, abs=2)


def test_fibrillation_is_timed() -> None:
    sinus = simulate_one("normal", fs=250, duration_s=600, leads=TWO, seed=3).record
    af = simulate_one("atrial_fibrillation", fs=250, duration_s=600, leads=TWO, seed=3).record
    both = Record(np.concatenate([sinus.signal, af.signal, sinus.signal], axis=1), 250, TWO)
    found = holter(both)
    assert found.overall.af_min == pytest.approx(10, abs=1)
    assert (found.af[0].start_s, found.af[-1].stop_s) == (pytest.approx(600, abs=60), pytest.approx(1200, abs=60))
    assert found.overall.hrv.intervals < 1200 * 1.5  # RR intervals of fibrillation are no NN intervals


def inserted(middle: np.ndarray) -> Record:
    """Ten minutes of sinus rhythm, the middle, and again ten minutes."""
    sinus = simulate_one("normal", fs=250, duration_s=600, leads=TWO, seed=3).record.signal
    return Record(np.concatenate([sinus, middle.astype(np.float32), sinus], axis=1), 250, TWO)


@pytest.mark.parametrize("seed", range(5))
def test_a_ventricular_tachycardia_is_a_run_and_not_noise(seed: int) -> None:
    made = simulate_one("ventricular_tachycardia", fs=250, duration_s=40, leads=TWO, seed=seed)
    found = holter(inserted(made.record.signal))
    longest = max(found.runs, key=lambda run: run.stop_s - run.start_s)
    assert (longest.start_s, longest.stop_s) == (pytest.approx(600, abs=2), pytest.approx(640, abs=2))
    assert longest.value == pytest.approx(len(made.truth.r_peak), abs=3)
    assert found.overall.unusable_min == 0


@pytest.mark.parametrize("seconds", [5, 12, 40])
def test_noise_is_unusable_and_no_arrhythmia(seconds: int) -> None:
    noise = 0.5 * np.random.default_rng(2).normal(size=(2, 250 * seconds))
    o = holter(inserted(noise)).overall
    assert (o.beats["V"], o.runs, o.pauses, o.af_min) == (0, 0, 0, 0)
    assert seconds / 60 < o.unusable_min <= 1.05


def test_a_pause_is_timed_and_a_gap_is_none() -> None:
    record, onsets = long_sinus()
    part = record.crop(0, 900)
    k = int(np.searchsorted(onsets, 400))
    # Three beats less, on a baseline that goes on: an RR of four intervals.
    begin, end = onsets[k] - 0.25, onsets[k + 3] - 0.25
    rng = np.random.default_rng(0)
    quiet = Record(part.signal.copy(), part.fs, part.leads)
    first, last = round(begin * part.fs), round(end * part.fs)
    quiet.signal[:, first:last] = 0.01 * rng.normal(size=(2, last - first))
    found = holter(quiet)
    assert found.overall.pauses == 1
    assert found.pauses[0].start_s == pytest.approx(onsets[k - 1], abs=0.1)
    assert found.overall.longest_rr_s == pytest.approx(onsets[k + 3] - onsets[k - 1], abs=0.03)
    assert found.overall.longest_rr_at_s == found.pauses[0].start_s
    for value in (np.nan, 0.3):
        unseen = holter(changed(part, slice(None), begin, end, value))
        assert (unseen.overall.pauses, len(unseen.unusable)) == (0, 1)
        assert unseen.overall.unusable_min == pytest.approx((end - begin) / 60, abs=0.01)
        assert unseen.overall.longest_rr_s < 1.5


def test_hours_without_signal_are_unusable_and_the_rest_is_counted() -> None:
    record, onsets = long_sinus()
    signal = np.concatenate([record.signal[:, : 600 * 125], np.full((2, 7200 * 125), np.nan, np.float32),
                             record.signal[:, 600 * 125: 1800 * 125]], axis=1)
    found = holter(Record(signal, 125, TWO))
    assert found.overall.total == pytest.approx(np.sum(onsets < 1800), abs=2)
    assert [(e.start_s, e.stop_s) for e in found.unusable] == [(pytest.approx(600, abs=1), pytest.approx(7800, abs=1))]
    assert found.unusable[0].text == "all samples are missing"
    assert (found.overall.usable_min, found.overall.pauses) == (pytest.approx(30, abs=0.1), 0)
    assert [hour.total > 0 for hour in found.hours] == [True, False, True]
    assert (found.hours[1].mean_bpm, found.hours[1].longest_rr_s, found.hours[1].hrv.sdnn_ms) == (None, None, None)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_missing_lead_changes_nothing(value: float) -> None:
    record, onsets = long_sinus()
    part = record.crop(0, 1200)
    found = holter(changed(part, 1, 0, 1200, value))
    assert found.overall.total == np.sum(onsets < 1200)
    # A lead that comes off for a while must not make other beats of those that are seen without it.
    found = holter(changed(part, 1, 300, 600, value))
    assert found.overall.beats == {"N": np.sum(onsets < 1200), "S": 0, "V": 0, "F": 0}


def test_any_number_of_leads() -> None:
    record, truth = synthetic_ecg(fs=100, duration=700, rr_jitter=0.03)
    counts = [holter(record.select(leads)).overall.total for leads in (["V3"], ["I", "V1", "V6"], list(record.leads))]
    assert counts == [len(truth.onsets)] * 3


def test_a_flat_day_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.hea").write_text(f"x 2 100 {24 * 360000}\n" + "".join(
        f"x.dat 16 1000(0)/mV 16 0 0 0 0 {lead}\n" for lead in ("II", "V1")))
    with open(tmp_path / "x.dat", "wb") as stream:
        stream.truncate(24 * 360000 * 4)
    assert main(["measure", str(tmp_path / "x.hea"), "--duration", "700"]) == 0
    shown = capsys.readouterr()
    assert "not given\tflat line in every lead" in shown.out
    assert shown.err == ""
    assert main(["measure", str(tmp_path / "x.hea"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["heart_rate_bpm"], found["beats"], found["reasons"]["heart_rate"]) == (None, 0, "flat line in every lead")
    assert found["ambulatory"]["overall"]["unusable_min"] == 1440
    assert len(found["ambulatory"]["hours"]) == 24


def cut_short(folder: Path) -> Path:
    record, _ = long_sinus()
    record.save(folder / "x.hea")
    data = (folder / "x.dat").read_bytes()
    (folder / "x.dat").write_bytes(data[: len(data) // 2])
    return folder / "x.hea"


def empty_samples(folder: Path) -> Path:
    path = cut_short(folder)
    (folder / "x.dat").write_bytes(b"")
    return path


def empty_file(folder: Path) -> Path:
    (folder / "x.edf").write_bytes(b"")
    return folder / "x.edf"


def no_lead(folder: Path) -> Path:
    record, _ = long_sinus()
    record.save(folder / "x.edf")
    return folder / "x.edf"


@pytest.mark.parametrize(("make", "options", "message"), [
    (cut_short, [], "get it again"), (empty_samples, [], "get it again"), (empty_file, [], "the file is empty"),
    (no_lead, ["--leads", "V9"], "it has no lead V9"), (no_lead, ["--start", "99999"], "there is no signal at 99999 s"),
])
def test_bad_files_end_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], make, options, message) -> None:
    path = make(tmp_path)
    assert main(["measure", str(path), *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert message in shown.err
    assert str(path) in shown.err
    if not options:
        with pytest.raises(ReadError):
            holter(path)


def test_unusable_arguments() -> None:
    with pytest.raises(UsageError, match="window_s=5"):
        holter(long_sinus()[0], window_s=5)
    with pytest.raises(UsageError, match="is not a Record"):
        holter(None)  # type: ignore[arg-type]


def test_short_and_unreadable_recordings_have_a_reason() -> None:
    rng = np.random.default_rng(1)
    for seconds in (1, 90):
        found = holter(Record(rng.normal(size=(2, 250 * seconds)).astype(np.float32), 250, TWO))
        assert found.overall.total == 0
        assert found.reason
        assert found.measurements().heart_rate.reason == found.reason


def test_ventricular_beats_in_a_row() -> None:
    found = counted("NNVNVVNVVVNVVVVN")
    assert (found.overall.couplets, found.overall.runs, found.overall.longest_run) == (1, 2, 4)
    assert [(run.start_s, run.stop_s, run.value) for run in found.runs] == [(17.0, 19.0, 3), (21.0, 24.0, 4)]
    assert found.runs[0].text == "3 beats, 60 bpm"
    # What lies between is not known: no run goes through a gap.
    assert counted("NVVVVN", gaps=[(12.2, 12.9)]).overall.couplets == 2


def test_bigeminy_needs_three() -> None:
    assert counted("NNVNVNN").overall.bigeminy == 0
    found = counted("NNVNVNVNN")
    assert [(e.start_s, e.stop_s, e.value) for e in found.bigeminy] == [(11.0, 17.0, 3)]
    assert counted("NNVNVNVNN", gaps=[(13.2, 13.9)]).overall.bigeminy == 0


def test_rates_pauses_and_longest_rr() -> None:
    rr = [0.8] * 20 + [2.1] + [0.8] * 20 + [0.5] * 8 + [0.8] * 3 + [30.0, 0.8, 0.8]
    found = counted("N" * (len(rr) + 1), rr, gaps=[(60.0, 70.0)])
    o = found.overall
    assert (o.pauses, o.longest_rr_s, o.longest_rr_at_s) == (1, pytest.approx(2.1, abs=0.004), pytest.approx(26, abs=0.004))
    assert (o.least_bpm, o.largest_bpm) == (pytest.approx(480 / (7 * 0.8 + 2.1), rel=0.002), pytest.approx(120, rel=0.002))
    valid = [step for step in rr if step < 3]
    assert o.mean_bpm == pytest.approx(60 / np.mean(valid), rel=0.002)
    assert o.unusable_min == pytest.approx(1 / 6)


def test_variability_follows_its_definitions() -> None:
    rng = np.random.default_rng(5)
    rr = np.round((0.8 + 0.05 * rng.standard_normal(300)) * FS) / FS
    hrv = counted("N" * 301, list(rr)).overall.hrv
    change = np.diff(1000 * rr)
    assert hrv.intervals == 300
    assert hrv.sdnn_ms == pytest.approx(1000 * rr.std(ddof=1))
    assert hrv.rmssd_ms == pytest.approx(np.sqrt(np.mean(change**2)))
    assert hrv.pnn50_pct == pytest.approx(100 * np.mean(abs(change) > 50))
    # Intervals beside a ventricular beat are no NN intervals, and neighbours of different stretches no successive ones.
    kinds = ["N"] * 301
    kinds[150] = "V"
    one = counted("".join(kinds), list(rr)).overall.hrv
    assert one.intervals == 298
    kept = np.delete(change, [148, 149, 150])
    assert one.rmssd_ms == pytest.approx(np.sqrt(np.mean(kept**2)))
    assert counted("N" * 20).overall.hrv.sdnn_ms is None


def test_long_recordings_are_summarised_and_parts_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, onsets = long_sinus()
    path = str(tmp_path / "x.edf")
    record.save(path)
    assert main(["measure", path]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert f"beats\t{len(onsets)}: {len(onsets)} normal (100.0 %)" in "\n".join(shown)
    assert shown[-3].split("\t")[:2] == ["from", "beats"]
    assert shown[-1].split("\t")[:2] == ["01:00:00", str(np.sum(onsets >= 3600))]
    assert main(["measure", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reasons"]["qt"] == "not measured over a long recording: measure a part of it"
    assert found["ambulatory"]["overall"]["beats"]["normal"] == found["beats"] == len(onsets)
    assert main(["measure", path, "--json", "--start", "60", "--duration", "30"]) == 0
    part = json.loads(capsys.readouterr().out)
    assert part["qt_ms"] is not None
    assert "ambulatory" not in part


def test_a_beat_at_the_end_is_not_moved_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On MIT-BIH the last beat of a block was, by a few samples, and nothing lay there."""
    record = simulate_one("normal", fs=FS, duration_s=60, leads=("II", "V1"), seed=1).record
    signal = record.signal.astype(np.float32)

    def over(signal_LT: np.ndarray, samples: np.ndarray, fs: float) -> np.ndarray:
        return np.r_[samples[:1] - 2 * samples[0] - 5, samples[1:-1], samples[-1:] + 2 * 15000]

    monkeypatch.setattr(beats, "align", over)
    part = beats.analyse([Minute(signal[:, :8000], np.ones(2), None), Minute(signal[:, 8000:], np.ones(2), None)],
                         ("II", "V1"), 0, 0, 0)
    assert (part.times_B[0], part.times_B[-1]) == (0, 14999)
    assert len(part.types_B) == len(part.times_B)
