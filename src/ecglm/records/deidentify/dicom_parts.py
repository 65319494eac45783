"""The parts of a DICOM waveform object that are written: groups with their channels, and measurements as coded numbers."""

from __future__ import annotations

from typing import Any

from ecglm.records.deidentify.case import COUNT, Case
from ecglm.records.dicom_channels import channel_name, channel_unit
from ecglm.records.leads import SCP_LEADS, canonical_lead

_GROUP_NUMBERS = (
    "MultiplexGroupTimeOffset", "TriggerTimeOffset", "TriggerSamplePosition", "NumberOfWaveformChannels",
    "NumberOfWaveformSamples", "SamplingFrequency", "WaveformBitsAllocated",
)  # fmt: skip
_CHANNEL_NUMBERS = (
    "WaveformChannelNumber", "ChannelSensitivity", "ChannelSensitivityCorrectionFactor", "ChannelBaseline",
    "ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset", "WaveformBitsStored", "FilterLowFrequency",
    "FilterHighFrequency", "NotchFilterFrequency", "NotchFilterBandwidth",
)  # fmt: skip
_WORDS = {
    "WaveformOriginality": ("ORIGINAL", "DERIVED"),
    "WaveformSampleInterpretation": ("SB", "UB", "MB", "AB", "SS", "US", "SL", "UL"),
    "MultiplexGroupLabel": ("RHYTHM", "MEDIAN BEAT", "MEDIAN", "REPRESENTATIVE BEAT"),
    "SynchronizationTrigger": ("SOURCE", "EXTERNAL", "PASSTHRU", "NO TRIGGER"),
    "AcquisitionTimeSynchronized": ("Y", "N"),
}
#: Field of a reading -> code value, scheme and meaning.
CONCEPTS = {
    "heart_rate_bpm": ("8867-4", "LN", "Heart rate"),
    "rr_ms": ("5.10.2.1-3", "SCPECG", "RR Interval"),
    "pr_ms": ("5.13.5-7", "SCPECG", "PR Interval"),
    "qrs_ms": ("5.13.5-9", "SCPECG", "QRS Duration"),
    "qt_ms": ("5.13.5-11", "SCPECG", "QT Interval"),
    "qtc_ms": ("5.10.2.5-5", "SCPECG", "QTc Interval"),
    "p_axis_deg": ("5.10.3-11", "SCPECG", "P Axis"),
    "qrs_axis_deg": ("5.10.3-13", "SCPECG", "QRS Axis"),
    "t_axis_deg": ("5.10.3-15", "SCPECG", "T Axis"),
}
_UCUM = {"bpm": "{H.B.}/min", "ms": "ms", "deg": "deg"}


def copy_numbers(case: Case, source: Any, made: Any, keywords: tuple[str, ...], digits: int = 5) -> None:
    """Attributes whose value is one number or several, none with more digits."""
    for keyword in keywords:
        value = source.get(keyword)
        texts = [case.number(str(part), digits) for part in (value if is_many(value) else [value])]
        if value is not None and str(value) and None not in texts:
            setattr(made, keyword, value)


def copy_words(case: Case, source: Any, made: Any, keywords: tuple[str, ...]) -> None:
    """Attributes whose value is one of a few words."""
    for keyword in keywords:
        word = str(source.get(keyword) or "").strip().upper()
        if word in _WORDS[keyword]:
            setattr(made, keyword, case.say(word))


def waveform_group(case: Case, source: Any, samples: list[bytes]) -> Any:
    """A multiplex group: what describes its samples, and the bytes of these."""
    from pydicom.dataset import Dataset

    made = Dataset()
    copy_numbers(case, source, made, _GROUP_NUMBERS, COUNT)
    copy_words(case, source, made, ("WaveformOriginality", "WaveformSampleInterpretation", "MultiplexGroupLabel"))
    made.ChannelDefinitionSequence = [
        _channel(case, channel, place) for place, channel in enumerate(source.get("ChannelDefinitionSequence") or [], 1)
    ]
    bits = int(source.get("WaveformBitsAllocated") or 0)
    padding = source.get("WaveformPaddingValue")
    if padding is not None and bits:
        value = padding[: bits // 8] if isinstance(padding, bytes) else padding
        made.add_new("WaveformPaddingValue", source["WaveformPaddingValue"].VR, value)
    data = source.get("WaveformData")
    if isinstance(data, bytes):
        need = int(source.NumberOfWaveformChannels) * int(source.NumberOfWaveformSamples) * bits // 8
        kept = data[:need]
        if len(data) - need > 1:  # one byte more makes the length even
            case.removed["bytes after the samples"] += len(data) - need
        made.add_new("WaveformData", source["WaveformData"].VR, kept)
        samples.append(kept)
    return made


def _channel(case: Case, source: Any, place: int) -> Any:
    from pydicom.dataset import Dataset

    made = Dataset()
    copy_numbers(case, source, made, _CHANNEL_NUMBERS)
    name = case.label(channel_name(source), place)
    made.ChannelLabel = name[:16]
    codes = {lead: code for code, lead in SCP_LEADS.items()}
    if canonical_lead(name) in codes:
        made.ChannelSourceSequence = [code(case, f"5.6.3-9-{codes[name]}", "SCPECG", f"Lead {name}")]
    else:
        made.ChannelSourceSequence = [code(case, "0", "99ECGLM", name)]
    if source.get("ChannelSensitivity") is not None:
        unit = case.unit(channel_unit(source))
        made.ChannelSensitivityUnitsSequence = [code(case, unit or "1", "UCUM", unit or "no units")]
    if any(made.get(keyword) is not None for keyword in ("FilterLowFrequency", "FilterHighFrequency", "NotchFilterFrequency")):
        case.kept.add("filters")
    return made


def measurement(case: Case, field: str, value: float) -> Any:
    """An annotation of the whole recording."""
    from pydicom.dataset import Dataset

    made = Dataset()
    made.ConceptNameCodeSequence = [code(case, *CONCEPTS[field])]
    made.ReferencedWaveformChannels = [1, 0]
    made.AnnotationGroupNumber = 0
    made.NumericValue = case.number(f"{value:g}")
    unit = _UCUM[field.rpartition("_")[2]]
    made.MeasurementUnitsCodeSequence = [code(case, unit, "UCUM", unit)]
    return made


def code(case: Case, value: str, scheme: str, meaning: str) -> Any:
    """An item of a code sequence."""
    from pydicom.dataset import Dataset

    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = case.say(value), case.say(scheme), case.say(meaning)
    return made


def is_many(value: object) -> bool:
    """Whether an element has several values."""
    return type(value).__name__ == "MultiValue"
