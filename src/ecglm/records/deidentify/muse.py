"""GE MUSE XML, built anew: every waveform, the cart's own measurements and statements, age, sex, shifted start."""

from __future__ import annotations

import zlib
from pathlib import Path

from ecglm.records.deidentify.case import COUNT, Case, Written
from ecglm.records.deidentify.xml import Document, Node, bytes_of, ids, one_of, plain
from ecglm.records.muse import MEASURED
from ecglm.records.xmltree import Element, parse

_LEAD = (
    "LeadTimeOffset", "LeadAmplitudeUnitsPerBit", "LeadHighLimit", "LeadLowLimit", "LeadOffsetFirstSample",
    "FirstSampleBaseline", "LeadSampleSize",
)  # fmt: skip


def patient_of(path: str) -> list[str]:
    """Patient id and name."""
    person = parse(path, "RestingECG").first("PatientDemographics") or Element("", {})
    names = " ".join(ids(person.first("PatientLastName"), person.first("PatientFirstName")))
    return [*ids(person.first("PatientID")), names]


def write(case: Case, folder: Path) -> Written:
    """The recording under case.name in folder. Raises ReadError."""
    source = parse(case.path, "RestingECG")
    document = Document(case, source, {})
    person = document.add(document.root, "PatientDemographics")
    document.add(person, "PatientID", case.patient)
    if case.age is not None:
        document.add(person, "PatientAge", case.number(str(case.age)))
        document.add(person, "AgeUnits", case.say("YEARS"))
    if case.sex is not None:
        document.add(person, "Gender", case.say(case.sex.upper()))
    if case.start is not None:
        test = document.add(document.root, "TestDemographics")
        document.add(test, "AcquisitionDate", f"{case.start:%m-%d-%Y}")
        document.add(test, "AcquisitionTime", f"{case.start:%H:%M:%S}")
        case.kept.add("time of day")
    measured, said = case.reading()
    if measured:
        values = document.add(document.root, "RestingECGMeasurements")
        for name, field in MEASURED.items():
            if field in measured:
                document.add(values, name, case.number(plain(measured[field])))
    if said:
        diagnosis = document.add(document.root, "Diagnosis")
        for text in said:
            statement = document.add(diagnosis, "DiagnosisStatement")
            document.add(statement, "StmtFlag", case.say("ENDSLINE"))
            document.add(statement, "StmtText", text)
    for waveform in source.all("Waveform"):
        _waveform(document, waveform)
    return document.write(folder)


def _waveform(document: Document, source: Element) -> None:
    stored = [(lead, data) for lead in source.all("LeadData") if (data := lead.first("WaveFormData")) is not None]
    leads = [(lead, data, raw) for lead, data in stored if (raw := bytes_of(data)) is not None]
    if not leads:
        return
    waveform = document.add(document.root, "Waveform")
    document.choice(waveform, source, "WaveformType", "Rhythm", "Median")
    document.numbers(waveform, source, "NumberofLeads")
    document.choice(waveform, source, "SampleType", "CONTINUOUS_SAMPLES")
    document.numbers(waveform, source, "SampleBase", "SampleExponent", "HighPassFilter", "LowPassFilter", "ACFilter")
    for place, (lead, data, raw) in enumerate(leads, 1):
        _lead(document, waveform, lead, data, raw, place)


def _lead(document: Document, waveform: Node, source: Element, data: Element, raw: bytes, place: int) -> None:
    case = document.case
    lead = document.add(waveform, "LeadData")
    width = int(source.number("LeadSampleSize") or 2)
    for name, value in (("LeadByteCountTotal", len(raw)), ("LeadSampleCountTotal", len(raw) // max(1, width))):
        document.use(source.first(name) or source)
        document.add(lead, name, case.number(str(value), COUNT))
    document.numbers(lead, source, *_LEAD)
    if unit := source.say("LeadAmplitudeUnits"):  # one that is not known must not become the default, microvolts
        known = one_of(unit, ("MICROVOLTS", "MILLIVOLTS"))
        if known:
            document.use(source.all("LeadAmplitudeUnits")[0])
        document.add(lead, "LeadAmplitudeUnits", case.say(known or "unknown"))
    if (named := source.first("LeadID")) is not None:
        document.use(named)
        document.add(lead, "LeadID", case.label(named.text, place))
    for name in ("LeadOff", "BaselineSway"):
        document.choice(lead, source, name, "TRUE", "FALSE")
    document.use(source.first("LeadDataCRC32") or source)
    document.add(lead, "LeadDataCRC32", case.say(str(zlib.crc32(raw))))
    document.base64(document.add(lead, "WaveFormData"), data, raw)
