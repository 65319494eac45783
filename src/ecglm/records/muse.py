"""GE MUSE XML (RestingECG) → Record.

The layout is MUSE's own export (restecg.dtd); each lead is base64 of little-endian integers
with a CRC-32. MUSE stores eight leads and leaves III, aVR, aVL and aVF to the reader.
"""

from __future__ import annotations

import binascii
import zlib

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.cart import CartReading, MedianBeat, cart_reading
from ecglm.records.channels import clean
from ecglm.records.patient import day, moment, patient
from ecglm.records.record import Record
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.strip import Channel, check_channels, median_of, record_of, with_limb_leads
from ecglm.records.xmltree import Element, number, parse, unbase64

_UNITS = {"MICROVOLTS": "uV", "MILLIVOLTS": "mV", "": "uV"}
MEASURED = {
    "VentricularRate": "heart_rate_bpm",
    "PRInterval": "pr_ms",
    "QRSDuration": "qrs_ms",
    "QTInterval": "qt_ms",
    "QTCorrected": "qtc_ms",
    "PAxis": "p_axis_deg",
    "RAxis": "qrs_axis_deg",
    "TAxis": "t_axis_deg",
}


def read_muse(request: Request) -> Record:
    """The rhythm strip of a GE MUSE XML file. Raises ReadError."""
    request.refuse_overrides("GE MUSE XML")
    path = request.path
    root = parse(path, "RestingECG")
    waveforms = [one for one in root.all("Waveform") if one.first("LeadData") is not None]
    medians = [one for one in waveforms if one.say("WaveformType").lower() == "median"]
    rhythms = [one for one in waveforms if one.say("WaveformType").lower() != "median"]
    if not rhythms:
        raise ReadError(path, "it holds no rhythm waveform", "export the ECG from MUSE with its waveforms")
    chosen = max(rhythms, key=lambda one: (_stated_length(one), len(one.all("LeadData"))))
    notes = [f"of {len(rhythms)} rhythm waveforms the longest is read"] if len(rhythms) > 1 else []
    off = [clean(lead.say("LeadID")) for lead in chosen.all("LeadData") if lead.say("LeadOff").upper() == "TRUE"]
    if off:
        notes.append(f"the cart marked the electrode as off: {', '.join(off[:12])}")
    if any(lead.number(name) for lead in chosen.all("LeadData") for name in ("LeadTimeOffset", "LeadOffsetFirstSample")):
        notes.append("stated lead time offsets are not applied")
    stored = _channels(chosen, path)
    check_channels(path, stored)
    channels, computed = with_limb_leads(stored, request.leads)
    fs = _rate(chosen)
    if fs is None:
        raise ReadError(path, "its rhythm waveform states no sampling rate", "it is damaged; export it again")
    person, test = root.first("PatientDemographics"), root.first("TestDemographics")
    start = moment(test.say("AcquisitionDate"), test.say("AcquisitionTime")) if test is not None else None
    meta = patient(
        age=person.number("PatientAge") if person is not None else None,
        age_unit=person.say("AgeUnits") if person is not None else "",
        born=day(person.say("DateofBirth")) if person is not None else None,
        seen=start.date() if start is not None else None,
        sex=person.say("Gender") if person is not None else "",
        device=f"GE {test.say('AcquisitionDevice')}" if test is not None and test.say("AcquisitionDevice") else "",
    )
    cart, edited = _cart(root, _median(medians, path))
    return record_of(
        request,
        "muse",
        channels,
        fs,
        start=start,
        meta=meta,
        cart=cart,
        notes=[*notes, *computed, *edited],
    )


def _stated_length(waveform: Element) -> float:
    return max((lead.number("LeadSampleCountTotal") or 0.0 for lead in waveform.all("LeadData")), default=0.0)


def _rate(waveform: Element) -> float | None:
    """SampleBase x 10^SampleExponent, in Hz."""
    base, exponent = waveform.number("SampleBase"), waveform.number("SampleExponent") or 0.0
    return None if base is None or not -6 <= exponent <= 6 else float(base * 10**exponent)


def _channels(waveform: Element, path: str) -> list[Channel]:
    leads = waveform.all("LeadData")
    if len(leads) > MAX_CHANNELS:
        raise ReadError(path, f"it describes {len(leads)} leads", "it is damaged; export it again")
    channels: list[Channel] = []
    for lead in leads:
        name = clean(lead.say("LeadID")) or f"channel {len(channels) + 1}"
        unit = lead.say("LeadAmplitudeUnits").upper()
        step = lead.number("LeadAmplitudeUnitsPerBit")
        if step is None:
            raise ReadError(path, f"lead {name} states no amplitude per bit", "it is damaged; export it again")
        channels.append(Channel(name, _samples(lead, name, path), step, _UNITS.get(unit, unit)))
    return channels


def _samples(lead: Element, name: str, path: str) -> NDArray[np.int_]:
    """The lead's integers, checked against the stated size, number and CRC-32."""
    width = lead.number("LeadSampleSize") or 2.0
    if width not in (1.0, 2.0, 4.0):
        raise ReadError(path, f"lead {name} has samples of {width:g} bytes", "export it with 2-byte samples")
    try:
        raw = unbase64(lead.say("WaveFormData"))
    except (binascii.Error, ValueError):
        raise ReadError(path, f"the samples of lead {name} are not base64", "it is damaged; get it again") from None
    stated = lead.number("LeadSampleCountTotal")
    need = len(raw) if stated is None else stated * width
    if len(raw) != need or len(raw) % width:
        raise ReadError(
            path, f"lead {name} has {len(raw)} bytes where its header promises {need:g}", "it was cut short; get it again"
        )
    checksum = number(lead.say("LeadDataCRC32"))
    if checksum and int(checksum) & 0xFFFFFFFF != zlib.crc32(raw):  # some versions write it signed
        raise ReadError(path, f"the samples of lead {name} fail their checksum", "it is damaged; get it again")
    return np.frombuffer(raw, f"<i{width:.0f}")


def _median(medians: list[Element], path: str) -> MedianBeat | None:
    for waveform in medians:
        try:
            channels = _channels(waveform, path)
            check_channels(path, channels)
        except ReadError:  # a damaged median beat does not cost the recording
            continue
        return median_of(with_limb_leads(channels)[0], _rate(waveform))
    return None


def _cart(root: Element, median: MedianBeat | None) -> tuple[CartReading | None, list[str]]:
    """The cart's own reading: what MUSE calls original, before anyone edited it."""
    now, original = root.first("RestingECGMeasurements"), root.first("OriginalRestingECGMeasurements")
    values: dict[str, float | None] = {}
    notes = []
    for source in (original, now):
        if source is not None:
            for name, field in MEASURED.items():
                if values.get(field) is None:
                    values[field] = source.number(name)
    if now is not None and original is not None and any(now.say(name) != original.say(name) for name in MEASURED):
        notes.append("measurements were edited after the recording: the cart's own are shown")
    said = root.first("OriginalDiagnosis") or root.first("Diagnosis")
    return cart_reading(values, _statements(said) if said is not None else [], median), notes


def _statements(diagnosis: Element) -> list[str]:
    """Statements: fragments joined up to one that carries the flag ENDSLINE."""
    lines: list[str] = []
    fragments: list[str] = []
    for statement in diagnosis.all("DiagnosisStatement"):
        fragments.append(statement.say("StmtText"))
        if any(flag.text.strip() == "ENDSLINE" for flag in statement.all("StmtFlag")):
            lines.append(" ".join(fragments))
            fragments = []
    return [*lines, " ".join(fragments)]
