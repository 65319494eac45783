"""A report as a DICOM structured report after TID 3700, ECG Report (DICOM PS3.16).

The root holds language and observer (TID 1204, 1004), the procedure (TID 3708) with a reference to its waveform where the
recording is DICOM, patient characteristics (TID 3704), a prior study (TID 3702) where there is one, global measurements (TID
3713), qualitative analysis (TID 3717) and summary (TID 3719). The SR class is Enhanced SR. Nothing of the source's patient
module is copied: it is the caller's to file the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ecglm.answers import Finding, percent
from ecglm.errors import UsageError
from ecglm.knowledge.statements import BY_KEY
from ecglm.reporting.compose_parts import Writer
from ecglm.reporting.language import language
from ecglm.reporting.recommendations import recommendations
from ecglm.reporting.report import Report
from ecglm.reporting.view import clean
from ecglm.schema import DECIMALS, LABELS, Measurements

if TYPE_CHECKING:
    from highdicom.sr import EnhancedSR
    from highdicom.sr.value_types import ContentItem

#: Concepts of global measurements (CID 3227 to 3229 and TID 3713): scheme MDC is ISO/IEEE 11073-10102.
_MDC = {"heart_rate": ("2:16016", "Ventricular Heart Rate"), "rr": ("2:16168", "RR interval global"),
        "pr": ("2:15872", "PR interval global"), "qrs": ("2:16156", "QRS duration global"),
        "qt": ("2:16160", "QT interval global"), "qtc_bazett": ("2:15876", "QTc interval global"),
        "qtc_fridericia": ("2:15876", "QTc interval global"),
        "p_axis": ("2:16128", "P Axis"), "axis": ("2:16132", "QRS axis"), "t_axis": ("2:16136", "T axis")}
#: How QTc was corrected (CID 3678).
_ALGORITHM = {"qtc_bazett": ("122730", "Bazett QTc Algorithm"),
              "qtc_fridericia": ("122732", "Fridericia QTc Algorithm")}
_UNITS = {"bpm": ("/min", "beats per minute"), "ms": ("ms", "ms"), "deg": ("deg", "deg"), "mV": ("mV", "mV")}
_RFC5646 = {"en": "English", "de": "German", "zh": "Chinese"}


def to_dicom(report: Report, lang: str = "en") -> bytes:
    """The document as a DICOM file. Raises UsageError where highdicom is not installed."""
    buffer = BytesIO()
    document(report, lang).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def document(report: Report, lang: str = "en") -> EnhancedSR:
    """The document as a dataset."""
    try:
        import highdicom
        from highdicom.sr import EnhancedSR
    except ImportError as error:
        raise UsageError("DICOM SR needs highdicom; run `pip install 'ecglm[report]'`") from error
    from pydicom.dataset import Dataset

    w = Writer(report, language(lang))
    source = Dataset()
    at = report.waveform
    source.SOPClassUID = at.sop_class if at else "1.2.840.10008.5.1.4.1.1.9.1.1"
    source.SOPInstanceUID = at.sop_instance if at else highdicom.UID()
    source.StudyInstanceUID = at.study if at else highdicom.UID()
    source.SeriesInstanceUID = at.series if at else highdicom.UID()
    source.PatientName = str(clean(report.patient_name or "")).replace("\\", " ").replace("=", " ")[:64]
    source.PatientSex = {"female": "F", "male": "M"}.get(report.record.meta.sex or "", "")
    for empty in ("PatientID", "PatientBirthDate", "AccessionNumber", "StudyID", "StudyDate", "StudyTime",
                  "ReferringPhysicianName"):
        setattr(source, empty, "")
    source.SpecificCharacterSet = "ISO_IR 192"
    made = EnhancedSR(
        evidence=[source], content=_root(w), series_instance_uid=highdicom.UID(), series_number=1,
        sop_instance_uid=highdicom.UID(), instance_number=1, manufacturer="ecglm", manufacturer_model_name="ecglm",
        software_versions=report.version, is_complete=True, is_final=False, is_verified=False,
        specific_character_set="ISO_IR 192")
    _insert_waveforms(made, w)
    if at is None:  # the stand-in for a source that is not DICOM must not look like evidence
        for name in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
            if name in made:
                delattr(made, name)
    return made


def _insert_waveforms(made: EnhancedSR, w: Writer) -> None:
    """Add the references to waveforms, which highdicom (0.28) writes but cannot build a document of."""
    from highdicom.sr import WaveformContentItem
    from pydicom.sr.codedict import codes

    earlier = w.report.previous
    for template, at in (("3708", w.report.waveform), ("3702", None if earlier is None else earlier.waveform)):
        if at is None:
            continue
        item = WaveformContentItem(codes.DCM.SourceOfMeasurement, at.sop_class, at.sop_instance, relationship_type="CONTAINS")
        for part in made.ContentSequence:
            if part.ValueType == "CONTAINER" and "ContentTemplateSequence" in part \
                    and part.ContentTemplateSequence[0].TemplateIdentifier == template:
                part.ContentSequence.append(item)


def _code(value: str, scheme: str, meaning: str) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=value, scheme_designator=scheme, meaning=meaning[:64])


def _text(name: Any, text: str, relation: str = "CONTAINS") -> ContentItem:
    from highdicom.sr import TextContentItem

    return TextContentItem(name=name, value=str(clean(text)) or "-", relationship_type=relation)


def _container(name: Any, template: str | None, children: Iterable[ContentItem],
               relation: str | None = "CONTAINS") -> ContentItem:
    from highdicom.sr import ContainerContentItem, ContentSequence

    made = ContainerContentItem(name=name, template_id=template, relationship_type=relation)
    made.ContentSequence = ContentSequence(list(children))
    return made


def _root(w: Writer) -> ContentItem:
    from highdicom.sr import CodeContentItem
    from pydicom.sr.codedict import codes

    report, t = w.report, w.texts
    items: list[ContentItem] = [
        CodeContentItem(codes.DCM.LanguageOfContentItemAndDescendants, _code(w.lang.code, "RFC5646", _RFC5646[w.lang.code]),
                        "HAS CONCEPT MOD"),
        CodeContentItem(codes.DCM.ObserverType, codes.DCM.Device, "HAS OBS CONTEXT"),
        _text(codes.DCM.DeviceObserverName, "ecglm", "HAS OBS CONTEXT"),
        _text(codes.DCM.DeviceObserverModelName, report.model or t.no_model, "HAS OBS CONTEXT"),
        _waveform(w), _patient(w)]
    if report.previous is not None:
        items.append(_prior(w))
    if report.measurements is not None:
        items.append(_container(codes.DCM.QuantitativeAnalysis, None,
                                [_container(codes.DCM.ECGGlobalMeasurements, "3713", _measured(report.measurements))]))
    shown = (*report.present, *report.possible)
    if shown:
        items.append(_container(codes.DCM.QualitativeAnalysis, "3717", [_finding(w, f) for f in shown]))
    if report.history is not None:
        items.append(_text(codes.LN.History, report.history))
    items.append(_container(codes.LN.Summary, "3719", [_text(codes.LN.Summary, _summary(w))]))
    return _container(codes.LN.ECGReport, "3700", items, relation=None)


def _waveform(w: Writer) -> ContentItem:
    """TID 3708: when it was recorded, as far as that is known, with what, and which object it is. The time of the report is no
    time of the recording, so without the latter there is none."""
    from highdicom.sr import DateTimeContentItem
    from pydicom.sr.codedict import codes

    record = w.report.record
    items: list[ContentItem] = []
    if record.start is not None:
        items.append(DateTimeContentItem(codes.DCM.ProcedureDatetime, record.start, "CONTAINS"))
    if record.meta.device:
        items.append(_text(codes.DCM.AcquisitionDeviceType, record.meta.device))
    items.append(_text(codes.DCM.Comment, f"{w.texts.leads}{w.texts.colon}{', '.join(record.leads)}; {record.fs:g} Hz"))
    return _container(codes.LN.CurrentProcedureDescriptions, "3708", items)


def _patient(w: Writer) -> ContentItem:
    """TID 3704: age and sex, as far as they are known."""
    from highdicom.sr import CodeContentItem, NumContentItem
    from pydicom.sr.codedict import codes

    meta = w.report.record.meta
    items: list[ContentItem] = []
    if meta.age is not None:
        items.append(NumContentItem(codes.DCM.SubjectAge, float(meta.age), _code("a", "UCUM", "year"),
                                    relationship_type="CONTAINS"))
    if meta.sex is not None:
        sex = codes.DCM.Female if meta.sex == "female" else codes.DCM.Male
        items.append(CodeContentItem(codes.DCM.SubjectSex, sex, "CONTAINS"))
    return _container(codes.DCM.PatientCharacteristics, "3704", items or [_text(codes.DCM.Comment, w.texts.not_given)])


def _prior(w: Writer) -> ContentItem:
    """TID 3702: that a comparison was made, and with what."""
    from highdicom.sr import CodeContentItem
    from pydicom.sr.codedict import codes

    items: list[ContentItem] = [CodeContentItem(codes.DCM.ComparisonWithPriorStudyDone, codes.SCT.Yes, "CONTAINS")]
    return _container(codes.LN.PriorProcedureDescriptions, "3702", items)


def _measured(measured: Measurements) -> list[ContentItem]:
    """TID 3713; a value without a standard code has ours."""
    from highdicom.sr import CodeContentItem, ContentSequence, NumContentItem
    from pydicom.sr.codedict import codes

    out: list[ContentItem] = []
    for name, m in measured.named().items():
        if m.value is None:
            continue
        concept = _code(_MDC[name][0], "MDC", _MDC[name][1]) if name in _MDC else _code(name, "99ECGLM", LABELS[name])
        unit = _code(_UNITS[m.unit][0], "UCUM", _UNITS[m.unit][1])
        item = NumContentItem(concept, round(m.value, DECIMALS.get(m.unit, 0) + 1), unit, relationship_type="CONTAINS")
        if name in _ALGORITHM:
            value, meaning = _ALGORITHM[name]
            item.ContentSequence = ContentSequence([CodeContentItem(codes.DCM.AlgorithmName, _code(value, "DCM", meaning),
                                                                    "HAS PROPERTIES")])
        out.append(item)
    return out or [_text(codes.DCM.Comment, "-")]


def _finding(w: Writer, finding: Finding) -> ContentItem:
    """An ECG finding with its decision and probability."""
    from highdicom.sr import CodeContentItem, ContentSequence, NumContentItem
    from pydicom.sr.codedict import codes

    key, name = f"{finding.group}:{finding.code}", str(clean(w.lang.finding(finding)))
    snomed = BY_KEY[key].snomed if key in BY_KEY else ()
    value = _code(snomed[0], "SCT", name) if len(snomed) == 1 else _code(finding.code[:16], "99ECGLM", name)
    made = CodeContentItem(_code("271921002", "SCT", "ECG Finding"), value, "CONTAINS")
    word = "present" if finding.present else "possible"
    made.ContentSequence = ContentSequence([
        _text(codes.DCM.EquivalentMeaningOfValue, f"{name} ({w.texts.words[word]})", "HAS CONCEPT MOD"),
        NumContentItem(_code("probability", "99ECGLM", "Calibrated probability"), round(100 * finding.probability, 2),
                       _code("%", "UCUM", "%"), relationship_type="HAS PROPERTIES")])
    return made


def _summary(w: Writer) -> str:
    t = w.texts
    said = [t.diagnosis_item.format(name=w.lang.finding(f), percent=percent(f.probability)) for f in w.report.present]
    said = said or [t.diagnosis_none if w.report.findings else t.diagnosis_uncomputed]
    said += [w.lang.passage(row.entry, row.text) or row.text for row, _ in recommendations(w.report.findings)]
    return "\n".join([*said, t.disclaimer])
