"""Paper speed and gain are read, or it is said that they are assumed: never taken for granted."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import ecglm
from ecglm.errors import UsageError
from ecglm.paper import render
from ecglm.paper.digitize import text
from ecglm.paper.digitize.calibrate import Pulse, speed_of
from ecglm.paper.digitize.scale import doubt, scale_of
from ecglm.paper.digitize.text import Line, gain_in, lead_in, speed_in
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate

needs_ocr = pytest.mark.skipif(not text.installed(), reason="pip install 'ecglm[ocr]'")


def lines(*texts: str) -> list[Line]:
    return [Line(words, 0.9, 0.0, 0.0, 10.0, 5.0) for words in texts]


def pulse(width_mm: float, height_mm: float = 10.0) -> Pulse:
    return Pulse(100, 100 + round(8 * width_mm), height_mm, 0.0)


@pytest.mark.parametrize(("said", "speed", "gain"), [
    ("25 mm/s    10 mm/mV    500 Hz, unfiltered", 25.0, 10.0), ("50mm/s 5mm/mV 0.05-150Hz", 50.0, 5.0),
    ("Speed: 25 mm/sec  Limb: 20 mm/mv", 25.0, 20.0), ("5O mm/s", 50.0, None), ("12.5mm/s", 12.5, None),
    ("12,5 mm/s", 12.5, None),
    ("27 mm/s 11 mm/mV", None, None), ("250 mm/s", None, None), ("25 mm", None, None), ("10 mm/mVs", None, None)])
def test_numbers_are_read_only_before_their_units(said: str, speed: float | None, gain: float | None) -> None:
    assert speed_in(lines(said)) == speed
    assert gain_in(lines(said)) == gain


def test_what_is_printed_twice_and_differently_is_not_believed() -> None:
    assert speed_in(lines("25 mm/s", "50 mm/s")) is None
    assert speed_in(lines("25 mm/s", "25mm/s")) == 25.0


@pytest.mark.parametrize(("said", "lead"), [("aVR", "aVR"), ("AVF", "aVF"), ("ll", "II"), ("IIl", "III"), ("1", "I"),
                                            ("VI", "V1"), ("V6.", "V6"), ("V7", None), ("II rhythm", None), ("", None),
                                            ("RATE", None)])
def test_names_of_leads(said: str, lead: str | None) -> None:
    assert lead_in(said) == lead


@pytest.mark.parametrize(("width", "speed"), [(5.0, 25.0), (4.6, 25.0), (10.0, 50.0), (9.4, 50.0), (2.5, None), (7.0, None),
                                              (13.0, None)])
def test_the_width_of_a_pulse_tells_the_speed(width: float, speed: float | None) -> None:
    assert speed_of([pulse(width)] * 3, 8.0) == speed
    assert speed_of([], 8.0) is None


def test_pulses_that_disagree_say_nothing() -> None:
    assert speed_of([pulse(5.0), pulse(10.0)], 8.0) is None


def test_which_of_several_is_believed() -> None:
    found = scale_of(None, None, [pulse(5.0)], 8.0, lines("50 mm/s 5 mm/mV"))
    assert (found.speed, found.speed_from) == (50.0, "text")  # some carts draw 5 mm at any speed
    assert (found.gain, found.gain_from) == (10.0, "pulse")
    assert len(found.notes) == 2
    assert all("believed" in note for note in found.notes)
    asked = scale_of(25.0, 5.0, [pulse(10.0)], 8.0, lines("50 mm/s"))
    assert (asked.speed, asked.gain, asked.speed_from, asked.gain_from) == (25.0, 5.0, "asked", "asked")
    assert "the page says 50" in " ".join(asked.notes)
    blank = scale_of(None, None, [], 8.0, [])
    assert (blank.speed, blank.gain, blank.speed_from, blank.gain_from) == (25.0, 10.0, "assumed", "assumed")
    assert "paper speed 25 mm/s is assumed" in blank.notes


@cache
def sinus() -> Record:
    return simulate("normal", 1, seed=5)[0].record


@cache
def rate() -> float:
    value = ecglm.measure(sinus()).heart_rate.value
    assert value is not None
    return value


@pytest.mark.parametrize("gain", [5.0, 10.0, 20.0])
def test_a_page_at_50_mm_s_is_not_read_at_25(gain: float) -> None:
    layout = "12x1" if gain == 5.0 else "3x4"
    found = ecglm.digitize(render(sinus(), speed=50.0, gain=gain, layout=layout, dpi=150).image, text=False)
    assert found.reading is not None
    assert (found.reading.speed, found.reading.speed_from, found.reading.gain) == (50.0, "pulse", gain)
    assert found.duration_s == pytest.approx(5.0, abs=0.03)
    assert ecglm.measure(found).heart_rate.value == pytest.approx(rate(), abs=4)


def test_at_25_mm_s_the_pulse_says_so() -> None:
    reading = ecglm.digitize(render(sinus(), dpi=150).image, text=False).reading
    assert reading is not None
    assert (reading.speed, reading.speed_from, reading.speed_seen) == (25.0, "pulse", True)
    assert "the calibration pulse is about 5 mm wide, which is 25 mm/s if it lasts the usual 200 ms" in reading.text


@cache
def without_pulse(speed: float):
    """A page with no calibration pulse: only its footer says how fast the paper ran."""
    record = sinus()
    scaled = record.signal / record.signal.std(axis=1, keepdims=True)
    return render(Record(scaled.astype(np.float32), record.fs, record.leads, unit="normalized"), speed=speed, layout="3x4").image


def test_without_text_or_pulse_the_speed_is_assumed_and_it_says_so() -> None:
    reading = ecglm.digitize(without_pulse(25.0), text=False).reading
    assert reading is not None
    assert reading.speed_from == "assumed"
    assert not reading.speed_seen
    assert "25 mm/s is assumed" in reading.text
    assert "if the paper ran" not in reading.text


def test_without_a_seen_gain_there_are_no_millivolts() -> None:
    found = ecglm.digitize(without_pulse(25.0), text=False)
    assert (found.unit, found.limb_scale_shared) == ("normalized", True)
    assert found.reading is not None
    assert "heights are no millivolts unless the page has that gain: then digitize it with gain=10" in found.reading.text
    asked = ecglm.digitize(without_pulse(25.0), gain=10.0, text=False)
    assert asked.unit == "mV"
    assert np.array_equal(asked.signal, found.signal, equal_nan=True)


def test_an_implausible_rate_at_an_assumed_speed_is_doubted() -> None:
    resting = simulate("normal", 1, seed=1)[0].record  # 71 beats a minute
    assert doubt(resting, 25.0) is None
    twice = Record(resting.signal[:, :resting.n_samples // 2], resting.fs / 2, resting.leads)  # read at half the true speed
    said = doubt(twice, 25.0)
    assert said is not None
    assert "if the paper ran at 50 mm/s" in said


def test_text_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'ecglm\[ocr\]'"):
        text.printed(np.zeros((200, 200, 3), np.uint8))


@needs_ocr
@pytest.mark.parametrize("speed", [25.0, 50.0])
def test_the_printed_speed_is_read(speed: float) -> None:
    found = ecglm.digitize(without_pulse(speed), text=True)
    assert found.reading is not None
    assert (found.reading.speed, found.reading.speed_from) == (speed, "text")
    assert ecglm.measure(found).heart_rate.value == pytest.approx(rate(), abs=4)


@needs_ocr
@pytest.mark.parametrize("gain", [5.0, 10.0, 20.0])
def test_printed_gain_and_names_are_read(gain: float) -> None:
    page = render(sinus(), gain=gain, dpi=150)
    found = text.printed(page.image)
    assert gain_in(found) == gain
    assert speed_in(found) == 25.0
    named = {lead for line in found if (lead := lead_in(line.text)) is not None}
    assert len(named) >= 3  # short names beside traces are hard to find as text: `find_words` reads the most
