"""DICOM waveforms by PS3.15 E.2, the Basic Application Level Confidentiality Profile, turned into an allow-list.

Written are the required attributes of the waveform objects (PS3.3 A.34), what describes
their channels, and measurements as coded numbers. Table E.1-1 lists what to remove; here
whatever is not listed below is removed, in every sequence, private and retired ones too.
Options: 113107 (dates are shifted) and, where age or sex is kept, 113108.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ecglm.errors import ReadError
from ecglm.records.channels import clean
from ecglm.records.deidentify.case import Case, Written
from ecglm.records.deidentify.dicom_parts import CONCEPTS, code, copy_numbers, copy_words, is_many, measurement, waveform_group
from ecglm.records.dicom import FAILURES

GENERAL_ECG = "1.2.840.10008.5.1.4.1.1.9.1.2"
_EXPLICIT = "1.2.840.10008.1.2.1"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
METHOD = "ecglm: PS3.15 basic profile as an allow-list"
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_TIMES = ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SynchronizationFrameOfReferenceUID")
_EMPTY = ("AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID", "Manufacturer")  # type 2
_TEXTS = ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT")
_CLOCK = re.compile(r"\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)


def _read(path: str) -> Any:
    import pydicom

    with open(path, "rb") as stream:
        return pydicom.dcmread(stream, stop_before_pixels=True, force=True)


def patient_of(path: str) -> list[str]:
    """Patient ID and name. Raises ReadError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = _read(path)
            return [str(dataset.get("PatientID") or ""), str(dataset.get("PatientName") or "")]
        except FAILURES as problem:
            raise _unusable(path, problem) from None


def write(case: Case, folder: Path) -> Written:
    """The object under case.name in folder. Raises ReadError."""
    from pydicom.errors import BytesLengthException

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _write(case, _read(case.path), folder)
        except (*FAILURES, BytesLengthException) as problem:
            raise _unusable(case.path, problem) from None


def _unusable(path: str, problem: BaseException) -> ReadError:
    return ReadError(path, f"it is not a usable DICOM file ({type(problem).__name__}: {clean(str(problem), 80)})", "get it again")


def _write(case: Case, source: Any, folder: Path) -> Written:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID

    made = Dataset()
    made.SOPClassUID = _standard_uid(source.get("SOPClassUID")) or GENERAL_ECG
    for keyword in ("SOPInstanceUID", *_UIDS):
        if source.get(keyword) or keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            setattr(made, keyword, case.key.uid(str(source.get(keyword) or f"{keyword} of {case.name}")))
            case.shifted["UIDs"] += 1
    _times(case, source, made)
    for keyword in _EMPTY:
        setattr(made, keyword, "")
    made.Modality = case.say("ECG")
    made.PatientID = made.PatientName = case.patient
    made.PatientSex = {"female": "F", "male": "M"}.get(case.sex or "", "")
    if case.age is not None:
        made.PatientAge = f"{case.age:03d}Y"
    copy_numbers(case, source, made, ("SeriesNumber", "InstanceNumber"))
    copy_words(case, source, made, ("SynchronizationTrigger", "AcquisitionTimeSynchronized"))
    made.setdefault("SeriesNumber", None)
    made.setdefault("InstanceNumber", "1")
    made.AcquisitionContextSequence = []
    samples: list[bytes] = []
    made.WaveformSequence = [waveform_group(case, group, samples) for group in source.get("WaveformSequence") or []]
    case.kept.add("samples, byte for byte")
    measured = case.measured()
    if any(field in CONCEPTS for field in measured):
        made.WaveformAnnotationSequence = [
            measurement(case, field, value) for field, value in measured.items() if field in CONCEPTS
        ]
    made.PatientIdentityRemoved = case.say("YES")
    made.DeidentificationMethod = case.say(METHOD)
    options = [("113100", "Basic Application Confidentiality Profile")]
    if case.shifted["dates"]:
        made.LongitudinalTemporalInformationModified = case.say("MODIFIED")
        options.append(("113107", "Retain Longitudinal Temporal Information Modified Dates Option"))
    if case.age is not None or case.sex is not None:
        options.append(("113108", "Retain Patient Characteristics Option"))
    made.DeidentificationMethodCodeSequence = [code(case, value, "DCM", meaning) for value, meaning in options]
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = _BIG_ENDIAN if source.original_encoding[1] is False else _EXPLICIT
    made.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    main = f"{case.name}.dcm"
    made.save_as(folder / main, enforce_file_format=True)
    _account(case, source, made)
    written = (folder / main).read_bytes()
    for data in samples:
        written = written.replace(data, b"", 1)
    return Written(main, written)


