"""Paper speed and gain of a page: as asked, as printed, as the calibration pulses show, or assumed, and which of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecglm.errors import argument
from ecglm.paper.digitize.calibrate import PULSE_S, Pulse, gain_of, speed_of
from ecglm.paper.digitize.text import Line, gain_in, speed_in
from ecglm.records.record import Record

#: The usual ones, where a page says nothing.
SPEED, GAIN = 25.0, 10.0
#: At an assumed speed, a slower rate (1/min) with a wider QRS (ms) than these looks like paper that ran twice as fast.
_SLOW_BPM, _WIDE_MS = 50.0, 150.0
#: What the confidence is multiplied by then.
DOUBTED = 0.6


@dataclass(frozen=True)
class Scale:
    """speed: mm/s, gain: mm/mV, and where each comes from: "asked", "text", "pulse" or "assumed". gain_seen: whether
    the page shows a gain. notes: what was assumed or does not agree."""

    speed: float
    gain: float
    speed_from: str
    gain_from: str
    gain_seen: bool
    notes: tuple[str, ...]


def scale_of(speed: float | None, gain: float | None, pulses: Sequence[Pulse], px: float, lines: Sequence[Line]) -> Scale:
    """The scale of a page. Text goes before the pulse for the speed (some carts draw a pulse of 5 mm at any speed), the pulse
    before text for the gain (it is drawn with the traces)."""
    notes: list[str] = []
    shown_gain, said_gain = gain_of(list(pulses)), gain_in(lines)
    if gain is not None:
        gain_from = "asked"
        if shown_gain is not None and abs(shown_gain / gain - 1) > 0.1:
            notes.append(f"the calibration pulse says {shown_gain:g} mm/mV, read at {gain:g} as asked")
    elif shown_gain is not None:
        gain, gain_from = shown_gain, "pulse"
        if said_gain not in (None, gain):
            notes.append(f"the calibration pulse says {gain:g} mm/mV, the text {said_gain:g}: the pulse is believed")
    elif said_gain is not None:
        gain, gain_from = said_gain, "text"
    else:
        gain, gain_from = GAIN, "assumed"
        notes.append(f"no calibration pulse was seen: {GAIN:g} mm/mV is assumed; heights are no millivolts unless the page has "
                     f"that gain: then digitize it with {argument('gain', round(GAIN))}")
    shown, said = speed_of(list(pulses), px), speed_in(lines)
    if speed is not None:
        speed_from, seen = "asked", said or shown
        notes.append(f"read at {speed:g} mm/s as asked" + (f"; the page says {seen:g}" if seen not in (None, speed) else ""))
    elif said is not None:
        speed, speed_from = said, "text"
        if shown not in (None, said):
            notes.append(f"{said:g} mm/s is printed, the width of the calibration pulse says {shown:g}: the text is believed")
    elif shown is not None:
        speed, speed_from = shown, "pulse"
        notes.append(f"the paper speed was not read but worked out: the calibration pulse is about {PULSE_S * shown:g} mm wide, "
                     f"which is {shown:g} mm/s if it lasts the usual 200 ms")
    else:
        speed, speed_from = SPEED, "assumed"
        notes.append(f"paper speed {SPEED:g} mm/s is assumed")
    return Scale(float(speed), float(gain), speed_from, gain_from, (shown_gain or said_gain) is not None, tuple(notes))


def doubt(record: Record, speed: float) -> str | None:
    """Why an assumed speed is doubtful: beats so slow and so wide together are more often paper that ran twice as fast."""
    from ecglm.signal import measure

    found = measure(record)
    rate, qrs = found.heart_rate.value, found.qrs.value
    if rate is None or qrs is None or rate >= _SLOW_BPM or qrs <= _WIDE_MS:
        return None
    return (f"at {speed:g} mm/s the heart rate is {rate:.0f}/min and QRS {qrs:.0f} ms; if the paper ran at {2 * speed:g} mm/s "
            f"they are {2 * rate:.0f}/min and {qrs / 2:.0f} ms: look for the speed on the page and give it")
