"""Philips Sierra XML, built anew: waveforms, representative beats, measurements and statements, age, sex, shifted start."""

from __future__ import annotations

from pathlib import Path

from ecglm.records.deidentify.case import Case, Written
from ecglm.records.deidentify.xml import Document, Node, bytes_of, ids, plain
from ecglm.records.request import MAX_CHANNELS
from ecglm.records.sierra import MEASURED
from ecglm.records.xli import HEADER
from ecglm.records.xmltree import Element, parse

_NAMESPACE = "http://www3.medical.philips.com"
_NUMBERS = (
    "samplingrate", "resolution", "signalresolution", "hipass", "lowpass", "acsetting", "bitspersample", "signaloffset",
    "numberchannelsallocated", "numberchannelsvalid",
)  # fmt: skip
_WAVES = (
    "samplespersecond", "resolution", "durationperchannel", "numberofleads", "bitspersample", "nbitspersample", "signaloffset",
    "hipass", "lowpass",
)  # fmt: skip


def patient_of(path: str) -> list[str]:
    """Patient ids and name."""
    person = parse(path, "restingecgdata").first("patient/generalpatientdata") or Element("", {})
    found = ids(person.first("patientid"), person.first("MRN"), person.first("uniquepatientid"))
    return [*found, " ".join(ids(person.first("name/lastname"), person.first("name/firstname")))]


def write(case: Case, folder: Path) -> Written:
    """The recording under case.name in folder. Raises ReadError."""
    source = parse(case.path, "restingecgdata")
    document = Document(case, source, {"xmlns": _NAMESPACE})
    root = document.root
    if (version := source.first("documentinfo/documentversion")) is not None:
        document.use(version)  # 1.03, 1.04 or 1.04.x: `read` has seen it
        stated = ".".join(version.text.strip().split(".")[:2])
        document.add(document.add(root, "documentinfo"), "documentversion", case.say(stated))
    begun = {} if case.start is None else {"date": f"{case.start:%Y-%m-%d}", "time": f"{case.start:%H:%M:%S}"}
    if begun:
        case.kept.add("time of day")
    taken = document.add(root, "dataacquisition", "", **begun)
    if (signal := source.first("dataacquisition/signalcharacteristics")) is not None:
        kept = document.add(taken, "signalcharacteristics")
        document.numbers(kept, signal, *_NUMBERS)
        for name in ("acquisitiontype", "leadset"):
            document.choice(kept, signal, name, "STD-12", "10-WIRE")
        for name in ("signalsigned", "notchfiltered"):
            document.choice(kept, signal, name, "True", "False")
        case.kept.add("filters")
    person = document.add(document.add(root, "patient"), "generalpatientdata")
    document.add(person, "patientid", case.patient)
    if case.age is not None:
        document.add(document.add(person, "age"), "years", case.number(str(case.age)))
    if case.sex is not None:
        document.add(person, "sex", case.say(case.sex.capitalize()))
    measured, said = case.reading()
    if measured or said:
        interpretation = document.add(document.add(root, "interpretations"), "interpretation")
        values = document.add(interpretation, "globalmeasurements")
        for field, names in MEASURED.items():
            if field in measured:
                document.add(values, names[0], case.number(plain(measured[field])))
        for text in said:
            document.add(document.add(interpretation, "statement"), "leftstatement", text)
    waves = document.add(root, "waveforms")
    if (stored := source.find("parsedwaveforms")) is not None:
        _waveforms(document, waves, stored, signal.number("numberchannelsallocated") if signal is not None else None)
    if (beats := source.find("repbeats")) is not None:
        _beats(document, waves, beats)
    return document.write(folder)


def _waveforms(document: Document, parent: Node, source: Element, allocated: float | None) -> None:
    about = document.attributes(
        source,
        _WAVES,
        dataencoding=("Base64",),
        compressflag=("True", "False"),
        compressmethod=("XLI", "Uncompressed", "None"),
        compression=("XLI", "Uncompressed"),
    )
    labels = source.get("leadlabels").split()
    if labels:
        document.use(source, "leadlabels")
        shown = " ".join(document.case.label(label, place).replace(" ", "") for place, label in enumerate(labels, 1))
        about["leadlabels"] = document.case.say(shown)
    raw = bytes_of(source) or b""
    packed = "XLI" in (about.get("compression"), about.get("compressmethod")) and about.get("compressflag") != "False"
    if packed:
        count = about.get("numberofleads") or len(labels) or allocated or 0
        raw = raw[: _packed_bytes(raw, min(int(float(count)), MAX_CHANNELS))]
    document.base64(document.add(parent, "parsedwaveforms", "", **about), source, raw)


def _packed_bytes(raw: bytes, n_leads: int) -> int:
    """The bytes of the packed leads: what follows them is not read."""
    at = 0
    for _ in range(n_leads):
        at += HEADER + int.from_bytes(raw[at : at + 4], "little")
    return at


def _beats(document: Document, parent: Node, source: Element) -> None:
    about = document.attributes(source, ("samplespersec", "resolution"), dataencoding=("Base64",))
    beats = document.add(parent, "repbeats", "", **about)
    for place, beat in enumerate(source.all("repbeat"), 1):
        wave = beat.first("waveform")
        raw = bytes_of(wave or beat)
        if raw is None or len(raw) % 2:
            continue
        document.use(beat, "leadname")
        name = document.case.label(beat.get("leadname"), place)
        node = document.add(beats, "repbeat", "", leadname=name, **document.attributes(beat, ("duration",)))
        document.base64(node if wave is None else document.add(node, "waveform"), wave or beat, raw)
