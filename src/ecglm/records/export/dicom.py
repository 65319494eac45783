"""`Record` → DICOM waveform, with pydicom.

12-lead, general or ambulatory ECG, whichever the recording fits. Standard: DICOM PS3.3 A.34.3 to A.34.5 and
C.10.9; lead codes PS3.16 CID 3001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecglm.atomic import replacing
from ecglm.errors import UsageError
from ecglm.records.dicom_channels import UNSPECIFIED_LEAD
from ecglm.records.export.steps import MISSING, Stored, stored
from ecglm.records.leads import SCP_LEADS, STANDARD_12
from ecglm.records.record import Record

if TYPE_CHECKING:
    from pydicom import Dataset

_CODES = {lead: code for code, lead in SCP_LEADS.items()}
_TWELVE_LEAD, _GENERAL, _AMBULATORY = (f"1.2.840.10008.5.1.4.1.1.9.{kind}" for kind in ("1.1", "1.2", "1.3"))


def write_dicom(record: Record, target: str) -> None:
    """Write one multiplex group of 16-bit samples in microvolts; missing samples are the padding value.

    Patient and study are left open, as are date and time when the record has none.
    """
    if record.unit != "mV":
        raise UsageError(f"{target}: a DICOM ECG needs a voltage and this record has none; save it as .hea, .csv or .npz")
    sop_class = _sop_class(record, target)
    if len(repr(record.fs)) > 16:
        raise UsageError(f"{target}: DICOM holds rates of 16 characters, not {record.fs!r} Hz; save it as .hea, .csv or .npz")
    from pydicom import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    dataset = _about(record)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.WaveformSequence = [_group(record, target)]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with replacing(target) as temporary:
        dataset.save_as(temporary, enforce_file_format=True)


def _sop_class(record: Record, target: str) -> str:
    """The first class whose limits of leads, rate (Hz) and samples the record keeps."""
    n_leads, n_samples, fs = len(record.leads), record.n_samples, record.fs
    if n_leads <= 13 and n_samples <= 16_384 and 200 <= fs <= 1000 and set(STANDARD_12) <= set(record.leads):
        return _TWELVE_LEAD
    if n_leads <= 24 and 200 <= fs <= 1000:
        return _GENERAL
    if n_leads <= 12 and 50 <= fs <= 1000:
        return _AMBULATORY
    raise UsageError(
        f"{target}: DICOM has ECG classes for 24 leads of 200 to 1000 Hz and 12 of 50 to 1000 Hz, not for {n_leads} leads "
        f"of {fs:g} Hz; save it as .hea, .csv or .npz"
    )


def _about(record: Record) -> Dataset:
    """The modules of patient, study, series, equipment and acquisition; what is not known is empty."""
    from pydicom import Dataset

    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Modality = "ECG"
    dataset.PatientName = dataset.PatientID = dataset.PatientBirthDate = ""
    dataset.PatientSex = {"female": "F", "male": "M", None: ""}[record.meta.sex]
    if record.meta.age is not None:
        dataset.PatientAge = f"{record.meta.age:03d}Y"
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.StudyDate = dataset.StudyTime = ""
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.Manufacturer = ""
    if record.meta.device and "\\" not in record.meta.device:  # which would part it in two
        dataset.ManufacturerModelName = record.meta.device
    dataset.AcquisitionContextSequence = []
    if record.start is not None:
        day, time = f"{record.start.year:04d}{record.start:%m%d}", f"{record.start:%H%M%S.%f}"
        dataset.AcquisitionDateTime = day + time
        dataset.StudyDate = dataset.ContentDate = day
        dataset.StudyTime = dataset.ContentTime = time
    return dataset


def _group(record: Record, target: str) -> Dataset:
    from pydicom import Dataset

    group = Dataset()
    group.MultiplexGroupLabel = "RHYTHM"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = record.signal.shape
    group.SamplingFrequency = repr(record.fs)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    rows = stored(record, target)
    group.ChannelDefinitionSequence = [_channel(lead, row, target) for lead, row in zip(record.leads, rows, strict=True)]
    group.add_new("WaveformPaddingValue", "OW", np.int16(MISSING).tobytes())
    data = np.stack([row.samples for row in rows], axis=1).astype("<i2").tobytes()
    group.add_new("WaveformData", "OW", data)
    return group


def _channel(lead: str, row: Stored, target: str) -> Dataset:
    from pydicom import Dataset

    step, base = f"{row.step * 1000:.10g}", f"{-row.zero * row.step * 1000:.10g}"
    if len(lead) > 16 or max(len(step), len(base)) > 16:
        raise UsageError(f"{target}: DICOM holds labels and scales of 16 characters, not those of {lead}; save it as .npz")
    channel = Dataset()
    channel.ChannelLabel = lead
    code = _CODES.get(lead)
    meaning = f"Lead {lead}" if code is not None else UNSPECIFIED_LEAD
    channel.ChannelSourceSequence = [_code(f"2:{code or 0}", "MDC", meaning)]
    channel.ChannelSensitivity = step
    channel.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt")]
    channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", base
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    return channel


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    from pydicom import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
