"""DICOM waveform objects → Record, with pydicom for the data set and our own decoding.

12-lead (1.2.840.10008.5.1.4.1.1.9.1.1), general (...9.1.2) and ambulatory (...9.1.3) ECG,
and any other object with an ECG in its Waveform Sequence. Standard: DICOM PS3.3 C.10.9.
Of the multiplex groups the original rhythm strip is read; a median beat is kept beside it.
"""

from __future__ import annotations

import contextlib
import re
import struct
import warnings
import zlib
from datetime import datetime
from typing import Any

import numpy as np

from ecglm.errors import ReadError
from ecglm.records.cart import CartReading, MedianBeat
from ecglm.records.channels import build_record, choose, clean
from ecglm.records.dicom_cart import annotations_of
from ecglm.records.dicom_channels import (
    calibration,
    channel_name,
    channel_unit,
    is_big_endian,
    number_of,
    padding_value,
    stored_samples,
)
from ecglm.records.patient import day, patient
from ecglm.records.record import Record, RecordMeta
from ecglm.records.request import MAX_CHANNELS, BoundedFile, Request, checked_size
from ecglm.records.strip import Channel, median_of

MAX_FILE_BYTES = 1 << 30
MAX_DEFLATED_BYTES = 512 << 10  # zlib expands at most 1032-fold
DEFLATED = "1.2.840.10008.1.2.1.99"

#: What pydicom and its number types are known to raise on damaged input.
FAILURES = (
    AttributeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    NotImplementedError,
    RecursionError,
    OverflowError,
    ArithmeticError,
    AssertionError,
    struct.error,
    EOFError,
    MemoryError,
    OSError,
    zlib.error,
    LookupError,
    BufferError,
)


def read_dicom(request: Request) -> Record:
    """The rhythm strip of a DICOM waveform file. Raises ReadError."""
    request.refuse_overrides("DICOM")
    import pydicom
    from pydicom.errors import BytesLengthException, InvalidDicomError

    path = request.path
    size = checked_size(path, MAX_FILE_BYTES, "DICOM", "export a shorter part of the recording")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if size > MAX_DEFLATED_BYTES and DEFLATED.encode() in _head(path):
                raise ReadError(path, f"it is deflated and has {size} bytes", "convert it to explicit little endian")
            with BoundedFile(path) as stream:
                dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
            return _read(request, dataset)
        except (*FAILURES, BytesLengthException, InvalidDicomError) as problem:
            raise ReadError(
                path,
                f"it is not a usable DICOM file ({type(problem).__name__}: {clean(str(problem), 80)})",
                "it is damaged; get it again",
            ) from None


