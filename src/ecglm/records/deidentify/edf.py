"""EDF and BDF: a header in EDF+'s anonymised forms, data records as they are, annotations without their texts.

Standard: https://www.edfplus.info/specs/edfplus.html, 2.1.3.3 (``X`` for what is not said)
and 2.2 (annotations). EDF has no field for an age; it becomes a subfield after the patient's name.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.deidentify.case import COUNT, Case, Written
from ecglm.records.edf import AGE_FIELD, FIELD_BYTES, SAMPLES_FIELD, lead_name
from ecglm.records.leads import canonical_lead
from ecglm.records.patient import day

_RECORDS = 1 << 22  #: bytes of data records handled at a time
_RESERVED = ("EDF+C", "BDF+C", "24BIT")
_FILTER = re.compile(r"\b(HP|LP|BP|N)\s*:?\s*(DC|\d{1,4}(?:\.\d{1,4})?)\s*(Hz)?", re.I)
_SENSOR = re.compile(r"(?:(?:ag[-/ ]?agcl|active|passive|adhesive|disposable|gel|dry|cup|ecg|electrodes?)(?:[ ,]+|$))+", re.I)
_ONSET = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)(?:\x15\d{0,9}(?:\.\d{1,9})?)?\x14")
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_TIME = re.compile(r"[+-]?\d+(?:\.\d*)?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_YEARS = (1985, 2084)  #: what the two digits of the start date can say


def patient_of(path: str) -> list[str]:
    """The code and the name of the patient field; all of it where it is not in EDF+'s form."""
    with open(path, "rb") as stream:
        text = stream.read(88)[8:].decode("latin-1").strip()
    fields = text.split()
    if len(fields) >= 4 and fields[1] in ("M", "F", "X"):
        return [fields[0].replace("_", " "), fields[3].replace("_", " ")]
    return [text]


def write(case: Case, folder: Path) -> Written:
    """The recording under case.name in folder. Raises ReadError."""
    path = case.path
    with open(path, "rb") as stream:
        head = stream.read(256)
        if head[192:197] in (b"EDF+D", b"BDF+D"):
            raise ReadError(path, "it is discontinuous (EDF+D)", "save it as WFDB (.hea) and pass that")
        n_signals = _whole(head[252:256])
        fields = stream.read(256 * n_signals)
    width = 3 if head.startswith(b"\xff") else 2
    columns: list[list[str]] = []
    at = 0
    for size in FIELD_BYTES:
        columns.append([fields[at + i * size : at + (i + 1) * size].decode("latin-1").strip() for i in range(n_signals)])
        at += size * n_signals
    labels, sensors, units, *limits, filters, counts, reserved = columns
    per_record = [_whole(count) for count in counts]
    n_records = _whole(head[236:244])
    new = [
        [_label(case, label, place) for place, label in enumerate(labels, 1)],
        [_sensor(case, sensor) for sensor in sensors],
        [case.unit(unit) for unit in units],
        *([_number(case, text, path) for text in column] for column in limits),
        [_filter(case, text) for text in filters],
        [_number(case, text, path) for text in counts],
        [""] * n_signals,
    ]
    for text in reserved:
        if text:
            case.drop("reserved field of a signal", text)
    top = _head(case, head, n_signals)
    body = "".join(text.ljust(size)[:size] for size, column in zip(FIELD_BYTES, new, strict=True) for text in column)
    header = top + body.encode("ascii")
    main = case.name + (".bdf" if width == 3 else ".edf")
    times = _copy_records(case, width, per_record, labels, n_records, folder / main, header)
    case.kept.add("samples, byte for byte")
    return Written(main, header + times, n_records * float(head[244:252]))


def _whole(text: str | bytes) -> int:
    """A number that `read` has accepted."""
    return int(float(text))


def _head(case: Case, head: bytes, n_signals: int) -> bytes:
    """The first 256 bytes: who and when in anonymised form, numbers as they are."""
    person, recording = head[8:88].decode("latin-1"), head[88:168].decode("latin-1")
    case.drop("patient field", person, *(part.replace("_", " ") for part in person.split()))
    case.drop("recording field", recording, *(part.replace("_", " ") for part in recording.split()))
    born = re.findall(r"\d{1,2}-[A-Za-z]{3}-\d{4}", person)
    case.drop("date of birth", *born) if born else None
    moved, known = _start(case, head)
    case.say("X F M Startdate EDF+C BDF+C 24BIT BIOSEMI")
    long_date = f"{moved.day:02d}-{_MONTHS[moved.month - 1]}-{moved.year}" if moved is not None and known else "X"
    sex = {"female": "F", "male": "M"}.get(case.sex or "", "X")
    stored = head[192:236].decode("latin-1").strip()
    if stored and stored not in _RESERVED:
        case.drop("reserved field", stored)
    clock = head[176:184].decode("latin-1")
    if not re.fullmatch(r"\d\d\.\d\d\.\d\d", clock):
        clock = "00.00.00"
    case.kept.add("time of day")
    age = "" if case.age is None else f" {AGE_FIELD}{case.age}"
    padded = re.search(rf" {SAMPLES_FIELD}\d{{1,12}}(?= |$)", recording)  # how many samples the last record leaves
    texts = (
        (case.say(f"X {sex} X X{age}"), 80),
        (case.say(f"Startdate {long_date} X X X{padded[0] if padded else ''}"), 80),
        (f"{moved:%d.%m.%y}" if moved is not None and known else "01.01.85", 8),
        (case.say(clock), 8),
        (str(256 * (n_signals + 1)), 8),
        (stored if stored in _RESERVED else "", 44),
        (_number(case, head[236:244].decode("latin-1"), case.path), 8),
        (_number(case, head[244:252].decode("latin-1"), case.path), 8),
        (str(n_signals), 4),
    )
    return (b"\xffBIOSEMI" if head.startswith(b"\xff") else b"0       ") + "".join(
        text.ljust(size)[:size] for text, size in texts
    ).encode("ascii")