def _standard_uid(value: object) -> str | None:
    """A UID that DICOM itself defines, which tells nothing about anybody."""
    from pydicom.uid import UID

    text = str(value or "")
    return text if UID(text).name != text else None  # pydicom names those of the standard


def _times(case: Case, source: Any, made: Any) -> None:
    for keyword in _DATES:
        when = _moment(str(source.get(keyword) or ""), "%Y%m%d")
        moved = case.moved(when, "dates")
        if moved is not None:
            setattr(made, keyword, f"{moved:%Y%m%d}")
    stated = str(source.get("AcquisitionDateTime") or "")
    when = _moment(stated, "%Y%m%d")
    clock = _CLOCK.match(stated[8:])
    moved = case.moved(when, "dates")
    if moved is not None:
        made.AcquisitionDateTime = f"{moved:%Y%m%d}{clock[0] if clock else ''}"
    elif made.get("ContentDate") or made.get("StudyDate"):  # type 1 in the waveform objects
        made.AcquisitionDateTime = made.get("ContentDate") or made.get("StudyDate")
        clock = _CLOCK.fullmatch(str(source.get("ContentTime") or source.get("StudyTime") or ""))
        made.AcquisitionDateTime += clock[0] if clock else ""
    for keyword in _TIMES:
        clock = _CLOCK.fullmatch(str(source.get(keyword) or "").strip())
        if clock:
            setattr(made, keyword, clock[0])
            case.kept.add("time of day")
    for keyword in ("StudyDate", "StudyTime"):  # type 2
        made.setdefault(keyword, "")


def _moment(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip()[:8], form)
    except ValueError:
        return None


def _elements(dataset: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every element of a data set and its sequences with a path of names: no numbers of items, tags for private ones."""
    for element in dataset:
        path = f"{above}{element.keyword or f'({element.tag.group:04X},{element.tag.element:04X})'}"
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item, f"{path}/")
        yield path, element


def _account(case: Case, source: Any, made: Any) -> None:
    """Count what was removed: whatever has no counterpart, or one with another value, in what was made."""
    kept: dict[str, list[str]] = {}
    for path, element in _elements(made):
        kept.setdefault(path, []).append("" if element.VR == "SQ" else str(element.value))
    for path, element in _elements(source):
        if element.VR == "SQ":
            if not kept.get(path):
                case.removed[path] += 1
            continue
        value = element.value
        if value is None or value == "" or element.keyword in (*_DATES, *_UIDS, "AcquisitionDateTime", "SOPInstanceUID"):
            if element.VR == "UI":
                case.hide(str(value))
            continue
        if element.keyword in ("WaveformData", "WaveformPaddingValue") and kept.get(path):
            continue
        if str(value) not in kept.get(path, ()):
            case.drop(path, *_texts(element))
    if any(source.preamble or b""):
        case.drop("preamble", source.preamble.decode("latin-1"))
    for element in source.file_meta:
        if element.keyword and element.VR in _TEXTS and element.keyword not in ("TransferSyntaxUID", "MediaStorageSOPClassUID"):
            case.drop(f"file meta {element.keyword}", str(element.value))


def _texts(element: Any) -> Iterator[str]:
    """What is in an element that could name or date somebody."""
    value = element.value
    if isinstance(value, bytes):
        yield value[:20_000].decode("latin-1") if element.VR == "UN" or element.tag.is_private else ""
    elif element.VR in _TEXTS:
        yield from (str(part) for part in (value if is_many(value) else [value]) if _standard_uid(part) is None)
    elif element.VR in ("DA", "DT"):
        yield str(value)