def _head(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(4096)


def _read(request: Request, dataset: Any) -> Record:
    path = request.path
    groups = list(dataset.get("WaveformSequence") or [])
    if not groups:
        sop = getattr(dataset.get("SOPClassUID"), "name", "") or "DICOM object"
        raise ReadError(
            path,
            f"this DICOM file ({clean(str(sop))}) has no waveform",
            "export the ECG as a DICOM waveform",
        )
    if len(groups) > MAX_CHANNELS:
        raise ReadError(path, f"it claims {len(groups)} waveform groups", "it is damaged; get it again")
    usable = [group for group in groups if group.get("WaveformData") is not None]
    if not usable:
        raise ReadError(path, "its waveform groups hold no data", "export the ECG again with its waveforms")
    group = max(usable, key=_preference)
    notes = []
    if len(groups) > 1:
        label = clean(str(group.get("MultiplexGroupLabel") or "unlabelled"), 24)
        others = ", ".join(
            clean(str(other.get("MultiplexGroupLabel") or "unlabelled"), 24)
            for other in groups[:6]
            if other is not group
        )
        notes.append(f"waveform group {label} is read; left out: {others}")
    n_channels, total, fs = (
        int(group.NumberOfWaveformChannels),
        int(group.NumberOfWaveformSamples),
        float(group.SamplingFrequency),
    )
    definitions = list(group.get("ChannelDefinitionSequence") or [])
    if not 0 < n_channels <= MAX_CHANNELS or len(definitions) != n_channels:
        raise ReadError(
            path, f"it claims {n_channels} channels and describes {len(definitions)}", "it is damaged; get it again"
        )
    raw_NC = stored_samples(group, n_channels, total, path, is_big_endian(dataset))
    selection = choose(
        request, [channel_name(channel) for channel in definitions], [channel_unit(channel) for channel in definitions]
    )
    first, count = request.window(fs, total, len(selection.rows))
    padding = padding_value(group, raw_NC.dtype)
    signal = np.empty((len(selection.rows), count), np.float32)
    skewed = []
    for place, (row, factor) in enumerate(zip(selection.rows, selection.per_mv, strict=True)):
        channel = definitions[row]
        scale, base = calibration(channel, path, selection.leads[place])
        stored_N = raw_NC[first : first + count, row]
        # C.10.9.1.4: nominal value = sample x sensitivity x correction factor + baseline
        with np.errstate(over="ignore", invalid="ignore"):
            signal[place] = (stored_N * scale + base) / factor
        if padding is not None:
            signal[place, stored_N == padding] = np.nan
        if number_of(channel, "ChannelTimeSkew", 0.0) or number_of(channel, "ChannelSampleSkew", 0.0):
            skewed.append(selection.leads[place])
    if skewed:
        notes.append(f"stated channel skew is not corrected ({', '.join(skewed[:12])})")
    cart = _cart(dataset, [other for other in usable if other is not group], path)
    return build_record(
        request, signal, selection, notes, fs=fs, first=first, start=_start(dataset), meta=_meta(dataset),
        format_name="dicom", cart=cart,
    )


def _cart(dataset: Any, others: list[Any], path: str) -> CartReading | None:
    """The median beat and the annotations; damaged ones do not cost the recording."""
    median: MedianBeat | None = None
    for group in others:
        if "MEDIAN" in str(group.get("MultiplexGroupLabel") or "").upper() and median is None:
            with contextlib.suppress(ReadError, *FAILURES):
                median = _median(group, path, is_big_endian(dataset))
    with contextlib.suppress(*FAILURES):
        return annotations_of(dataset, median)
    return None


def _median(group: Any, path: str, big_endian: bool) -> MedianBeat | None:
    definitions = list(group.ChannelDefinitionSequence)
    if not 0 < len(definitions) <= MAX_CHANNELS or len(definitions) != int(group.NumberOfWaveformChannels):
        return None
    raw_NC = stored_samples(group, len(definitions), int(group.NumberOfWaveformSamples), path, big_endian)
    padding = padding_value(group, raw_NC.dtype)
    channels = []
    for row, definition in enumerate(definitions):
        scale, base = calibration(definition, path, channel_name(definition))
        channels.append(Channel(channel_name(definition), raw_NC[:, row], scale, channel_unit(definition), base, padding))
    return median_of(channels, float(group.SamplingFrequency))


def _preference(group: Any) -> tuple[bool, bool, float, int]:
    """Original before derived, no median beat, then the longest, then the most channels."""
    label = str(group.get("MultiplexGroupLabel") or "").upper()
    samples, fs = number_of(group, "NumberOfWaveformSamples", 0.0), number_of(group, "SamplingFrequency", 0.0)
    return (
        str(group.get("WaveformOriginality") or "ORIGINAL").upper() != "DERIVED",
        "MEDIAN" not in label,
        samples / fs if fs > 0 else 0.0,
        int(number_of(group, "NumberOfWaveformChannels", 0.0)),
    )


def _meta(dataset: Any) -> RecordMeta:
    stated = re.fullmatch(r"(\d{1,3})([DWMY])", str(dataset.get("PatientAge") or "").strip().upper())
    return patient(
        age=int(stated[1]) if stated else None,
        age_unit=stated[2] if stated else "",
        born=day(str(dataset.get("PatientBirthDate") or "")[:8]),
        seen=day(str(dataset.get("StudyDate") or "")[:8]),
        sex=str(dataset.get("PatientSex") or ""),
        device=f"{dataset.get('Manufacturer') or ''} {dataset.get('ManufacturerModelName') or ''}",
    )


def _start(dataset: Any) -> datetime | None:
    for text in (
        dataset.get("AcquisitionDateTime"),
        f"{dataset.get('AcquisitionDate') or dataset.get('StudyDate') or ''}"
        f"{dataset.get('AcquisitionTime') or dataset.get('StudyTime') or ''}",
    ):
        with contextlib.suppress(ValueError):
            whole, _, fraction = str(text or "").partition(".")
            start = datetime.strptime(whole[:14], "%Y%m%d%H%M%S")
            digits = re.match(r"\d{0,6}", fraction)  # a zone may follow
            return start.replace(microsecond=int((digits[0] if digits else "").ljust(6, "0")))
    return None
