"""Philips Sierra XML 1.03, 1.04 and 1.04.x (PageWriter, TraceMaster, HeartStart) → Record.

Layout as documented by the sierra-ecg-tools project. XLI-compressed leads III, aVR, aVL and
aVF are stored as what is left after Einthoven's and Goldberger's equations.
"""

from __future__ import annotations

import binascii
import contextlib
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records import xli
from ecglm.records.cart import CartReading, MedianBeat, cart_reading
from ecglm.records.channels import clean
from ecglm.records.leads import LIMB_LEADS, STANDARD_12, canonical_lead
from ecglm.records.patient import day, moment, patient
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, Request
from ecglm.records.strip import Channel, check_channels, median_of, record_of
from ecglm.records.xmltree import Element, number, parse, unbase64

_DAMAGED = "it is damaged; get it again"
_FILLER = 32767  #: what beats shorter than their place end with
_STANDARD = ("STD-12", "10-WIRE")
MEASURED = {  # the interpretation's names first, then those of the measurement program
    "heart_rate_bpm": ("heartrate", "meanventrate"),
    "rr_ms": ("rrint", "meanrrint"),
    "p_ms": ("pdur", "meanpdur"),
    "pr_ms": ("print", "meanprint"),
    "qrs_ms": ("qrsdur", "meanqrsdur"),
    "qt_ms": ("qtint", "meanqtint"),
    "qtc_ms": ("qtcb", "meanqtc"),
    "p_axis_deg": ("pfrontaxis",),
    "qrs_axis_deg": ("qrsfrontaxis",),
    "t_axis_deg": ("tfrontaxis",),
}


def read_sierra(request: Request) -> Record:
    """The rhythm strip of a Philips Sierra XML file. Raises ReadError."""
    request.refuse_overrides("Philips Sierra XML")
    path = request.path
    root = parse(path, "restingecgdata")
    version = root.say("documentinfo/documentversion")
    if version not in ("1.03", "1.04") and not version.startswith("1.04."):
        raise ReadError(path, f"its Sierra version is {clean(version)!r}", "export it as version 1.03 or 1.04")
    waves = root.find("parsedwaveforms")
    if waves is None or not waves.text.strip():
        raise ReadError(path, "it holds no waveforms", "export the ECG again with its waveforms")
    signal = root.first("dataacquisition/signalcharacteristics") or Element("", {})
    fs = number(waves.get("samplespersecond")) or signal.number("samplingrate")
    step = number(waves.get("resolution")) or signal.number("resolution") or signal.number("signalresolution")
    duration_ms = number(waves.get("durationperchannel"))
    if fs is None or not step or duration_ms is None:
        raise ReadError(path, "it states no sampling rate, resolution or duration", "it is damaged; export it again")
    request.check_rate(fs)
    names, notes = _names(waves, signal, path)
    promised = round(duration_ms * fs / 1000)
    stored = _samples(waves, signal, len(names), promised, path)
    if len(stored[0]) != promised:
        notes.append(f"its header promises {promised} samples per lead, its data hold {len(stored[0])}")
    keep = _before_calibration(stored, step)
    if keep < len(stored[0]):
        notes.append(f"the last {(len(stored[0]) - keep) / fs:.3g} s are a calibration pulse, left out")
    channels = [Channel(name, row[:keep], step) for name, row in zip(names, stored, strict=True)]
    taken = root.first("dataacquisition")
    start = moment(taken.get("date"), taken.get("time")) if taken is not None else None
    return record_of(
        request,
        "sierra",
        channels,
        fs,
        start=start,
        meta=_meta(root, start.date() if start is not None else None),
        cart=_cart(root, path),
        notes=notes,
    )


def _names(waves: Element, signal: Element, path: str) -> tuple[list[str], list[str]]:
    """Lead names in stored order, and notes on names that had to be assumed."""
    labels = waves.get("leadlabels").split()
    count = number(waves.get("numberofleads")) or (len(labels) or signal.number("numberchannelsallocated") or 0)
    if not 1 <= count <= MAX_CHANNELS or (labels and len(labels) < count):
        raise ReadError(path, f"it claims {count:g} leads and names {len(labels)}", _DAMAGED)
    if labels:
        return [clean(label) for label in labels[: int(count)]], []
    names = [*STANDARD_12, *(f"Channel {place}" for place in range(13, MAX_CHANNELS + 1))][: int(count)]
    if signal.say("acquisitiontype") in _STANDARD or signal.say("leadset") in _STANDARD:
        return names, []
    return names, ["leads are not named: the standard order I, II, III, aVR, aVL, aVF, V1-V6 is assumed"]


