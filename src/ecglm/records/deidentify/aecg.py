"""HL7 aECG, built anew: sequence sets of rhythm and beat, measurements and statements, age, sex, shifted times."""

from __future__ import annotations

import re
from pathlib import Path

from ecglm.records.aecg import AGE_CODE, MEASURED
from ecglm.records.deidentify.case import Case, Written
from ecglm.records.deidentify.xml import Document, Node, one_of, plain
from ecglm.records.leads import canonical_lead
from ecglm.records.patient import moment
from ecglm.records.xmltree import Element, numbers, parse

_ROOT = {"xmlns": "urn:hl7-org:v3", "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "type": "Observation"}
_MDC, _ACT, _LOINC, _GENDER = "2.16.840.1.113883.6.24", "2.16.840.1.113883.5.4", "2.16.840.1.113883.6.1", "2.16.840.1.113883.5.1"
_SUBJECT = ("componentOf", "timepointEvent", "componentOf", "subjectAssignment", "subject", "trialSubject")
_STAMP = re.compile(r"(\d{8})(\d{0,6})(\.\d{1,6})?(?:[+-]\d{4})?", re.ASCII)
_TIMES = ("s", "ms", "us", "min")


def patient_of(path: str) -> list[str]:
    """The subject's ids and name."""
    root = parse(path, "AnnotatedECG")
    found = [one.get("extension") or one.get("root") for subject in root.walk("trialSubject") for one in subject.all("id")]
    name = root.find("subjectDemographicPerson")
    return [*found, name.say("name") if name is not None else ""]


def write(case: Case, folder: Path) -> Written:
    """The recording under case.name in folder. Raises ReadError."""
    source = parse(case.path, "AnnotatedECG")
    document = Document(case, source, _ROOT)
    root = document.root
    if case.start is not None:
        document.add(document.add(root, "effectiveTime"), "center", value=f"{case.start:%Y%m%d%H%M%S}")
        case.kept.add("time of day")
    subject = root
    for name in _SUBJECT:
        subject = document.add(subject, name)
    document.add(subject, "id", extension=case.patient)
    if case.sex is not None:
        person = document.add(subject, "subjectDemographicPerson")
        document.add(person, "administrativeGenderCode", code=case.say(case.sex[0].upper()), codeSystem=case.say(_GENDER))
    if case.age is not None:
        observed = document.add(document.add(root, "controlVariable"), "relatedObservation")
        document.add(observed, "code", code=case.say(AGE_CODE), codeSystem=case.say(_LOINC))
        document.add(observed, "value", xsi__type=case.say("PQ"), value=case.number(str(case.age)), unit=case.say("a"))
    first = True
    for series in source.walk("series"):
        node = document.add(document.add(root, "component"), "series")
        _series(document, node, series)
        for derived in series.walk("derivedSeries"):
            _series(document, document.add(document.add(node, "derivation"), "derivedSeries"), derived)
        if first:
            _annotations(document, node)
        first = False
    return document.write(folder)


def _series(document: Document, node: Node, source: Element) -> None:
    code = source.first("code")
    kind = None if code is None else one_of(code.get("code"), ("RHYTHM", "REPRESENTATIVE_BEAT"))
    if code is not None and kind is not None:
        document.use(code, "code", "codeSystem")
        document.add(node, "code", code=document.case.say(kind), codeSystem=document.case.say(_ACT))
    low = source.first("effectiveTime/low")
    if low is not None and (stamp := _stamp(document, low)) is not None:
        document.add(document.add(node, "effectiveTime"), "low", value=stamp)
    for found in source.all("component/sequenceSet"):
        target = document.add(document.add(node, "component"), "sequenceSet")
        for place, sequence in enumerate(found.all("component/sequence")):
            code, value = sequence.first("code"), sequence.first("value")
            if code is not None and value is not None:
                document.use(code, "code", "codeSystem")
                _sequence(document, target, code.get("code"), value, place)


def _sequence(document: Document, parent: Node, code: str, value: Element, place: int) -> None:
    case = document.case
    digits = value.first("digits")
    if code not in ("TIME_ABSOLUTE", "TIME_RELATIVE") and digits is None:
        return
    sequence = document.add(document.add(parent, "component"), "sequence")
    if digits is None:
        document.add(sequence, "code", code=case.say(code), codeSystem=case.say(_ACT))
        node = document.add(sequence, "value", xsi__type=case.say("GLIST_TS" if code == "TIME_ABSOLUTE" else "GLIST_PQ"))
        document.use(value, "xsi:type")
        head = value.first("head")
        if head is not None and code == "TIME_ABSOLUTE" and (stamp := _stamp(document, head)) is not None:
            document.add(node, "head", value=stamp)
        elif head is not None and code == "TIME_RELATIVE":
            document.add(node, "head", **document.attributes(head, ("value",), unit=_TIMES))
        if (step := value.first("increment")) is not None:
            document.add(node, "increment", **document.attributes(step, ("value",), unit=_TIMES))
        return
    name = code.removeprefix("MDC_ECG_LEAD_")
    label = case.label(name, place)
    label = f"MDC_ECG_LEAD_{label.upper()}" if canonical_lead(name) else label
    document.add(sequence, "code", code=case.say(label), codeSystem=case.say(_MDC))
    node = document.add(sequence, "value", xsi__type=case.say("SLIST_PQ"))
    document.use(value, "xsi:type")
    for part in ("origin", "scale"):
        found = value.first(part)
        if found is not None:
            document.use(found, "unit")
            document.add(node, part, **document.attributes(found, ("value",)), unit=case.unit(found.get("unit")))
    document.list(document.add(node, "digits"), digits, numbers(digits.text, case.path, f"lead {place}"), " ")


def _stamp(document: Document, source: Element) -> str | None:
    """The shifted time stamp of an attribute ``value``; without its zone, which says where."""
    match = _STAMP.fullmatch(source.get("value"))
    when = moment(match[1], match[2]) if match else None
    if match is None or when is None:
        return None
    document.use(source, "value")
    moved = document.case.moved(when, "time stamps")
    return None if moved is None else f"{moved:%Y%m%d}{match[2]}{match[3] or ''}"


def _annotations(document: Document, series: Node) -> None:
    case = document.case
    measured, said = case.reading()
    if not measured and not said:
        return
    found = document.add(document.add(series, "subjectOf"), "annotationSet")
    for code, field in MEASURED.items():
        if field in measured:
            annotation = document.add(document.add(found, "component"), "annotation")
            document.add(annotation, "code", code=case.say(code), codeSystem=case.say(_MDC))
            unit = {"bpm": "bpm", "ms": "ms", "deg": "deg"}[field.rpartition("_")[2]]
            number = case.number(plain(measured[field]))
            document.add(annotation, "value", xsi__type=case.say("PQ"), value=number, unit=case.say(unit))
    for text in said:
        annotation = document.add(document.add(found, "component"), "annotation")
        document.add(annotation, "code", code=case.say("MDC_ECG_INTERPRETATION_STATEMENT"), codeSystem=case.say(_MDC))
        document.add(annotation, "value", text, xsi__type=case.say("ST"))
