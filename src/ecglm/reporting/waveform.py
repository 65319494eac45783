"""Where the waveform of a report lies in a DICOM archive."""

from __future__ import annotations

from dataclasses import dataclass

from ecglm.records.record import Record

_TAGS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True)
class WaveformReference:
    """Unique identifiers of a DICOM waveform, its study and series. They identify a patient's study to whoever has the
    archive, so they go into DICOM SR alone."""

    sop_class: str
    sop_instance: str
    study: str
    series: str

    @staticmethod
    def of(record: Record) -> WaveformReference | None:
        """That of the file which the record was read from; None when it is not DICOM, or not there any more."""
        if record.format.upper() != "DICOM":
            return None
        import pydicom
        from pydicom.errors import InvalidDicomError

        try:
            header = pydicom.dcmread(record.source, stop_before_pixels=True, specific_tags=list(_TAGS))
            values = [str(header.get(tag, "")) for tag in _TAGS]
        except (OSError, InvalidDicomError, ValueError):
            return None
        return WaveformReference(*values) if all(pydicom.uid.UID(value).is_valid for value in values) else None