def _samples(waves: Element, signal: Element, n_leads: int, n_samples: int, path: str) -> list[NDArray[np.int64]]:
    bits = number(waves.get("bitspersample") or waves.get("nbitspersample") or signal.say("bitspersample") or "16")
    offset = number(waves.get("signaloffset") or signal.say("signaloffset") or "0")
    if waves.get("dataencoding").lower() != "base64" or bits != 16 or offset != 0:
        raise ReadError(
            path,
            f"its samples are {clean(waves.get('dataencoding')) or 'unknown'}, {bits or 0:g} bits, offset {offset or 0:g}",
            "export it as Base64 with 16 bits and offset 0",
        )
    packed = _unbase64(waves.text, "its waveforms", path)
    method = (waves.get("compressmethod") or waves.get("compression") or "Uncompressed").upper()
    if waves.get("compressflag").lower() == "false":
        method = "UNCOMPRESSED"
    if method == "XLI":
        try:
            leads = xli.decode(packed, n_leads)
        except xli.XliError as problem:
            raise ReadError(path, f"its waveforms cannot be unpacked ({problem})", _DAMAGED) from None
        if n_leads >= len(LIMB_LEADS):
            _restore_limb_leads(leads)
    elif method == "UNCOMPRESSED":
        if len(packed) != 2 * n_leads * n_samples:
            raise ReadError(
                path,
                f"its waveforms have {len(packed)} bytes where its header promises {2 * n_leads * n_samples}",
                "it was cut short; get it again",
            )
        leads = list(np.frombuffer(packed, "<i2").reshape(n_leads, n_samples).astype(np.int64))
    else:
        raise ReadError(path, f"its compression {clean(method)!r} is not known", "export it with XLI or uncompressed")
    if any(len(row) and np.abs(row).max() > 1 << 16 for row in leads):
        raise ReadError(path, "its samples leave the range of 16 bits", _DAMAGED)
    return leads


def _before_calibration(leads: list[NDArray[np.int64]], step: float) -> int:
    """Samples before the calibration pulse that carts append: 0 and 1 mV, the same in every lead (III too).

    Left in, it would be measured as one more beat.
    """
    first = leads[0]
    pulse = np.rint(1000 / step)
    calibration = (first == 0) | (first == pulse)
    for row in leads[1:]:
        calibration &= row == first
    other = np.flatnonzero(~calibration)
    keep = int(other[-1]) + 1 if len(other) else 0
    return keep if len(leads) > 2 and keep and (first[keep:] == pulse).any() else len(first)


def _restore_limb_leads(leads: list[NDArray[np.int64]]) -> None:
    """Replace the residuals of III, aVR, aVL and aVF by the leads, with the encoder's rounding down."""
    one, two, three, right, left, foot = leads[:6]
    leads[2] = three = two - one - three
    leads[3] = -right - (one + two) // 2
    leads[4] = (one - three) // 2 - left
    leads[5] = (two + three) // 2 - foot


def _unbase64(text: str, what: str, path: str) -> bytes:
    try:
        return unbase64(text)
    except (binascii.Error, ValueError):
        raise ReadError(path, f"{what} are not base64", _DAMAGED) from None


def _meta(root: Element, seen: date | None) -> RecordMeta:
    person = root.first("patient/generalpatientdata") or Element("", {})
    machine = root.say("dataacquisition/machine")
    units = {"y": "years", "m": "months", "w": "weeks", "d": "days", "h": "hours"}
    ages = [(years, unit) for unit, name in units.items() if (years := person.number(f"age/{name}")) is not None]
    return patient(
        age=ages[0][0] if ages else None,
        age_unit=ages[0][1] if ages else "",
        born=day(person.say("age/dateofbirth")),
        seen=seen,
        sex=person.say("sex"),
        device=f"Philips {machine}" if machine else "",
    )


def _cart(root: Element, path: str) -> CartReading | None:
    """The first interpretation (the cart's; later ones are by people) and the representative beats."""
    versions = sorted(root.all("interpretations/interpretation"), key=lambda one: (one.get("date"), one.get("time")))
    sources = [found for one in versions[:1] if (found := one.find("globalmeasurements", "interpretationmeasurements"))]
    for name in ("measurements/globalmeasurements", "internalmeasurements/crossleadmeasurements"):
        sources += root.all(name)
    values: dict[str, float | None] = {}
    for source in sources:
        for field, names in MEASURED.items():
            for name in names:
                if values.get(field) is None:
                    values[field] = source.number(name)
    said = []
    for one in versions[:1]:
        for statement in one.all("statement"):
            parts = (statement.say("leftstatement"), statement.say("rightstatement"))
            said.append(" - ".join(part for part in parts if part))
        said.append(one.say("severity").strip("- "))
    return cart_reading(values, said, _median(root, path))


def _median(root: Element, path: str) -> MedianBeat | None:
    beats = root.find("repbeats")
    if beats is None or beats.get("dataencoding").lower() != "base64":
        return None
    step = number(beats.get("resolution"))
    channels: list[Channel] = []
    with contextlib.suppress(ReadError):  # a damaged beat does not cost the recording
        for beat in beats.all("repbeat")[:MAX_CHANNELS]:
            wave = beat.first("waveform") or beat  # 1.03 has the samples in the element itself
            raw = _unbase64(wave.text, "its beats", path)
            if canonical_lead(beat.get("leadname")) and step and len(raw) % 2 == 0:
                channels.append(Channel(beat.get("leadname"), np.frombuffer(raw, "<i2"), step, missing=_FILLER))
        check_channels(path, channels)
        return median_of(channels, number(beats.get("samplespersec")))
    return None
