"""A report as FHIR R4: one DiagnosticReport that contains its Observations.

Contained, because they stand on this recording alone and on no patient or device that a server would know. LOINC codes are
given for measurements that have one and SNOMED CT codes for findings that have exactly one in `knowledge.statements`; all
carry our own code too (field of `Measurements`, group and SCP-ECG code). Structure: HL7 FHIR R4, hl7.org/fhir/R4.
"""

from __future__ import annotations

from typing import Any

from ecglm.answers import Finding
from ecglm.knowledge.ranges import flag, normal_range
from ecglm.knowledge.statements import BY_KEY
from ecglm.reporting.compose_parts import Writer
from ecglm.reporting.language import language
from ecglm.reporting.recommendations import recommendations
from ecglm.reporting.report import Report
from ecglm.reporting.view import clean
from ecglm.schema import DECIMALS, Measurement

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
#: Our own codes: fields of `Measurements`, and statements as group:SCP-ECG code.
MEASUREMENTS, STATEMENTS = "urn:ecglm:measurement", "urn:ecglm:statement"
_HL7 = "http://terminology.hl7.org/CodeSystem"
#: LOINC code and its name of measurements; QTc by the formulas that have none of their own has the code without method.
_LOINC = {"heart_rate": ("8867-4", "Heart rate"), "pr": ("8625-6", "P-R Interval"), "qrs": ("8633-0", "QRS duration"),
          "qt": ("8634-8", "Q-T interval"), "qtc_bazett": ("8636-3", "Q-T interval corrected"),
          "qtc_fridericia": ("8636-3", "Q-T interval corrected"), "qtc_framingham": ("8636-3", "Q-T interval corrected"),
          "qtc_hodges": ("8636-3", "Q-T interval corrected")}
_UCUM = {"bpm": "/min", "deg": "deg"}
_INTERPRETATION = {"low": ("L", "Low"), "normal": ("N", "Normal"), "high": ("H", "High")}


def diagnostic_report(report: Report, lang: str = "en") -> dict[str, Any]:
    """The resource as JSON-ready data. Names and notes are in this language."""
    w = Writer(report, language(lang))
    measured = {} if report.measurements is None else report.measurements.named()
    contained = [_measurement(w, name, m) for name, m in measured.items()]
    shown = (*report.present, *report.possible)
    contained += [_finding(w, number, f) for number, f in enumerate(shown, start=1)]
    out: dict[str, Any] = {
        "resourceType": "DiagnosticReport", "language": lang, "contained": contained, "status": "preliminary",
        "category": [{"coding": [{"system": f"{_HL7}/v2-0074", "code": "EC",
                                  "display": "Electrocardiac (e.g., EKG, EEC, Holter)"}]}],
        "code": {"coding": [{"system": LOINC, "code": "11524-6", "display": "EKG study"}], "text": w.texts.title},
        "issued": report.created,
        "result": [{"reference": f"#{item['id']}"} for item in contained],
        "conclusion": _conclusion(w),
        "conclusionCode": [_statement(w, f) for f in report.present],
    }
    if report.record.start is not None:
        start = report.record.start
        out["effectiveDateTime"] = start.isoformat() if start.tzinfo else start.date().isoformat()
    meta = report.record.meta
    if meta.sex is not None or report.patient_name is not None:
        patient: dict[str, Any] = {"resourceType": "Patient", "id": "patient"}
        patient |= {"gender": meta.sex} if meta.sex else {}
        patient |= {"name": [{"text": report.patient_name}]} if report.patient_name else {}
        out["contained"] = [patient, *contained]
        out["subject"] = {"reference": "#patient"}
        for item in contained:
            item["subject"] = {"reference": "#patient"}
    plain: dict[str, Any] = _cleaned({key: value for key, value in out.items() if value not in ([], "")})
    return plain


def _cleaned(value: Any) -> Any:
    """The same with control characters and lone surrogates of texts replaced: FHIR strings have none."""
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else clean(value)


