"""Are two recordings of one patient? What their files say is compared on the spot; no identifier is kept.

Only typed facts count: DICOM's patient identifier with its issuer, sex, and age beside the time between the recordings.
"""

from __future__ import annotations

from typing import Literal

from ecglm.records.record import Record

#: What was found: the same identifier; different ones; what else contradicts; nothing that decides.
Match = Literal["same_id", "other_id", "other_sex", "other_age", "unknown"]
#: Ages in whole years may be off by so much from the time that passed.
_YEARS = 1.5


def match(now: Record, before: Record) -> Match:
    """How the patient facts of a recording and an earlier one go together. Agreement of sex and age alone decides nothing."""
    first, second = _identifier(now), _identifier(before)
    comparable = first is not None and second is not None and first[1] == second[1]  # of one issuer
    if comparable and first != second:
        return "other_id"
    sexes = {record.meta.sex for record in (now, before)} - {None}
    if len(sexes) == 2:
        return "other_sex"
    if _ages_contradict(now, before):
        return "other_age"
    return "same_id" if comparable else "unknown"


def _ages_contradict(now: Record, before: Record) -> bool:
    if now.meta.age is None or before.meta.age is None:
        return False
    older = now.meta.age - before.meta.age
    if now.start is None or before.start is None:
        return older < 0
    passed = (now.start.replace(tzinfo=None) - before.start.replace(tzinfo=None)).days / 365.25
    return abs(older - passed) > _YEARS


def _identifier(record: Record) -> tuple[str, str] | None:
    """Patient identifier and issuer of the DICOM file that a record was read from; None without."""
    if record.format.upper() != "DICOM":
        return None
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        header = pydicom.dcmread(record.source, stop_before_pixels=True, specific_tags=["PatientID", "IssuerOfPatientID"])
        found = (str(header.get("PatientID") or "").strip(), str(header.get("IssuerOfPatientID") or "").strip())
    except (OSError, InvalidDicomError, ValueError):
        return None
    return found if found[0] else None