def _start(case: Case, head: bytes) -> tuple[datetime | None, bool]:
    """The shifted start, and whether there is one that two digits of a year can say."""
    fields = head[88:168].decode("latin-1").split()
    stated = day(fields[1]) if len(fields) > 1 and fields[0] == "Startdate" else None
    if case.record.start is None or (stated is None and head[168:176] == b"01.01.85"):
        return None, False  # the standard's way to say that no date is known
    moved = case.moved(case.record.start, "start date")
    if moved is None or not _YEARS[0] <= moved.year <= _YEARS[1]:
        case.shifted.pop("start date", None)
        case.drop("start date, which EDF cannot say after its shift")
        return None, False
    return moved, True


def _label(case: Case, label: str, place: int) -> str:
    if label in _ANNOTATIONS:
        return case.say(label)
    name = lead_name(label)
    shown = case.label(name, place)
    return case.say(f"ECG {shown}" if canonical_lead(name) else shown)[:16]


def _sensor(case: Case, text: str) -> str:
    if not text or _SENSOR.fullmatch(text):
        return case.say(text)
    case.drop("transducer", text)
    return ""


def _filter(case: Case, text: str) -> str:
    """High-pass, low-pass and notch frequencies of a prefilter field; nothing else of it."""
    kept = " ".join(f"{kind.upper()}:{value.upper()}{'Hz' if unit else ''}" for kind, value, unit in _FILTER.findall(text))
    if text and kept.replace(" ", "").lower() != text.replace(" ", "").lower():
        case.drop("prefilter", text)
    if kept:
        case.kept.add("filters")
    return case.say(kept)


def _number(case: Case, text: str, path: str) -> str:
    shown = case.number(text, COUNT)
    if shown is None:
        raise ReadError(path, "a number of its header is not written in plain digits", "export it again")
    return shown


def _copy_records(
    case: Case, width: int, per_record: list[int], labels: list[str], n_records: int, target: Path, header: bytes
) -> bytes:
    """Write header and data records, of annotation signals only the time of each record; returns the bytes of these."""
    size = width * sum(per_record)
    begins = np.concatenate([[0], np.cumsum(per_record)]) * width
    notes = [i for i, label in enumerate(labels) if "annotation" in label.lower()]
    timed = next((i for i in notes if labels[i] in _ANNOTATIONS), None)
    step = max(1, _RECORDS // size)
    kept = []
    with open(case.path, "rb") as stream, open(target, "wb") as out:
        stream.seek(len(header))
        out.write(header)
        for first in range(0, n_records, step):
            count = min(step, n_records - first)
            records_RB = np.frombuffer(bytearray(stream.read(count * size)), np.uint8).reshape(count, size)
            for i in notes:
                kept.append(_keep_times(case, records_RB[:, begins[i] : begins[i + 1]], i == timed))
            out.write(records_RB.tobytes())
        after = os.fstat(stream.fileno()).st_size - stream.tell()
    if after > 0:
        case.removed["bytes after the samples"] += after
    return b"".join(kept)


def _keep_times(case: Case, texts_RB: NDArray[np.uint8], timed: bool) -> bytes:
    """Blank the annotations in place, but for the one without text that says when its record begins."""
    for row in texts_RB:
        raw = row.tobytes()
        found = _ONSET.match(raw) if timed else None
        time = found[1] + b"\x14\x14\0" if found else b""
        rest = raw.strip(b"\0")
        if rest + b"\0" != time:
            texts = (text.decode("utf-8", "replace") for text in re.split(rb"[\x00\x14\x15]+", rest))
            case.drop("annotations", *(text for text in texts if not _TIME.fullmatch(text)))
        row[:] = 0
        row[: len(time)] = np.frombuffer(time, np.uint8)[: len(row)]
    return texts_RB.tobytes()
