"""The text of a WFDB header (.hea) as plain tuples.

Standard: WFDB Applications Guide, header(5), https://physionet.org/physiotools/wag/header-5.htm.
Knows nothing about signal files.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from ecglm.errors import ReadError
from ecglm.records.channels import NO_GAIN, clean
from ecglm.records.record import RecordMeta
from ecglm.records.request import MAX_CHANNELS

DEFAULT_FS = 250.0  # header(5): "If the sampling frequency is missing, a value of 250 is assumed"
DEFAULT_GAIN = 200.0  # header(5): "a value of zero indicates that the gain is undefined", 200 adu/mV is then a guess
MAX_SEGMENTS = 50_000
SHARED_SCALE = "limb_scale_shared"  #: comment of ecglm's own writer on a record without unit, see `Record`
MAX_SAMPLES_PER_FRAME = 4096

#: First line: record name[/segments] signals [fs[/counter[(base)]] [samples [time [date]]]]
RECORD_LINE = re.compile(
    r"\s*([^\s/]+)(?:/(\d+))?[ \t]+(\d+)(?:[ \t]+([^\s/(]+)\S*(?:[ \t]+(\d+)(?:[ \t]+(\S+)(?:[ \t]+(\S+))?)?)?)?"
    r"[ \t\r]*$"
)
_FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$")
_GAIN = re.compile(
    r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf|infinity))?(?:\(([-+]?\d+)\))?(?:/(\S+))?$",
    re.IGNORECASE,
)
#: Storage format, gain and zero of a complete signal line without exotic parts, as nearly all are.
_USUAL = re.compile(
    r"(\d{1,3})(?:x1)?(?:\+(\d{1,9}))? (\d{1,9}(?:\.\d{1,18})?)(?:\((-?\d{1,9})\))?/(\S+) (-?\d{1,9})", re.ASCII
)
_USUAL_LENGTH = 200  # characters of such a line; bounds what is remembered of it
_AGE = re.compile(r"<?age>?\s*[:=]?\s*(\d{1,3})(?![\d.])", re.IGNORECASE)
_SEX = re.compile(r"<?(?:sex|gender)>?\s*[:=]?\s*(female|male|f|m)\b", re.IGNORECASE)
_AGE_SEX = re.compile(r"(\d{1,3})\s+([MF])\b")  # MIT-BIH style: "# 69 M 1085 1629 x1"


class Channel(NamedTuple):
    """One signal line. gain in adu per unit; fmt is the number of a storage format."""

    file: str
    fmt: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    initial: int
    name: str


class Header(NamedTuple):
    """A parsed header. n_samples is per channel at the frame rate, None where it is not stated."""

    name: str
    n_signals: int
    fs: float
    n_samples: int | None
    start: datetime | None
    channels: tuple[Channel, ...]
    segments: tuple[tuple[str, int], ...]
    comments: tuple[str, ...]
    notes: tuple[str, ...]


def parse_header(text: str, path: str) -> Header:
    """Parse the text of a header file. Raises ReadError that names the line it cannot use."""
    lines: list[str] = []
    comments: list[str] = []
    for line in text.splitlines():
        bare = line.lstrip()
        if bare[:1] == "#":
            comments.append(line)
        elif bare:
            lines.append(line)
    match = RECORD_LINE.match(lines[0]) if lines else None
    if match is None:
        raise ReadError(
            path,
            "its first line is not that of a WFDB header",
            "it should read: name, number of signals, sampling rate, number of samples",
        )
    name, n_segments, n_signals, rate, length, time, date = match.groups()
    notes: list[str] = []
    fs = DEFAULT_FS
    if rate is None:
        notes.append("the header states no sampling rate: 250 Hz, the WFDB default, is used")
    else:
        fs = _number(rate, path, "sampling rate")
    count = _integer(n_signals, path, "number of signals")
    if count > MAX_CHANNELS:
        raise ReadError(
            path,
            f"its header claims {count} signals, more than the limit of {MAX_CHANNELS}",
            "the header is damaged; get it again",
        )
    samples = _integer(length, path, "number of samples") if length else None
    body = lines[1:]
    segments: tuple[tuple[str, int], ...] = ()
    channels: tuple[Channel, ...] = ()
    if n_segments is not None:
        segments = _segments(body, _integer(n_segments, path, "number of segments"), path)
    else:
        if len(body) < count:
            raise ReadError(
                path,
                f"its header promises {count} signals and describes {len(body)}",
                "the header was cut short; get it again",
            )
        channels = tuple([_channel(line, number, path, notes) for number, line in enumerate(body[:count], 1)])
    return Header(
        name, count, fs, samples or None, _start(time, date), channels, segments, tuple(comments), tuple(notes)
    )


@lru_cache(maxsize=1024)  # the signals of a data set share a handful of them
def _usual(code: str, scale: str, zero: str) -> tuple[int, int, float, int, str] | None:
    """Format, offset, gain, baseline and unit of fields without exotic parts; None for others."""
    match = _USUAL.fullmatch(f"{code} {scale} {zero}")
    if match is None or float(match[3]) == 0:
        return None
    fmt, offset, gain, base, unit, zero = match.groups()
    return int(fmt), int(offset or 0), float(gain), int(base or zero), unit


def _channel(line: str, number: int, path: str, notes: list[str]) -> Channel:
    fields = line.split(None, 8)
    n = len(fields)
    if n == 9 and len(line) <= _USUAL_LENGTH and (usual := _usual(fields[1], fields[2], fields[4])) is not None:
        fmt, offset, gain, zero_level, unit = usual
        initial = _integer(fields[5], path, "initial value")
        return Channel(fields[0], fmt, 1, 0, offset, gain, zero_level, unit, initial, fields[8].rstrip())
    if n < 2:
        raise ReadError(path, f"its signal line {line.strip()[:60]!r} has no storage format", "correct the header")
    per_frame, skew, offset = 1, 0, 0
    code = fields[1]
    if code.isascii() and code.isdigit() and len(code) <= 3:
        fmt = int(code)
    else:
        match = _FORMAT.match(code)
        if match is None or len(code) > 40:
            raise ReadError(path, f"its storage format {code[:40]!r} is not a WFDB format", "correct the header")
        fmt, per_frame, skew, offset = (
            int(part) if part else default for part, default in zip(match.groups(), (0, 1, 0, 0), strict=True)
        )
        if not 1 <= per_frame <= MAX_SAMPLES_PER_FRAME:
            raise ReadError(path, f"its header claims {per_frame} samples per frame", "correct the header")
    initial_text = fields[5] if n > 5 else "0"
    zero = fields[4] if n > 4 else "0"
    gain, baseline, unit = DEFAULT_GAIN, None, "mV"
    if n > 2:
        match = _GAIN.match(fields[2])
        if match is None:
            raise ReadError(path, f"its gain {fields[2][:40]!r} is not a number", "correct the header")
        value, base, unit_text = match.groups()
        gain = float(value) if value else 0.0
        unit = unit_text or "mV"
        baseline = base
    if not -1e300 < gain < 1e300:
        raise ReadError(path, f"its gain {fields[2][:40]!r} is not a finite number", "correct the gain in the header")
    name = fields[8].strip() if n > 8 else f"ch{number}"
    if gain == 0 or n < 3:
        gain, unit = DEFAULT_GAIN, NO_GAIN
        notes.append(f"{clean(name)}: the header states no gain, so that its millivolts are not known")
    return Channel(
        fields[0],
        fmt,
        per_frame,
        skew,
        offset,
        gain,
        _integer(baseline if baseline is not None else zero, path, "baseline"),
        unit,
        _integer(initial_text, path, "initial value"),
        name,
    )


def _segments(body: list[str], count: int, path: str) -> tuple[tuple[str, int], ...]:
    if not 0 < count <= MAX_SEGMENTS:
        raise ReadError(
            path, f"its header claims {count} segments, the limit is {MAX_SEGMENTS}", "read the segments one by one"
        )
    if len(body) < count:
        raise ReadError(
            path,
            f"its header promises {count} segments and lists {len(body)}",
            "the header was cut short; get it again",
        )
    found = []
    for line in body[:count]:
        fields = line.split()
        if len(fields) < 2 or "/" in fields[0]:
            raise ReadError(
                path, f"its segment line {line.strip()[:60]!r} is not a name and a length", "correct the header"
            )
        found.append((fields[0], _integer(fields[1], path, "segment length", lowest=0)))
    return tuple(found)


def _integer(text: str, path: str, what: str, lowest: int = -(1 << 60)) -> int:
    try:
        value = int(text) if len(text) < 20 else 1 << 62
    except ValueError:
        raise ReadError(path, f"its {what} {text[:40]!r} is not a whole number", "correct the header") from None
    if not lowest <= value < 1 << 60:
        raise ReadError(path, f"its {what} {text[:40]} is absurd", "correct the header")
    return value


def _number(text: str, path: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ReadError(path, f"its {what} {text[:40]!r} is not a number", "correct the header") from None


def _start(time: str | None, date: str | None) -> datetime | None:
    """Base time and date; None unless both are given and valid."""
    if not time or not date:
        return None
    try:
        hour, minute, second = [*map(float, ["0", "0", *time.split(":")][-3:])]
        day, month, year = map(int, date.split("/"))
        return datetime(year, month, day, int(hour), int(minute), int(second), round(second % 1 * 1e6) % 1_000_000)
    except (ValueError, OverflowError):
        return None


def patient(comments: tuple[str, ...]) -> RecordMeta:
    """Age and sex from the comment lines that PhysioNet databases use; nothing else of them is kept."""
    age: int | None = None
    sex: str | None = None
    for comment in comments:
        line = comment.lstrip("# \t")[:200]
        if age is None and (found := _AGE.match(line)):
            age = int(found[1])
        elif sex is None and (found := _SEX.match(line)):
            sex = found[1]
        elif age is None and sex is None and (found := _AGE_SEX.match(line)):
            age, sex = int(found[1]), found[2]
    return RecordMeta(
        age=age if age is not None and age <= 120 else None,
        sex=None if sex is None else "female" if sex[0] in "fF" else "male",
    )
