"""HL7 v3 annotated ECG (aECG) → Record.

Standard: HL7 V3 aECG R1 (ANSI/HL7 V3 ECG, R1-2004), PORT_MT020001. The longest sequence
set of a rhythm series is read, the representative beat is kept as the median beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from ecglm.errors import ReadError
from ecglm.records.cart import cart_reading
from ecglm.records.channels import clean
from ecglm.records.leads import canonical_lead
from ecglm.records.patient import day, moment, patient
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.strip import Channel, median_of, record_of
from ecglm.records.xmltree import Element, number, numbers, parse

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_NEAR_S = 60.0  #: sets of one strip (columns of a page) start within a minute
_BEAT = "REPRESENTATIVE_BEAT"
AGE_CODE = "21612-7"  # LOINC: reported age
MEASURED = {
    "MDC_ECG_HEART_RATE": "heart_rate_bpm",
    "MDC_ECG_TIME_PD_RR": "rr_ms",
    "MDC_ECG_TIME_PD_P": "p_ms",
    "MDC_ECG_TIME_PD_PR": "pr_ms",
    "MDC_ECG_TIME_PD_QRS": "qrs_ms",
    "MDC_ECG_TIME_PD_QT": "qt_ms",
    "MDC_ECG_TIME_PD_QTc": "qtc_ms",
    "MDC_ECG_TIME_PD_QTC": "qtc_ms",
    "MDC_ECG_ANGLE_P_FRONT": "p_axis_deg",
    "MDC_ECG_ANGLE_QRS_FRONT": "qrs_axis_deg",
    "MDC_ECG_ANGLE_T_FRONT": "t_axis_deg",
}


class _Set(NamedTuple):
    """One sequence set: leads that share a time axis."""

    channels: list[Channel]
    fs: float | None
    start: str

    @property
    def length(self) -> int:
        return max((len(channel.samples) for channel in self.channels), default=0)


def read_aecg(request: Request) -> Record:
    """The rhythm strip of an HL7 aECG file. Raises ReadError."""
    request.refuse_overrides("HL7 aECG")
    path = request.path
    root = parse(path, "AnnotatedECG")
    series = list(root.walk("series"))
    derived = list(root.walk("derivedSeries"))
    beats = [one for one in (*series, *derived) if _code(one) == _BEAT]
    rhythm = [one for one in series if _code(one) != _BEAT] or [one for one in derived if _code(one) != _BEAT]
    # Each set is decoded once; one without leads or length is not worth a word.
    sets = [(one, found) for one in rhythm for found in _sets(one, path) if found.length]
    if not sets:
        raise ReadError(path, "it holds no rhythm waveforms", "export the ECG again with its waveforms")
    origin, chosen = max(sets, key=lambda item: (item[1].length, len(item[1].channels)))
    if chosen.fs is None:
        raise ReadError(path, "its sequences state no sampling interval", "it is damaged; export it again")
    channels, moved, notes = _together(chosen, [one for series, one in sets if series is origin and one is not chosen])
    if len(sets) > 1 + len(notes):
        notes.append(f"of {len(sets)} sequence sets the longest is read")
    median = next((median_of(found.channels, found.fs) for one in beats for found in _sets(one, path)), None)
    times = (chosen.start, _time(origin), _time(root))
    start = next((when for text in times if (when := _moment(text)) is not None), None)
    if start is not None and moved:
        start -= timedelta(seconds=moved / chosen.fs)
    return record_of(
        request,
        "aecg",
        channels,
        chosen.fs,
        start=start,
        meta=_meta(root, origin, start.date() if start else None),
        cart=cart_reading(*_annotations([*beats, *rhythm]), median),
        notes=notes,
    )


def _together(chosen: _Set, others: Sequence[_Set]) -> tuple[list[Channel], int, list[str]]:
    """The chosen set and the further leads of sets that start near it, such as the columns of a printed page.

    Also by how many samples the whole begins before the chosen set, and notes.
    """
    channels = list(chosen.channels)
    known = {canonical_lead(channel.name) or channel.name for channel in channels}
    begun = _moment(chosen.start)
    notes = []
    for other in others:
        after = _moment(other.start)
        gap = None if begun is None or after is None else (after - begun).total_seconds()
        further = [one for one in other.channels if (canonical_lead(one.name) or one.name) not in known]
        if len(channels) > MAX_CHANNELS:
            break  # refused later on
        if gap is None or abs(gap) > _NEAR_S or other.fs != chosen.fs or chosen.fs is None or not further:
            continue
        late = round(gap * chosen.fs)
        channels += [replace(channel, late=late) for channel in further]
        known |= {canonical_lead(channel.name) or channel.name for channel in further}
        names = ", ".join(clean(channel.name) for channel in further[:12])
        when = f"{abs(gap):g} s {'later' if gap >= 0 else 'earlier'}"
        notes.append(f"leads of another sequence set, which starts {when}: {names}")
    earliest = min(channel.late for channel in channels)
    if earliest:
        channels = [replace(channel, late=channel.late - earliest) for channel in channels]
    return channels, -earliest, notes


def _code(element: Element) -> str:
    code = element.first("code")
    return code.get("code") if code is not None else ""


def _sets(series: Element, path: str) -> Iterator[_Set]:
    for found in series.all("component/sequenceSet"):
        channels: list[Channel] = []
        fs: float | None = None
        start = ""
        for sequence in found.all("component/sequence"):
            code, value = _code(sequence), sequence.first("value")
            if value is None:
                continue
            if code in ("TIME_ABSOLUTE", "TIME_RELATIVE"):
                fs = _rate(value) or fs
                head = value.first("head")
                start = head.get("value") if head is not None and code == "TIME_ABSOLUTE" else start
            elif value.first("digits") is not None:
                channels.append(_channel(code, value, path))
        yield _Set(channels, fs, start)


def _rate(value: Element) -> float | None:
    step = value.first("increment")
    if step is None:
        return None
    seconds = (number(step.get("value")) or 0.0) * _SECONDS.get(step.get("unit"), 0.0)
    return round(1 / seconds, 6) if seconds > 1e-9 else None


def _channel(code: str, value: Element, path: str) -> Channel:
    """A lead: value = origin + digit x scale, each with a unit of its own."""
    name = code.removeprefix("MDC_ECG_LEAD_")
    scale, origin = value.first("scale"), value.first("origin")
    unit = scale.get("unit") if scale is not None else ""
    step = number(scale.get("value")) if scale is not None else None
    zero = number(origin.get("value") or "0") if origin is not None else 0.0
    if step is None or zero is None or (zero and origin is not None and origin.get("unit") != unit):
        raise ReadError(path, f"lead {clean(name, 20)} states no usable scale and origin", "it is damaged; export it again")
    return Channel(name, numbers(value.say("digits"), path, f"lead {name}"), step, unit, zero)


def _time(element: Element) -> str:
    for path in ("effectiveTime/low", "effectiveTime/center"):
        found = element.first(path)
        if found is not None and found.get("value"):
            return found.get("value")
    return ""


def _moment(text: str) -> datetime | None:
    """An HL7 time stamp, ``20021122091000.000-0500``; the zone is not used."""
    whole = moment(text[:8], text[8:14])
    fraction = number("0." + text[15:21].split("-")[0].split("+")[0]) if text[14:15] == "." else None
    return whole if whole is None or not fraction else whole + timedelta(seconds=fraction)


def _meta(root: Element, series: Element, seen: date | None) -> RecordMeta:
    person = root.find("subjectDemographicPerson")
    sex = person.first("administrativeGenderCode") if person is not None else None
    born = person.first("birthTime") if person is not None else None
    age: float | None = None
    unit = "a"
    for observed in root.walk("relatedObservation"):
        value = observed.first("value")
        if _code(observed) == AGE_CODE and value is not None:
            age, unit = number(value.get("value")), {"mo": "m", "wk": "w"}.get(value.get("unit"), value.get("unit"))
    author = series.first("author/seriesAuthor")
    device = ""
    if author is not None:
        maker, model = author.say("manufacturerOrganization/name"), author.find("manufacturerModelName")
        device = f"{maker} {model.text if model is not None else ''}"
    return patient(
        age=age,
        age_unit=unit or "a",
        born=day(born.get("value")[:8]) if born is not None else None,
        seen=seen,
        sex=sex.get("code") if sex is not None else "",
        device=device,
    )


def _annotations(series: list[Element]) -> tuple[dict[str, float | None], list[str]]:
    """Measurements and statements: of the representative beat first, never of single beats."""
    measured: dict[str, float | None] = {}
    said: list[str] = []

    def visit(annotation: Element) -> None:
        code, value = _code(annotation), annotation.first("value")
        if code == "MDC_ECG_BEAT":
            return
        if value is not None and code in MEASURED:
            scale = {"s": 1000.0, "us": 1e-3}.get(value.get("unit"), 1.0)
            found = number(value.get("value"))
            measured.setdefault(MEASURED[code], None if found is None else found * scale)
        elif value is not None and code.startswith(("MDC_ECG_RHY", "MDC_ECG_INTERPRETATION")):
            said.append(value.get("displayName") or value.text)
        for inner in annotation.all("component/annotation"):
            visit(inner)

    for one in series:
        for annotation in one.all("subjectOf/annotationSet/component/annotation"):
            visit(annotation)
    return measured, said