def _conclusion(w: Writer) -> str:
    """What is found, what guidelines advise, and that no physician has seen it, as text."""
    t = w.texts
    said = [t.diagnosis_none if w.report.findings else t.diagnosis_uncomputed]
    if w.report.present:
        said = [f"{t.diagnosis}{t.colon}{w.names(w.report.present)}."]
    said += [w.lang.passage(row.entry, row.text) or row.text for row, _ in recommendations(w.report.findings)]
    return " ".join([*said, t.disclaimer])


def _measurement(w: Writer, name: str, m: Measurement) -> dict[str, Any]:
    """An Observation of one value, or of why there is none."""
    meta, digits = w.report.record.meta, DECIMALS.get(m.unit, 0) + 1
    loinc = [{"system": LOINC, "code": _LOINC[name][0], "display": _LOINC[name][1]}] if name in _LOINC else []
    coding = [*loinc, {"system": MEASUREMENTS, "code": name}]
    out: dict[str, Any] = {
        "resourceType": "Observation", "id": f"m-{name.replace('_', '-')}", "status": "preliminary",
        "category": [{"coding": [{"system": f"{_HL7}/observation-category", "code": "procedure", "display": "Procedure"}]}],
        "code": {"coding": coding, "text": w.texts.measurements[name]}}
    if m.value is None:
        reason = w.lang.phrase(m.reason or "") or m.reason
        return out | {"dataAbsentReason": {"coding": [{"system": f"{_HL7}/data-absent-reason", "code": "unknown",
                                                       "display": "Unknown"}], "text": reason}}
    unit = _UCUM.get(m.unit, m.unit)
    quantity = {"unit": "°" if unit == "deg" else unit, "system": UCUM, "code": unit}
    out["valueQuantity"] = {"value": round(m.value, digits), **quantity}
    usual = normal_range(name, meta.sex) if w.adult else None
    judged = flag(name, m.value, meta.sex, meta.age)
    if usual is not None and judged is not None:
        angle = name == "axis" and judged != "normal"  # neither high nor low
        code, display = ("A", "Abnormal") if angle else _INTERPRETATION[judged]
        said = {"system": f"{_HL7}/v3-ObservationInterpretation", "code": code, "display": display}
        out["interpretation"] = [{"coding": [said]}]
        limits = {side: {"value": limit, **quantity} for side, limit in (("low", usual.low), ("high", usual.high))
                  if limit is not None}
        out["referenceRange"] = [{**limits, "text": f"{usual} ({usual.source})"}]
    if m.leads:
        out["method"] = {"text": f"{w.texts.leads}{w.texts.colon}{', '.join(m.leads)}"}
    return out


def _statement(w: Writer, finding: Finding) -> dict[str, Any]:
    """A finding as a coded concept."""
    key = f"{finding.group}:{finding.code}"
    snomed = BY_KEY[key].snomed if key in BY_KEY else ()
    coding = [{"system": SNOMED, "code": snomed[0]}] if len(snomed) == 1 else []
    return {"coding": [*coding, {"system": STATEMENTS, "code": key}], "text": w.lang.finding(finding)}


def _finding(w: Writer, number: int, finding: Finding) -> dict[str, Any]:
    """An Observation of a finding: present or possible, with its probability and what it rests on."""
    word = "present" if finding.present else "possible"
    notes = [{"text": w.evidence(item).text} for item in finding.evidence]
    out: dict[str, Any] = {
        "resourceType": "Observation", "id": f"f-{number}", "status": "preliminary", "code": _statement(w, finding),
        "valueCodeableConcept": {"coding": [{"system": "urn:ecglm:decision", "code": word}], "text": w.texts.words[word]},
        "component": [{
            "code": {"coding": [{"system": "urn:ecglm:probability", "code": "calibrated"}], "text": w.texts.head_probability},
            "valueQuantity": {"value": round(100 * finding.probability, 2), "unit": "%", "system": UCUM, "code": "%"}}]}
    return out | ({"note": notes} if notes else {})
