"""GE CardiologyXML (CardioSoft, CASE) → Record.

Samples are comma-separated integers per lead. The strip is read; the full disclosure, in
blocks of one second per lead, only when there is no strip.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.cart import CartReading, MedianBeat, cart_reading
from ecglm.records.channels import clean
from ecglm.records.patient import patient
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.strip import Channel, check_channels, median_of, record_of
from ecglm.records.xmltree import Element, numbers, parse

_UNITS = {"uvperlsb": "uV", "mvperlsb": "mV", "nvperlsb": "nV"}
MEASURED = {
    "VentricularRate": "heart_rate_bpm",
    "RRInterval": "rr_ms",
    "PDuration": "p_ms",
    "PRInterval": "pr_ms",
    "PQInterval": "pr_ms",
    "QRSDuration": "qrs_ms",
    "QTInterval": "qt_ms",
    "QTCInterval": "qtc_ms",
    "PAxis": "p_axis_deg",
    "RAxis": "qrs_axis_deg",
    "TAxis": "t_axis_deg",
}


def read_cardiology(request: Request) -> Record:
    """The strip of a GE CardiologyXML file. Raises ReadError."""
    request.refuse_overrides("GE CardiologyXML")
    path = request.path
    root = parse(path, "CardiologyXML")
    strips = [(strip, channels) for strip in root.walk("StripData") if (channels := _channels(strip, path))]
    full = root.find("FullDisclosure")
    notes = []
    if strips:
        chosen, channels = max(strips, key=lambda item: max(len(channel.samples) for channel in item[1]))
        if len(strips) > 1:
            notes.append(f"of {len(strips)} strips the longest is read")
        if full is not None and full.first("FullDisclosureData") is not None:
            notes.append("the full disclosure is left out")
    elif full is not None and full.say("FullDisclosureData"):
        chosen, channels = full, _full_disclosure(full, path)
        notes.append("there is no strip: the full disclosure is read")
    else:
        raise ReadError(path, "it holds no strip and no full disclosure", "export the ECG again with its waveforms")
    fs = chosen.number("SampleRate")
    if fs is None:
        raise ReadError(path, "its strip states no sampling rate", "it is damaged; export it again")
    start = _moment(root.first("ObservationDateTime"))
    return record_of(
        request,
        "cardiology",
        channels,
        fs,
        start=start,
        meta=_meta(root, start),
        cart=_cart(root, path),
        notes=notes,
    )


def _step(strip: Element, path: str) -> tuple[float, str]:
    """Amplitude of one step and its unit."""
    resolution = strip.first("Resolution")
    step = strip.number("Resolution")
    unit = _UNITS.get(resolution.get("units").lower(), "") if resolution is not None else ""
    if step is None or not unit:
        raise ReadError(path, "its strip states no amplitude per step", "it is damaged; export it again")
    return step, unit


def _channels(strip: Element, path: str) -> list[Channel]:
    leads = strip.all("WaveformData")
    if len(leads) > MAX_CHANNELS:
        raise ReadError(path, f"it describes {len(leads)} leads", "it is damaged; export it again")
    channels: list[Channel] = []
    for lead in leads:
        name = clean(lead.get("lead")) or f"channel {len(channels) + 1}"
        step, unit = _step(strip, path)
        channels.append(Channel(name, numbers(lead.text, path, f"lead {name}", ","), step, unit))
    stated = strip.number("ChannelSampleCountTotal") or 0.0
    longest = max((len(channel.samples) for channel in channels), default=0)
    if channels and stated > longest and stated != longest * len(channels):
        raise ReadError(
            path, f"its strip has {longest} samples where its header promises {stated:g}", "it was cut short; get it again"
        )
    return [channel for channel in channels if len(channel.samples)]


def _full_disclosure(full: Element, path: str) -> list[Channel]:
    """Leads of a full disclosure: a second of the first lead, a second of the next, ..."""
    names = [clean(name) for name in full.say("LeadOrder")[:10_000].split(",") if name.strip()]
    values = numbers(full.say("FullDisclosureData"), path, "the full disclosure", ",")
    block = int(full.number("SampleRate") or 0)
    if not 0 < len(names) <= MAX_CHANNELS or block <= 0 or len(values) % (len(names) * block):
        raise ReadError(
            path, f"its full disclosure has {len(values)} samples of {len(names)} leads", "it was cut short; get it again"
        )
    step, unit = _step(full, path)
    by_lead = np.moveaxis(values.reshape(-1, len(names), block), 1, 0).reshape(len(names), -1)
    return [Channel(name, row, step, unit) for name, row in zip(names, by_lead, strict=True)]


def _moment(when: Element | None) -> datetime | None:
    if when is None:
        return None
    parts = [when.number(name) or 0.0 for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")]
    with contextlib.suppress(ValueError, OverflowError):
        return datetime(*(int(part) for part in parts))  # type: ignore[arg-type]
    return None


def _meta(root: Element, start: datetime | None) -> RecordMeta:
    person = root.first("PatientInfo") or Element("", {})
    age = person.first("Age")
    born = _moment(person.first("BirthDateTime"))
    device = root.say("ClinicalInfo/DeviceInfo/Desc")
    return patient(
        age=person.number("Age"),
        age_unit=age.get("units") if age is not None else "",
        born=born.date() if born is not None else None,
        seen=start.date() if start is not None else None,
        sex=person.say("Gender"),
        device=f"GE {device}" if device else "",
    )


def _cart(root: Element, path: str) -> CartReading | None:
    measured = root.first("RestingECGMeasurements")
    said = [text.text for text in root.all("Interpretation/Diagnosis/DiagnosisText")]
    values: dict[str, float | None] = {}
    median: MedianBeat | None = None
    if measured is not None:
        for name, field in MEASURED.items():
            found = measured.number(name)
            values[field] = found if found is not None else values.get(field)
        beat = measured.first("MedianSamples")
        if beat is not None:
            with contextlib.suppress(ReadError):  # a damaged median beat does not cost the recording
                channels = _channels(beat, path)
                check_channels(path, channels)
                median = median_of(channels, beat.number("SampleRate"))
    return cart_reading(values, said, median)
