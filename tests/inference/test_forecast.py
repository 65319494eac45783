"""`forecast`: evidence of what was made, abstention where nothing may be said, and what the command prints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ecglm
from ecglm.cli import main
from ecglm.errors import UsageError
from ecglm.inference.forecast import forecast
from ecglm.inference.forecast_evidence import evidence
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate_onset
from tests.tiny_forecaster import made, series

RNG = np.random.default_rng(1)


def ten_minutes() -> np.ndarray:
    return np.clip(RNG.normal(0.8, 0.02, 750), 0.6, 1.0)


def test_evidence_tells_changes_with_their_times() -> None:
    rr = ten_minutes()
    rr[500::20] *= 0.7  # early beats in the last third only
    found = evidence(series(rr, p_ms=np.linspace(100, 130, len(rr))))
    texts = [item.text for item in found]
    early = next(item for item in found if item.text.startswith("premature narrow beats rising"))
    assert early.value is not None
    assert early.value > 2
    assert early.span_s is not None
    assert early.span_s[1] == 0.0
    assert any(text.startswith("P duration rising from 10") and "ms over the last 10 min" in text for text in texts)
    assert not any("ventricular" in text for text in texts)


def test_a_steady_window_shows_no_change() -> None:
    assert evidence(series(ten_minutes())) == ()


def test_a_change_is_told_of_the_time_in_which_it_was_seen() -> None:
    """Early beats in the middle of the window only: their coupling is not drawn out to its ends."""
    rr = ten_minutes()
    for place, share in zip(range(200, 500, 20), np.linspace(0.80, 0.60, 15), strict=True):
        rr[place] *= share
    found = next(item for item in evidence(series(rr)) if item.text.startswith("coupling"))
    assert found.span_s is not None
    assert found.span_s == (pytest.approx(-430, abs=15), pytest.approx(-210, abs=15))
    first, last = (float(word) for word in found.text.split(" from ")[1].split(" % ")[0].split(" to "))
    assert (first, last) == (pytest.approx(80, abs=4), pytest.approx(60, abs=4))
    assert found.text.endswith("from 7 min to 4 min before the window's end")


def test_probability_lies_in_its_interval_and_follows_the_base_rate() -> None:
    usual = forecast(series(ten_minutes()), "af", 60, model=made())
    rare = forecast(series(ten_minutes()), "af", 60, base_rate=0.01, model=made())
    assert usual.probability is not None
    assert usual.interval is not None
    assert rare.probability is not None
    assert usual.interval[0] <= usual.probability <= usual.interval[1]
    assert rare.probability < usual.probability
    assert "25 % in the simulated people" in usual.answer
    assert "1 % as given" in rare.answer


def test_nothing_is_forecast_in_fibrillation() -> None:
    fibrillates = replace(series(ten_minutes()), af=np.array([[-200.0, 0.0]]))
    said = forecast(fibrillates, model=made())
    assert said.abstained
    assert said.probability is None
    assert "already in atrial fibrillation or flutter since " in said.answer
    over = replace(series(ten_minutes()), af=np.array([[-400.0, -200.0]]))
    assert not forecast(over, model=made()).abstained


def test_nothing_is_forecast_of_what_cannot_be_read() -> None:
    beats = series(ten_minutes())
    for gaps, why in (([[-500.0, -150.0]], "of the window can be read"), ([[-55.0, -5.0]], "last minute")):
        said = forecast(replace(beats, gaps=np.array(gaps)), model=made())
        assert said.abstained
        assert why in (said.reason or "")


def damaged(kind: str) -> Record:
    """Three minutes with a gap of 40 s (its minute is lost), a second lost in five, or one lead of two off after a minute."""
    record, _ = simulate_onset("af", "rising_ectopy", fs=128, duration_s=300, onset_s=290, seed=3)[0]
    signal = record.signal[:, :180 * 128].copy()
    if kind == "gap":
        signal[:, 60 * 128:100 * 128] = np.nan
    elif kind == "runs":
        for second in range(3, 180, 5):
            signal[:, second * 128:(second + 1) * 128] = np.nan
    elif kind == "lead off":
        signal[0, 60 * 128:] = np.nan
    return Record(signal, record.fs, record.leads)


@pytest.mark.parametrize(("kind", "lost"), [("whole", None), ("gap", 33), ("runs", 20), ("lead off", None)])
def test_what_of_the_window_cannot_be_read_is_told_and_left_out(kind: str, lost: float | None) -> None:
    said = forecast(damaged(kind), "any", 60, 180, model=made())
    assert said.probability is not None
    if lost is None:
        assert said.note is None
        return
    assert said.note is not None
    assert said.note.endswith("% of the window cannot be read and is left out")
    assert float(said.note.split(" ")[0]) == pytest.approx(lost, abs=8)


@pytest.mark.parametrize("lead", [0, 1])
def test_a_lead_that_drops_out_is_no_change_of_the_p_wave(lead: int) -> None:
    record, _ = simulate_onset("sinus", fs=128, duration_s=660, seed=100)[0]
    signal = record.signal.copy()
    signal[lead, 360 * 128:] = np.nan
    for one in (record, Record(signal, record.fs, record.leads)):
        said = forecast(one, "any", 300, 600)
        assert not [e.text for e in said.evidence if e.text.startswith(("P duration", "PR interval"))]
        assert said.probability == pytest.approx(0.347, abs=0.02)


def test_a_window_longer_than_the_recording_is_shortened_with_a_note() -> None:
    said = forecast(series(np.full(100, 0.8)), "any", 60, 600, model=made())
    assert said.window_s == pytest.approx(80, abs=1)
    assert "the recording begins 79 s before" in (said.note or "")


def test_a_shortened_window_is_calibrated_as_what_it_is() -> None:
    short = series(np.clip(RNG.normal(0.8, 0.02, 30), 0.6, 1.0))
    asked, honest = (forecast(short, "any", 60, window, model=made()) for window in (600, 24))
    assert (asked.interval, asked.classes) == (honest.interval, honest.classes)
    prob = made().probabilities(short, 60)
    assert asked.interval == made().calibration.interval("any", float(prob[1:].sum()), 24, 60)[1:]
    assert asked.interval != made().calibration.interval("any", float(prob[1:].sum()), 600, 60)[1:]


@pytest.mark.parametrize("after", ["nothing", "noise", "gap"])
def test_nothing_after_the_moment_is_read(after: str, tmp_path: Path) -> None:
    """Neither of a Record nor of a file, in which another rhythm or nothing at all may follow."""
    record, _ = simulate_onset("af", "rising_ectopy", fs=128, duration_s=300, onset_s=200, seed=3)[0]
    at_s, edge = 150.0, 150 * 128
    signal = record.signal.copy()
    if after != "nothing":
        signal[:, edge:] = np.nan if after == "gap" else RNG.normal(0, 3, signal[:, edge:].shape)
    changed = record.crop(0, at_s) if after == "nothing" else Record(signal, record.fs, record.leads)
    said = forecast(record, "any", 60, 120, at_s=at_s, model=made()).to_dict()
    assert said["probability"] is not None
    assert forecast(changed, "any", 60, 120, at_s=at_s, model=made()).to_dict() == said
    paths = []
    for name, one in (("whole", record), ("changed", changed)):
        paths.append(tmp_path / f"{name}.hea")
        one.save(paths[-1])
    first, second = (forecast(path, "any", 60, 120, at_s=at_s, model=made()).to_dict() for path in paths)
    assert first == second


@pytest.mark.parametrize(("arguments", "said"), [
    ({"event": "afib"}, "af"), ({"horizon_s": 5}, "60-600"), ({"window_s": 5000}, "10-600"), ({"base_rate": 0.0}, "0 and 1"),
    ({"at_s": 1e9}, "another moment"), ({"at_s": float("nan")}, "another moment"), ({"horizon_s": float("nan")}, "60-600")])
def test_what_cannot_be_asked_is_refused(arguments: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        forecast(series(ten_minutes()), **arguments, model=made())


def test_the_command_prints_what_the_function_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made().save(tmp_path / "f", {}, "card")
    record, _ = simulate_onset("af", "rising_ectopy", fs=128, duration_s=300, onset_s=290, seed=3)[0]
    path = tmp_path / "r.npz"
    np.savez(path, signal=record.crop(0, 240).signal, fs=128.0, leads=list(record.leads), unit="mV")
    assert main(["forecast", str(path), "--model", str(tmp_path / "f"), "--window", "120", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    said = ecglm.forecast(str(path), window_s=120, model=tmp_path / "f")
    assert printed == said.to_dict()
    assert printed["window_s"] == 120
    assert printed["at_s"] == 240
    assert main(["forecast", str(path), "--model", str(tmp_path / "f")]) == 0
    assert said.event == "af"
    assert "Atrial fibrillation within 5 min" in capsys.readouterr().out


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.edf").write_bytes(b"not a recording")
    for arguments in ([str(tmp_path / "x.edf")], [str(tmp_path / "none.edf")], [str(tmp_path / "x.edf"), "--horizon", "a"]):
        assert main(["forecast", *arguments]) == 2
        out, err = capsys.readouterr()
        assert not out
        assert len(err.strip().splitlines()) == 1


def test_too_short_a_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="needs 10 s"):
        forecast(series(np.full(8, 0.8)), model=made())
    record, _ = simulate_onset("sinus", fs=128, duration_s=60, seed=3)[0]
    record.save(tmp_path / "short.hea")
    assert main(["forecast", str(tmp_path / "short.hea"), "--duration", "5"]) == 2
    error = capsys.readouterr().err
    assert "short.hea: 5 s long; a forecast needs 10 s" in error
    assert "--at" not in error


def test_the_shipped_forecaster_tells_onsets_with_a_sign_from_controls() -> None:
    def probability(target: str, mechanism: str, seed: int) -> float:
        onset_s = None if target == "sinus" else 690
        record, _ = simulate_onset(target, mechanism, fs=128, duration_s=700, onset_s=onset_s, seed=seed)[0]
        said = forecast(record, "any", 60, 600, at_s=630)
        assert said.probability is not None, said.reason
        return said.probability

    seeds = range(4711, 4715)
    before = [probability("aflutter", "p_prolongation", seed) for seed in seeds]
    without = [probability("sinus", "none", seed) for seed in seeds]
    assert np.mean(before) > np.mean(without) + 0.1
