"""GE CardiologyXML, built anew: strips, median beat, full disclosure, measurements and statements, age, sex, shifted start."""

from __future__ import annotations

from pathlib import Path

from ecglm.errors import ReadError
from ecglm.records.cardiology import MEASURED
from ecglm.records.deidentify.case import COUNT, Case, Written
from ecglm.records.deidentify.xml import Document, Node, ids, plain
from ecglm.records.xmltree import Element, numbers, parse

_RESOLUTIONS = ("uVperLsb", "mVperLsb", "nVperLsb")
_UNITS = {"bpm": "BPM", "ms": "ms", "deg": "degrees"}


def patient_of(path: str) -> list[str]:
    """Patient id and name."""
    person = parse(path, "CardiologyXML").first("PatientInfo") or Element("", {})
    return [*ids(person.first("PID")), " ".join(ids(person.first("Name/FamilyName"), person.first("Name/GivenName")))]


def write(case: Case, folder: Path) -> Written:
    """The recording under case.name in folder. Raises ReadError."""
    source = parse(case.path, "CardiologyXML")
    document = Document(case, source, {})
    root = document.root
    document.choice(root, source, "ObservationType", "RestECG")
    if case.start is not None:
        when = document.add(root, "ObservationDateTime")
        for name in ("Hour", "Minute", "Second", "Day", "Month", "Year"):
            document.add(when, name, case.number(str(getattr(case.start, name.lower()))))
        case.kept.add("time of day")
    person = document.add(root, "PatientInfo")
    document.add(person, "PID", case.patient)
    if case.age is not None:
        document.add(person, "Age", case.number(str(case.age)), units=case.say("YEARS"))
    if case.sex is not None:
        document.add(person, "Gender", case.say(case.sex.upper()))
    if (filters := source.first("FilterSetting")) is not None:
        kept = document.add(root, "FilterSetting")
        for name in ("CubicSpline", "Filter50Hz", "Filter60Hz"):
            document.choice(kept, filters, name, "Yes", "No")
        document.numbers(kept, filters, "LowPass", "HighPass", units="Hz")
        case.kept.add("filters")
    measured, said = case.reading()
    if said:
        diagnosis = document.add(document.add(root, "Interpretation"), "Diagnosis")
        for text in said:
            document.add(diagnosis, "DiagnosisText", text)
    values = document.add(root, "RestingECGMeasurements")
    for name, field in MEASURED.items():
        if field in measured and name != "PQInterval":  # another name of PRInterval
            unit = case.say(_UNITS[field.rpartition("_")[2]])
            document.add(values, name, case.number(plain(measured[field])), units=unit)
    for beat in source.all("RestingECGMeasurements/MedianSamples")[:1]:
        _strip(document, values, beat)
    for strip in source.walk("StripData"):
        _strip(document, root, strip)
    if (full := source.find("FullDisclosure")) is not None:
        _full_disclosure(document, full)
    return document.write(folder)


def _strip(document: Document, parent: Node, source: Element) -> None:
    leads = source.all("WaveformData")
    if not leads:
        return
    strip = document.add(parent, source.name)
    document.numbers(strip, source, "NumberOfLeads", "ChannelSampleCountTotal", digits=COUNT)
    _scale(document, strip, source)
    for place, lead in enumerate(leads, 1):
        name = document.case.label(lead.get("lead"), place)
        document.use(lead, "lead")
        values = numbers(lead.text, document.case.path, f"lead {place}", ",")
        document.list(document.add(strip, "WaveformData", lead=name), lead, values, ",")


def _scale(document: Document, node: Node, source: Element) -> None:
    document.numbers(node, source, "SampleRate", units="Hz")
    resolution = source.first("Resolution")
    if resolution is not None:
        units = document.attributes(resolution, units=_RESOLUTIONS)
        document.use(resolution)
        document.add(node, "Resolution", document.case.number(resolution.text), **units)


def _full_disclosure(document: Document, source: Element) -> None:
    data, order = source.first("FullDisclosureData"), source.first("LeadOrder")
    if data is None or order is None:
        return
    try:
        values = numbers(data.text, document.case.path, "the full disclosure", ",")
    except ReadError:  # `read` does not look at it where there is a strip
        return
    full = document.add(document.root, "FullDisclosure")
    _scale(document, full, source)
    document.use(order)
    names = [name for name in order.text.split(",") if name.strip()]
    document.add(full, "LeadOrder", ",".join(document.case.label(name, place) for place, name in enumerate(names, 1)))
    document.list(document.add(full, "FullDisclosureData"), data, values, ",")
