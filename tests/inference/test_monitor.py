"""`ecglm monitor`: a step tells nothing of what follows it; what fails is told; alarms, pictures and summaries are right."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from ecglm.answers import Forecast
from ecglm.errors import ReadError, UsageError
from ecglm.inference.monitor import Levels, from_raw, from_windows, watch
from ecglm.inference.monitor.alarms import Alarm
from ecglm.inference.monitor.lines import line
from ecglm.inference.monitor.summary import Marked, Summary, marked
from ecglm.inference.monitor.timeline import BANDS, COLOURS, LEFT, MOST, RIGHT, WIDTH, Timeline
from ecglm.records.record import Record
from ecglm.records.windows import Windows, open_windows
from ecglm.signal.holter import BeatSeries
from ecglm.signal.simulate import simulate_one
from tests.inference.paroxysm import FS, LEADS, ONSET_S, Dripping, a_step, by_irregularity, paroxysm, quiet, steps, told


@pytest.mark.parametrize("cut_s", [75.0, 180.0, 200.0])
def test_nothing_told_depends_on_what_follows(cut_s: float) -> None:
    """Cutting the stream, or going on with something else, changes no line before."""
    record = paroxysm()
    whole = int(cut_s // 30)
    before = [one.to_dict() for one in told()[:whole]]
    assert [one.to_dict() for one in steps(record.crop(0, cut_s), forecasts=by_irregularity)[:whole]] == before
    other = record.signal.copy()
    other[:, round(whole * 30 * FS):] = np.nan
    assert [one.to_dict() for one in steps(Record(other, FS, LEADS), forecasts=by_irregularity)[:whole]] == before


def test_the_episode_is_told_with_its_beginning_and_its_end() -> None:
    rhythms = [one.rhythm for one in told()]
    assert rhythms[:5] == ["sinus"] * 5
    assert rhythms[6:9] == ["af"] * 3
    assert rhythms[-1] == "sinus"
    during = told()[7]
    assert during.since_s == pytest.approx(ONSET_S, abs=10)
    assert during.since == "00:02:" + during.since[-2:]
    assert during.probability is None
    assert during.abstained == "already in atrial fibrillation"
    assert sum("began" in one.events for one in told()) == sum("ended" in one.events for one in told()) == 1


def test_a_raw_stream_is_told_as_the_file_is() -> None:
    record = paroxysm().crop(0, 100)
    pipe = io.BytesIO(record.signal.T.astype("<f4").tobytes() + b"\0\0\0")
    stream = from_raw(pipe, LEADS, FS, 30.0)
    found = [one.to_dict() for one in watch(stream)]
    assert found == [one.to_dict() for one in steps(record)]
    assert stream.notes == ["the stream ended in the middle of a sample: its last 3 bytes are left out"]


def test_integers_have_a_gain_and_a_mark_for_missing_samples() -> None:
    raw = np.array([[200, -400], [-32768, 100]], "<i2")
    (block,) = from_raw(io.BytesIO(raw.tobytes()), LEADS, FS, 10.0, "i16", 200.0).blocks
    np.testing.assert_array_equal(block, np.array([[1.0, np.nan], [-2.0, 0.5]], np.float32))


def test_any_bytes_are_samples_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    raw = b"\x01\x00\x80\x7f" + b"\xff\xff\x7f\x7f" + b"\x00\x00\x80\x3f" + b"\x00\x00\x80\xff"  # NaN, largest, 1, -inf
    (block,) = from_raw(io.BytesIO(raw), ("II",), FS, 10.0, "f32", 0.5).blocks
    np.testing.assert_array_equal(block, np.array([[np.nan, np.nan, 2.0, np.nan]], np.float32))
    assert not recwarn.list


def test_a_slow_pipe_gives_whole_steps() -> None:
    data = paroxysm().crop(0, 60).signal.T.astype("<f4").tobytes()
    blocks = list(from_raw(Dripping(data), LEADS, FS, 30.0).blocks)  # type: ignore[arg-type]
    assert [block.shape for block in blocks] == [(2, 3750), (2, 3750)]


def test_a_lead_that_drops_out_is_told_and_the_other_goes_on() -> None:
    record = paroxysm().crop(0, 150)
    signal = record.signal.copy()
    signal[1, round(60 * FS):round(120 * FS)] = np.nan
    seen: list[BeatSeries] = []

    def noted(series: BeatSeries) -> Forecast:
        seen.append(series)
        return quiet(series)

    found = steps(Record(signal, FS, LEADS), forecasts=noted)
    assert [one.leads for one in found] == [LEADS, LEADS, ("II",), ("II",), LEADS]
    times, leads = seen[-1].times_B, seen[-1].leads_B
    assert leads is not None
    both, alone = leads[times < 60], leads[(times > 60) & (times < 120)]
    assert set(both) == set(leads[times > 120]) != set(alone)
    assert len(set(both)) == len(set(alone)) == 1
    assert found[2].notes == ("lead V1 cannot be read",)
    assert found[4].notes == ("lead V1 can be read again",)
    assert all(one.rhythm == "sinus" and one.unread_s == 0 for one in found)


def test_no_signal_is_no_rhythm_and_clears_the_alarm_after_a_while() -> None:
    record = paroxysm()
    signal = np.concatenate([record.signal[:, :round(90 * FS)], np.full((2, round(180 * FS)), np.nan, np.float32),
                             record.signal[:, :round(60 * FS)]], axis=1)

    def alarming(series: BeatSeries) -> Forecast:
        if series.stop_s > 100:  # as `ecglm.forecast` does without signal
            return Forecast(None, None, (), "", "af", 300.0, 600.0, series.stop_s, True, "cannot be read", (), "test")
        return Forecast(0.9, (0.8, 1.0), (), "", "af", 300.0, 600.0, series.stop_s, False, None, (), "test")

    found = steps(Record(signal, FS, LEADS), forecasts=alarming)
    assert found[3].rhythm is None
    assert found[3].reason == "all samples are missing"
    assert found[3].unread_s == 30
    assert found[3].rate_bpm is None
    assert "raised" in found[1].events
    assert [one.alarm for one in found] == [False, True, True, True, True, True, True, False, False, False, False]
    assert found[-1].rhythm == "sinus"


def test_memory_does_not_grow_with_the_stream() -> None:
    """The beats that a forecast is given are those of the last minutes only."""
    begins: list[tuple[float, float]] = []
    record = simulate_one("normal", fs=FS, duration_s=900, leads=("II",), seed=1).record

    def noted(series: BeatSeries) -> Forecast:
        begins.append((series.start_s, float(series.times_B[0])))
        return quiet(series)

    steps(record, forecasts=noted)
    assert begins[-1][0] == pytest.approx(900 - 660)
    assert begins[-1][1] > 900 - 660


def test_alarms_are_raised_at_one_level_and_cleared_below_another_for_a_time() -> None:
    alarm = Alarm(Levels(0.5, 0.3, 2))
    said = [alarm.update(p) for p in (0.4, 0.5, 0.35, 0.2, None, 0.4, 0.2, None, 0.2, 0.2)]
    assert said == [None, "raised", None, None, None, None, None, None, "cleared", None]
    for wrong in ({"on": 0.2, "off": 0.4}, {"on": 1.5}, {"off": 0.0}, {"steps": 0}):
        with pytest.raises(UsageError):
            Levels(**wrong)  # type: ignore[arg-type]


def test_false_alarms_are_counted_against_the_marks() -> None:
    summary = Summary(300.0, Marked(((1000.0, 1200.0), (3000.0, 3100.0))))
    raised = {300.0, 900.0, 1110.0, 2400.0}  # false, before an onset, in the arrhythmia, false
    for at in np.arange(30.0, 3601.0, 30.0):
        on = any(0 <= at - begin < 60 for begin in raised)
        summary.add(a_step(float(at), "af" if 1020 < at <= 1200 else "sinus", on, ("raised",) if at in raised else ()))
    assert summary.false_alarms() == 2
    said = summary.to_dict()["summary"]
    assert said["false_alarms_per_hour"] == pytest.approx(2 / (3300 / 3600), abs=0.001)
    assert [one["warned"] for one in said["marked_onsets"]] == [True, False]
    assert said["marked_onsets"][0]["told_from_s"] == pytest.approx(1020)
    assert said["marked_onsets"][1]["told_from_s"] is None
    assert said["false_arrhythmia_min_per_hour"] == 0


def test_a_timeline_shows_rhythm_and_marks_where_they_are() -> None:
    drawn = Timeline(3 * 3600.0)
    for at in np.arange(30.0, 3601.0, 30.0):
        drawn.add(a_step(float(at), "af" if at > 1800 else "sinus", at > 3000, probability=None if at > 1800 else at / 3600))
    picture = drawn.drawn(Levels(), 300.0, "test", Marked(((1800.0, 3600.0),)))

    def at(name: str, share: float) -> tuple[int, ...]:
        top, height = BANDS[name]
        return tuple(picture[top + height // 2, LEFT + round(share * (WIDTH - LEFT - RIGHT))].tolist())

    assert at("rhythm", 0.3) == COLOURS["sinus"]
    assert at("rhythm", 0.7) == COLOURS["af"]
    assert at("marked", 0.7) == (40, 40, 40)
    assert at("marked", 0.3) == (255, 255, 255)
    assert at("alarm", 0.95) != at("alarm", 0.45) == (255, 255, 255)


def test_a_timeline_of_weeks_stays_small() -> None:
    drawn = Timeline()
    for number in range(3 * MOST):
        drawn.add(a_step(30.0 * (number + 1), "af" if number == 777 else "sinus"))
    assert len(drawn._columns) <= MOST
    assert any(one.rhythm == "af" for one in drawn._columns)


def test_a_file_that_breaks_off_is_told_until_there() -> None:
    record = paroxysm()

    class Broken(Windows):
        def read(self, start_s: float, duration_s: float) -> Record:
            if start_s > 0:
                raise ReadError("x.dat", "it was cut short")
            return record.crop(0, 60)

    stream = from_windows(Broken(3600.0, record.crop(0, 1)), 30.0)
    assert len(list(watch(stream))) == 2
    assert stream.notes == ["reading ended at 600 s: x.dat: it was cut short"]


def test_a_file_that_breaks_off_within_a_window_is_told_to_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes are read at once; what is damaged late in them takes no more away than its own step."""
    record, read = paroxysm(), Windows.read

    def broken(self: Windows, start_s: float, duration_s: float) -> Record:
        if start_s + duration_s > 100:
            raise ReadError("x.dat", "it was cut short")
        return read(self, start_s, duration_s)

    monkeypatch.setattr(Windows, "read", broken)
    stream = from_windows(open_windows(record), 30.0)
    assert [one.at_s for one in watch(stream)] == [30, 60, 90]
    assert stream.notes == ["reading ended at 90 s: x.dat: it was cut short"]


def test_a_line_says_what_is_forecast() -> None:
    said = [line(a_step(30.0), 300.0, event) for event in ("af", "aflutter", "any")]
    assert [next(part for part in one.split("  ") if "within" in part) for one in said] == [
        f"{name} within 5 min 20 % (10-40 %)" for name in ("AF", "flutter", "AF or flutter")]


def test_marks_that_say_nothing_of_the_rhythm_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.atr").write_bytes(bytes([100, 4, 0, 0]))
    with pytest.raises(ReadError, match="marks no rhythm"):
        marked(tmp_path / "x.atr", 360.0)
